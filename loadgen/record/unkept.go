package record

import (
	"sync/atomic"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// unkept counts on the worker itself what it does, and nothing else: what a run
// without a recorder knows, to tell what the recorder costs. The worker writes,
// the collector reads.
type unkept struct {
	outcomes [outcome.Count]atomic.Int64
	closed   atomic.Int64
}

// add counts completions.
func (u *unkept) add(done []step.Completion) {
	for i := range done {
		d := &done[i]
		if d.Probe {
			continue
		}
		switch d.Op {
		case step.Open, step.Cycle:
			u.outcomes[d.Outcome].Add(1)
			if d.Op == step.Cycle && d.Outcome == outcome.OK {
				u.closed.Add(1)
			}
		case step.Close, step.Await:
			u.closed.Add(1)
		case step.Request:
			if d.Outcome != outcome.OK { // which was its connection's end
				u.closed.Add(1)
			}
		}
	}
}

// Silence lets the writers that are made from now on keep nothing: no
// completion is handed over, and no histogram, port or row of the timeline comes
// of it. Outcomes are counted all the same.
func (c *Collector) Silence() { c.silent = true }

// takeUnkept adds up what silent writers have counted.
func (c *Collector) takeUnkept() {
	for _, u := range c.unkept {
		for code := range u.outcomes {
			n := u.outcomes[code].Swap(0)
			c.outcomes[code] += n
			c.attempts += n
			if outcome.Code(code) == outcome.OK {
				c.opened += n
			}
		}
		c.closed += u.closed.Swap(0)
	}
}
