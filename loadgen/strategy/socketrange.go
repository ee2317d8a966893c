package strategy

const socketRangeName = "socket-range"

// newSocketRange asks for the range on the socket itself: IP_LOCAL_PORT_RANGE of
// ip(7), Linux 6.3 and later. The kernel then searches in steps of one. The
// option holds one range, so the gaps within the hull must be closed by
// ip_local_reserved_ports. Toward a source of its own it binds late.
func newSocketRange(space Space) Run {
	k := byKernel{
		traits: Traits{Step: 1, Source: len(space.Sources) > 0, Windowed: true, Late: len(space.Sources) > 0},
		choice: Choice{Window: space.Ranges.Hull()},
	}
	if len(space.Sources) > 0 {
		k.choice.Bind = BindLate
	}
	return k
}
