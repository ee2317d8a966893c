package strategy

const lateBindName = "late-bind"

// newLateBind binds to a source address alone (IP_BIND_ADDRESS_NO_PORT of
// ip(7), Linux 4.2 and later) and so leaves the port to connect, which knows the
// target and can share ports between targets.
func newLateBind(Space) (Run, error) {
	return byKernel{traits: Traits{Step: 2, Source: true, Late: true}, choice: Choice{Bind: BindLate}}, nil
}
