package strategy

import (
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// A set is a map with a search, whatever is done to it in whichever order.
func TestSetIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(1, 200), rapid.SampledFrom([]int{1, 63, 64, 65, 4095, 4096, 4097, 64512, 65535})).Draw(t, "size")
		s, members := &newSets(2, size)[1], make(map[int]bool)
		index := rapid.OneOf(rapid.IntRange(0, size-1), rapid.IntRange(0, min(size, 3)-1), rapid.Just(size-1))
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				i := index.Draw(t, "i")
				s.put(i)
				members[i] = true
			},
			"claim": func(t *rapid.T) {
				if !s.reserve() {
					return
				}
				i := index.Draw(t, "i")
				if s.claim(i) != members[i] {
					t.Fatalf("claim of %d, a member: %v", i, members[i])
				}
				if !members[i] {
					s.left.Add(1) // not used up
				}
				delete(members, i)
			},
			"search": func(t *rapid.T) {
				from := index.Draw(t, "from") + rapid.IntRange(0, 1).Draw(t, "beyond")
				if !s.reserve() {
					return
				}
				want := from % size
				for !members[want] {
					want = (want + 1) % size
				}
				if got := s.search(from); got != want {
					t.Fatalf("search from %d: %d, want %d", from, got, want)
				}
				delete(members, want)
			},
			"": func(t *rapid.T) {
				if got := s.left.Load(); got != int64(len(members)) {
					t.Fatalf("%d left of %d", got, len(members))
				}
			},
		})
	})
}

// A set that is filled at once is the one that is filled one by one.
func TestFill(t *testing.T) {
	for _, size := range []int{1, 63, 64, 65, 4095, 4096, 4097, 64512, 65535} {
		s := newSets(2, size)
		s[0].fill(size)
		for i := range size {
			s[1].put(i)
		}
		for level := range s[0].levels {
			for word := range s[0].levels[level] {
				if got, want := s[0].levels[level][word].Load(), s[1].levels[level][word].Load(); got != want {
					t.Fatalf("of %d: word %d of level %d is %x, want %x", size, word, level, got, want)
				}
			}
		}
		if s[0].left.Load() != int64(size) {
			t.Errorf("of %d: %d left", size, s[0].left.Load())
		}
	}
}

// A worker that took a word's last member and comes late to say so leaves the
// mark for what was put there since.
func TestLateUnmark(t *testing.T) {
	for _, i := range []int{70, 64000} { // beyond the first word of level 0, and of level 1
		s := &newSets(1, 65535)[0]
		s.put(i)
		s.unmark(1, i>>6)
		if at, ok := s.next(0); !ok || at != i {
			t.Errorf("next is %d %v, want %d", at, ok, i)
		}
	}
}

// A member that another worker put without having marked it yet is found.
func TestSearchWithoutMarks(t *testing.T) {
	s := &newSets(1, 65535)[0]
	s.levels[0][1000].Store(1 << 7)
	s.left.Store(1)
	if !s.reserve() {
		t.Fatal("none to reserve")
	}
	if at := s.search(5); at != 64007 {
		t.Errorf("found %d, want 64007", at)
	}
	if s.reserve() {
		t.Error("one more to reserve")
	}
}

// Workers that hold one member each, of as many as they are, always find one:
// there is no moment at which a member that is there is not to be found.
func TestNoMemberIsMissedWhileOthersMove(t *testing.T) {
	const workers, rounds = 4, 5_000
	for _, size := range []int{workers, 64 * workers, 65535} {
		s := &newSets(1, size)[0]
		for i := range workers {
			s.put(i * (size - 1) / (workers - 1)) // in words of their own
		}
		holders := make([]atomic.Int32, size)
		var group sync.WaitGroup
		for w := range workers {
			group.Go(func() {
				at := uint32(w)
				for range rounds {
					if !s.reserve() {
						t.Errorf("of %d: none left, though at most %d are held", size, workers-1)
						return
					}
					i := s.search(int(at) % size)
					if holders[i].Add(1) != 1 {
						t.Errorf("of %d: %d is taken twice", size, i)
						return
					}
					holders[i].Add(-1)
					at = at*1664525 + 1013904223
					s.put(i)
				}
			})
		}
		group.Wait()
		if s.left.Load() != workers {
			t.Errorf("of %d: %d left, want %d", size, s.left.Load(), workers)
		}
	}
}
