package picks_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lastport/loadgen/picks"
	"lastport/loadgen/ports"
)

// from is n usable ports, the first of which is low.
func from(low uint16, n int) ports.Ranges {
	return ports.Of(ports.Range{Low: low, High: low + uint16(n-1)})
}

// random picks n ports of the range, each alike likely.
func random(seed uint64, r ports.Ranges, n int) []uint16 {
	rng := rand.New(rand.NewPCG(seed, 1))
	all := slices.Collect(r.All())
	seq := make([]uint16, n)
	for i := range seq {
		seq[i] = all[rng.IntN(len(all))]
	}
	return seq
}

func TestParity(t *testing.T) {
	for _, c := range []struct {
		seq                       []uint16
		even, odd, other, longest int
	}{
		{nil, 0, 0, 0, 0},
		{[]uint16{7}, 0, 1, 0, 1},
		{[]uint16{8, 8, 8}, 3, 0, 0, 3},
		{[]uint16{8, 7}, 1, 1, 2, 1},
		{[]uint16{2, 4, 6, 1, 3, 8}, 4, 2, 4, 3},
		{[]uint16{1, 2, 4, 6, 8, 3}, 4, 2, 2, 4},
	} {
		s := picks.Describe(picks.Held, c.seq, from(1, 8))
		if s.Even != c.even || s.Odd != c.odd || s.OtherParityAt != c.other || s.LongestParity != c.longest {
			t.Errorf("%v: %+v, want %+v", c.seq, s, c)
		}
	}
}

func TestSteps(t *testing.T) {
	seq := []uint16{10, 11, 12, 20, 22, 24, 26, 25, 10, 11} // 1 1 8 2 2 2 -1 -15 1
	s := picks.Describe(picks.Released, seq, from(1, 100))
	want := []picks.Step{{1, 3. / 9}, {2, 3. / 9}, {-1, 1. / 9}, {8, 1. / 9}, {-15, 1. / 9}}
	if diff := cmp.Diff(want, s.Steps); diff != "" {
		t.Error(diff)
	}
	if s.MedianStep != 2 || s.RunsOfOne != (picks.Runs{Count: 2, Longest: 3}) || s.RunsOfTwo != (picks.Runs{Count: 1, Longest: 4}) {
		t.Errorf("median %v, runs %+v and %+v", s.MedianStep, s.RunsOfOne, s.RunsOfTwo)
	}
	// last + last step is right at 12, 24 and 26.
	if g := s.Guess; g.PlusOne != 3./9 || g.PlusTwo != 3./9 || g.LastStep != 3./8 || g.Best != 3./8 || g.By != "last + last step" || g.Chance != 0.01 {
		t.Errorf("guesses %+v", g)
	}
	if s.Distinct != 8 || s.Coverage() != 0.08 {
		t.Errorf("%d distinct, coverage %v", s.Distinct, s.Coverage())
	}
}

// The best guess is the simplest rule of those that are right as often.
func TestBestGuess(t *testing.T) {
	for _, c := range []struct {
		step int
		by   string
	}{{1, "last + 1"}, {2, "last + 2"}, {6, "last + 6"}, {-3, "last - 3"}, {0, "last + 0"}} {
		seq := make([]uint16, 50)
		for i := range seq {
			seq[i] = uint16(30000 + i*c.step)
		}
		if g := picks.Describe(picks.Released, seq, from(29000, 2000)).Guess; g.Best != 1 || g.By != c.by {
			t.Errorf("step %d: %+v, want %q", c.step, g, c.by)
		}
	}
}

func TestRepeats(t *testing.T) {
	s := picks.Describe(picks.Released, []uint16{5, 6, 7, 6, 5, 5}, from(1, 10))
	want := &picks.Repeats{Count: 3, First: 4, MinDistance: 1, MedianDistance: 2, Expected: picks.Birthday(10)}
	if diff := cmp.Diff(want, s.Repeats); diff != "" {
		t.Error(diff)
	}
	if s := picks.Describe(picks.Held, []uint16{5, 6, 7}, from(1, 10)); s.Repeats != nil {
		t.Errorf("held: %+v", s.Repeats)
	}
}

