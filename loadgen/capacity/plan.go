package capacity

import (
	"math"
	"sort"
	"time"

	"lastport/loadgen/ports"
)

// Wish is what a plan starts from: a tuple space as a Question has it, and what
// it is to bear. Sources and Targets that are 0 are left to the plan, and count
// as one until it says otherwise. Of Rate, Hold and Open two make the third, by
// Little's law: open = rate × hold.
type Wish struct {
	Question
	Rate     float64   // connections per second, at most MaxRate; 0: none is wanted
	Open     int64     // connections open at a time; 0: no number is wanted
	Headroom float64   // share of the ports that stays free, from 0 to less than 1
	Burst    Burst     // what the rate is for a time; zero: it is always the same
	Shares   []float64 // of the connections, one for each target, adding up to 1; nil: all have as many
	Fleet    *Fleet    // who is behind the gateway that the Question's System is; nil: nobody is asked about
}

// The bounds of a wish: with more, tuples are no longer counted in 64 bits.
const (
	MaxRate      = 1e9
	MaxAddresses = 1 << 20 // source addresses; targets
	MaxHold      = 365 * 24 * time.Hour
)

// Plan is what the arithmetic answers to a wish.
type Plan struct {
	Wish   Wish   // with whatever of Rate, Hold and Open followed from the other two
	Answer Answer // what the space sustains, with one source and one target where the wish left them open
	Each   Answer // what one source and one target sustain: one tuple set

	// Safe is the rate to count on, in connections per second: that of the fewest
	// ports and the longest reuse, less the headroom. It is +Inf if ports limit no
	// rate. Where the answer is Unstated, no more than this can be had.
	Safe     float64
	SafeEach float64 // the same of Each

	Demand  *Demand      // what the wish takes; nil if it has no Rate, no Open and no Burst
	Burst   *BurstPlan   // what the burst comes to; nil if there is none
	Targets []TargetPlan // one by one, if their shares differ
	Fleet   *FleetPlan   // the two sides of a gateway, if there is a fleet behind it
	Load    *Load        // what it asks of the search for a port; nil where that is no search of Linux
	Binds   string       // what is the limit, in a sentence
	Ways    []Way        // what would give more, by the same arithmetic; none where the demand holds
}

// Demand is what a wish takes, set against the space.
type Demand struct {
	Tuples    Interval[int64]   // taken at a time: rate × (hold + reuse)
	Occupancy Interval[float64] // the same as a share of those that there are
	Holds     bool              // they are enough for ever, whatever is left to chance, and the headroom stays
	Needed    Needed
}

// Needed is the least that the wish can do with. Each of Ports, Sources and
// Targets is enough by itself, with all else as in the wish; 0: no number is.
type Needed struct {
	Sets    int64 // times what one source and one target have: tuple sets
	Ports   int   // usable ports in one range, 1024 to 65535 at most
	Sources int
	Targets int
}

// NewPlan solves the wish for what it leaves open. An error is a wish that
// cannot be: numbers that contradict each other, no usable port, or more than
// any number of addresses would hold. It is wrong usage, and names the wish
// that binds. That a space is too small for a wish is no error but an answer.
func NewPlan(w Wish) (Plan, error) {
	w, err := w.settle()
	if err != nil {
		return Plan{}, err
	}
	for _, check := range []func() error{w.checkBurst, w.checkShares, w.checkFleet} {
		if err := check(); err != nil {
			return Plan{}, err
		}
	}
	if len(w.Shares) > 0 {
		w.Targets = len(w.Shares)
	}
	w.Question = defaults(w.Question)
	s := w.solve()
	if s.answer.Connections.Min == 0 {
		return Plan{}, w.noPorts(s.answer)
	}
	if s.demand != nil && s.demand.Needed.Sets == 0 {
		return Plan{}, w.tooMuch()
	}
	p := Plan{
		Wish: w, Answer: s.answer, Each: w.each(), Safe: s.safe, Demand: s.demand,
		Burst: s.burst, Targets: s.targets, Fleet: s.fleet, Load: w.load(s), Binds: s.binds,
	}
	p.SafeEach = w.safe(p.Each)
	if p.Demand == nil || !p.Demand.Holds {
		p.Ways = w.ways(s)
	}
	return p, nil
}

// solution is what a wish comes to, and the parts that it is made of.
type solution struct {
	answer  Answer
	safe    float64
	demand  *Demand
	burst   *BurstPlan
	targets []TargetPlan
	fleet   *FleetPlan
	binds   string
}

// solve finds what the wish comes to: of a fleet by its two sides, of targets with
// different shares by the busiest, of any other at once.
func (w Wish) solve() (s solution) {
	switch {
	case w.Fleet != nil:
		return w.solveFleet()
	case w.unequal():
		return w.solveShares()
	}
	a := Predict(w.Question)
	s = solution{answer: a, safe: w.safe(a), burst: w.burst(a), binds: w.binds(a)}
	if w.demands() {
		s.demand = w.demand(a)
	}
	if !w.flows() && w.Open > 0 { // nothing closes
		s.answer.Why = w.room().Why
	}
	return s
}

// demands says whether the wish is to bear anything.
func (w Wish) demands() bool { return w.flows() || w.Open > 0 }

// flows says whether connections come and go.
func (w Wish) flows() bool { return w.Rate > 0 || w.Burst.Rate > 0 }

