package strategy

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"lastport/loadgen/ports"

	"pgregory.net/rapid"
)

// numbers is a random source that was thrown before: the given numbers in turn,
// and the last one for ever.
type numbers []uint64

func (n *numbers) Uint64() uint64 {
	first := (*n)[0]
	if len(*n) > 1 {
		*n = (*n)[1:]
	}
	return first
}

// twoTargets is a space of ten ports, one source and two targets, A and B.
func twoTargets(t *testing.T) Space {
	t.Helper()
	return Space{
		Ranges: ports.Of(ports.Range{Low: 40000, High: 40009}),
		Targets: []netip.AddrPort{
			netip.MustParseAddrPort("198.18.0.1:1000"), // A
			netip.MustParseAddrPort("198.18.0.1:1001"), // B
		},
	}
}

// byTarget is a hash that knows A and B alone.
func byTarget(a, b uint64) hash {
	return func(_ netip.Addr, target netip.AddrPort) uint64 {
		if target.Port() == 1000 {
			return a
		}
		return b
	}
}

// Vectors worked out by hand from the RFC's pseudocode: which port, less 40000,
// is chosen toward A or B when none is ever closed.
func TestVectors(t *testing.T) {
	for _, c := range []struct {
		name   string
		make   func(Space) (Run, error)
		toward string
		want   []uint16
	}{
		{ // section 2.2: next_ephemeral goes round, past what a target has taken
			"sequential", newSequential, "AAABBABABBB",
			[]uint16{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0},
		},
		{ // section 3.3.1: num_ephemeral is 10; 7; 23 % 10 = 3; 17 % 10 = 7 is taken, 8; 9; 48 % 10 = 8 and 9 are taken, round to 0; B has its own
			"random", func(s Space) (Run, error) {
				return random(s, func(int) rand.Source { return &numbers{7, 23, 17, 9, 48, 7} })
			}, "AAAAAB",
			[]uint16{7, 3, 8, 9, 0, 7},
		},
		{ // section 3.3.3: offsets 4 and 9, next_ephemeral from 0:
			// A 0+4, A 1+4, B 2+9=11, A 3+4, B 4+9=13, A 5+4, A 6+4=10, A 7+4=11, A 8+4=12, A 9+4=13,
			// A 10+4=14 4 is taken, 11+4=15 5 is taken, 12+4=16, A 13+4=17 7 is taken, 14+4=18, B 15+9=24
			"simple-hash", func(s Space) (Run, error) { return simpleHash(s, byTarget(4, 9)) }, "AABABAAAAAAAB",
			[]uint16{4, 5, 1, 7, 3, 9, 0, 1, 2, 3, 6, 8, 4},
		},
		{ // section 3.3.4: table[1] is 65636 % 65536 = 100, table[2] 200; G of B is 258 % 256 = 2:
			// A 4+100, A 4+101, B 9+200, B 9+201, A 4+102, B 9+202
			"double-hash", func(s Space) (Run, error) {
				return doubleHash(s, byTarget(4, 9), byTarget(1, 258), &numbers{0, 65636, 200})
			}, "AABBAB",
			[]uint16{4, 5, 9, 0, 6, 1},
		},
		{ // the same where G does not tell A and B apart: A 4+100, A 4+101, B 9+102, B 9+103
			"double-hash, one counter", func(s Space) (Run, error) {
				return doubleHash(s, byTarget(4, 9), byTarget(1, 1), &numbers{0, 100, 200})
			}, "AABB",
			[]uint16{4, 5, 1, 2},
		},
		{ // section 3.3.5: N is 5, next_ephemeral 3: 3+0+1=4, 4+2+1=7, 7+4+1=12, 12+4+1=17 7 is taken, 17+1+1=19; B 19+0+1=20
			"random-increment", func(s Space) (Run, error) {
				s.Tradeoff = 5
				return randomIncrement(s, 3, func(int) rand.Source { return &numbers{0, 7, 9, 4, 1, 0} })
			}, "AAAAB",
			[]uint16{4, 7, 2, 9, 0},
		},
		{ // not the RFC's: after three steps that meet taken ports, 5, 5 and 5, the search: 6, and on from there
			"random-increment, a full range", func(s Space) (Run, error) {
				s.Tradeoff = 10
				return randomIncrement(s, 5, func(int) rand.Source { return &numbers{9, 9, 9, 9, 9, 9, 0} })
			}, "AAA",
			[]uint16{5, 6, 7},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := c.make(twoTargets(t))
			if err != nil {
				t.Fatal(err)
			}
			w := s.Worker(0)
			for i, toward := range c.toward {
				target := uint16(toward - 'A')
				got, ok := w.Choose(Attempt{Pool: int(target), Target: target})
				if !ok || got.Port != 40000+c.want[i] {
					t.Fatalf("attempt %d toward %c: %d %v, want %d", i+1, toward, got.Port, ok, 40000+c.want[i])
				}
			}
		})
	}
}

// loop is the RFC's: next gives the index that its first or next turn tries,
// suitable is check_suitable_port.
func loop(turns int, next func() int, suitable func(i int) bool) (int, bool) {
	for range turns {
		if i := next(); suitable(i) {
			return i, true
		}
	}
	return 0, false
}

// naive is an algorithm as the RFC writes it, for one connection.
type naive func(a Attempt, num int, suitable func(int) bool) (int, bool)

