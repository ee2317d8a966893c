package scenario

import (
	"sync/atomic"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// Fate is what becomes of a source port on a path.
type Fate uint8

// The fates of a port.
const (
	FateUntried  Fate = iota // the work ended before it was known
	FateThrough              // connected, and answered as the bundled listener answers
	FateRefused              // somebody said no: by RST, or by an ICMP message
	FateSilent               // no answer to any attempt
	FateStrange              // connected, and not answered as the bundled listener answers
	FateUnusable             // this host does not let it be used: another socket has it
	FateWanting              // this host had no descriptor or no memory for it
)

// Reach goes through source ports and finds out the fate of each, on one worker.
//
// All that wait for an answer wait at the same time, so that a thousand silent
// ports take no longer than one. A port that gets through is asked for an answer
// and reset at once. One that stays silent is tried again before it counts as
// silent: a lost packet is no firewall.
type Reach struct {
	// Ports are tried in this order, each once.
	Ports []uint16
	// Tries is how many attempts a silent port gets, at least 1.
	Tries int
	// Deadline is when to stop, nanoseconds since the run began; 0: never.
	Deadline int64
	// Stop, when it is set, ends the work early.
	Stop *atomic.Bool

	fates   []PortFate
	fresh   int         // ports that have been tried
	follow  []step.Step // what comes before the next port: requests, closes, further attempts
	at      int         // how many of those have been done
	opening int         // attempts under way
	other   int         // further steps under way
	heard   bool        // something has ended since Next was last asked
	ended   bool        // no further attempt
}

// PortFate is what was learned of a port.
type PortFate struct {
	Port  uint16
	Fate  Fate
	Tries int // attempts
}

// NewReach prepares the work.
func NewReach(r Reach) *Reach {
	r.Tries = max(1, r.Tries)
	r.fates = make([]PortFate, len(r.Ports))
	for i, port := range r.Ports {
		r.fates[i].Port = port
	}
	return &r
}

// Fates tells what was learned, in the order of Ports.
func (r *Reach) Fates() []PortFate { return r.fates }

// Next implements step.Work.
func (r *Reach) Next(now int64, steps []step.Step) (n int, wake int64) {
	if !r.ended && (r.Stop != nil && r.Stop.Load() || r.Deadline > 0 && now >= r.Deadline) {
		r.end()
	}
	n = r.followed(steps)
	for ; n < len(steps) && !r.ended && r.fresh < len(r.Ports); r.fresh++ {
		steps[n] = r.open(r.fresh)
		n++
	}
	for _, s := range steps[:n] {
		if s.Op == step.Open {
			r.opening++
		} else {
			r.other++
		}
	}
	heard := r.heard
	r.heard = false
	switch {
	case n > 0:
		return n, 0
	case heard: // an engine looks at a few at a time: more may have ended
		return 0, now
	case r.other > 0, r.opening > 0 && !r.ended:
		return 0, now + longestLook
	}
	return 0, step.Done // the engine cancels attempts that are still under way
}

// followed fills steps with what follows from earlier ones.
func (r *Reach) followed(steps []step.Step) (n int) {
	n = copy(steps, r.follow[r.at:])
	if r.at += n; r.at == len(r.follow) {
		r.follow, r.at = r.follow[:0], 0
	}
	return n
}

// longestLook is after how many nanoseconds Next wants to be asked again: it
// hears of a stop so.
const longestLook = int64(20e6)

// open asks for the i-th port. It is not asked of a strategy.
func (r *Reach) open(i int) step.Step {
	return step.Step{Op: step.Open, Port: r.Ports[i], Tag: uint64(i)}
}

// end gives up what has not begun: further attempts, and the requests of ports
// that are connected already.
func (r *Reach) end() {
	r.ended = true
	var kept []step.Step
	for _, s := range r.follow[r.at:] {
		switch s.Op {
		case step.Request:
			kept = append(kept, reset(s.Conn, s.Tag))
		case step.Close:
			kept = append(kept, s)
		}
	}
	r.follow, r.at = kept, 0
}

func reset(conn uint32, tag uint64) step.Step {
	return step.Step{Op: step.Close, Conn: conn, Reset: true, Tag: tag}
}

// Take implements step.Work.
func (r *Reach) Take(done []step.Completion) {
	r.heard = r.heard || len(done) > 0
	for i := range done {
		c := &done[i]
		if c.Op != step.Open {
			r.other--
		}
		switch c.Op {
		case step.Open:
			r.opening--
			r.fates[c.Tag].Tries++
			r.opened(c)
		case step.Request:
			r.asked(c)
		}
	}
}

// opened takes the end of an attempt.
func (r *Reach) opened(c *step.Completion) {
	p := &r.fates[c.Tag]
	switch c.Outcome {
	case outcome.OK:
		if r.ended {
			r.follow = append(r.follow, reset(c.Conn, c.Tag))
			return
		}
		r.follow = append(r.follow, step.Step{Op: step.Request, Conn: c.Conn, Tag: c.Tag})
	case outcome.TimedOut:
		r.again(c.Tag, FateSilent)
	case outcome.Reset: // an RST to a SYN is Refused: this one came once the connection stood
		r.again(c.Tag, FateStrange)
	case outcome.Refused, outcome.Unreachable, outcome.Denied:
		p.Fate = FateRefused
		if c.Self {
			p.Fate = FateUnusable // it is the target itself
		}
	case outcome.NoPort, outcome.PortBusy, outcome.TupleBusy:
		p.Fate = FateUnusable
	case outcome.NoFD, outcome.NoMemory:
		p.Fate = FateWanting
	case outcome.Canceled:
		p.Tries--
	default:
		p.Fate = FateStrange
	}
}

// asked takes the end of a request. One that failed has ended its connection.
func (r *Reach) asked(c *step.Completion) {
	switch c.Outcome {
	case outcome.OK:
		r.fates[c.Tag].Fate = FateThrough
		r.follow = append(r.follow, reset(c.Conn, c.Tag))
	case outcome.Canceled:
	default:
		r.again(c.Tag, FateStrange)
	}
}

// again makes a further attempt or, when there were enough, settles the port's
// fate.
func (r *Reach) again(tag uint64, fate Fate) {
	p := &r.fates[tag]
	switch {
	case p.Tries >= r.Tries:
		p.Fate = fate
	case !r.ended:
		r.follow = append(r.follow, r.open(int(tag)))
	}
}
