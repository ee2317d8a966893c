package strategy

const connectName = "connect"

// connect leaves everything to the kernel, as an ordinary program does that
// never binds: the port comes from ip_local_port_range at connect, one parity
// first and then the other (RFC 6056, algorithm 4, in steps of two).
type connect struct{}

func newConnect(Space) Strategy { return connect{} }

func (connect) Name() string   { return connectName }
func (connect) Traits() Traits { return Traits{Step: 2} }
func (connect) Choose() Choice { return Choice{} }
