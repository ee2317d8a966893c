package scenario

import "lastport/loadgen/step"

// Spread deals a run's attempts evenly over its tuple space: attempt k, counted
// from 0, goes from source k mod Sources, and the targets follow one another
// after each round of sources, or after so many attempts as a row has: a gateway
// whose addresses take turns would else give each target always the same ones.
// The zero value is one source and one target.
type Spread struct {
	Sources, Targets int
	Row              int // a multiple of Sources; 0: one round
}

// row is how many attempts in a row go toward one target.
func (s Spread) row() int { return max(1, s.Sources, s.Row) }

// pair is a source and a target.
type pair struct{ source, target uint16 }

// of returns the pair of attempt k.
func (s Spread) of(k int64) pair {
	sources, targets := int64(max(1, s.Sources)), int64(max(1, s.Targets))
	return pair{uint16(k % sources), uint16(k / int64(s.row()) % targets)}
}

// aim points a step at the pair.
func (p pair) aim(st step.Step) step.Step {
	st.Source, st.Target = p.source, p.target
	return st
}

// turns are the pairs of one worker, one after the other.
type turns struct {
	pairs []pair // in their order
	next  int
}

// turns lists the pairs of the worker whose k-th attempt is number first + k ×
// every of the run. Together the workers have every pair.
func (s Spread) turns(first, every int) turns {
	all := s.row() * max(1, s.Targets)
	t := turns{}
	for k := first; ; k += max(1, every) {
		t.pairs = append(t.pairs, s.of(int64(k)))
		if (k+max(1, every)-first)%all == 0 {
			return t
		}
	}
}

// take returns the pair whose turn it is. There must be one.
func (t *turns) take() pair {
	p := t.pairs[t.next%len(t.pairs)]
	t.next = (t.next + 1) % len(t.pairs)
	return p
}

// drop takes a pair out, and keeps the order of the others.
func (t *turns) drop(p pair) {
	for i := len(t.pairs) - 1; i >= 0; i-- {
		if t.pairs[i] != p {
			continue
		}
		t.pairs = append(t.pairs[:i], t.pairs[i+1:]...)
		if i < t.next {
			t.next--
		}
	}
}
