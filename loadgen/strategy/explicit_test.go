package strategy

import (
	"net/netip"
	"sync"
	"testing"

	"lastport/loadgen/ports"

	"pgregory.net/rapid"
)

// explicitNames are the strategies that choose the port.
func explicitNames() []string {
	return []string{"sequential", "random", "simple-hash", "double-hash", "random-increment"}
}

// Every port of every pool is given out once and then none is; a port that is
// freed is found again, and no other.
func TestEveryPortIsGivenOutOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genSpace().Draw(t, "space")
		run, err := New(rapid.SampledFrom(explicitNames()).Draw(t, "name"), s)
		if err != nil {
			t.Fatal(err)
		}
		pools := s.Pools(run.Traits())
		workers := []Strategy{run.Worker(0), run.Worker(1)}
		choose := func(a Attempt) (uint16, bool) {
			c, ok := workers[rapid.IntRange(0, 1).Draw(t, "worker")].Choose(a)
			return c.Port, ok
		}
		for source := range uint16(len(s.Sources)) {
			a := Attempt{Source: source, Target: uint16(rapid.IntRange(0, len(s.Targets)-1).Draw(t, "target"))}
			a.Pool = pools.Of(a.Source, a.Target)
			seen := make(map[uint16]bool)
			for range s.Ranges.Size() {
				port, ok := choose(a)
				if !ok || seen[port] || !s.Ranges.Contains(port) {
					t.Fatalf("port %d %v, after %d of %d", port, ok, len(seen), s.Ranges.Size())
				}
				seen[port] = true
			}
			for range 3 {
				if port, ok := choose(a); ok {
					t.Fatalf("port %d, though all are taken", port)
				}
				freed := rapid.SampledFrom(number(s.Ranges).ports).Draw(t, "freed")
				workers[0].Freed(a.Pool, freed)
				workers[1].Freed(a.Pool, freed)     // told twice, freed once
				workers[0].Freed(a.Pool, 0)         // not of the space
				workers[0].Freed(a.Pool, ports.Max) // likewise
				if port, ok := choose(a); !ok || port != freed {
					t.Fatalf("port %d %v, want %d, the only one that is free", port, ok, freed)
				}
			}
		}
	})
}

// try makes an attempt toward ports of which some are a stranger's, and returns
// the port and how many tries came to nothing.
func try(w Strategy, stranger func(uint16) bool) (port uint16, passed int, ok bool) {
	for a := (Attempt{}); ; a.Try++ {
		c, ok := w.Choose(a)
		if !ok || !stranger(c.Port) {
			return c.Port, a.Try, ok
		}
		if !w.Failed(a, c) {
			return 0, a.Try, false
		}
	}
}

// A stranger's ports are passed over and found when the stranger has left.
func TestStrangers(t *testing.T) {
	for _, name := range explicitNames() {
		const strangers = 30
		run, err := New(name, space(t, "40000-40099"))
		if err != nil {
			t.Fatal(err)
		}
		w, gone := run.Worker(0), false
		stranger := func(port uint16) bool { return !gone && port < 40000+strangers }
		all := 0
		for range 70 {
			port, passed, ok := try(w, stranger)
			if !ok || port < 40000+strangers {
				t.Fatalf("%s: port %d %v", name, port, ok)
			}
			all += passed
		}
		if all > strangers {
			t.Errorf("%s: %d tries came to nothing, by %d strangers", name, all, strangers)
		}
		// What the first of these passes over was never tried before; the others try each again.
		for i := range 3 {
			if port, passed, ok := try(w, stranger); ok || i > 0 && passed != strangers {
				t.Errorf("%s: port %d %v after %d tries, want none after %d", name, port, ok, passed, strangers)
			}
		}
		gone = true
		seen := make(map[uint16]bool)
		for range strangers {
			port, passed, ok := try(w, stranger)
			if !ok || passed != 0 || seen[port] {
				t.Errorf("%s: port %d %v after %d tries, which is free again", name, port, ok, passed)
			}
			seen[port] = true
		}
		if port, _, ok := try(w, stranger); ok {
			t.Errorf("%s: port %d, though all are taken", name, port)
		}
	}
}

