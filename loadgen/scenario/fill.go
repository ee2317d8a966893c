// Package scenario says what a run does: it yields batches of steps and takes
// batches of completions. A scenario has no socket and no clock, so that a
// fake kernel can drive it in tests; how a step is done is package engine's.
//
// Each scenario is a few works in turn, such as open, release and recover for
// fill; package loadgen runs one after the other on all workers and looks at
// the kernel in between.
package scenario

import (
	"sync/atomic"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/pace"
	"lastport/loadgen/step"
)

// Bounds of a fill.
const (
	// FullAttempts is how many further attempts a fill makes on the full range:
	// their cost goes to the failure histogram.
	FullAttempts = 100
	// fullTime bounds the time of those attempts, in nanoseconds.
	fullTime = int64(2 * time.Second)
	// giveUpRounds is after how many rounds in a row that brought nothing but
	// failures for other causes than ports an opening ends.
	giveUpRounds = 8
)

// Opening is the first part of a fill, for one worker: it opens connections
// until no port is left for any pair of source and target, or as many as it was
// asked for.
type Opening struct {
	// Spread is the tuple space; this worker's k-th attempt is number First + k ×
	// Every of the run, counted from 0.
	Spread       Spread
	First, Every int
	// Connections is how many to open; 0: as many as there are ports.
	Connections int
	// Expected is how many ports there are by prediction. Attempts beyond go one
	// by one, so that the first that finds no port is the last.
	Expected int
	// Deadline is when to stop, nanoseconds since the run began; 0: never.
	Deadline int64
	// Timeout is that of one attempt. With no success for twice as long the
	// opening ends.
	Timeout time.Duration
	// Stop, when it is set, ends the opening before the next batch; so does Low,
	// which says that the machine runs out of memory.
	Stop, Low *atomic.Bool

	conns    []uint32
	inFlight int
	left     turns // pairs that may have ports left
	rounds   int   // rounds of failures in a row
	failed   bool  // a failure in this round
	last     outcome.Code
	since    int64 // when the last success was, or the beginning
	resume   int64 // no attempt before
	backoff  pace.Backoff
	end      End
}

// End says why an opening ended.
type End uint8

// The reasons.
const (
	Going     End = iota
	Reached       // as many connections as were asked for are open
	Exhausted     // no port is left
	GaveUp        // attempts failed for another cause, again and again
	TimeUp        // the deadline came
	Stopped       // Stop was set
	LowMemory     // Low was set
)

// NewOpening prepares an opening.
func NewOpening(o Opening) *Opening {
	most := o.Expected
	if o.Connections > 0 {
		most = min(most, o.Connections)
	}
	o.conns = make([]uint32, 0, most+1)
	o.left = o.Spread.turns(o.First, o.Every)
	o.since = -1
	o.backoff = pace.Backoff{Min: 10 * time.Millisecond, Max: time.Second}
	return &o
}

// Conns returns the connections that were opened, in their order.
func (o *Opening) Conns() []uint32 { return o.conns }

// Ended says why the opening ended, and what the last attempt's outcome was if
// it gave up.
func (o *Opening) Ended() (End, outcome.Code) { return o.end, o.last }

// Next implements step.Work.
func (o *Opening) Next(now int64, steps []step.Step) (n int, wake int64) {
	if o.inFlight == 0 {
		o.endRound(now)
		o.end = o.ending(now)
	}
	if o.end == Going {
		o.end = o.stopped(now)
	}
	switch {
	case o.end != Going:
		return 0, step.Done // the engine cancels what is still pending
	case o.inFlight > 0:
		return 0, now + int64(time.Second)
	}
	if now < o.resume {
		return 0, o.resume
	}
	n = o.size(len(steps))
	for i := range n {
		steps[i] = o.left.take().aim(step.Step{Op: step.Open})
	}
	o.inFlight = n
	return n, 0
}

// size says how many attempts the next round makes.
func (o *Opening) size(most int) int {
	if o.rounds > 0 {
		return 1 // after a failure, one careful step at a time
	}
	if o.Connections > 0 {
		most = min(most, o.Connections-len(o.conns))
	}
	return min(most, max(1, o.Expected-len(o.conns)))
}

// ending looks at what was done; stopped at what was ordered.
func (o *Opening) ending(now int64) End {
	switch {
	case o.Connections > 0 && len(o.conns) >= o.Connections:
		return Reached
	case len(o.left.pairs) == 0:
		return Exhausted
	case o.rounds >= giveUpRounds, o.rounds > 0 && now-o.since >= 2*int64(o.Timeout):
		return GaveUp
	}
	return Going
}

func (o *Opening) stopped(now int64) End {
	switch {
	case o.Stop != nil && o.Stop.Load():
		return Stopped
	case o.Low != nil && o.Low.Load():
		return LowMemory
	case o.Deadline > 0 && now >= o.Deadline:
		return TimeUp
	}
	return Going
}

// endRound looks back at the last batch: failures without a success make a
// round, and every round waits longer.
func (o *Opening) endRound(now int64) {
	if o.since < 0 {
		o.since = now
	}
	if !o.failed {
		return
	}
	o.failed = false
	o.rounds++
	o.resume = now + int64(o.backoff.Next())
}

// Take implements step.Work.
func (o *Opening) Take(done []step.Completion) {
	for i := range done {
		c := &done[i]
		o.inFlight--
		switch c.Outcome {
		case outcome.OK:
			o.conns = append(o.conns, c.Conn)
			o.since = c.End
			o.rounds, o.failed = 0, false
			o.backoff.Reset()
		case outcome.NoPort:
			o.left.drop(pair{c.Source, c.Target})
		case outcome.Canceled:
		default:
			o.failed, o.last = true, c.Outcome
		}
	}
}

// Full is the second part of a fill, for one worker: further attempts on a
// range that has no port left.
type Full struct {
	// Attempts is how many to make.
	Attempts int
	// Spread, First and Every are as in Opening.
	Spread       Spread
	First, Every int
	// Stop, when it is set, ends them.
	Stop *atomic.Bool

	conns    []uint32
	inFlight bool
	made     int64
	began    int64
}

// Conns returns the connections that did open, because a port had come back.
func (f *Full) Conns() []uint32 { return f.conns }

// Next implements step.Work.
func (f *Full) Next(now int64, steps []step.Step) (n int, wake int64) {
	if f.began == 0 {
		f.began = now
	}
	switch {
	case f.Stop != nil && f.Stop.Load():
		return 0, step.Done
	case f.inFlight: // the last one too deserves its answer
		return 0, now + int64(time.Second)
	case f.Attempts <= 0, now-f.began > fullTime:
		return 0, step.Done
	}
	f.Attempts--
	f.inFlight = true
	steps[0] = f.Spread.of(int64(f.First) + f.made*int64(max(1, f.Every))).aim(step.Step{Op: step.Open})
	f.made++
	return 1, 0
}

// Take implements step.Work.
func (f *Full) Take(done []step.Completion) {
	for i := range done {
		f.inFlight = false
		if done[i].Outcome == outcome.OK {
			f.conns = append(f.conns, done[i].Conn)
		}
	}
}
