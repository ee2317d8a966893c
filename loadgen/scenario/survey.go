package scenario

import (
	"sync/atomic"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/pace"
	"lastport/loadgen/step"
)

// Survey makes one attempt after another, on one worker, and keeps which source
// port each was given. There is never more than one attempt under way, so that
// ports are in the order in which they were picked.
type Survey struct {
	// Picks is how many ports to see.
	Picks int
	// Hold keeps every connection. Without it each is reset before the next
	// attempt, so that its port is free again.
	Hold bool
	// Spread is the tuple space: attempts go to its pairs in turn.
	Spread Spread
	// Deadline is when to stop, nanoseconds since the run began; 0: never.
	Deadline int64
	// Timeout is that of one attempt. With no success for twice as long the survey
	// ends.
	Timeout time.Duration
	// Stop, when it is set, ends the survey before the next attempt.
	Stop *atomic.Bool

	picks   []Pick
	conns   []uint32
	turns   turns // pairs toward which a port may be left
	waiting int   // steps under way
	rounds  int   // failures in a row for other causes than ports
	last    outcome.Code
	since   int64 // when the last success was, or the beginning
	resume  int64 // no attempt before
	backoff pace.Backoff
	end     End
}

// Pick is the port that an attempt was given, and between which addresses, by
// their index.
type Pick struct{ Source, Target, Port uint16 }

// NewSurvey prepares a survey.
func NewSurvey(s Survey) *Survey {
	s.picks = make([]Pick, 0, s.Picks)
	s.turns = s.Spread.turns(0, 1)
	s.since = -1
	s.backoff = pace.Backoff{Min: 10 * time.Millisecond, Max: time.Second}
	return &s
}

// Seen returns the picks in their order.
func (s *Survey) Seen() []Pick { return s.picks }

// Conns returns the connections that are open: with Hold all, else none once the
// survey has ended by itself.
func (s *Survey) Conns() []uint32 { return s.conns }

// Ended says why the survey ended, and what the last attempt's outcome was if it
// gave up.
func (s *Survey) Ended() (End, outcome.Code) { return s.end, s.last }

// Next implements step.Work.
func (s *Survey) Next(now int64, steps []step.Step) (n int, wake int64) {
	if s.since < 0 {
		s.since = now
	}
	if s.end == Going {
		s.end = s.ending(now)
	}
	if s.waiting > 0 {
		if s.end != Going {
			return 0, step.Done // the engine cancels what is still pending
		}
		return 0, now + int64(time.Second)
	}
	if !s.Hold && len(s.conns) > 0 {
		steps[n] = step.Step{Op: step.Close, Conn: s.conns[0], Reset: true}
		s.conns = s.conns[:0]
		n++
	}
	if s.end == Going && now >= s.resume {
		steps[n] = s.turns.take().aim(step.Step{Op: step.Open})
		n++
	}
	s.waiting = n
	switch {
	case n > 0:
		return n, 0
	case s.end != Going:
		return 0, step.Done
	}
	return 0, s.resume
}

func (s *Survey) ending(now int64) End {
	switch {
	case len(s.picks) >= s.Picks:
		return Reached
	case len(s.turns.pairs) == 0:
		return Exhausted
	case s.rounds >= giveUpRounds, s.rounds > 0 && now-s.since >= 2*int64(s.Timeout):
		return GaveUp
	case s.Stop != nil && s.Stop.Load():
		return Stopped
	case s.Deadline > 0 && now >= s.Deadline:
		return TimeUp
	}
	return Going
}

// Take implements step.Work.
func (s *Survey) Take(done []step.Completion) {
	for i := range done {
		c := &done[i]
		s.waiting--
		if c.Op != step.Open {
			continue
		}
		switch c.Outcome {
		case outcome.OK:
			s.picks = append(s.picks, Pick{c.Source, c.Target, c.Port})
			s.conns = append(s.conns, c.Conn)
			s.since = c.End
			s.rounds = 0
			s.backoff.Reset()
		case outcome.NoPort:
			s.turns.drop(pair{c.Source, c.Target})
		case outcome.Canceled:
		default:
			s.rounds++
			s.last = c.Outcome
			s.resume = c.End + int64(s.backoff.Next())
		}
	}
}
