package capacity

import (
	"math"
	"time"
)

// chain is a row of timers of one socket, each set when the one before ends,
// until the kernel gives up. It gives up when a timer ends, never in between.
type chain struct {
	hz    int
	timer func(n int) Interval[time.Duration] // what timer n, counted from 1, is set to

	// The kernel gives up when timer number last ends, whatever the time. An
	// interval if which one that is depends on what is not known; endless if time
	// alone ends it.
	last Interval[int64]

	// It gives up before when the time is over; endless if no time is set. It
	// looks at the time when a timer ends, from number looks on.
	limit time.Duration
	looks int64
	// clamped: from the same number on, timers are cut short so that one ends with
	// the limit, as tcp_clamp_rto_to_user_timeout of net/ipv4/tcp_timer.c does.
	clamped bool
}

const endless = math.MaxInt64

// end returns when the kernel gives up, counted from the start of the first
// timer.
//
// It follows the row with the earliest and the latest time at which each timer
// can end, as long as the kernel may still not have given up. The kernel counts
// in ticks and milliseconds, and may find the limit reached a tick early.
func (c chain) end() Interval[time.Duration] {
	var at Interval[time.Duration]
	given := Interval[time.Duration]{Min: endless}
	for n := int64(1); ; n++ {
		at = c.next(n, at)
		early, must := c.over(n, at)
		if early <= at.Max {
			given = Interval[time.Duration]{min(given.Min, early), max(given.Max, at.Max)}
		}
		if must {
			return given
		}
		if n >= c.looks {
			at.Max = min(at.Max, c.limit) // it has not given up, so it was no later
		}
	}
}

// over returns how early the kernel may give up when timer n ends within the
// interval; endless if it does not. And whether it must.
func (c chain) over(n int64, at Interval[time.Duration]) (early time.Duration, must bool) {
	early, must = endless, n >= c.last.Max
	if n >= c.looks {
		early = max(at.Min, c.limit-tick(c.hz))
		must = must || at.Min >= c.limit
	}
	if n >= c.last.Min {
		early = at.Min
	}
	return early, must
}

// next returns when timer n ends, set when the one before it did.
func (c chain) next(n int64, at Interval[time.Duration]) Interval[time.Duration] {
	timer := c.timer(int(n))
	if !c.clamped || n < c.looks {
		return Interval[time.Duration]{at.Min + timer.Min, at.Max + timer.Max + late(timer.Max, c.hz)}
	}
	// When the limit is over already, the timer is one tick.
	return Interval[time.Duration]{
		Min: min(at.Min+timer.Min, max(at.Min, c.limit)),
		Max: min(at.Max+timer.Max, max(at.Max, c.limit)+tick(c.hz)) + late(min(timer.Max, c.limit), c.hz),
	}
}

// tick is the time between two timer interrupts, the longest that there is if
// hz is not known.
func tick(hz int) time.Duration { return ticks(hz).Max }

func ticks(hz int) Interval[time.Duration] {
	if hz <= 0 {
		return Interval[time.Duration]{time.Second / 1000, time.Second / 100} // kernel/Kconfig.hz
	}
	return exact(time.Second / time.Duration(hz))
}

// exact is an interval of one value.
func exact[T ~int64](value T) Interval[T] { return Interval[T]{value, value} }
