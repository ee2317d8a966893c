package scenario

import (
	"sync/atomic"
	"time"

	"lastport/loadgen/step"
)

// Stuck asks something of a peer that never answers, once on each connection
// or, before there is one, in each attempt to open it, and measures how long the
// kernel takes to give up: until then the port stays taken. It is one worker's.
type Stuck struct {
	// Do is what is asked: step.Open, step.Request, or step.Await, which asks
	// nothing and waits.
	Do step.Op
	// Stop, when it is set, ends the waiting.
	Stop *atomic.Bool

	ports    []Return
	asked    int
	inFlight int
}

// NewStuck prepares the work: n attempts for step.Open, else for the
// connections, whose ports are given in the same order.
func NewStuck(s Stuck, n int, conns []uint32, ports []uint16) *Stuck {
	s.ports = make([]Return, n)
	for i := range conns {
		s.ports[i] = Return{Conn: conns[i], Port: ports[i]}
	}
	return &s
}

// Returns tells when each port was free again. The moment is known: it is when
// the kernel gave up.
func (s *Stuck) Returns() []Return { return s.ports }

// Next implements step.Work.
func (s *Stuck) Next(now int64, steps []step.Step) (n int, wake int64) {
	if s.Stop != nil && s.Stop.Load() {
		return 0, step.Done // the engine ends what is waited for
	}
	for n < len(steps) && s.asked < len(s.ports) {
		steps[n] = step.Step{Op: s.Do, Conn: s.ports[s.asked].Conn, Tag: uint64(s.asked), Probe: s.Do != step.Open}
		s.asked++
		n++
	}
	s.inFlight += n
	switch {
	case n > 0:
		return n, 0
	case s.inFlight > 0:
		return 0, now + int64(time.Second)
	}
	return 0, step.Done
}

// Take implements step.Work.
func (s *Stuck) Take(done []step.Completion) {
	for i := range done {
		d := &done[i]
		s.inFlight--
		p := &s.ports[d.Tag]
		p.Closed, p.Probes = d.Start, 1
		if d.GaveUp {
			p.Taken, p.Free = d.End, d.End
		}
	}
}
