package scenario

import (
	"sync/atomic"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// Taking opens one connection from each of the ports that it is given, toward the first
// target, on one worker. A port that cannot be had is left out: nothing is tried twice.
// Its attempts are probes: they are its own and not the run's.
type Taking struct {
	Ports []uint16
	// Stop, when it is set, ends the work before the next port.
	Stop *atomic.Bool

	conns   []uint32
	refused []uint16
	begun   int
	ended   int
}

// Conns returns the connections that were opened. They are to be closed as probes too.
func (t *Taking) Conns() []uint32 { return t.conns }

// Refused returns the ports that could not be had.
func (t *Taking) Refused() []uint16 { return t.refused }

// Next implements step.Work.
func (t *Taking) Next(now int64, steps []step.Step) (n int, wake int64) {
	if t.Stop == nil || !t.Stop.Load() {
		for ; n < len(steps) && t.begun < len(t.Ports); n++ {
			steps[n] = step.Step{Op: step.Open, Port: t.Ports[t.begun], Probe: true, Tag: uint64(t.begun)}
			t.begun++
		}
	}
	switch {
	case n > 0:
		return n, 0
	case t.ended < t.begun:
		return 0, now + longestLook
	}
	return 0, step.Done
}

// Take implements step.Work.
func (t *Taking) Take(done []step.Completion) {
	for i := range done {
		t.ended++
		if c := &done[i]; c.Outcome == outcome.OK {
			t.conns = append(t.conns, c.Conn)
		} else {
			t.refused = append(t.refused, t.Ports[c.Tag])
		}
	}
}
