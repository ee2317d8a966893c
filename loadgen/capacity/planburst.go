package capacity

import (
	"fmt"
	"math"
	"time"
)

// Burst is a rate that takes the place of a wish's own for a time, once or again
// and again. The zero value is none.
type Burst struct {
	Rate  float64       // connections per second, more than the wish's own
	Time  time.Duration // how long it lasts
	Every time.Duration // from the begin of one to the begin of the next, more than Time; 0: there is one alone
}

// within is how much of a time d can fall into bursts: it begins with one.
func (b Burst) within(d time.Duration) time.Duration {
	if b.Every == 0 {
		return min(b.Time, d)
	}
	return d/b.Every*b.Time + min(d%b.Every, b.Time)
}

// earlier is how much of a time d that ends when a burst begins was burst.
func (b Burst) earlier(d time.Duration) time.Duration {
	if b.Every == 0 {
		return 0
	}
	return d/b.Every*b.Time + max(0, d%b.Every-(b.Every-b.Time))
}

// within is how many connections the wish begins in a time d, at most. Attempts
// that are due whenever the integral of the rate reaches a whole number are no
// more in any such time than this, rounded up.
func (w Wish) within(d time.Duration) float64 {
	return w.Rate*d.Seconds() + (w.Burst.Rate-w.Rate)*w.Burst.within(d).Seconds()
}

// held is how many tuples are taken when a burst has gone on for a time, those of
// the bursts before it included; see takes.
func (w Wish) held(into, reuse time.Duration, waiting float64) float64 {
	begun := func(d time.Duration) float64 {
		burst := min(into, d)
		burst += w.Burst.earlier(d - burst)
		return w.Rate*d.Seconds() + (w.Burst.Rate-w.Rate)*burst.Seconds()
	}
	return min(begun(w.Hold+reuse), max(begun(w.Hold), 1)+waiting)
}

// BurstPlan is what a burst comes to. What it takes at its peak, and whether that
// holds, is the plan's Demand.
type BurstPlan struct {
	// Before is how many tuples are taken when it begins: by the wish's own rate, and
	// by the bursts before it if it comes again and again.
	Before Interval[int64]
	// Lasts is how long a burst of this rate can last before ports run out, if those
	// before it were as wished: for sure, and with all luck. Endless, if it can go on for ever. The headroom is
	// used up too.
	Lasts Interval[time.Duration]
	// Back is how long after its end no port is taken for it any more.
	Back Interval[time.Duration]
	// Every is how soon after the begin of one burst another can begin, with what
	// is left to chance and the headroom allowed for; 0 if not even one holds.
	Every time.Duration
}

// Endless is the time that never ends.
const Endless = time.Duration(1<<63 - 1)

// burst says what the burst comes to on the answer's tuples; nil if there is
// none.
func (w Wish) burst(a Answer) *BurstPlan {
	if w.Burst.Rate == 0 {
		return nil
	}
	before := func(reuse time.Duration, waiting float64) int64 {
		return int64(math.Ceil(w.held(0, reuse, waiting) - rounding))
	}
	return &BurstPlan{
		Before: Interval[int64]{before(a.Reuse.Min, a.waiting().Min), before(a.Reuse.Max, a.waiting().Max)},
		Lasts: Interval[time.Duration]{
			Min: w.lasts(a.Reuse.Max, a.waiting().Max, a.Connections.Min),
			Max: w.lasts(a.Reuse.Min, a.waiting().Min, a.Connections.Max),
		},
		Back:  Interval[time.Duration]{w.Hold + a.Reuse.Min, w.Hold + a.Reuse.Max},
		Every: w.often(a),
	}
}

// lasts finds the longest burst for which so many tuples are enough. One that has
// not used them up when its first ports come back never does.
func (w Wish) lasts(reuse time.Duration, waiting float64, tuples int64) time.Duration {
	taken := w.Hold + reuse
	enough := func(d time.Duration) bool {
		return max(w.held(d, reuse, waiting), 1) <= float64(tuples)+rounding
	}
	if enough(taken) {
		return Endless
	}
	return last(taken, enough)
}

// often finds the shortest time between the begins of two bursts with which the
// wish holds. When all ports of one are back before the next begins, they are as
// good as alone.
func (w Wish) often(a Answer) time.Duration {
	w.Burst.Every = 0
	if !w.holds(a) {
		return 0
	}
	longest := w.Burst.Time + w.Hold + a.Reuse.Max
	between := longest - w.Burst.Time
	return longest - last(between, func(shorter time.Duration) bool {
		w.Burst.Every = longest - shorter
		return w.holds(a)
	})
}

// last returns the longest time from 0 to most for which ok holds, if it holds
// up to there and no further; 0 if it never does.
func last(most time.Duration, ok func(time.Duration) bool) time.Duration {
	var low, high time.Duration = 0, most // ok up to low, and not beyond high
	for low < high {
		middle := high - (high-low)/2
		if ok(middle) {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}

// checkBurst refuses a burst that is none, or of which it is not known for how
// long its connections stay.
func (w Wish) checkBurst() error {
	b := w.Burst
	switch {
	case b.Rate == 0:
		return nil
	case w.Open > 0 && w.Hold == 0 && w.Rate == 0:
		return &wishError{
			text: fmt.Sprintf("%d connections that stay open and a burst of %s per second: how long the burst's own stay is not said", w.Open, plain(b.Rate)),
			hint: "--hold 10s with --rate instead of --concurrency",
		}
	case b.Rate <= w.Rate:
		return &wishError{
			text: fmt.Sprintf("a burst of %s per second is none: the rate is %s per second all the time", plain(b.Rate), plain(w.Rate)),
			hint: fmt.Sprintf("--burst %s/s:%v", plain(2*w.Rate), b.Time),
		}
	case b.Every > 0 && b.Every <= b.Time:
		return &wishError{
			text: fmt.Sprintf("a burst of %v every %v never ends", b.Time, b.Every),
			hint: "--rate " + plain(b.Rate),
		}
	}
	return nil
}
