package strategy

import (
	"sync"
	"sync/atomic"

	"lastport/loadgen/ports"
)

// Bounds of strategies that choose the port.
const (
	// maxPairs is how many pairs of source and target there may be. A book of all
	// ports takes 17 KB for each: 270 MB at most.
	maxPairs = 1 << 14
	// maxAgain is how many busy ports an attempt tries again when no other is left:
	// enough to find soon those that came back, few enough to bound what a failure
	// costs.
	maxAgain = 64
)

// order is the order in which an algorithm tries ports.
type order interface {
	// pick takes from the free ports, one of which the caller has reserved, the one
	// that the algorithm comes to first.
	pick(free *set, a Attempt) int
}

// explicit is a strategy that chooses the port. Its workers share one book, so
// that one finds no port only if there is none.
type explicit struct {
	book   func() *book // made when the first worker is
	choice Choice       // less the port
	order  func(worker int) order
}

// book says of each pool which ports are free, and which were found to be taken
// by others (busy).
type book struct {
	*numbering
	free, busy []set
	again      []atomic.Uint32 // by pool: from which index busy ports are tried again
}

// newExplicit makes a strategy of an order, which is asked for once a worker.
// Until the first of them is made it costs next to nothing, so that a space can
// be checked by making it.
func newExplicit(space Space, order func(worker int) order) (Run, error) {
	if pairs := max(1, len(space.Sources)) * max(1, len(space.Targets)); pairs > maxPairs {
		return nil, &pairsError{pairs}
	}
	e := &explicit{choice: Choice{Bind: BindNow, ReuseAddr: !space.UDP}, order: order}
	e.book = sync.OnceValue(func() *book { return newBook(space.Ranges, space.Pools(e.Traits()).Count()) })
	return e, nil
}

func newBook(space ports.Ranges, pools int) *book {
	b := &book{numbering: number(space), again: make([]atomic.Uint32, pools)}
	b.free, b.busy = newSets(pools, b.size()), newSets(pools, b.size())
	for i := range b.free {
		b.free[i].fill(b.size())
	}
	return b
}

func (e *explicit) Traits() Traits {
	return Traits{Explicit: true, Step: 1, Source: true, Tries: true, Again: maxAgain}
}

func (e *explicit) Worker(i int) Strategy {
	return &chooser{book: e.book(), order: e.order(i), choice: e.choice}
}

// chooser is one worker's.
type chooser struct {
	*book
	order  order
	choice Choice
	left   int64 // busy ports that the attempt may try again
}

// Choose takes a free port or, if none is left, one that was busy: those in
// turn, so that a port that came back is found in the end, and in one attempt
// none that the attempt itself has found busy.
func (c *chooser) Choose(a Attempt) (Choice, bool) {
	free, busy := &c.free[a.Pool], &c.busy[a.Pool]
	if a.Try == 0 {
		c.left = min(maxAgain, busy.left.Load())
	}
	if free.reserve() {
		return c.port(c.order.pick(free, a)), true
	}
	if c.left == 0 || !busy.reserve() {
		return Choice{}, false
	}
	c.left--
	from := &c.again[a.Pool]
	i := busy.search(int(from.Load()))
	from.Store(uint32(i) + 1)
	return c.port(i), true
}

func (c *chooser) port(i int) Choice {
	choice := c.choice
	choice.Port = c.ports[i]
	return choice
}

// Failed notes the port as busy.
func (c *chooser) Failed(a Attempt, failed Choice) bool {
	if i, ok := c.of(failed.Port); ok {
		c.busy[a.Pool].put(i)
	}
	return true
}

// Freed gives the port back; one that is not of the space is nobody's.
func (c *chooser) Freed(pool int, port uint16) {
	if i, ok := c.of(port); ok {
		c.free[pool].put(i)
	}
}
