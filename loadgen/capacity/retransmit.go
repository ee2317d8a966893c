package capacity

import (
	"fmt"
	"math/bits"
	"time"
)

// retransmit is the time from sending until the kernel gives up a connection
// that was established. Timer number last ends it at the latest.
func (t Timers) retransmit(retries int, last Interval[int64], why string) Timeout {
	rto := t.rto()
	c := chain{
		hz: t.HZ,
		timer: func(n int) Interval[time.Duration] {
			return Interval[time.Duration]{t.backoff(rto.Min, n), t.backoff(rto.Max, n)}
		},
		last:  last,
		limit: t.model(retries, rtoMin),
		looks: 1,
	}
	after := c.within(t.UserTimeout).end()
	// A loss probe, if there is one, comes after a timeout at most, and then the
	// first retransmission after another.
	after.Min += rto.Min
	after.Max += 2 * (rto.Max + late(rto.Max, t.HZ))
	return t.timeout(after, t.byUser(why))
}

// within sets TCP_USER_TIMEOUT in place of the kernel's own limit; 0: not set.
func (c chain) within(user time.Duration) chain {
	if user > 0 {
		c.limit, c.clamped = user, true
	}
	return c
}

// rto is the retransmission timeout of a connection that has lost nothing yet.
//
// Source: __tcp_set_rto and tcp_rtt_estimator of net/ipv4/tcp_input.c. It is the
// smoothed round trip plus its deviation, which is RTOMin at least, rounded up to
// ticks: on one machine 204 ms at 250 Hz, as TCP_INFO shows. The deviation starts
// at two round trips (RFC 6298, section 2.2).
func (t Timers) rto() Interval[time.Duration] {
	least := t.RTOMin
	if least <= 0 {
		least = rtoMin
	}
	above := func(d, tick time.Duration) time.Duration { return (d/tick + 1) * tick }
	tick := ticks(t.HZ)
	return Interval[time.Duration]{above(least, tick.Min), above(t.RTT+max(2*t.RTT, least), tick.Max)}
}

// rtoMax is the bound of every retransmission timeout, which the kernel rounds
// up to ticks.
func (t Timers) rtoMax() time.Duration {
	if t.RTOMax <= 0 {
		return rtoMax
	}
	tick := tick(t.HZ)
	return (t.RTOMax + tick - 1) / tick * tick
}

// backoff is the timeout that was doubled so often, within its bound.
func (t Timers) backoff(rto time.Duration, doublings int) time.Duration {
	doublings = max(doublings, 0)
	if most := t.rtoMax(); doublings >= 63 || rto > most>>doublings {
		return most
	}
	return rto << doublings
}

// doublings is how often the timeout doubles until it is at its bound.
func (t Timers) doublings(rto time.Duration) int64 {
	n := 1
	for t.backoff(rto, n) < t.rtoMax() {
		n++
	}
	return int64(n)
}

// model is tcp_model_timeout of net/ipv4/tcp_timer.c: how long that number of
// retries would take from a timeout of base on, and the last one's timeout.
func (t Timers) model(retries int, base time.Duration) time.Duration {
	most := t.rtoMax()
	linear := max(bits.Len64(uint64(most/base))-1, 0) // retries from which on the timeout is at its bound
	if retries <= linear {
		return (2<<retries - 1) * base
	}
	return (2<<linear-1)*base + time.Duration(retries-linear)*most
}

// byUser adds what TCP_USER_TIMEOUT changes, if it is set.
func (t Timers) byUser(why string) string {
	if t.UserTimeout <= 0 {
		return why
	}
	return fmt.Sprintf("%s; TCP_USER_TIMEOUT=%v takes the place of the kernel's own limit", why, t.UserTimeout)
}

// timeout adds why it is an interval.
func (t Timers) timeout(after Interval[time.Duration], why string) Timeout {
	at := "the kernel's HZ is not known"
	if t.HZ > 0 {
		at = fmt.Sprintf("at %d Hz", t.HZ)
	}
	return Timeout{after, []string{why, fmt.Sprintf("timers end late by up to their grain (%s), so it takes %v to %v",
		at, after.Min.Round(time.Millisecond), after.Max.Round(time.Millisecond))}}
}
