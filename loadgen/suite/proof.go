package suite

import (
	"fmt"
	"math"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
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
	Connections      int64 // of a fill; 0: to the last port
	Sources, Targets int
}

// Proof is a plan put to the test.
type Proof struct {
	Ports    ports.Ranges // of the runs
	Scale    float64      // those as a share of the plan's; 1: all
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
func NewProof(p capacity.Plan, without ports.Ranges) (Proof, error) {
	usable := p.Answer.Usable.Minus(without)
	v := &prover{plan: p, wish: p.Wish, proof: Proof{Ports: firstPorts(usable, proofPortsFor(p))}}
	if v.proof.Ports.Size() == 0 {
		return Proof{}, fmt.Errorf("prove the plan: none of its %d ports is free here", p.Answer.Usable.Size())
	}
	v.proof.Scale = float64(v.proof.Ports.Size()) / float64(p.Answer.Usable.Size())
	v.wish.Sources, v.wish.Targets = max(1, p.Wish.Sources), max(1, p.Wish.Targets)
	v.answer = v.predict(v.wish.Sources, v.wish.Targets)
	if v.answer.MaxTimeWait != nil || p.Answer.MaxTimeWait != nil {
		v.skip("the rate: tcp_max_tw_buckets ends TIME_WAIT early, and does not scale with the ports")
	} else if p.Wish.Burst.Rate > 0 {
		v.skip("the burst: a run has one rate")
	} else {
		v.rate()
		v.demand()
	}
	v.connections()
	return v.proof, nil
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
func (v *prover) margin(a capacity.Answer) float64 {
	const late = 200 * time.Millisecond
	taken := v.wish.Hold + a.Reuse.Max
	return min(0.5, max(aside, late.Seconds()/taken.Seconds()))
}

// unscaled is a rate in the plan's own numbers.
func (v *prover) unscaled(x float64) string { return Rate(x / v.proof.Scale) }

// rate proves the rate that the space sustains.
func (v *prover) rate() {
	w, a := v.wish, v.answer
	if len(w.Shares) > 0 {
		v.skip("the rate toward targets with different shares: a run gives all as much")
		return
	}
	if w.Rate == 0 && w.Open > 0 {
		return // nothing closes
	}
	if a.Rate == nil {
		v.skip("a rate above the limit: ports set none, a closed one is free again at once")
		return
	}
	margin := v.margin(a)
	below, above := a.Rate.Min*(1-margin), a.Rate.Max*(1+margin)
	if above > mostProofRate {
		v.skip("the rate: %s per second over these ports are a test of the machine", Rate(above))
		return
	}
	v.churn(Side{
		Limit: LimitRate, Rate: below, Sources: w.Sources, Targets: w.Targets,
		Claim: fmt.Sprintf("just below the limit, %s per second for ever", v.unscaled(below)),
	}, a)
	v.churn(Side{
		Limit: LimitRate, Above: true, Rate: above, Sources: w.Sources, Targets: w.Targets,
		Claim: fmt.Sprintf("just above the limit, %s per second run out of ports", v.unscaled(above)),
	}, a)
}

// churn adds a side that is a churn, for as long as it takes to tell.
func (v *prover) churn(s Side, a capacity.Answer) {
	search := NewSearch(Aim{Predicted: a, Hold: v.wish.Hold})
	s.Scenario, s.Rate = "churn", micro(s.Rate)
	s.Lasts = search.lasts(s.Rate)
	s.Attempts = int64(math.Ceil(s.Rate * s.Lasts.Seconds()))
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
	if d == nil || len(v.wish.Shares) > 0 {
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
	margin, claim := v.margin(a)/2, fmt.Sprintf("%s per second with %s", Rate(v.wish.Rate), with)
	switch {
	case a.Rate == nil || s.Rate > mostProofRate:
		v.skip("%s: ports are not what limits it", claim)
	case !above && s.Rate > a.Rate.Min*(1-margin), above && s.Rate < a.Rate.Max*(1+margin):
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
	claim := fmt.Sprintf("%s at a time with %s", grouped(v.wish.Open), with)
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
	many := grouped(c.Min)
	if c.Max != c.Min {
		many += " to " + grouped(c.Max)
	}
	v.add(Side{
		Limit: LimitConnections, Above: true, Scenario: "fill", Sources: v.wish.Sources, Targets: v.wish.Targets,
		Claim: many + " at a time, and one more finds no port",
	})
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
