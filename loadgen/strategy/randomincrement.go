package strategy

import (
	"math/rand/v2"
	"sync/atomic"

	"lastport/loadgen/ports"
)

const randomIncrementName = "random-increment"

// DefaultTradeoff is the RFC's N where none is given: 500, as in its section
// 3.3.5.
const DefaultTradeoff = 500

// drawn is how many steps at random are tried before the search. The RFC's loop
// draws one after the other until a port is free or it gives up, which on a
// nearly full range takes long and may miss the last ports.
const drawn = 3

// newRandomIncrement is algorithm 5 of RFC 6056, section 3.3.5: from the last
// port on by a step of 1 to N. The larger N, the harder the next port is to guess,
// and the sooner one comes again.
//
// The first steps are the RFC's. If they all meet ports that are taken, the next
// free one from there on is chosen, where the RFC would go on drawing.
func newRandomIncrement(space Space) (Run, error) {
	if space.Tradeoff != 0 {
		if err := bounded("--tradeoff", space.Tradeoff, 1, ports.Max, "the longest step from a port to the next"); err != nil {
			return nil, err
		}
	}
	return randomIncrement(space, newRandomSource(space.Seed, ofTheRun).Uint64()%(1<<16), func(worker int) rand.Source {
		return newRandomSource(space.Seed, worker)
	})
}

func randomIncrement(space Space, first uint64, source func(worker int) rand.Source) (Run, error) {
	n := space.Tradeoff
	if n == 0 {
		n = DefaultTradeoff
	}
	var next atomic.Uint64
	next.Store(first)
	size := uint64(space.Ranges.Size())
	return newExplicit(space, func(worker int) order {
		return &stepping{size: size, longest: uint64(n), next: &next, random: source(worker)}
	})
}

// stepping is one worker's, but for the counter, which all share.
type stepping struct {
	size, longest uint64
	next          *atomic.Uint64
	random        rand.Source
}

func (o *stepping) pick(free *set, _ Attempt) int {
	last := o.next.Load() % o.size
	at := last
	for range drawn {
		if at += o.random.Uint64()%o.longest + 1; at >= o.size {
			at %= o.size
		}
		if free.claim(int(at)) {
			o.next.Add(at + o.size - last)
			return int(at)
		}
	}
	i := free.search(int(at))
	o.next.Add(uint64(i) + o.size - last)
	return i
}
