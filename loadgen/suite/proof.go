package suite

import (
	"fmt"
	"math"
	"slices"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/reports/figures"
)

// What a side of a limit is about.
const (
	LimitRate        = "rate"        // what the space sustains
	LimitConnections = "connections" // what it holds at once
	LimitDemand      = "demand"      // what was wished for, with the addresses that it needs
)

// Side is one side of a limit of a plan: what it claims, and the run that shows
// whether the kernel does so.
type Side struct {
	Limit            string
	Above            bool   // beyond the limit, where ports must run out; else none may
	Claim            string // in the plan's own numbers
	Scenario         string // fill or churn
	Rate             float64
	Attempts         int64
	Lasts            time.Duration
	Connections      int64                    // of a fill; 0: to the last port
	Opens            capacity.Interval[int64] // what a fill to the last port comes to, if the claim is true
	Sources, Targets int
	// Late is how late one attempt in a hundred of a churn may begin for the run to
	// show the claim, or that it is wrong.
	Late time.Duration
}

// Proof is a plan put to the test.
type Proof struct {
	Ports    ports.Ranges  // of the runs
	Scale    float64       // those as a share of the plan's; 1: all
	Hold     time.Duration // of every connection of a churn, as in the plan
	Sides    []Side
	Unproven []string      // sides that have no run, and why
	Lasts    time.Duration // how long the longest takes
}

const (
	// proofPorts is how many ports the runs of a proof have at most: few enough for
	// several runs side by side on any machine, and enough to tell a hundredth.
	proofPorts = 500
	// proofTuples bounds sources × ports × targets of one run.
	proofTuples = 40_000
	// mostAddresses bounds the sources, and the targets, of one run.
	mostAddresses = 256
	// mostProof is how long a run of a proof may last.
	mostProof = 15 * time.Minute
	// mostProofRate is what a run makes without being a test of the machine.
	mostProofRate = 5000.0
	// hiccup is how late attempts begin now and then on a busy machine.
	hiccup = 200 * time.Millisecond
	// rounding is more than what the scale's arithmetic is off by, of a connection.
	rounding = 1e-6
)

// prover makes a proof.
type prover struct {
	plan   capacity.Plan
	wish   capacity.Wish
	proof  Proof
	answer capacity.Answer // of the wish over the proof's ports
}

// NewProof says how to prove a plan by the kernel of this host: just below each of
// its limits and just above, over as few ports as tell. A rate and a number of
// connections are scaled with the ports; settings and times stay as they are. No
// port of without is taken. It is an error if no port is left.
//
// Targets with different shares have ports of their own, and the busiest is the
// limit: so that one is tried by itself, and then that each has its own.
func NewProof(p capacity.Plan, without ports.Ranges) (Proof, error) {
	if len(p.Targets) == 0 {
		v, err := newProver(p, without)
		return v.proof, err
	}
	one, of, err := busiest(p)
	if err != nil {
		return Proof{}, err
	}
	v, err := newProver(one, without)
	if err != nil {
		return Proof{}, err
	}
	for i := range v.proof.Sides {
		v.proof.Sides[i].Claim = of + v.proof.Sides[i].Claim
	}
	for i := range v.proof.Unproven {
		v.proof.Unproven[i] = of + v.proof.Unproven[i]
	}
	v.ownPorts(len(p.Targets))
	return v.proof, nil
}

// busiest is the plan of the target with the largest share by itself.
func busiest(p capacity.Plan) (one capacity.Plan, of string, err error) {
	w, share := p.Wish, slices.Max(p.Wish.Shares)
	w.Shares, w.Targets = nil, 1
	w.Rate, w.Burst.Rate, w.Open = w.Rate*share, w.Burst.Rate*share, int64(math.Ceil(float64(w.Open)*share))
	if w.Rate > 0 && w.Hold > 0 {
		w.Open = 0 // it follows
	}
	one, err = capacity.NewPlan(w)
	return one, fmt.Sprintf("target %d alone, %.4g %% of all: ", 1+slices.Index(p.Wish.Shares, share), 100*share), err
}

// ownPorts proves that targets take no ports from one another: dealt evenly, each
// has all of them.
func (v *prover) ownPorts(targets int) {
	const few = 8
	targets = min(targets, few)
	opens := v.predict(v.wish.Sources, targets).Connections
	v.add(Side{
		Limit: LimitConnections, Above: true, Scenario: "fill", Sources: v.wish.Sources, Targets: targets, Opens: opens,
		Claim: fmt.Sprintf("each target has ports of its own: %d of them hold %d times as many", targets, targets),
	})
}

