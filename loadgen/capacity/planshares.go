package capacity

import (
	"fmt"
	"math"
	"slices"
)

// TargetPlan is one target of those that have different shares.
type TargetPlan struct {
	Share     float64
	Rate      float64           // connections per second toward it; 0: none is wanted
	Occupancy Interval[float64] // of the tuples toward it; zero without a demand
	Holds     bool              // they are enough; true without a demand
	Needed    int               // targets, such as addresses of the same service, that its share takes; 0 without a demand
}

// unequal says whether the shares matter: where a port is taken for all targets,
// or all are alike, they do not.
func (w Wish) unequal() bool {
	return len(w.Shares) > 1 && w.Strategy.ByTarget(w.udp()) && slices.Min(w.Shares) < slices.Max(w.Shares)
}

// busiest is the number of the target with the largest share, the first of
// several.
func (w Wish) busiest() int {
	most := 0
	for i, share := range w.Shares {
		if share > w.Shares[most] {
			most = i
		}
	}
	return most
}

// toward is the wish of one target by itself.
func (w Wish) toward(i int) Wish {
	one := w.part(w.Shares[i])
	one.Shares, one.Targets = nil, 1
	return one
}

// part is a share of what is wanted.
func (w Wish) part(share float64) Wish {
	w.Rate *= share
	w.Burst.Rate *= share
	w.Open = int64(math.Ceil(float64(w.Open)*share - rounding))
	return w
}

// solveShares joins the targets. Each has tuples of its own, so the total is
// bound by the first to run out, the busiest: what that one sustains, divided by
// its share.
func (w Wish) solveShares() solution {
	busiest := w.busiest()
	s := w.toward(busiest).solve()
	s.scale(1 / w.Shares[busiest])
	s.answer.Pools *= int64(len(w.Shares))
	s.answer.Tuples *= int64(len(w.Shares))
	s.binds = fmt.Sprintf("target %d binds first, with %s of the connections, while the others have ports to spare: %s", busiest+1, percent(w.Shares[busiest]), s.binds)
	for i := range w.Shares {
		s.targets = append(s.targets, w.target(i, &s))
	}
	return s
}

// target solves the wish of one target and adds what it takes to the whole.
func (w Wish) target(i int, whole *solution) TargetPlan {
	one := w.toward(i)
	t := TargetPlan{Share: w.Shares[i], Rate: one.Rate, Holds: true}
	if !w.demands() {
		return t
	}
	d := one.solve().demand
	t.Occupancy, t.Holds, t.Needed = d.Occupancy, d.Holds, d.Needed.Targets
	if i == w.busiest() { // what whole has already
		return t
	}
	sum := &whole.demand.Needed
	whole.demand.Tuples.Min += d.Tuples.Min
	whole.demand.Tuples.Max += d.Tuples.Max
	sum.Sets, sum.Targets = together(sum.Sets, d.Needed.Sets), together(sum.Targets, d.Needed.Targets)
	return t
}

// together adds what two need; 0, for neither number is enough, if it is so for one.
func together[N int | int64](a, b N) N {
	if a == 0 || b == 0 {
		return 0
	}
	return a + b
}

// scale makes what one part sustains that of the whole.
func (s *solution) scale(times float64) {
	s.safe *= times
	s.answer = s.answer.scaled(times)
}

// scaled multiplies what is sustained. Whole connections are rounded down.
func (a Answer) scaled(times float64) Answer {
	whole := func(n int64) int64 { return int64(math.Floor(float64(n)*times + rounding)) }
	a.Connections = Interval[int64]{whole(a.Connections.Min), whole(a.Connections.Max)}
	if a.Rate != nil {
		a.Rate = &Interval[float64]{a.Rate.Min * times, a.Rate.Max * times}
	}
	return a
}

// maxShares bounds the targets that have shares of their own.
const maxShares = 1000

// checkShares refuses shares that do not fit the targets.
func (w Wish) checkShares() error {
	sum := 0.0
	for _, share := range w.Shares {
		if !(share > 0 && share <= 1) {
			return &wishError{text: fmt.Sprintf("a share of %v: want more than 0 and at most 1", share), hint: "--share 70%,20%,10%"}
		}
		sum += share
	}
	switch n := len(w.Shares); {
	case n == 0:
		return nil
	case n > maxShares:
		return &wishError{text: fmt.Sprintf("%d shares: want at most %d", n, maxShares), hint: "--share with the smallest ones added up"}
	case math.Abs(sum-1) > 1e-6:
		return &wishError{text: fmt.Sprintf("shares of the targets add up to %s, not to 100 %%", percent(sum)), hint: "weights, such as --share 7,2,1"}
	case w.Targets != n && w.Targets != 0:
		return &wishError{
			text: fmt.Sprintf("--targets %d and %d shares: each target has one", w.Targets, n),
			hint: fmt.Sprintf("--targets %d, or leave it out", n),
		}
	}
	return nil
}

// percent writes a share with as many digits as it takes.
func percent(share float64) string {
	return fmt.Sprintf("%.4g %%", 100*share)
}
