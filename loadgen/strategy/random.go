package strategy

import "math/rand/v2"

const randomName = "random"

// ofTheRun names the random numbers that are drawn before the start, for all
// workers; those of worker i are named i.
const ofTheRun = -1

// newRandomSource returns the random numbers of a worker, the same ones for the
// same seed.
func newRandomSource(seed uint64, worker int) rand.Source { return rand.NewPCG(seed, uint64(worker)) }

// newRandom is algorithm 1 of RFC 6056, section 3.3.1: from a port drawn at
// random on to the next that is free.
func newRandom(space Space) (Run, error) {
	return random(space, func(worker int) rand.Source { return newRandomSource(space.Seed, worker) })
}

func random(space Space, source func(worker int) rand.Source) (Run, error) {
	size := uint64(space.Ranges.Size())
	return newExplicit(space, func(worker int) order { return &fromRandom{size: size, random: source(worker)} })
}

// fromRandom is one worker's.
type fromRandom struct {
	size   uint64
	random rand.Source
	next   int // where the attempt's next try goes on
}

func (o *fromRandom) pick(free *set, a Attempt) int {
	if a.Try == 0 {
		o.next = int(o.random.Uint64() % o.size)
	}
	i := free.search(o.next)
	o.next = i + 1 // may be the size, from where a search begins again at 0
	return i
}
