package engine

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/uring"
	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// MaxInFlight bounds how many connections one worker of the ring's has under way.
const MaxInFlight = 1024

const (
	entries   = 1024            // submissions that can wait to be handed over
	mostLinks = 16              // more than are written at a time: a chain, or the close of one
	mostNext  = 3               // submissions that one completion leads to
	mostTaken = 128             // completions taken in one round
	sweepEach = 10e6            // nanoseconds between two looks for attempts whose time is over
	lastWords = 5 * time.Second // in which all that was canceled must have ended
)

// chained does each step.Cycle as one chain of linked calls in a ring of its
// own: a connection is opened, accepted and closed without a return to user
// space, and without an ordinary descriptor. It is the engine for throughput; of
// single calls it knows no times.
type chained struct {
	Options
	thread *kernel.Thread
	ring   *uring.Ring
	ends   []End // ends together: by target
	chains []chain
	free   []uint32 // slots
	steps  [batch]step.Step
	due    int    // ends that are to come of what was written and not handed over
	sweep  int64  // when to look for attempts whose time is over
	swept  uint32 // the slot that the next look begins with
	strays bool   // an accept was given up: what it waited for may still come
	ask    byte   // what asks a listener to close; the kernel reads it
}

// NewURing makes the engine, for at most o.Connections in flight and not more
// than MaxInFlight. It does step.Cycle alone, over TCP, by strategies that make one
// try in an attempt. That the kernel can is what uring.Probe says, and
// uring.ProbeBind for strategies that bind.
func NewURing(o Options) (Engine, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	switch {
	case o.UDP:
		return nil, errors.New("engine uring: UDP has no connections to open and close")
	case o.Traits.Tries:
		return nil, errors.New("engine uring: the strategy makes several tries in one attempt, and here attempts overlap")
	}
	n := min(max(1, o.Connections), MaxInFlight)
	e := &chained{Options: o, chains: make([]chain, n), ask: byteClose}
	for k := range uint32(n) {
		e.free = append(e.free, uint32(n)-1-k) // the lowest slot is taken first
	}
	var err error
	if e.thread, err = kernel.NewThread(); err != nil {
		return nil, fmt.Errorf("worker %d: %w", o.Worker, err)
	}
	e.thread.Do(func() { err = e.open() })
	if err != nil {
		e.thread.Close()
		return nil, fmt.Errorf("worker %d: %w", o.Worker, err)
	}
	if o.Ends != nil {
		for t := range o.Targets {
			e.ends = append(e.ends, o.Ends(t))
		}
	}
	return e, nil
}

// open makes the ring, on the thread that it is to belong to, with two
// descriptors a slot.
func (e *chained) open() (err error) {
	if e.Pinned {
		if err := kernel.PinTo(e.CPU); err != nil {
			return err
		}
	}
	e.ring, err = uring.New(entries, uint32(2*len(e.chains)))
	return err
}

func (e *chained) CPUTime() kernel.CPUTime { return e.thread.CPUTime() }

// Close ends the ring and its thread; the kernel closes what is open.
func (e *chained) Close() {
	e.thread.Do(e.ring.Close)
	e.thread.Close()
}

func (e *chained) Run(work step.Work) (err error) {
	e.thread.Do(func() { err = e.drive(work) })
	e.Log.Flush()
	return err
}

// drive begins chains and takes their ends. This is the hot loop.
func (e *chained) drive(work step.Work) error {
	now := e.Clock.Now()
	for {
		n, wake := work.Next(now, e.steps[:min(batch, len(e.free), e.ring.Room()/mostLinks)])
		if n == 0 && wake == step.Done {
			return e.end(work)
		}
		for i := range e.steps[:n] {
			e.begin(&e.steps[i], now)
		}
		if now >= e.sweep {
			e.expire(now) // before what was written is handed over: then there is room for what take writes
		}
		if err := e.wait(wake, now); err != nil {
			return err
		}
		now = e.Clock.Now()
		e.take(work, now)
	}
}

// wait hands over what was written, and does it as far as it can be done: on one
// machine all of it. With nothing written it waits for any end, until wake at the
// latest.
func (e *chained) wait(wake, now int64) error {
	if due := e.due; due > 0 {
		e.due = 0
		return e.submit(due, 0)
	}
	e.Log.FlushOld(now)
	patience := time.Duration(min(wake-now, longestWait))
	switch {
	case e.inFlight() > 0:
		return e.submit(1, max(patience, time.Millisecond))
	case patience > 0:
		kernel.Sleep(patience)
	}
	return nil
}

func (e *chained) submit(wait int, patience time.Duration) error {
	switch errno := e.ring.Submit(wait, patience); errno {
	case 0, syscall.EAGAIN, syscall.EBUSY: // short of something: what was not taken is handed over again
		return nil
	default:
		return fmt.Errorf("worker %d: io_uring_enter: %w", e.Worker, errno)
	}
}

func (e *chained) inFlight() int { return len(e.chains) - len(e.free) }

// take hands on what has ended, as long as there is room for what follows from
// it: the rest waits until that is handed over.
func (e *chained) take(work step.Work, now int64) {
	done := e.Log.Room(mostTaken)
	var c uring.Completion
	for len(done) < mostTaken && e.ring.Room() >= mostNext && e.ring.Next(&c) {
		k, link := untag(c.Tag)
		switch {
		case link == linkCancel: // what it was to end had ended by itself
		case link == linkFirst && c.Errno() == 0:
			e.closeSecond(k)
		case link == linkClean:
			done = append(done, e.finish(k, now))
		case c.Errno() == 0:
			e.chains[k].accepted = e.ends != nil
			done = append(done, e.finish(k, now))
		case !e.broken(k, link, c.Errno()):
			done = append(done, e.finish(k, now))
		}
	}
	e.Log.Keep(done)
	if len(done) > 0 {
		work.Take(done)
	}
}

// expire cancels attempts whose time is over, as many as there is room for; the
// next round goes on with the rest. What is canceled says so itself; until it has,
// it is canceled again at the next look.
func (e *chained) expire(now int64) {
	e.sweep = now + sweepEach
	for range e.chains {
		k := e.swept
		if c := &e.chains[k]; c.busy && c.deadline <= now && !e.cancel(k, outcome.TimedOut) {
			e.sweep = now
			return
		}
		e.swept = (k + 1) % uint32(len(e.chains))
	}
}

// end cancels all that is under way, and takes its end.
func (e *chained) end(work step.Work) error {
	for began := e.Clock.Now(); e.inFlight() > 0; {
		now := e.Clock.Now()
		if now-began > int64(lastWords) {
			return fmt.Errorf("worker %d: %d attempts that were canceled did not end within %v", e.Worker, e.inFlight(), lastWords)
		}
		for k := range e.chains {
			if e.chains[k].busy {
				e.cancel(uint32(k), outcome.Canceled)
			}
		}
		if err := e.submit(1, longestWait); err != nil {
			return err
		}
		e.take(work, e.Clock.Now())
	}
	if e.strays {
		e.strays = false
		e.sweepQueues()
	}
	return nil
}

// sweepQueues accepts and closes what came after its attempt was given up.
func (e *chained) sweepQueues() {
	for _, end := range e.ends {
		for fd, _, errno := end.Accept(); errno == 0; fd, _, errno = end.Accept() {
			end.Shut(fd, true)
		}
	}
}
