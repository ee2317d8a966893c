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
// can end. The kernel may have given up at the first timer that can end beyond
// the limit, and has at the first that cannot end before. It counts time in
// ticks or milliseconds, and may find a limit reached a tick early.
func (c chain) end() Interval[time.Duration] {
	limit, tick := c.limit, tick(c.hz)
	var at, given Interval[time.Duration]
	given.Min = endless
	for n := int64(1); ; n++ {
		at = c.next(n, at)
		if n >= c.last.Min {
			given.Min = min(given.Min, at.Min)
		}
		over := n >= c.last.Max
		if n >= c.looks {
			if at.Max >= limit-tick {
				given.Min = min(given.Min, max(at.Min, limit-tick))
			}
			over = over || at.Min >= limit
		}
		if over {
			given.Max = at.Max
			return given
		}
		if n >= c.looks {
			at.Max = min(at.Max, limit) // it has not given up, so it was no later
		}
	}
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
