package strategy

import (
	"math/bits"
	"sync/atomic"
)

// set is a set of indices below a size, from which several workers take and to
// which they give back at the same time, without a lock. What is taken is taken
// once; and as long as there are as many members as takers, each gets one,
// however they race.
//
// Two parts see to that. left is exact: a taker first reserves one of so many
// members, and no member is removed without. The bits say which they are: level
// 0 has a bit for each index, and each level above a bit for each word below that
// is not zero, so that the next member is a few words away whether many are left
// or one. Bits of the upper levels may be out of date for a moment; then the
// search passes over a word in vain, or falls back to looking at every word.
type set struct {
	left   atomic.Int64 // members that nobody has reserved; never below 0
	levels [3][]atomic.Uint64
}

// newSets makes that many empty sets. Three levels are enough for 64^3 indices,
// and there are 65,535 ports.
func newSets(count, size int) []set {
	var words [3]int
	total := 0
	for level, n := 0, size; level < len(words); level++ {
		n = (n + 63) / 64
		words[level] = n
		total += n
	}
	all, sets := make([]atomic.Uint64, count*total), make([]set, count)
	for i := range sets {
		for level, n := range words {
			sets[i].levels[level], all = all[:n:n], all[n:]
		}
	}
	return sets
}

// reserve secures a member for the caller, who then takes it by claim or by
// search. False says that at this moment there was none.
func (s *set) reserve() bool {
	for {
		n := s.left.Load()
		if n <= 0 {
			return false
		}
		if s.left.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// claim removes index i; false if it is no member. The caller has reserved one.
func (s *set) claim(i int) bool {
	word, bit := &s.levels[0][i>>6], uint64(1)<<(i&63)
	if word.Load()&bit == 0 { // to read is cheap, even when others write
		return false
	}
	old := word.And(^bit)
	if old == bit {
		s.unmark(1, i>>6)
	}
	return old&bit != 0
}

// search removes the first member at or after index i, or the first of all if
// there is none. The caller has reserved one, so there is one to find.
func (s *set) search(i int) int {
	for {
		for _, from := range [2]int{i, 0} {
			if at, ok := s.next(from); ok && s.claim(at) {
				return at
			}
		}
		// Another worker took what was found, or has not marked yet what it gave
		// back. It may be asleep, so that is not waited for.
		for word := range s.levels[0] {
			if w := s.levels[0][word].Load(); w != 0 {
				if at := word<<6 + bits.TrailingZeros64(w); s.claim(at) {
					return at
				}
			}
		}
	}
}

// next returns the first member at or after index i: up to a level that has
// something further on, and down again to it.
func (s *set) next(i int) (int, bool) {
	for level := 0; level < len(s.levels); {
		word := i >> 6
		if word < len(s.levels[level]) {
			if rest := s.levels[level][word].Load() >> (i & 63); rest != 0 {
				i += bits.TrailingZeros64(rest)
				if level == 0 {
					return i, true
				}
				level--
				i <<= 6
				continue
			}
		}
		level++
		i = word + 1
	}
	return 0, false
}

// put adds index i; nothing happens if it is a member.
func (s *set) put(i int) {
	bit := uint64(1) << (i & 63)
	old := s.levels[0][i>>6].Or(bit)
	if old&bit != 0 {
		return
	}
	if old == 0 {
		s.mark(1, i>>6)
	}
	s.left.Add(1) // last, so that who reserves it finds it
}

// fill makes all indices below size members, before anybody takes.
func (s *set) fill(size int) {
	s.left.Store(int64(size))
	for level, n := 0, size; level < len(s.levels); level++ {
		words := s.levels[level]
		for word := range words {
			words[word].Store(1<<min(64, n-word<<6) - 1) // all ones where 64 remain
		}
		n = len(words)
	}
}

// mark says that word i of the level below is not zero.
func (s *set) mark(level, i int) {
	for ; level < len(s.levels); level++ {
		if s.levels[level][i>>6].Or(1<<(i&63)) != 0 {
			return
		}
		i >>= 6
	}
}

// unmark says that word i of the level below is zero. Another worker may have
// set a bit of it since, and marked it before this took the mark away: whoever
// takes it away looks again, and so no mark stays missing.
func (s *set) unmark(level, i int) {
	if level == len(s.levels) {
		return
	}
	bit := uint64(1) << (i & 63)
	if s.levels[level][i>>6].And(^bit) == bit {
		s.unmark(level+1, i>>6)
	}
	if s.levels[level-1][i].Load() != 0 {
		s.mark(level, i)
	}
}