// newProver makes the proof of a plan whose targets are alike.
func newProver(p capacity.Plan, without ports.Ranges) (*prover, error) {
	usable := p.Answer.Usable.Minus(without)
	v := &prover{plan: p, wish: p.Wish, proof: Proof{Ports: firstPorts(usable, proofPortsFor(p)), Hold: p.Wish.Hold}}
	if v.proof.Ports.Size() == 0 {
		return v, fmt.Errorf("prove the plan: none of its %d ports is free here", p.Answer.Usable.Size())
	}
	v.proof.Scale = float64(v.proof.Ports.Size()) / float64(p.Answer.Usable.Size())
	v.wish.Sources, v.wish.Targets = max(1, p.Wish.Sources), max(1, p.Wish.Targets)
	v.answer = v.predict(v.wish.Sources, v.wish.Targets)
	if v.answer.MaxTimeWait != nil || p.Answer.MaxTimeWait != nil {
		v.skip("the rate: tcp_max_tw_buckets ends TIME_WAIT early, and does not scale with the ports")
	} else {
		v.rate()
		v.demand()
	}
	v.connections()
	return v, nil
}

// proofPortsFor is how many ports the runs have: fewer where there are many
// addresses.
func proofPortsFor(p capacity.Plan) int {
	n := max(1, p.Wish.Sources) * max(1, p.Wish.Targets)
	if d := p.Demand; d != nil {
		n = max(n, d.Needed.Targets, d.Needed.Sources)
	}
	const least = 20
	return max(least, min(proofPorts, proofTuples/n)) &^ 1 // even: a search in steps of two misses none
}

// firstPorts are the first n of the ports.
func firstPorts(of ports.Ranges, n int) ports.Ranges {
	var list []ports.Range
	for port := range of.All() {
		if len(list) == n {
			break
		}
		list = append(list, ports.Range{Low: port, High: port})
	}
	return ports.Of(list...)
}

// predict is the arithmetic of the proof's ports.
func (v *prover) predict(sources, targets int) capacity.Answer {
	q := v.wish.Question
	q.Range, q.SystemRange, q.Sources, q.Targets = v.proof.Ports, v.proof.Ports.Hull(), sources, targets
	q.Reserved = ports.Of(q.SystemRange).Minus(v.proof.Ports) // as the run will have it
	q.Held, q.Uncertain, q.HeldElsewhere, q.UncertainElsewhere = nil, nil, nil, nil
	return capacity.Predict(q)
}

func (v *prover) skip(format string, args ...any) {
	v.proof.Unproven = append(v.proof.Unproven, fmt.Sprintf(format, args...))
}

func (v *prover) add(s Side) {
	v.proof.Sides = append(v.proof.Sides, s)
	v.proof.Lasts = max(v.proof.Lasts, s.Lasts)
}

// margin is how far from a limit a rate is that surely holds, or surely does not:
// more where a port is soon back, for attempts that a busy machine makes late.
func (v *prover) margin(a capacity.Answer, late time.Duration) float64 {
	return min(0.5, max(aside, v.share(late, a)))
}

// share is a time as a share of how long a port is taken.
func (v *prover) share(d time.Duration, a capacity.Answer) float64 {
	return d.Seconds() / (v.wish.Hold + a.Reuse.Max).Seconds()
}

// late is how late attempts may begin where a rate is so far from the limit: what
// is taken for longer by a share takes as many more ports.
func (v *prover) late(a capacity.Answer, far float64) time.Duration {
	return time.Duration(far * float64(v.wish.Hold+a.Reuse.Max))
}

// unscaled is a rate in the plan's own numbers.
func (v *prover) unscaled(x float64) string { return Rate(x / v.proof.Scale) }

// rate proves the rate that the space sustains.
func (v *prover) rate() {
	w, a := v.wish, v.answer
	if w.Rate == 0 && w.Burst.Rate == 0 && w.Open > 0 {
		return // nothing closes
	}
	if a.Rate == nil {
		v.free()
		return
	}
	margin := v.margin(a, hiccup)
	late := v.late(a, margin)
	below, above := a.Rate.Min*(1-margin), a.Rate.Max*(1+margin)
	if above > mostProofRate {
		v.skip("the rate: %s per second over these ports are a test of the machine", Rate(above))
		return
	}
	v.churn(Side{
		Limit: LimitRate, Rate: below, Sources: w.Sources, Targets: w.Targets, Late: late,
		Claim: fmt.Sprintf("just below the limit, %s per second for ever", v.unscaled(below)),
	}, a)
	v.churn(Side{
		Limit: LimitRate, Above: true, Rate: above, Sources: w.Sources, Targets: w.Targets, Late: late,
		Claim: fmt.Sprintf("just above the limit, %s per second run out of ports", v.unscaled(above)),
	}, a)
}

// free proves that ports set no limit: at the whole of the rate that is wished for,
// or a higher one, every port of the few is used several times.
func (v *prover) free() {
	const rounds, takes = 3, 10 * time.Second
	w, tuples := v.wish, float64(v.answer.Connections.Max)
	wished := max(w.Rate, w.Burst.Rate)
	if wished > mostProofRate {
		v.skip("%s per second: a test of the machine, %s at most are tried", Rate(wished), Rate(mostProofRate))
	}
	s := Side{Limit: LimitRate, Scenario: "churn", Sources: w.Sources, Targets: w.Targets}
	s.Rate = micro(min(mostProofRate, max(wished, rounds*tuples/takes.Seconds())))
	s.Lasts = max(leastTry, time.Duration(rounds*tuples/s.Rate*float64(time.Second)))
	s.Attempts = dueIn(s.Rate, s.Lasts)
	s.Late = max(hiccup, time.Duration(nearBusy*float64(s.Lasts)))
	s.Claim = fmt.Sprintf("%s per second find a port, each used %d times and more: a closed one is free again at once", Rate(s.Rate), rounds)
	v.add(s)
}