// naively returns the algorithms with state of their own, over the same random
// numbers and hashes as those under test.
func naively(name string, s Space, f, g hash) naive {
	var nextEphemeral uint64
	flow := func(h hash, a Attempt) uint64 { return h(s.Sources[a.Source], s.Targets[a.Target]) }
	numbers := newRandomSource(s.Seed, 0)
	switch name {
	case "random":
		return func(_ Attempt, num int, suitable func(int) bool) (int, bool) {
			i := int(numbers.Uint64()%uint64(num)) - 1
			return loop(num, func() int { i++; return i % num }, suitable)
		}
	case "double-hash":
		table, start := make([]uint64, tableLength), newRandomSource(s.Seed, ofTheRun)
		for i := range table {
			table[i] = start.Uint64() % 65536
		}
		return func(a Attempt, num int, suitable func(int) bool) (int, bool) {
			index := flow(g, a) % tableLength
			return loop(num, func() int {
				i := (flow(f, a)%uint64(num) + table[index]) % uint64(num)
				table[index]++
				return int(i)
			}, suitable)
		}
	case "random-increment":
		nextEphemeral = newRandomSource(s.Seed, ofTheRun).Uint64() % 65536
		return func(_ Attempt, num int, suitable func(int) bool) (int, bool) {
			i, ok := loop(drawn, func() int {
				nextEphemeral += numbers.Uint64()%DefaultTradeoff + 1
				return int(nextEphemeral % uint64(num))
			}, suitable)
			if ok {
				return i, true
			}
			nextEphemeral-- // from the last port on, which is taken
			return loop(num, func() int { nextEphemeral++; return int(nextEphemeral % uint64(num)) }, suitable)
		}
	}
	if name == "sequential" {
		f = func(netip.Addr, netip.AddrPort) uint64 { return 0 }
	}
	return func(a Attempt, num int, suitable func(int) bool) (int, bool) {
		return loop(num, func() int {
			i := (nextEphemeral + flow(f, a)%uint64(num)) % uint64(num)
			nextEphemeral++
			return int(i)
		}, suitable)
	}
}

func genSpace() *rapid.Generator[Space] {
	return rapid.Custom(func(t *rapid.T) Space {
		var rs []ports.Range
		for range rapid.IntRange(1, 4).Draw(t, "ranges") {
			low := rapid.Uint16Range(40000, 40150).Draw(t, "low")
			rs = append(rs, ports.Range{Low: low, High: low + rapid.Uint16Range(0, 60).Draw(t, "more")})
		}
		s := Space{Ranges: ports.Of(rs...), UDP: rapid.Bool().Draw(t, "udp"), Seed: rapid.Uint64().Draw(t, "seed")}
		for i := range rapid.IntRange(1, 3).Draw(t, "sources") {
			s.Sources = append(s.Sources, netip.AddrFrom4([4]byte{198, 18, 1, byte(i)}))
		}
		for i := range rapid.IntRange(1, 3).Draw(t, "targets") {
			s.Targets = append(s.Targets, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, 0, 1}), uint16(1000+i)))
		}
		return s
	})
}

// Each of ours picks what the RFC's loop would, whatever was taken and freed
// before, and whichever ports strangers have. What it does when nothing is left
// is another test's.
func TestPicksAreTheLoops(t *testing.T) {
	for _, name := range []string{"sequential", "random", "simple-hash", "double-hash", "random-increment"} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { compare(t, name, genSpace().Draw(t, "space")) })
		})
	}
}

func compare(t *rapid.T, name string, s Space) {
	run, err := New(name, s)
	if err != nil {
		t.Fatal(err)
	}
	pick := naively(name, s, newHash(s.Seed, "F"), newHash(s.Seed, "G"))
	pools, w, all := s.Pools(run.Traits()), run.Worker(0), number(s.Ranges)
	free := make([]map[int]bool, pools.Count())
	for pool := range free {
		free[pool] = make(map[int]bool)
		for i := range all.size() {
			free[pool][i] = true
		}
	}
	taken := make([][]int, pools.Count())
	strangers := rapid.SliceOfNDistinct(rapid.IntRange(0, all.size()-1), 0, min(all.size(), 5), rapid.ID[int]).Draw(t, "strangers")
	isTaken := make(map[int]bool)
	for _, i := range strangers {
		isTaken[i] = true
	}
	for range rapid.IntRange(1, 150).Draw(t, "attempts") {
		a := Attempt{
			Source: uint16(rapid.IntRange(0, len(s.Sources)-1).Draw(t, "source")),
			Target: uint16(rapid.IntRange(0, len(s.Targets)-1).Draw(t, "target")),
		}
		a.Pool = pools.Of(a.Source, a.Target)
		if n := len(taken[a.Pool]); n > 0 && rapid.IntRange(0, 3).Draw(t, "free") == 0 {
			at := rapid.IntRange(0, n-1).Draw(t, "which")
			i := taken[a.Pool][at]
			taken[a.Pool] = append(taken[a.Pool][:at], taken[a.Pool][at+1:]...)
			free[a.Pool][i] = true
			w.Freed(a.Pool, all.ports[i])
		}
		left := 0
		for i := range free[a.Pool] {
			if !isTaken[i] {
				left++
			}
		}
		if left == 0 {
			continue
		}
		suitable := func(i int) bool { return free[a.Pool][i] && !isTaken[i] }
		if name == "random-increment" { // which draws anew after a stranger's, as often again
			suitable = func(i int) bool { return free[a.Pool][i] }
		}
		want, _ := pick(a, all.size(), suitable)
		got := -1
		for {
			c, ok := w.Choose(a)
			if got, _ = all.of(c.Port); !ok || !isTaken[got] {
				break
			}
			if name == "random-increment" {
				if got != want {
					break
				}
				delete(free[a.Pool], got)
				want, _ = pick(a, all.size(), suitable)
			}
			w.Failed(a, c)
			a.Try++
		}
		if got != want {
			t.Fatalf("%+v: %d, want %d", a, got, want)
		}
		delete(free[a.Pool], got)
		taken[a.Pool] = append(taken[a.Pool], got)
	}
}
