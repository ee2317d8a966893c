package strategy

// byKernel is a strategy that leaves the port to the kernel and asks for the
// same in every attempt. It has no state, so all workers share it.
type byKernel struct {
	traits Traits
	choice Choice
}

func (k byKernel) Traits() Traits      { return k.traits }
func (k byKernel) Worker(int) Strategy { return k }

// Choose asks once: when the kernel's own search has failed, no port is left.
func (k byKernel) Choose(a Attempt) (Choice, bool) { return k.choice, a.Try == 0 }
func (k byKernel) Failed(Attempt, Choice) bool     { return false }
func (k byKernel) Freed(pool int, port uint16)     {}
