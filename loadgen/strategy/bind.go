package strategy

const bindName = "bind"

// newBind binds to a source address and port 0: the kernel chooses the port at
// bind, the other parity than connect's first, and takes it for that address
// whatever the target (inet_csk_find_open_port of
// net/ipv4/inet_connection_sock.c). SO_REUSEADDR would not make it share: with
// it the kernel lets two sockets have the same 4-tuple.
func newBind(Space) (Run, error) {
	return byKernel{traits: Traits{Step: 2, Source: true, Early: true}, choice: Choice{Bind: BindNow}}, nil
}
