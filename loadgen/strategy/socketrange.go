package strategy

const socketRangeName = "socket-range"

// socketRange asks for the range on the socket itself: IP_LOCAL_PORT_RANGE of
// ip(7), Linux 6.3 and later. The kernel then searches in steps of one. The
// option holds one range, so the gaps within the hull must be closed by
// ip_local_reserved_ports.
type socketRange struct{ choice Choice }

func newSocketRange(space Space) Strategy {
	return socketRange{choice: Choice{Window: space.Ranges.Hull()}}
}

func (socketRange) Name() string     { return socketRangeName }
func (socketRange) Traits() Traits   { return Traits{Step: 1} }
func (s socketRange) Choose() Choice { return s.choice }
