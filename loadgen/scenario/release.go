package scenario

import (
	"sync/atomic"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// Release closes connections in the order given. It is one worker's.
type Release struct {
	// Until is when to stop waiting for a listener that closes first and does not,
	// in nanoseconds since the run began; 0: wait for each close's timeout.
	Until int64
	// Reset says that it closes by RST, whatever the close mode is.
	Reset bool
	// Probe says that its closes are not the run's.
	Probe bool

	conns    []uint32
	inFlight int
}

// NewRelease makes the work that closes the connections.
func NewRelease(conns []uint32) *Release { return &Release{conns: conns} }

// releaseAhead bounds the closes that wait for a listener that closes first, so
// that the memory for them does not grow with the connections.
const releaseAhead = 1024

// Next implements step.Work.
func (r *Release) Next(now int64, steps []step.Step) (n int, wake int64) {
	for n < len(steps) && n < len(r.conns) && r.inFlight+n < releaseAhead {
		steps[n] = step.Step{Op: step.Close, Conn: r.conns[n], Reset: r.Reset, Probe: r.Probe}
		n++
	}
	r.conns = r.conns[n:]
	r.inFlight += n
	switch {
	case n > 0:
		return n, 0
	case r.Until > 0 && now >= r.Until+closingTime:
		return 0, step.Done // the engine resets what is still pending
	case r.inFlight > 0: // the listener, which closes first, has not yet
		return 0, now + int64(time.Second)
	}
	return 0, step.Done
}

// Take implements step.Work.
func (r *Release) Take(done []step.Completion) { r.inFlight -= len(done) }

// Recovery proves that ports come back: it tries to open one connection until
// that succeeds, then closes it. Its attempts are probes: they are its own and
// not the run's.
type Recovery struct {
	// From is when the first attempt is due, Until when the last one may be, in
	// nanoseconds since the run began.
	From, Until int64
	// Stop, when it is set, ends the wait.
	Stop *atomic.Bool

	attempts int64
	waiting  bool
	opened   bool
	closed   bool
	last     step.Completion
}

// recoveryPause is the time between two attempts, in nanoseconds: on a full
// range each costs milliseconds of processor time.
const recoveryPause = int64(50 * time.Millisecond)

// Next implements step.Work.
func (r *Recovery) Next(now int64, steps []step.Step) (n int, wake int64) {
	switch {
	case r.opened && !r.closed && !r.waiting:
		steps[0] = step.Step{Op: step.Close, Conn: r.last.Conn, Probe: true}
	case r.closed, r.Stop != nil && r.Stop.Load(): // the engine cancels what is still pending
		return 0, step.Done
	case r.waiting:
		return 0, now + int64(time.Second)
	case r.attempts > 0 && now > r.Until:
		return 0, step.Done
	case now < r.From:
		return 0, r.From
	default:
		r.attempts++
		r.From = now + recoveryPause
		steps[0] = step.Step{Op: step.Open, Probe: true}
	}
	r.waiting = true
	return 1, 0
}

// Take implements step.Work.
func (r *Recovery) Take(done []step.Completion) {
	for _, c := range done {
		r.waiting = false
		if c.Op == step.Close {
			r.closed = true
			continue
		}
		r.last = c
		r.opened = c.Outcome == outcome.OK
	}
}

// Result returns how many attempts were made, and the one that decided: the
// first success, or else the last failure.
func (r *Recovery) Result() (attempts int64, decided step.Completion) {
	return r.attempts, r.last
}