// settle makes the third of rate, hold and open from the other two.
func (w Wish) settle() (Wish, error) {
	hold := w.Hold.Seconds()
	switch {
	case w.Rate > 0 && w.Open > 0 && hold > 0:
		if math.Abs(float64(w.Open)-w.Rate*hold) >= 1 {
			return w, w.contradiction()
		}
	case w.Rate > 0 && w.Open > 0:
		if float64(w.Open) > w.Rate*MaxHold.Seconds() {
			return w, w.tooLong()
		}
		w.Hold = time.Duration(float64(w.Open) / w.Rate * float64(time.Second))
	case w.Rate > 0:
		w.Open = int64(math.Ceil(w.Rate*hold - rounding))
	case w.Open > 0 && hold > 0:
		w.Rate = float64(w.Open) / hold
	}
	if max(w.Rate, w.Burst.Rate) > MaxRate {
		return w, w.tooFast()
	}
	return w, nil
}

// rounding is how much of a tuple may be an error of floating point.
const rounding = 1e-6

// takes is how many tuples the wish has taken at a time, if each is taken until
// the given reuse delay is over, and no more than so many wait for it.
func (w Wish) takes(reuse time.Duration, waiting float64) float64 {
	if !w.flows() {
		return float64(w.Open) // they stay, and none comes back
	}
	return min(w.within(w.Hold+reuse), w.opens()+waiting)
}

// opens is how many tuples the wish has open at a time: one at least, for nothing
// connects without a port.
func (w Wish) opens() float64 { return max(w.within(w.Hold), 1) }

// tuples is how many the wish has taken at a time.
func (w Wish) tuples(a Answer) Interval[int64] {
	whole := func(v float64) int64 { return int64(math.Ceil(v - rounding)) }
	return Interval[int64]{whole(w.takes(a.Reuse.Min, a.waiting().Min)), whole(w.most(a))}
}

// most is how many tuples of the answer the wish has taken at a time, whatever
// is left to chance.
func (w Wish) most(a Answer) float64 { return w.takes(a.Reuse.Max, a.waiting().Max) }

// holds says whether the answer's tuples are enough for the wish.
func (w Wish) holds(a Answer) bool {
	return max(w.most(a), 1) <= float64(a.Connections.Min)*(1-w.Headroom)+rounding
}

// safe is the rate to count on.
func (w Wish) safe(a Answer) float64 {
	return sustains(float64(a.Connections.Min)*(1-w.Headroom), a.waiting().Max, w.Hold, a.Reuse.Max)
}

// demand sets the wish against the answer, and finds what would be enough.
func (w Wish) demand(a Answer) *Demand {
	least, most := w.takes(a.Reuse.Min, a.waiting().Min), w.most(a)
	return &Demand{
		Tuples:    w.tuples(a),
		Occupancy: Interval[float64]{least / float64(a.Connections.Max), most / float64(max(a.Connections.Min, 1))},
		Holds:     w.holds(a),
		Needed: Needed{
			Sets:    w.sets(),
			Ports:   w.fewestPorts(),
			Sources: w.fewest(MaxAddresses, func(q *Question, n int) { q.Sources = n }),
			Targets: w.fewest(MaxAddresses, func(q *Question, n int) { q.Targets = n }),
		},
	}
}

// each predicts for one source and one target.
func (w Wish) each() Answer {
	w.Sources, w.Targets = 1, 1
	return Predict(w.Question)
}

// sets counts the tuple sets of one source and one target that the wish needs;
// 0 if no number of addresses makes so many.
func (w Wish) sets() int64 {
	a := w.each()
	each := float64(a.Connections.Min) * (1 - w.Headroom)
	n := math.Ceil((max(w.takes(a.Reuse.Max, math.Inf(1)), 1) - rounding) / each)
	if others := each - a.waiting().Max; w.flows() && others > 0 {
		n = min(n, math.Ceil((w.opens()-rounding)/others))
	}
	if n <= MaxAddresses {
		return int64(n)
	}
	return 0
}

// fewest finds the least n, up to most, with which the wish holds; 0: none.
// Predict never says less for more ports or more addresses.
func (w Wish) fewest(most int, set func(q *Question, n int)) int {
	return fewest(most, func(n int) bool {
		set(&w.Question, n)
		return w.satisfied()
	})
}

// fewest finds the least n from 1 to most for which ok holds, if it holds for
// all beyond; 0: for none.
func fewest(most int, ok func(n int) bool) int {
	n := 1 + sort.Search(most, func(i int) bool { return ok(i + 1) })
	if n > most {
		return 0
	}
	return n
}

// firstUnprivileged is the lowest port of a range that anyone may use:
// ip_unprivileged_port_start of ip-sysctl.
const firstUnprivileged = 1024

// fewestPorts looks for a range that would do, with none of its ports lost. A
// gateway's ports are not ours to choose.
func (w Wish) fewestPorts() int {
	if w.System != nil && w.System.Gateway {
		return 0
	}
	w.Reserved, w.Held, w.Uncertain = nil, nil, nil
	return w.fewest(ports.Max-firstUnprivileged+1, func(q *Question, n int) {
		q.SystemRange = ports.Range{Low: uint16(ports.Max - n + 1), High: ports.Max}
		q.Range = ports.Of(q.SystemRange)
	})
}
