package server

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestFDSetIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s fdSet
		want := map[int]bool{}
		fds := rapid.SliceOf(rapid.IntRange(0, 300)).Draw(t, "fds")
		for _, fd := range fds {
			if want[fd] {
				s.remove(fd)
				delete(want, fd)
			} else {
				s.add(fd)
				want[fd] = true
			}
		}
		sorted := slices.Sorted(maps.Keys(want))
		if got := slices.Collect(s.all()); !slices.Equal(got, sorted) {
			t.Fatalf("%v, want %v", got, sorted)
		}
		for fd := range s.all() { // as drain does it
			s.remove(fd)
		}
		if left := slices.Collect(s.all()); len(left) != 0 {
			t.Fatalf("%v are left", left)
		}
	})
}
