package loadgen

import (
	"fmt"
	"time"

	"lastport/loadgen/kernel/diag"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// How often a churn looks for the other end once its attempts are over, some 20 ms
// apart: while there is news of it, a second without any, and ten seconds at most. Looks
// are counted and not time, as a machine that is short of it keeps the other end from
// its work as well.
const (
	looksWithoutNews = 50
	mostLooks        = 500
	looksApart       = 20 * time.Millisecond
)

// trailing is how far the other end is behind the generator.
type trailing struct {
	closing  int64 // connections that it has yet to close, or to acknowledge that it did
	accepted int64
	open     int64 // of the accepted; 0 where that is not seen
}

// catchUp waits, after so many connections, until the listener has accepted all of
// them and both ends have closed them: a listener with threads of its own, and more so
// one behind a link or a proxy, comes to them a moment later. TIME_WAIT begins then.
// What it never comes to is told by the result.
func (r *run) catchUp(opened int64) {
	if r.cfg.Ends != EndsApart || r.cfg.UDP || r.cfg.Linger > 0 {
		return // both ends are closed, or not for a while
	}
	last, quiet, pause := r.trails(), 0, time.Millisecond
	for looks := 1; !last.caughtUp(opened) && !r.stop.Load(); looks++ {
		if quiet == looksWithoutNews || looks == mostLooks {
			r.behind(last, opened)
			return
		}
		time.Sleep(pause)
		pause = min(2*pause, looksApart)
		quiet++
		if t := r.trails(); t != last {
			last, quiet = t, 0
		}
	}
}

func (t trailing) caughtUp(opened int64) bool {
	return t.closing == 0 && t.accepted >= opened && t.open == 0
}

// trails asks both ends.
func (r *run) trails() trailing {
	server := r.peer.Stats()
	t := trailing{accepted: server.Accepted}
	if open := server.Open(); open != nil {
		t.open = *open
	}
	r.eachClosing(func(*diag.Socket) { t.closing++ })
	return t
}

// behind says that a server elsewhere never came to what it was sent.
func (r *run) behind(t trailing, opened int64) {
	if !r.far() || t.accepted >= opened && t.open == 0 {
		return // what is not closed at the generator is in the result
	}
	r.do(func() {
		r.warn(result.Warning{
			Code: "server_behind", Hint: "look at what is between: it may keep connections, or spread them over other servers",
			Message: fmt.Sprintf("at the end the server had accepted %s of %s, and had not seen the close of %s of them: its counts may be short",
				figures.Grouped(t.accepted), connections(opened), figures.Grouped(t.open)),
		})
	})
}
