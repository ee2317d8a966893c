package scenario

import (
	"sync/atomic"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// Reopen closes the connections that fill a gateway and measures how soon their
// translated ports can be used again. It is one worker's.
//
// Which of its ports a gateway gives away cannot be asked for. So the ports are
// told apart by number alone: as many connections as were closed are opened
// anew, toward the same targets and from other source ports, and stay open. The
// first to succeed has the first port that came back, and so on. What is learned
// is an interval: a port came back after the last attempt that was lost and
// before the one that was not.
type Reopen struct {
	// Until is how long after the closes a port is waited for, in nanoseconds.
	Until int64
	// Deadline is when to stop in any case, in nanoseconds since the run began; 0:
	// never.
	Deadline int64
	// Stop, when it is set, ends the waiting.
	Stop *atomic.Bool

	ports    []Return
	conns    []uint32 // still to be closed
	inFlight int
	waiting  []pair // to be opened anew, in turn
	back     int    // ports that came back
	lost     int64  // start of the last attempt that was lost
	resume   int64  // no attempt before
	probes   int    // since a port came back
}

// reopenAhead is how many attempts may be under way.
const reopenAhead = 32

// reopenPause is how long after a loss the next attempt comes, in nanoseconds.
const reopenPause = int64(10 * time.Millisecond)

// NewReopen prepares the work for the connections.
func NewReopen(r Reopen, conns []uint32) *Reopen {
	r.conns = conns
	return &r
}

// Returns tells what was learned of each port. Every attempt is a probe of some
// port; those beyond the last that came back are the others'.
func (r *Reopen) Returns() []Return {
	for i := r.back; i < len(r.ports); i++ {
		r.ports[i].Taken = r.lost
	}
	if r.back < len(r.ports) {
		r.ports[r.back].Probes = r.probes
	}
	return r.ports
}

// Next implements step.Work.
func (r *Reopen) Next(now int64, steps []step.Step) (n int, wake int64) {
	for n < len(steps) && len(r.conns) > 0 {
		steps[n] = step.Step{Op: step.Close, Conn: r.conns[0]}
		r.conns = r.conns[1:]
		n++
	}
	stopped := r.Stop != nil && r.Stop.Load()
	for !stopped && r.may(now, n) && n < len(steps) {
		steps[n] = r.waiting[0].aim(step.Step{Op: step.Open, Probe: true})
		r.waiting = r.waiting[1:]
		n++
	}
	r.inFlight += n
	switch {
	case n > 0:
		return n, 0
	case stopped, r.inFlight == 0 && !r.patient(now): // the engine ends what is still pending
		return 0, step.Done
	case r.inFlight == 0:
		return 0, r.resume
	}
	return 0, now + reopenPause
}

// may says whether one more attempt may be made, beside the n of this batch.
func (r *Reopen) may(now int64, n int) bool {
	return len(r.conns) == 0 && len(r.waiting) > 0 && r.inFlight+n < reopenAhead && now >= r.resume && r.patient(now)
}

// patient says whether there is a port to wait for.
func (r *Reopen) patient(now int64) bool {
	if r.back == len(r.ports) || r.Deadline > 0 && now >= r.Deadline {
		return false
	}
	return now <= r.ports[len(r.ports)-1].Closed+r.Until
}

// Take implements step.Work.
func (r *Reopen) Take(done []step.Completion) {
	for i := range done {
		c := &done[i]
		r.inFlight--
		switch {
		case c.Op == step.Close:
			r.ports = append(r.ports, Return{Conn: c.Conn, Source: c.Source, Target: c.Target, Port: c.Port, Closed: c.End, Ended: c.End})
			r.waiting = append(r.waiting, pair{c.Source, c.Target})
		case c.Outcome == outcome.OK:
			p := &r.ports[r.back]
			p.Probes, r.probes = r.probes+1, 0
			p.Taken, p.Free = r.lost, max(c.Start, p.Closed)
			r.back++
		default: // lost, or no source port left: either is tried again
			r.probes++
			r.lost = max(r.lost, c.Start)
			r.resume = c.End + reopenPause
			r.waiting = append(r.waiting, pair{c.Source, c.Target})
		}
	}
}
