package watch

import (
	"math"
	"time"
)

// smoothing is the time in which a rate follows what it is: e-fold.
const smoothing = 15 * time.Second

// rates are how fast a pair changes, in ports a second.
type rates struct {
	open   float64 // ports taken by connections that are open, more or fewer
	closed float64 // ports that go into TIME_WAIT
	taken  float64 // ports taken, more or fewer
}

// each makes rates of two.
func (r rates) each(other rates, f func(a, b float64) float64) rates {
	return rates{f(r.open, other.open), f(r.closed, other.closed), f(r.taken, other.taken)}
}

// mark is what a pair was at a look.
type mark struct {
	at          time.Time
	open, taken int64
	closed      float64 // so far, since it is watched
}

// marks are those of the last four looks, or of the last four seconds if looks are made
// more often, the youngest first. Ports that come and go in bursts come more often.
type marks [4]mark

// apart is the least time between two marks.
const apart = time.Second

// add puts a mark in front, unless it is not yet time for one.
func (m *marks) add(new mark) {
	if m[0].at.IsZero() || new.at.Sub(m[0].at) >= apart {
		copy(m[1:], m[:])
		m[0] = new
	}
}

// oldest is the one farthest back. There must be one.
func (m *marks) oldest() mark {
	for i := len(m) - 1; i > 0; i-- {
		if !m[i].at.IsZero() {
			return m[i]
		}
	}
	return m[0]
}

// follow finds a pair's rates since a look at before, which was dt seconds ago.
func (p *pair) follow(was *pair, before time.Time, dt float64) {
	// At least: a port that is given out again before its time is over leaves too.
	closed := max(0, float64(p.waiting-was.waiting)+p.ended(was, dt))
	now := rates{open: float64(p.open-was.open) / dt, closed: closed / dt, taken: float64(p.taken()-was.taken()) / dt}
	if last := was.rates; last != nil {
		weight := 1 - math.Exp(-dt/smoothing.Seconds())
		now = last.each(now, func(last, now float64) float64 { return last + weight*(now-last) })
	}
	p.rates = &now
	p.closed = was.closed + closed
	p.marks = was.marks
	p.marks.add(mark{before, was.open, was.taken(), was.closed})
}

// pace is how fast a pair changes, as it is told: smoothed, but not on the way still
// after it has changed its pace. A pair that stands still does so after a few looks,
// and one that is full does not grow.
func (p *pair) pace(at time.Time, usable int64) rates {
	then := p.marks.oldest()
	dt := at.Sub(then.at).Seconds()
	recent := rates{float64(p.open-then.open) / dt, (p.closed - then.closed) / dt, float64(p.taken()-then.taken) / dt}
	told := p.rates.each(recent, slower)
	if p.taken() >= usable {
		told.open, told.taken = min(told.open, 0), min(told.taken, 0)
	}
	return told
}

// slower is that of two rates which is nearer to none; none, where one is of growth
// and the other is not.
func slower(a, b float64) float64 {
	if a > 0 {
		return min(a, max(b, 0))
	}
	return max(a, min(b, 0))
}

// exhausted is when the pair has no port left if it goes on at its pace, nil where that
// is not known yet; false: not within the horizon.
func (p *pair) exhausted(usable int64, pace *rates) (time.Duration, bool) {
	if pace == nil {
		return 0, p.taken() >= usable
	}
	f := forecast{usable: float64(usable), open: float64(p.open), growth: pace.open}
	if !p.reuses {
		f.waiting, f.closed, f.waits = float64(p.waiting), pace.closed, p.waits
	}
	return f.exhausted()
}
