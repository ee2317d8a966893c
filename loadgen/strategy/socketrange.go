package strategy

const socketRangeName = "socket-range"

// newSocketRange asks for the range on the socket itself: IP_LOCAL_PORT_RANGE of
// ip(7), Linux 6.3 and later. The kernel then searches in steps of one. The
// option holds one range, so the gaps within the hull must be closed by
// ip_local_reserved_ports. Toward a source of its own it binds late.
func newSocketRange(space Space) (Run, error) {
	traits, bind := windowed(space)
	return byKernel{traits: traits, choice: Choice{Bind: bind, Window: space.Ranges.Hull()}}, nil
}

// windowed returns what strategies by IP_LOCAL_PORT_RANGE have in common.
func windowed(space Space) (Traits, Bind) {
	if len(space.Sources) == 0 {
		return Traits{Step: 1, Windowed: true}, NoBind
	}
	return Traits{Step: 1, Source: true, Windowed: true, Late: true}, BindLate
}
