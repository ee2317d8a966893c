package scenario

import (
	"sync/atomic"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// Reuse closes connections and measures, for each, when its source port can
// connect to the same target again. It is one worker's.
//
// It asks as an ordinary program would, by a connect that may take that one
// port alone. A probe that finds the port taken changes nothing; one that finds
// it free is reset at once, so that it leaves no TIME_WAIT of its own. What is
// learned is an interval: the port came back after the last probe that failed
// and before the first that did not.
type Reuse struct {
	// Expect is when ports are expected back, nanoseconds after their close.
	Expect Window
	// Patience is how long after Expect.Max a port is waited for, in nanoseconds;
	// below 0 it is given up before.
	Patience int64
	// Coarse and Fine are the pauses between two probes of a port, in nanoseconds:
	// well before it is expected, and from shortly before on.
	Coarse, Fine int64
	// Answered says that a port is back only when the peer has answered: a
	// gateway between them may have the old connection in mind, or give the new one
	// a port that the peer has in TIME_WAIT. A peer that has fallen silent answers
	// nothing, and a port is back without it.
	Answered bool
	// Closing tells which of the ports have a connection still that has not come to its
	// end: TIME_WAIT, or the port's freedom, begins after that. It is asked when a port
	// is found taken, until its connection has. Nil: the other end closes within the
	// call that closes this one.
	Closing func() map[Tuple]bool
	// Stop, when it is set, ends the waiting.
	Stop *atomic.Bool

	ports    []Return
	todo     []int  // to be closed and probed for the first time, by index
	closed   []int  // by the last steps, by index
	due      agenda // to be probed again
	inFlight int
	opened   []step.Step // closes of probes that connected
	ask      bool        // Closing is to be asked
}

// hurry is for how long after its close a port is probed often to see its connection
// come to its end, in nanoseconds.
const hurry = 1_000_000_000

// Window is an interval of time in nanoseconds.
type Window struct{ Min, Max int64 }

// Return is what was learned of one port. Times are nanoseconds since the run
// began.
type Return struct {
	Conn   uint32
	Source uint16
	Target uint16
	Port   uint16
	Began  int64 // when its close began
	Closed int64 // when its close had ended
	Ended  int64 // when the other end had been closed too, at the latest, as far as that was known
	Taken  int64 // start of the last probe that found it taken; 0: there was none
	Free   int64 // start of the first probe that found it free; 0: it never was
	Found  int64 // when that probe had ended
	Probes int
	Late   bool // its connection was seen to come to its end only after the close
	ending bool // that is not known yet
}

// Tuple is a port as the steps name it: with the source and the target that it is used
// between, by their numbers.
type Tuple struct{ Source, Target, Port uint16 }

// Tuple is the port's.
func (r *Return) Tuple() Tuple { return Tuple{r.Source, r.Target, r.Port} }

// Back says whether the port came back.
func (r *Return) Back() bool { return r.Free > 0 }

// Delay is the time after the close at which the port was free, at the latest.
func (r *Return) Delay() int64 { return r.Free - r.Closed }

// AtMost is how long the port can have been taken: a thread that is put aside in
// its close, or in the probe, sees less time pass than the kernel did.
func (r *Return) AtMost() int64 { return r.Found - r.Began }

// AtLeast is how long the port was still taken for certain, from the close of
// its other end: TIME_WAIT begins when the second FIN comes. It is 0 if the first
// probe found the port free.
func (r *Return) AtLeast() int64 { return max(0, r.Taken-r.Ended) }

// NewReuse prepares the work for the connections.
func NewReuse(r Reuse, conns []uint32) *Reuse {
	for i, conn := range conns {
		r.ports = append(r.ports, Return{Conn: conn})
		r.todo = append(r.todo, i)
	}
	return &r
}

// Returns tells what was learned of each port.
func (r *Reuse) Returns() []Return { return r.ports }

// Next implements step.Work.
func (r *Reuse) Next(now int64, steps []step.Step) (n int, wake int64) {
	for _, i := range r.closed {
		r.ports[i].Ended = now
	}
	r.closed = r.closed[:0]
	n = copy(steps, r.opened)
	r.opened = r.opened[n:]
	stopped := r.Stop != nil && r.Stop.Load()
	for !stopped && n < len(steps) && r.due.len() > 0 && r.due.head().at <= now {
		i := r.due.take().index
		p := &r.ports[i]
		steps[n] = step.Step{Op: step.Open, Source: p.Source, Target: p.Target, Port: p.Port, Probe: true, Tag: uint64(i)}
		n++
	}
	// One close at a time, so that the first probe of its port comes right after.
	if len(r.todo) > 0 && n < len(steps) {
		steps[n] = step.Step{Op: step.Close, Conn: r.ports[r.todo[0]].Conn, Tag: uint64(r.todo[0])}
		r.todo = r.todo[1:]
		n++
	}
	r.inFlight += n
	switch {
	case n > 0:
		return n, 0
	case stopped: // the engine ends what is still pending
		return 0, step.Done
	case r.inFlight > 0:
		return 0, now + r.Fine
	case r.due.len() == 0:
		return 0, step.Done
	}
	return 0, r.due.head().at
}

// Take implements step.Work.
func (r *Reuse) Take(done []step.Completion) {
	for i := range done {
		d := &done[i]
		r.inFlight--
		switch {
		case d.Op == step.Open:
			r.probed(&r.ports[d.Tag], d)
		case !d.Probe:
			p := &r.ports[d.Tag]
			p.Source, p.Target, p.Port, p.Began, p.Closed = d.Source, d.Target, d.Port, d.Start, d.End
			p.ending = r.Closing != nil
			r.due.put(timed{at: d.End, index: int(d.Tag)})
			r.closed = append(r.closed, int(d.Tag))
		}
	}
	if r.ask {
		r.ask = false
		r.lookForEnds()
	}
}

// lookForEnds finds out which of the ports that are taken have a connection still.
// Whichever it is, until now none of them is taken longer than it should be.
func (r *Reuse) lookForEnds() {
	closing := r.Closing()
	for i := range r.ports {
		if p := &r.ports[i]; p.ending && p.Taken > 0 && !p.Back() {
			p.ending = closing[p.Tuple()]
			p.Late = p.Late || p.ending
			r.closed = append(r.closed, i)
		}
	}
}

// probed takes a probe's end. Whatever else became of it, a port that was not
// refused for being taken was free on the client; but a probe that got no socket
// never asked. Both, and where an answer is asked for one without it, ask again.
func (r *Reuse) probed(p *Return, d *step.Completion) {
	p.Probes++
	if d.Outcome == outcome.OK {
		r.opened = append(r.opened, step.Step{Op: step.Close, Conn: d.Conn, Probe: true, Reset: true})
	}
	switch {
	case d.Outcome == outcome.Canceled:
	case d.Outcome.Taken(), d.Outcome == outcome.NoFD, d.Outcome == outcome.NoMemory, r.Answered && !answered(d.Outcome):
		if d.Outcome.Taken() {
			p.Taken = d.Start
			r.ask = r.ask || p.ending
		}
		if next := r.next(p, d.End); next <= p.Closed+r.Expect.Max+r.Patience {
			r.due.put(timed{at: next, index: int(d.Tag)})
		}
	default:
		p.Free, p.Found = d.Start, d.End
	}
}

// answered says whether the peer has answered, be it by RST.
func answered(code outcome.Code) bool {
	return code == outcome.OK || code == outcome.Refused || code == outcome.Reset
}

// next says when to probe a port again.
func (r *Reuse) next(p *Return, now int64) int64 {
	soon := p.Closed + r.Expect.Min - 2*r.Fine // from here on, the fine pause
	if p.ending && now < p.Closed+hurry {
		return now + r.Fine
	}
	if now+r.Coarse < soon {
		return now + r.Coarse
	}
	return max(now+r.Fine, soon)
}
