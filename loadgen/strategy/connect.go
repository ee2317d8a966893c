package strategy

const connectName = "connect"

// newConnect leaves everything to the kernel, as an ordinary program does that
// never binds: the port comes from ip_local_port_range at connect, one parity
// first and then the other (RFC 6056, algorithm 4, in steps of two).
func newConnect(Space) (Run, error) { return byKernel{traits: Traits{Step: 2}}, nil }
