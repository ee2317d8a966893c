package server

import (
	"iter"
	"math/bits"
)

// fdSet is a set of descriptors, one bit each: the kernel gives the lowest free
// number, so that they are dense.
type fdSet struct{ words []uint64 }

func (s *fdSet) add(fd int) {
	if missing := fd/64 + 1 - len(s.words); missing > 0 {
		s.words = append(s.words, make([]uint64, missing)...)
	}
	s.words[fd/64] |= 1 << (fd % 64)
}

// remove takes out a descriptor that was added.
func (s *fdSet) remove(fd int) { s.words[fd/64] &^= 1 << (fd % 64) }

// all lists the descriptors in ascending order. The one that is being visited
// may be removed.
func (s *fdSet) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, word := range s.words {
			for ; word != 0; word &= word - 1 {
				if !yield(i*64 + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}
