package capacity

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Worked by hand: one target sustains 28,232 ÷ 62.048 = 455.0 per second, so a
// total of which it has 70 % is 455.0 ÷ 0.7.
func TestShares(t *testing.T) {
	w := linux250()
	w.Rate, w.Shares = 2000, []float64{0.7, 0.2, 0.1}
	p, err := NewPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	if want := 28232 / 62.048 / 0.7; math.Abs(p.Safe-want) > 1e-9 {
		t.Errorf("safe %v, want %v", p.Safe, want)
	}
	if want := (Interval[int64]{40331, 40331}); p.Answer.Connections != want || p.Answer.Tuples != 3*28232 {
		t.Errorf("%v connections of %d tuples", p.Answer.Connections, p.Answer.Tuples)
	}
	// 1,400 per second take four times 455, and 400 and 200 one each.
	if n := p.Demand.Needed; n.Sets != 6 || n.Targets != 6 || n.Sources != 4 || p.Demand.Holds {
		t.Errorf("%+v", p.Demand)
	}
	for i, want := range []struct {
		rate   float64
		holds  bool
		needed int
	}{{1400, false, 4}, {400, true, 1}, {200, true, 1}} {
		if got := p.Targets[i]; math.Abs(got.Rate-want.rate) > 1e-9 || got.Holds != want.holds || got.Needed != want.needed {
			t.Errorf("target %d: %+v", i+1, got)
		}
	}
	if !strings.HasPrefix(p.Binds, "target 1 binds first, with 70 % of the connections, while the others have ports to spare: closed ports bind first") {
		t.Errorf("binds: %s", p.Binds)
	}
}

// Where a port is taken for all targets their shares change nothing.
func TestSharesOfPoolsInCommon(t *testing.T) {
	for _, set := range []func(*Wish){
		func(w *Wish) { w.Proto, w.Hold = "udp", time.Second },
		func(w *Wish) { w.Strategy = traitsOf("bind") },
	} {
		even := linux250()
		set(&even)
		even.Rate, even.Targets = 300, 2
		uneven := even
		uneven.Shares = []float64{0.9, 0.1}
		a, errA := NewPlan(even)
		b, errB := NewPlan(uneven)
		if errA != nil || errB != nil || a.Safe != b.Safe || b.Targets != nil {
			t.Errorf("%v, %v: %v and %v", errA, errB, a.Safe, b.Safe)
		}
	}
}

func TestSharesRefuse(t *testing.T) {
	for _, c := range []struct {
		targets     int
		shares      []float64
		error, hint string
	}{
		{2, []float64{0.7, 0.2, 0.1}, "--targets 2 and 3 shares", "--targets 3, or leave it out"},
		{0, []float64{0.7, 0.2}, "add up to 90 %", "weights"},
		{0, []float64{1.5, -0.5}, "a share of 1.5", "--share"},
		{0, make([]float64, maxShares+1), "a share of 0", "--share"},
		{0, slices.Repeat([]float64{1. / (maxShares + 1)}, maxShares+1), "1001 shares: want at most 1000", "--share with the smallest ones added up"},
	} {
		w := linux250()
		w.Targets, w.Shares = c.targets, c.shares
		_, err := NewPlan(w)
		refused, ok := errors.AsType[*wishError](err)
		if !ok || !strings.Contains(err.Error(), c.error) || !strings.HasPrefix(refused.Hint(), c.hint) {
			t.Errorf("%v: %v", c.shares, err)
		}
	}
}

// What one target can not be given enough of the whole can not be given, in whatever
// order the targets are.
func TestSharesOfWhichOneIsTooMuch(t *testing.T) {
	w := linux250()
	w.Range, w.Rate = set(t, "1-9"), 1e6
	for _, shares := range [][]float64{{0.05, 0.45, 0.45, 0.05}, {0.45, 0.05, 0.05, 0.45}, {0.05, 0.05, 0.45, 0.45}} {
		w.Targets, w.Shares = len(shares), shares
		if p, err := NewPlan(w); err == nil {
			t.Errorf("%v: %+v", shares, p.Demand)
		}
	}
}

// The total is the least of what each target sustains, divided by its share; what
// is needed is the sum of what each needs; and shares that are alike are none.
func TestSharesAreTheTargetsTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := genWish(t)
		w.Proto = "tcp"
		n := rapid.IntRange(2, 5).Draw(t, "shares")
		weights, sum := make([]float64, n), 0.0
		for i := range weights {
			weights[i] = float64(rapid.IntRange(1, 10).Draw(t, "weight"))
			sum += weights[i]
		}
		for i := range weights {
			weights[i] /= sum
		}
		w.Targets, w.Shares = n, weights
		p, err := NewPlan(w)
		if err != nil {
			return
		}
		least, sets, enough, holds := math.Inf(1), int64(0), true, true
		for _, share := range weights {
			one := p.Wish.part(share)
			one.Shares, one.Targets = nil, 1
			alone := one.solve()
			least = min(least, alone.safe/share)
			sets += alone.demand.Needed.Sets
			enough = enough && alone.demand.Needed.Sets > 0
			holds = holds && alone.demand.Holds
		}
		if len(p.Targets) == 0 { // all alike: the plan of even targets
			return
		}
		if !enough {
			t.Fatalf("%+v for a share for which no number of sets is enough", p.Demand)
		}
		if p.Safe != least && math.Abs(p.Safe-least) > 1e-9*least {
			t.Fatalf("safe %v, want %v", p.Safe, least)
		}
		if p.Demand.Needed.Sets != sets || p.Demand.Holds != holds {
			t.Fatalf("%+v, want %d sets, holds %v", p.Demand, sets, holds)
		}
	})
}
