package scenario

import (
	"math"
	"sync/atomic"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/pace"
	"lastport/loadgen/step"
)

// closingTime bounds, in nanoseconds, what a churn does after its deadline: the
// attempts that were due before it and are late, and the wait for closes that a
// listener has to answer.
const closingTime = int64(250 * time.Millisecond)

// Churn opens and closes connections, for one worker: at a rate (open loop), or
// as fast as a number of connections at a time allows (closed loop).
//
// In open loop attempts go on at their due times whatever became of earlier
// ones. A worker that is late makes them one after the other until it has
// caught up, each with the due time that it should have had.
type Churn struct {
	// Pacer says when attempts are due; nil: closed loop.
	Pacer pace.Pacer
	// First and Every deal attempts to workers: this one's k-th attempt is number
	// First + k × Every of the run, counted from 0. Spread is the tuple space.
	First, Every int64
	Spread       Spread
	// Concurrency is how many connections may be open or opening at a time in
	// closed loop.
	Concurrency int
	// Whole makes each attempt one step, which opens and closes (step.Cycle), where
	// an engine does that faster. Closed loop alone, without Hold and Requests.
	Whole bool
	// Attempts ends the churn after so many of this worker's; 0: no bound.
	Attempts int64
	// Requests is how many requests each connection carries, one after the other,
	// from its opening on; at most 65,535.
	Requests int
	// Hold is how long a connection stays open.
	Hold time.Duration
	// From is the time of attempt 0 and Deadline that of the end, in nanoseconds
	// since the run began.
	From, Deadline int64
	// Stop, when it is set, ends the churn.
	Stop *atomic.Bool

	stopped  bool
	attempts int64 // made
	opening  int   // begun and not completed
	busy     int   // requests and closes begun and not completed
	asking   queue // connections that can send their next request
	held     queue // connections, the first to be closed first
	resume   int64 // no attempt of a closed loop before; 0: the last one succeeded
	stale    int   // attempts that were under way when the wait began, and still are
	backoff  pace.Backoff
}

// NewChurn prepares a churn.
func NewChurn(c Churn) *Churn {
	c.backoff = pace.Backoff{Min: time.Millisecond, Max: 100 * time.Millisecond}
	c.Every = max(c.Every, 1)
	return &c
}

// Next implements step.Work.
func (c *Churn) Next(now int64, steps []step.Step) (n int, wake int64) {
	over := c.over(now)
	n = c.ask(over, steps)
	n += c.close(now, over, steps[n:])
	c.busy += n
	opens, wake := c.open(now, steps[n:])
	n += opens
	switch {
	case c.complete():
		return 0, step.Done
	case over && n == 0 && (c.busy == 0 || now >= c.Deadline+closingTime):
		return 0, step.Done // the engine cancels what is still opening
	case over:
		return n, now + int64(time.Millisecond)
	}
	if at, ok := c.held.head(); ok {
		wake = min(wake, at.due)
	}
	return n, min(wake, c.Deadline)
}

// over says whether the churn is to end now, whatever is open.
func (c *Churn) over(now int64) bool {
	if !c.stopped && c.Stop != nil && c.Stop.Load() {
		c.stopped = true
		c.Deadline = min(c.Deadline, now)
	}
	return now >= c.Deadline
}

// complete says whether every attempt that was asked for has come to its end.
func (c *Churn) complete() bool {
	return c.Attempts > 0 && c.attempts >= c.Attempts && c.opening+c.busy+c.held.len()+c.asking.len() == 0
}

// ask sends the next request of each connection that has one to send. At the
// end there are no more: those connections are closed.
func (c *Churn) ask(over bool, steps []step.Step) (n int) {
	for n < len(steps) {
		q, ok := c.asking.take()
		if !ok {
			break
		}
		steps[n] = step.Step{Op: step.Request, Conn: q.conn, Tag: q.tag()}
		if over {
			steps[n].Op = step.Close
		}
		n++
	}
	return n
}

// close closes connections whose time has come; at the end, all.
func (c *Churn) close(now int64, all bool, steps []step.Step) (n int) {
	for n < len(steps) {
		q, ok := c.held.head()
		if !ok || !all && q.due > now {
			break
		}
		c.held.take()
		steps[n] = step.Step{Op: step.Close, Conn: q.conn}
		n++
	}
	return n
}

// open makes the attempts that are due and says when the next one is.
func (c *Churn) open(now int64, steps []step.Step) (n int, next int64) {
	op := step.Open
	if c.Whole {
		op = step.Cycle
	}
	for n < len(steps) {
		due, at := c.due(now)
		if at > now {
			return n, at
		}
		steps[n] = c.Spread.of(c.First + c.attempts*c.Every).aim(step.Step{Op: op, Due: due})
		c.attempts++
		c.opening++
		n++
	}
	return n, now
}

// never is when an attempt is due that is not to be made.
const never = math.MaxInt64

// due returns the next attempt's due time, 0 in closed loop, and when it may be
// made.
func (c *Churn) due(now int64) (due, at int64) {
	switch {
	case c.stopped, c.Attempts > 0 && c.attempts >= c.Attempts:
		return 0, never
	case c.Pacer == nil:
		return 0, c.room(now)
	case now >= c.Deadline+closingTime:
		return 0, never
	}
	due = c.From + c.Pacer.Due(c.First+c.attempts*c.Every)
	if due >= c.Deadline {
		return 0, never
	}
	return due, due
}

// room says when a closed loop may make its next attempt.
func (c *Churn) room(now int64) int64 {
	if now >= c.Deadline || c.opening+c.busy+c.held.len()+c.asking.len() >= c.Concurrency {
		return never // or when a completion makes room
	}
	if c.resume > 0 && c.opening > 0 {
		return never // one at a time until one succeeds
	}
	return c.resume
}

// Take implements step.Work.
func (c *Churn) Take(done []step.Completion) {
	for i := range done {
		d := &done[i]
		switch d.Op {
		case step.Open:
			c.opening--
			c.opened(d)
		case step.Cycle:
			c.opening--
			c.waits(d)
		case step.Request:
			c.busy--
			if d.Outcome == outcome.OK { // a request that fails ends its connection
				c.serve(untag(d.Conn, d.Tag))
			}
		case step.Close:
			c.busy--
		}
	}
}

// opened takes an attempt's end.
func (c *Churn) opened(d *step.Completion) {
	if c.waits(d) {
		return
	}
	c.serve(queued{conn: d.Conn, due: d.End + int64(c.Hold), requests: c.Requests + 1})
}

// waits says whether an attempt has failed. A closed loop then waits, ever
// longer: its next attempt would only fail at once. Those that were under way
// when the wait began and fail too say nothing new.
func (c *Churn) waits(d *step.Completion) bool {
	switch {
	case d.Outcome == outcome.OK:
		c.backoff.Reset()
		c.resume, c.stale = 0, 0
		return false
	case c.stale > 0:
		c.stale--
	default:
		c.stale = c.opening
		c.resume = d.End + int64(c.backoff.Next())
	}
	return true
}

// serve puts a connection where its next step is waited for.
func (c *Churn) serve(q queued) {
	q.requests--
	if q.requests > 0 {
		c.asking.put(q)
		return
	}
	c.held.insert(q)
}
