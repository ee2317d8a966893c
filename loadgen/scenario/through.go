package scenario

import (
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// Bounds of an opening through a gateway.
const (
	// ThroughAhead is how many attempts of a worker may be under way: those whose
	// SYN was lost wait for the next one, and must not keep the others waiting.
	ThroughAhead = 64
	// ThroughRun is how many attempts of all workers find no port of the gateway,
	// one after the other, before it is taken to be full. Each sends a few SYNs,
	// and each SYN tries some 240 ports.
	ThroughRun = 64
	// ThroughBeyond is how many are made once as many are open as the gateway has
	// ports.
	ThroughBeyond = 8
)

// Through is Opening through a gateway that translates ports, for one worker.
//
// Such a gateway says nothing when it is full: it drops the SYN. Above 128 ports
// it may drop one while ports are free, so one loss ends nothing: attempts go
// on, several at a time, until a run of them has found no port.
type Through struct {
	// Opening says what to open; of it Expected is this worker's share of what the
	// gateway holds.
	Opening
	// Full says whether as many connections are open, over all workers, as the
	// gateway has ports.
	Full func() bool
	// Workers is how many share the runs of failures.
	Workers int
	// Linear is tcp_syn_linear_timeouts: see SYNAfter.
	Linear int

	run   int // attempts since the last success that found no port of the gateway
	other int // likewise, for another cause
	fails []sent
	again int64 // SYNs that successes sent before the one that got through
	ended int64 // when the last success was
}

// sent is when an attempt that failed had sent its first SYN, and how many in
// all.
type sent struct {
	at   int64
	syns int
}

// NewThrough prepares the work.
func NewThrough(t Through) *Through {
	t.Opening = *NewOpening(t.Opening)
	return &t
}

// Next implements step.Work.
func (t *Through) Next(now int64, steps []step.Step) (n int, wake int64) {
	if t.end == Going {
		t.end = t.ending()
	}
	if t.end == Going {
		t.end = t.stopped(now)
	}
	if t.end != Going {
		return 0, step.Done // the engine cancels what is still pending
	}
	n = min(t.size(), len(steps))
	for i := range n {
		steps[i] = t.left.take().aim(step.Step{Op: step.Open})
	}
	t.inFlight += n
	if n > 0 {
		return n, 0
	}
	return 0, now + int64(time.Second)
}

// limit is how long a run of failures ends the opening.
func (t *Through) limit() int {
	most := ThroughRun
	if t.Full() {
		most = ThroughBeyond
	}
	return max(1, most/max(1, t.Workers))
}

// size says how many attempts to make now. As long as none has failed no more
// are under way than there are ports.
func (t *Through) size() int {
	n := min(ThroughAhead, t.limit()-t.run) - t.inFlight
	switch {
	case len(t.left.pairs) == 0, t.other > 0 && t.inFlight > 0:
		return 0
	case t.Connections > 0:
		n = min(n, t.Connections-len(t.conns)-t.inFlight)
	}
	if left := t.Expected - len(t.conns); t.run == 0 && left > 0 {
		n = min(n, left-t.inFlight)
	}
	return max(0, n)
}

// ending says whether the opening has come to its end, when nothing is under way.
func (t *Through) ending() End {
	switch {
	case t.Connections > 0 && len(t.conns) >= t.Connections:
		return Reached
	case t.inFlight > 0:
		return Going
	case len(t.left.pairs) == 0, t.run >= t.limit():
		return Exhausted
	case t.other >= giveUpRounds:
		return GaveUp
	}
	return Going
}

// Take implements step.Work.
func (t *Through) Take(done []step.Completion) {
	for i := range done {
		c := &done[i]
		t.inFlight--
		switch c.Outcome {
		case outcome.OK:
			t.conns = append(t.conns, c.Conn)
			t.run, t.other = 0, 0
			t.again += int64(c.Again)
			t.ended = max(t.ended, c.End)
		case outcome.NATNoPort:
			if c.Start > t.ended { // of one that began before, a port may have been lost to a later one
				t.run++
			}
			t.fails = append(t.fails, sent{c.Start, 1 + int(c.Again)})
		case outcome.NoPort:
			t.left.drop(pair{c.Source, c.Target})
		case outcome.Canceled:
		default:
			t.other++
			t.last = c.Outcome
		}
	}
}

// LastSuccess returns when the last connection was open, in nanoseconds since the
// run began; 0: none was.
func (t *Through) LastSuccess() int64 { return t.ended }

// LostBefore counts the SYNs that were lost up to a moment: those of attempts
// that failed, as far as they had been sent, and those of attempts that got
// through by a later one.
func (t *Through) LostBefore(moment int64) int64 {
	lost := t.again
	for _, f := range t.fails {
		for n := range f.syns {
			if f.at+int64(SYNAfter(n, t.Linear)) <= moment {
				lost++
			}
		}
	}
	return lost
}

// SYNAfter returns how long after the first SYN number n follows, counted from 0.
// Each comes a second after the one before, as often as tcp_syn_linear_timeouts
// says (4 by default; Linux before 6.5 has no such setting, which is 0), then at
// distances that double: tcp_retransmit_timer of net/ipv4/tcp_timer.c.
func SYNAfter(n, linear int) time.Duration {
	at, distance := time.Duration(0), time.Second
	for i := range n {
		at += distance
		if i >= linear {
			distance *= 2
		}
	}
	return at
}

// Refused says whether attempts found no port of the gateway.
func (t *Through) Refused() bool { return len(t.fails) > 0 }
