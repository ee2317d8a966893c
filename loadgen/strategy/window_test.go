package strategy

import (
	"testing"

	"lastport/loadgen/ports"

	"pgregory.net/rapid"
)

// kernel finds a free port in a window as IP_LOCAL_PORT_RANGE does: any that is
// not reserved, here the lowest.
type kernel map[uint16]bool

func (free kernel) find(window ports.Range) (uint16, bool) {
	for port := range ports.Of(window).All() {
		if free[port] {
			return port, true
		}
	}
	return 0, false
}

// open makes an attempt; tries is how many windows were asked for.
func (free kernel) open(w Strategy, pool int) (port uint16, tries int, ok bool) {
	for a := (Attempt{Pool: pool}); ; a.Try++ {
		c, more := w.Choose(a)
		if !more {
			return 0, a.Try, false
		}
		if port, ok := free.find(c.Window); ok {
			delete(free, port)
			return port, a.Try + 1, true
		}
		if !w.Failed(a, c) {
			return 0, a.Try + 1, false
		}
	}
}

// A fill finds every port of every pool, the last one included, and a failure
// has tried no more windows than it must.
func TestWindowsFindTheLastPort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genSpace().Draw(t, "space")
		all := s.Ranges.Size()
		s.WindowSize = rapid.IntRange(1, all).Draw(t, "size")
		s.WindowMoves = rapid.IntRange(0, 12).Draw(t, "moves")
		run, err := New("window", s)
		if err != nil {
			t.Fatal(err)
		}
		w := run.Worker(0)
		pools := s.Pools(run.Traits()).Count()
		free := make([]kernel, pools)
		for pool := range free {
			free[pool] = make(kernel)
			for port := range s.Ranges.All() {
				free[pool][port] = true
			}
		}
		for n := range all {
			for pool := range pools {
				if _, _, ok := free[pool].open(w, pool); !ok {
					t.Fatalf("pool %d: no port, after %d of %d", pool, n, all)
				}
			}
		}
		tiles := (all + s.WindowSize - 1) / s.WindowSize
		want := 1 + s.WindowMoves + tiles
		if tiles == 1 {
			want = 1
		}
		if _, tries, ok := free[pools-1].open(w, pools-1); ok || tries != want {
			t.Fatalf("a full pool: %v after %d windows, want none after %d", ok, tries, want)
		}
	})
}

// A window is kept while it works, moved within the range, and has its size in
// ports of the space.
func TestWindowIsKeptWhileItWorks(t *testing.T) {
	s := space(t, "40000-40099,40200-40299")
	s.WindowSize, s.WindowMoves = 20, 3
	run, err := New("window", s)
	if err != nil {
		t.Fatal(err)
	}
	w, inGap := run.Worker(0), 0
	last, _ := w.Choose(Attempt{})
	for range 200 {
		for range 3 {
			if c, _ := w.Choose(Attempt{}); c != last {
				t.Fatalf("%v, though %v works", c.Window, last.Window)
			}
		}
		if !w.Failed(Attempt{}, last) {
			t.Fatal("gives up after one window")
		}
		next, _ := w.Choose(Attempt{Try: 1})
		if n := s.Ranges.Intersect(ports.Of(next.Window)).Size(); n != 20 {
			t.Fatalf("%v has %d ports of the space", next.Window, n)
		}
		if next.Window.Size() > 20 {
			inGap++
		}
		last = next
	}
	if inGap == 0 {
		t.Error("of 200 windows none is across the gap")
	}
}

func TestDefaultWindow(t *testing.T) {
	for spec, want := range map[string]int{"linux": DefaultWindow, "40000-40099": 100, "40000": 1} {
		run, err := New("window", space(t, spec))
		if err != nil {
			t.Fatal(err)
		}
		if c, _ := run.Worker(0).Choose(Attempt{}); c.Window.Size() != want {
			t.Errorf("%s: %v", spec, c.Window)
		}
	}
}