// churn adds a side that is a churn, for as long as it takes to tell.
func (v *prover) churn(s Side, a capacity.Answer) {
	search := NewSearch(Aim{Predicted: a, Hold: v.wish.Hold})
	s.Scenario, s.Rate = "churn", micro(s.Rate)
	s.Lasts = search.lasts(s.Rate)
	s.Attempts = dueIn(s.Rate, s.Lasts)
	if s.Lasts > mostProof {
		v.skip("%s: it takes %v, and a run of a proof %v at most", s.Claim, s.Lasts.Round(time.Second), mostProof)
		return
	}
	v.add(s)
}

// demand proves that what was wished for holds with the addresses that the plan
// says it needs, and not with one fewer.
func (v *prover) demand() {
	d := v.plan.Demand
	switch {
	case d == nil, v.wish.Rate > 0 && v.answer.Rate == nil: // which free has proven
		return
	case v.wish.Burst.Rate > 0:
		v.skip("the burst: a run has one rate")
		return
	}
	needed, what, space := d.Needed.Targets, "target", func(n int) (sources, targets int) { return v.wish.Sources, n }
	if needed == 0 {
		needed, what, space = d.Needed.Sources, "source", func(n int) (sources, targets int) { return n, v.wish.Targets }
	}
	if what == "source" && needed > 0 && !v.wish.Strategy.Source {
		v.skip("the demand: it needs %d sources, and the strategy leaves the source to the kernel", needed)
		return
	}
	if needed == 0 || needed > mostAddresses {
		v.skip("the demand: it needs more than %d sources or targets", mostAddresses)
		return
	}
	v.needs(needed, fmt.Sprintf("%d %s", needed, plural(needed, what)), space, false)
	if needed > 1 {
		v.needs(needed-1, fmt.Sprintf("%d %s", needed-1, plural(needed-1, what)), space, true)
	}
}

// needs adds one side of a demand: with so many addresses. What is so near the
// limit that chance decides is left out.
func (v *prover) needs(n int, with string, space func(int) (int, int), above bool) {
	s := Side{Limit: LimitDemand, Above: above}
	s.Sources, s.Targets = space(n)
	a := v.predict(s.Sources, s.Targets)
	if v.wish.Rate == 0 {
		v.holdsOpen(s, a, with)
		return
	}
	s.Rate = v.wish.Rate * v.proof.Scale
	claim := fmt.Sprintf("%s per second with %s", Rate(v.wish.Rate), with)
	if a.Rate == nil || s.Rate > mostProofRate {
		v.skip("%s: %s per second over these ports are a test of the machine", claim, Rate(s.Rate))
		return
	}
	far := 1 - s.Rate/a.Rate.Min
	if above {
		far = s.Rate/a.Rate.Max - 1
	}
	s.Late = v.late(a, min(far, v.margin(a, hiccup)))
	switch {
	case far < v.margin(a, hiccup/2)/2:
		v.skip("%s: too near to the limit for a run to tell", claim)
	case above:
		s.Claim = claim + " run out of ports"
		v.churn(s, a)
	default:
		s.Claim = claim + " hold"
		v.churn(s, a)
	}
}

// holdsOpen adds one side of a demand for connections that stay.
func (v *prover) holdsOpen(s Side, a capacity.Answer, with string) {
	s.Scenario, s.Connections = "fill", int64(math.Ceil(float64(v.wish.Open)*v.proof.Scale))
	claim := fmt.Sprintf("%s at a time with %s", figures.Grouped(v.wish.Open), with)
	switch {
	case !s.Above && s.Connections > a.Connections.Min, s.Above && s.Connections <= a.Connections.Max:
		v.skip("%s: too near to the limit for fewer ports to tell", claim)
		return
	case s.Above:
		s.Claim = claim + " run out of ports"
	default:
		s.Claim = claim + " hold"
	}
	v.add(s)
}

// connections proves what the space holds at once, on both sides by one run: a
// fill opens that many, and one more finds no port.
func (v *prover) connections() {
	c := v.plan.Answer.Connections
	many := figures.Grouped(c.Min)
	if c.Max != c.Min {
		many += " to " + figures.Grouped(c.Max)
	}
	v.add(Side{
		Limit: LimitConnections, Above: true, Scenario: "fill", Sources: v.wish.Sources, Targets: v.wish.Targets,
		Claim: many + " at a time, and one more finds no port",
		Opens: capacity.Interval[int64]{
			Min: int64(math.Floor(float64(c.Min)*v.proof.Scale + rounding)), Max: int64(math.Ceil(float64(c.Max)*v.proof.Scale - rounding)),
		},
	})
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
