package picks_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"lastport/loadgen/picks"
)

// walk picks ports around the range, each a step of 1 to most above the last.
func walk(seed uint64, at, most, n int) []uint16 {
	rng := rand.New(rand.NewPCG(seed, 2))
	seq := make([]uint16, n)
	for i := range seq {
		seq[i] = uint16(40000 + at%1000)
		at += 1 + rng.IntN(most)
	}
	return seq
}

func TestAcross(t *testing.T) {
	r := from(40000, 1000)
	shifted := func(seq []uint16, by int) []uint16 {
		b := make([]uint16, len(seq))
		for i, p := range seq {
			b[i] = uint16(40000 + (int(p)-40000+by)%1000)
		}
		return b
	}
	base := walk(1, 0, 8, 2000)
	for _, c := range []struct {
		name        string
		a, b        []uint16
		independent bool
		same        float64 // within a hundredth
		text        string
	}{
		{"two random sequences", random(1, r, 2000), random(2, r, 2000), true, 0.001, "independent, as far as 2000 pairs can tell"},
		{"two walks of their own", walk(1, 0, 8, 2000), walk(2, 500, 8, 2000), true, 0.125, "independent"},
		{"one counter, hashed by target", base, shifted(base, 333), false, 1, "keep their distance"},
		{"one counter", base, shifted(base, 1), false, 1, "the one toward the first + 1 in 100 %"},
		{"one counter in steps of two", base, shifted(base, 2), false, 1, "the one toward the first + 2 in 100 %"},
		{"the same steps one time in three", base, sometimes(base), false, 0.416, "not independent: both sequences make the same step"},
		{"counters of their own", walk(1, 0, 1, 2000), walk(2, 500, 1, 2000), true, 1, "the same step in 100 % tells nothing, as it is 100 % by chance"},
		{"one counter in turn", walk(1, 0, 1, 2000), walk(2, 1, 1, 2000), false, 1, "the first + 1 in 100 %"},
	} {
		p := picks.Across(c.a, c.b, r)
		if p.Independent != c.independent || math.Abs(p.SameStep-c.same) > 0.02 || !strings.Contains(p.Text, c.text) || p.Pairs != 2000 {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	if p := picks.Across(base[:29], base, r); p != nil {
		t.Errorf("29 pairs: %+v", p)
	}
}

// sometimes follows a third of the steps, and for the rest makes its own.
func sometimes(a []uint16) []uint16 {
	rng := rand.New(rand.NewPCG(3, 3))
	b := make([]uint16, len(a))
	at := 0
	for i := range a {
		b[i] = uint16(40000 + at%1000)
		step := 1 + rng.IntN(8)
		if i+1 < len(a) && rng.IntN(3) == 0 {
			step = (int(a[i+1]) - int(a[i]) + 1000) % 1000
		}
		at += step
	}
	return b
}

// Ports that follow one another closely without ever making the same step.
func TestStepsThatCorrelate(t *testing.T) {
	a := random(5, from(40000, 1000), 500)
	b := make([]uint16, len(a))
	for i, p := range a {
		b[i] = p/2 + 20000
	}
	if p := picks.Across(a, b, from(40000, 1000)); p.Independent || p.Correlation < 0.99 || !strings.Contains(p.Text, "correlate") {
		t.Errorf("%+v", p)
	}
}

// Of independent sequences few are called dependent: the thresholds are
// passed by one pair in some 270.
func TestFalseAlarmsAreRare(t *testing.T) {
	const trials = 320
	alarms := 0
	for seed := range uint64(trials) {
		if !picks.Across(random(2*seed+10, from(1, 500), 300), random(2*seed+11, from(1, 500), 300), from(1, 500)).Independent {
			alarms++
		}
	}
	if alarms > trials/80 {
		t.Errorf("%d of %d independent pairs were called dependent", alarms, trials)
	}
}

// Ports of which there are two are guessed half the time, and steps agree as often.
func TestAcrossTwoPorts(t *testing.T) {
	for seed := range uint64(20) {
		if p := picks.Across(random(2*seed, from(1, 2), 200), random(2*seed+1, from(1, 2), 200), from(1, 2)); strings.HasPrefix(p.Text, "predictable") {
			t.Errorf("seed %d: %+v", seed, p)
		}
	}
}

func TestTellsMoreThan(t *testing.T) {
	chance := &picks.Pair{SameStep: 1, Chance: 1, Independent: true}
	some := &picks.Pair{SameStep: 0.2, Chance: 0.1, Independent: true}
	told := &picks.Pair{SameStep: 0.1, Chance: 0.1}
	for _, c := range []struct{ more, less *picks.Pair }{{some, chance}, {told, some}, {told, chance}} {
		if !c.more.TellsMoreThan(c.less) || c.less.TellsMoreThan(c.more) {
			t.Errorf("%+v and %+v", c.more, c.less)
		}
	}
}

// A test of uniform picks has a p below 5 % in one case of twenty.
func TestPIsAChance(t *testing.T) {
	const (
		trials = 200
		level  = 0.05
	)
	r := from(20000, 777)
	for _, phase := range []picks.Phase{picks.Released, picks.Held} {
		rejected := 0
		for seed := range uint64(trials) {
			seq := random(seed, r, 400)
			if phase == picks.Held {
				seq = shuffled(seed, 20000, 777)[:400]
			}
			if picks.Describe(phase, seq, r).Uniform.P < level {
				rejected++
			}
		}
		// 10 are expected, with a standard error of 3.1.
		if rejected < 1 || rejected > 22 {
			t.Errorf("phase %d: %d of %d uniform sequences rejected at the 5 %% level", phase, rejected, trials)
		}
	}
}

func shuffled(seed uint64, low, n int) []uint16 {
	seq := make([]uint16, n)
	for i, v := range rand.New(rand.NewPCG(seed, 4)).Perm(n) {
		seq[i] = uint16(low + v)
	}
	return seq
}