// An attempt tries busy ports again in turn and no more than the bound, and one
// that came back is found within a round.
func TestBusyPortsAreTriedInTurn(t *testing.T) {
	run, err := New("random", space(t, "40000-40999"))
	if err != nil {
		t.Fatal(err)
	}
	w := run.Worker(0)
	everywhere := func(uint16) bool { return true }
	if _, passed, ok := try(w, everywhere); ok || passed != 1000 {
		t.Fatalf("%d tries, want each port once and none of them again", passed)
	}
	tried := make(map[uint16]int)
	for attempt := range 1000 {
		_, passed, ok := try(w, func(port uint16) bool { tried[port]++; return true })
		if ok || passed != maxAgain {
			t.Fatalf("attempt %d: %d tries, want %d", attempt, passed, maxAgain)
		}
	}
	for port := uint16(40000); port < 41000; port++ {
		if tried[port] != maxAgain {
			t.Errorf("port %d was tried %d times, want as often as any, %d", port, tried[port], maxAgain)
		}
	}
	for attempt := range 1000/maxAgain + 1 {
		if port, _, ok := try(w, func(port uint16) bool { return port != 40500 }); ok {
			if port != 40500 {
				t.Errorf("port %d, want the one that came back", port)
			}
			return
		}
		if attempt == 1000/maxAgain {
			t.Error("the port that came back was not found within a round")
		}
	}
}

// Workers that race for the last ports lose none and double none.
func TestRace(t *testing.T) {
	for _, name := range explicitNames() {
		s := space(t, "40000-40700,41000")
		s.Targets = make([]netip.AddrPort, 3)
		for i := range s.Targets {
			s.Targets[i] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, 0, 1}), uint16(1000+i))
		}
		run, err := New(name, s)
		if err != nil {
			t.Fatal(err)
		}
		const workers = 4
		got := make([][]Attempt, workers) // Source is the port
		var group sync.WaitGroup
		for i := range workers {
			w := run.Worker(i)
			group.Go(func() {
				for full := 0; full < len(s.Targets); {
					full = 0
					for pool := range len(s.Targets) {
						c, ok := w.Choose(Attempt{Pool: pool, Target: uint16(pool)})
						if !ok {
							full++
							continue
						}
						if c.Port%5 == 0 { // give it back, and take one again
							w.Freed(pool, c.Port)
							if c, ok = w.Choose(Attempt{Pool: pool, Target: uint16(pool)}); !ok {
								continue
							}
						}
						got[i] = append(got[i], Attempt{Pool: pool, Source: c.Port})
					}
				}
			})
		}
		group.Wait()
		seen := make(map[Attempt]bool)
		for _, list := range got {
			for _, tuple := range list {
				if seen[tuple] {
					t.Errorf("%s: port %d of pool %d was given out twice", name, tuple.Source, tuple.Pool)
				}
				seen[tuple] = true
			}
		}
		if want := len(s.Targets) * s.Ranges.Size(); len(seen) != want {
			t.Errorf("%s: %d of %d tuples", name, len(seen), want)
		}
	}
}

// The same seed makes the same choices, another one others; workers differ.
func TestSeed(t *testing.T) {
	first := func(name string, seed uint64, worker int) (list [8]uint16) {
		s := space(t, "linux")
		s.Seed = seed
		run, err := New(name, s)
		if err != nil {
			t.Fatal(err)
		}
		w := run.Worker(worker)
		for i := range list {
			c, _ := w.Choose(Attempt{})
			list[i] = c.Port + c.Window.Low
			w.Freed(0, c.Port)
		}
		return list
	}
	for _, name := range []string{"window", "random", "simple-hash", "double-hash", "random-increment"} {
		if a, b := first(name, 1, 0), first(name, 1, 0); a != b {
			t.Errorf("%s: %v, and by the same seed %v", name, a, b)
		}
		if a, b := first(name, 1, 0), first(name, 2, 0); a == b {
			t.Errorf("%s: %v by both seeds", name, a)
		}
	}
	for _, name := range []string{"window", "random", "random-increment"} {
		if a, b := first(name, 1, 0), first(name, 1, 1); a == b {
			t.Errorf("%s: %v by both workers", name, a)
		}
	}
}

// Each part of an address and the port count in the hash, and F is not G.
func TestHash(t *testing.T) {
	address, target := netip.MustParseAddr, netip.MustParseAddrPort
	f := newHash(1, "F")
	base := f(address("198.18.0.2"), target("198.18.0.1:1000"))
	for what, other := range map[string]uint64{
		"seed":        newHash(2, "F")(address("198.18.0.2"), target("198.18.0.1:1000")),
		"function":    newHash(1, "G")(address("198.18.0.2"), target("198.18.0.1:1000")),
		"source":      f(address("198.18.0.3"), target("198.18.0.1:1000")),
		"no source":   f(netip.Addr{}, target("198.18.0.1:1000")),
		"target":      f(address("198.18.0.2"), target("198.18.0.3:1000")),
		"target port": f(address("198.18.0.2"), target("198.18.0.1:1001")),
		"ends turned": f(address("198.18.0.1"), target("198.18.0.2:1000")),
	} {
		if other == base {
			t.Errorf("%s does not count", what)
		}
	}
	if again := newHash(1, "F")(address("198.18.0.2"), target("198.18.0.1:1000")); again != base {
		t.Errorf("%d, and again %d", base, again)
	}
}