func TestSentences(t *testing.T) {
	r := from(40000, 1000)
	evenThenOdd := func() (seq []uint16) {
		for i := range 1000 {
			seq = append(seq, uint16(40000+i*2%1000+i/500))
		}
		return seq
	}()
	for _, c := range []struct {
		name  string
		phase picks.Phase
		seq   []uint16
		want  string
	}{
		{"nothing", picks.Held, nil, "no port was picked"},
		{"one", picks.Held, []uint16{40000}, "too few picks to say anything"},
		{"three", picks.Held, []uint16{40000, 40024, 40049}, "both parities; too few picks to say more"},
		{"30 steps of one", picks.Held, evenThenOdd[:31], "even ports alone; sequential: 100 % guessed by last + 2"},
		{"29 steps of one", picks.Held, evenThenOdd[:30], "even ports alone; too few picks to say more"},
		{"connect", picks.Held, evenThenOdd, "one parity first: all 500 even ports, then the odd; sequential: 99.9 % guessed by last + 2"},
		{"a walk", picks.Released, walk(1, 0, 8, 3000), "both parities; partly predictable: "},
		{"a walk", picks.Released, walk(1, 0, 8, 3000), "; spread over the range more evenly than independent picks would be"},
		{"few", picks.Released, random(2, r, 40), "the last pick does not tell the next (at best 2.56 % guessed)"},
		{"half of it", picks.Held, evenThenOdd[:400], "even ports alone; sequential: 100 % guessed by last + 2; not uniform over the range at the 0.1 % level"},
		{"random", picks.Released, random(1, r, 20000), "both parities; the last pick does not tell the next (at best 0.1"},
		{"random", picks.Released, random(1, r, 20000), "; uniform over the range at the 0.1 % level (p = "},
	} {
		if got := picks.Describe(c.phase, c.seq, r).Text; !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	// Twelve picks close to one another are no verdict on the range.
	if got := picks.Describe(picks.Released, evenThenOdd[:12], r).Text; got != "too few picks to say anything" {
		t.Errorf("twelve picks: %q", got)
	}
	// One port of the other parity in between is told.
	mixed := slices.Insert(slices.Clone(evenThenOdd), 300, 40999)
	if got, want := picks.Describe(picks.Held, mixed, r).Text, "one parity first: 300 even ports, then both"; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A counter that goes around the range makes one step, over its end and over
// ports that are not usable, too.
func TestStepsGoAroundTheRange(t *testing.T) {
	whole := from(40001, 101)
	holes := ports.Of(ports.Range{Low: 40001, High: 40050}, ports.Range{Low: 40060, High: 40110})
	for _, usable := range []ports.Ranges{whole, holes} {
		all := slices.Collect(usable.All())
		var seq []uint16
		for i := range 400 {
			seq = append(seq, all[i%len(all)])
		}
		s := picks.Describe(picks.Released, seq, usable)
		if s.Guess.PlusOne != 1 || s.Guess.By != "last + 1" || s.MedianStep != 1 || s.RunsOfOne != (picks.Runs{Count: 1, Longest: 400}) {
			t.Errorf("%v: %+v, guess %+v", usable, s, s.Guess)
		}
		if !strings.Contains(s.Text, "sequential: 100 % guessed by last + 1") {
			t.Error(s.Text)
		}
	}
}

// The median of an even count is the mean of the middle two.
func TestMediansOfEvenCounts(t *testing.T) {
	s := picks.Describe(picks.Released, []uint16{5, 6, 7, 10, 5, 10}, from(1, 100)) // 1 1 3 -5 5; distances 4 and 2
	if s.MedianStep != 3 || s.Repeats.MedianDistance != 3 {
		t.Errorf("median step %v, distance %v", s.MedianStep, s.Repeats.MedianDistance)
	}
	if s := picks.Describe(picks.Released, []uint16{5, 6, 8}, from(1, 100)); s.MedianStep != 1.5 {
		t.Errorf("median step %v", s.MedianStep)
	}
}

// Of samples that chance explains few are called predictable, however small the
// sample and the range: the level allows one in a thousand.
func TestChanceIsNotCalledPredictable(t *testing.T) {
	const trials = 100
	for _, size := range []int{2, 10, 30, 1000} {
		for _, n := range []int{31, 60, 1000} {
			wrong := 0
			for seed := range uint64(trials) {
				s := picks.Describe(picks.Released, random(seed, from(40000, size), n), from(40000, size))
				if !strings.Contains(s.Text, "does not tell the next") {
					wrong++
				}
			}
			if wrong > 2 {
				t.Errorf("%d ports, %d picks: %d of %d called predictable", size, n, wrong, trials)
			}
		}
	}
}

// A range of which one port alone can be picked has no order.
func TestOnePort(t *testing.T) {
	seq := make([]uint16, 50)
	for i := range seq {
		seq[i] = 40000
	}
	for _, size := range []int{1, 2} {
		if s := picks.Describe(picks.Released, seq, from(40000, size)); s.Text != "even ports alone; there is one port to pick" {
			t.Errorf("of %d: %q", size, s.Text)
		}
	}
}

// Whatever the picks are: counts add up, shares are shares, and the order of
// picks changes nothing in what does not depend on it.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Uint16Range(1, 60000).Draw(t, "low")
		usable := from(low, rapid.IntRange(1, 5000).Draw(t, "size"))
		seq := rapid.SliceOfN(rapid.Uint16(), 0, 300).Draw(t, "picks")
		phase := rapid.SampledFrom([]picks.Phase{picks.Released, picks.Held}).Draw(t, "phase")
		s := picks.Describe(phase, seq, usable)
		if s.Even+s.Odd != len(seq) || s.Distinct > len(seq) || s.LongestParity > len(seq) || s.OtherParityAt > len(seq) {
			t.Fatalf("counts do not add up: %+v", s)
		}
		if (s.OtherParityAt == 0) != (s.Even == 0 || s.Odd == 0) {
			t.Fatalf("the other parity at %d of %d even, %d odd", s.OtherParityAt, s.Even, s.Odd)
		}
		if r := s.Repeats; r != nil && r.Count != len(seq)-s.Distinct {
			t.Fatalf("%d repeats of %d picks, %d distinct", r.Count, len(seq), s.Distinct)
		}
		if g := s.Guess; g != nil && g.Best < max(g.PlusOne, g.PlusTwo, g.LastStep) {
			t.Fatalf("the best guess is not: %+v", g)
		}
		for name, share := range shares(&s) {
			if !(share >= 0 && share <= 1+1e-9) {
				t.Fatalf("%s is %v of %+v", name, share, s)
			}
		}
		slices.Reverse(seq)
		back := picks.Describe(phase, seq, usable)
		if back.Distinct != s.Distinct || back.MedianStep != s.MedianStep || !cmp.Equal(back.Uniform, s.Uniform) || !cmp.Equal(back.Parity, s.Parity) {
			t.Fatalf("backwards %+v\nforwards %+v", back, s)
		}
	})
}
