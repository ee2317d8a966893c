// Package curve knows what a connect costs while so many of the ports are taken:
// from fills that were measured, its own or one that was saved.
//
// It reads and looks up; what occupancy a rate comes to is package capacity's
// arithmetic, and measuring is a run's. Between what was measured it goes only
// where that is sound, and says so: the time of a search through the ports is
// that of the machine and of the number of ports, and follows from no formula.
// Through more of them it grows faster than their number as soon as the kernel's
// tables no longer fit the processor's cache.
package curve

import (
	"fmt"
	"math"
	"time"

	"lastport/reports/result"
)

// Curve is what a connect cost in one fill, by occupancy.
type Curve struct {
	Strategy string `json:"strategy"`
	Proto    string `json:"proto"`
	Range    string `json:"range"`
	Ports    int    `json:"ports"` // usable ones
	// Steps are in the order of From, the first at 0. Each is good up to the next,
	// the last up to the full range or to Until.
	Steps []Step  `json:"steps"`
	Until float64 `json:"until"`             // the highest occupancy that was measured, at most 1
	Full  *Step   `json:"no_port,omitempty"` // what an attempt cost that found no port; nil: none did
}

// Step is the cost of a connect, and of the bind before it, from an occupancy on.
type Step struct {
	From float64       `json:"from"` // share of the ports taken
	P50  time.Duration `json:"p50_ns"`
	P99  time.Duration `json:"p99_ns"`
}

// few is how many attempts are too few for a step of their own.
const few = 10

// Of takes the curve out of a fill. A run that is none, or has no latency by
// occupancy, is an error.
func Of(r *result.Result) (Curve, error) {
	c := Curve{
		Strategy: r.Config.Strategy, Proto: r.Config.Proto, Range: r.Config.Range, Ports: r.Space.PortsUsable,
	}
	if r.Run.Scenario != "fill" {
		return c, &mismatch{
			text: fmt.Sprintf("it is a %s: only a fill has latency by occupancy", scenario(r)),
			hint: "lastport fill with --range as in the plan", // and not as the file says, which anybody may have written
		}
	}
	for _, b := range r.Occupancy {
		switch {
		case b.From >= 1:
			c.Full = &Step{From: 1, P50: time.Duration(b.P50NS), P99: time.Duration(b.P99NS)}
		case b.Count > 0:
			c.add(Step{From: b.From, P50: time.Duration(b.P50NS), P99: time.Duration(b.P99NS)})
			c.Until = math.Min(b.To, 1)
		}
	}
	for _, p := range r.AtOccupancy {
		if p.Count >= few {
			c.add(Step{From: p.From, P50: time.Duration(p.P50NS), P99: time.Duration(p.P99NS)})
		}
	}
	if len(c.Steps) == 0 || c.Steps[0].From > 0 || c.Ports <= 0 {
		return c, &mismatch{
			text: "its fill has no latency by occupancy from an empty range on",
			hint: "lastport fill with --range as in the plan",
		}
	}
	return c, nil
}

// scenario is what kind of run it is, in a word.
func scenario(r *result.Result) string {
	if r.Run.Scenario == "" {
		return "run without a scenario"
	}
	return r.Run.Scenario
}

// add puts a step where it belongs, unless one begins there already: a band has
// more attempts than a point.
func (c *Curve) add(s Step) {
	at := len(c.Steps)
	for at > 0 && c.Steps[at-1].From >= s.From {
		at--
	}
	if at < len(c.Steps) && c.Steps[at].From == s.From {
		return
	}
	c.Steps = append(c.Steps[:at], append([]Step{s}, c.Steps[at:]...)...)
}

// at returns the step for an occupancy; false where it was not measured.
func (c *Curve) at(occupancy float64) (Step, bool) {
	if !(occupancy >= 0) || occupancy > c.Until || len(c.Steps) == 0 {
		return Step{}, false
	}
	found := c.Steps[0]
	for _, s := range c.Steps {
		if s.From <= occupancy {
			found = s
		}
	}
	return found, true
}
