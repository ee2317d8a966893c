package scenario

import (
	"sync/atomic"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// Stuck asks something of a peer that never answers, on each connection or, if
// the connect itself is what is not answered, in each attempt, and measures how
// long the kernel takes to give up: until then the port stays taken. It is one
// worker's.
type Stuck struct {
	// Do is what is asked: step.Open, step.Request, or step.Await, which asks
	// nothing and waits.
	Do step.Op
	// Ports is how many connections are made, over the tuple space Spread.
	Ports  int
	Spread Spread
	// Until is when to stop waiting, in nanoseconds since the run began.
	Until int64
	// Stop, when it is set, ends the waiting.
	Stop *atomic.Bool

	ports    []Return
	begun    int   // attempts made
	asking   []int // connections that are open and not asked yet, by index
	inFlight int
}

// NewStuck prepares the work.
func NewStuck(s Stuck) *Stuck {
	s.ports = make([]Return, s.Ports)
	s.asking = make([]int, 0, s.Ports)
	return &s
}

// Returns tells when each port was free again: when the kernel gave up. What is
// not known is the moment at which its clock began, between the start and the
// end of a call.
func (s *Stuck) Returns() []Return { return s.ports }

// Next implements step.Work.
func (s *Stuck) Next(now int64, steps []step.Step) (n int, wake int64) {
	if s.Stop != nil && s.Stop.Load() || now >= s.Until {
		return 0, step.Done // the engine ends what is waited for
	}
	for n < len(steps) && len(s.asking) > 0 {
		i := s.asking[0]
		s.asking = s.asking[1:]
		steps[n] = step.Step{Op: s.Do, Conn: s.ports[i].Conn, Tag: uint64(i), Probe: true}
		n++
	}
	for n < len(steps) && s.begun < len(s.ports) {
		steps[n] = s.Spread.of(int64(s.begun)).aim(step.Step{Op: step.Open, Tag: uint64(s.begun)})
		s.begun++
		n++
	}
	s.inFlight += n
	switch {
	case n > 0:
		return n, 0
	case s.inFlight > 0:
		return 0, min(now+int64(time.Second), s.Until)
	}
	return 0, step.Done
}

// Take implements step.Work.
func (s *Stuck) Take(done []step.Completion) {
	for i := range done {
		d := &done[i]
		s.inFlight--
		p := &s.ports[d.Tag]
		switch {
		case d.Op == step.Open && s.Do != step.Open:
			s.opened(p, d)
			continue
		case s.Do != step.Await:
			p.Began, p.Closed, p.Ended, p.Taken = d.Start, d.Start, d.Start, d.End
		default:
			// Keepalive counts from the connection's last segment, within its connect.
			p.Taken += d.End
		}
		p.Probes = 1
		if p.Free, p.Found = d.End, d.End; !d.GaveUp {
			p.Taken, p.Free = 0, 0
		}
	}
}

// opened goes on to ask on a connection. One that could not be made is lost.
func (s *Stuck) opened(p *Return, d *step.Completion) {
	if d.Outcome != outcome.OK {
		return
	}
	p.Conn, p.Port, p.Began, p.Closed, p.Ended = d.Conn, d.Port, d.Start, d.Start, d.Start
	p.Taken = d.Start - d.End // as much sooner the clock may have begun
	s.asking = append(s.asking, int(d.Tag))
}
