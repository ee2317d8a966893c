package capacity

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// wheel is a kernel's clock and timer wheel, to the microsecond: what the
// intervals of package capacity leave to chance is here a matter of when the
// row of timers began.
type wheel struct {
	hz  int64
	now int64 // microseconds
}

func (w *wheel) tick() int64    { return 1_000_000 / w.hz }
func (w *wheel) jiffies() int64 { return w.now / w.tick() }
func (w *wheel) millis() int64  { return w.now / 1000 }

// sleep sets a timer and waits for its end: calc_wheel_index and calc_index of
// kernel/time/timer.c.
func (w *wheel) sleep(jiffies int64) {
	expires, level := w.jiffies()+jiffies, 0
	for start := int64(63); jiffies >= start && level < 8; start <<= 3 {
		level++
	}
	w.now = ((expires>>(3*level) + 1) << (3 * level)) * w.tick()
}

// ticks rounds up, as msecs_to_jiffies and usecs_to_jiffies do.
func (w *wheel) ticks(d time.Duration) int64 {
	return (d.Microseconds() + w.tick() - 1) / w.tick()
}

// socket is a socket's retransmissions, as net/ipv4/tcp_timer.c makes them.
type socket struct {
	*wheel
	t           Timers
	syn, orphan bool
	rto         int64 // jiffies
	stamp       int64 // milliseconds: retrans_stamp
	retransmits int
}

func (s *socket) most() int64 {
	if s.t.RTOMax == 0 {
		return 120 * s.hz
	}
	return s.ticks(s.t.RTOMax)
}

// timedOut is retransmits_timed_out, with the sum of the timeouts in place of
// the formula.
func (s *socket) timedOut(boundary int) bool {
	if s.retransmits == 0 {
		return false
	}
	limit := s.t.UserTimeout.Milliseconds()
	if limit == 0 {
		base := s.ticks(200 * time.Millisecond)
		if s.syn {
			base = s.hz
		}
		for range boundary + 1 {
			limit += min(base, s.most()) * s.tick() / 1000
			base *= 2
		}
	}
	return s.millis()-s.stamp >= limit
}

// expired is tcp_write_timeout.
func (s *socket) expired() bool {
	switch {
	case s.syn:
		return s.retransmits >= s.t.SYNRetries+s.t.SYNLinearTimeouts || s.timedOut(s.t.SYNRetries)
	case s.orphan:
		retries := s.t.OrphanRetries
		if retries == 0 && s.rto < s.most() {
			retries = 8
		}
		return s.timedOut(retries)
	}
	return s.timedOut(s.t.Retries2)
}

// live is tcp_retransmit_timer, again and again until the socket is given up.
func (s *socket) live() {
	for wait := s.rto; ; {
		s.sleep(wait)
		if s.expired() {
			return
		}
		if s.retransmits++; s.retransmits == 1 && !s.syn {
			s.stamp = s.millis()
		}
		if !s.syn || s.retransmits > s.t.SYNLinearTimeouts {
			s.rto = min(s.rto*2, s.most())
		}
		wait = s.rto
		if user := s.t.UserTimeout; user > 0 { // tcp_clamp_rto_to_user_timeout
			remaining := time.Duration(user.Milliseconds()-s.millis()+s.stamp) * time.Millisecond
			wait = max(1, min(wait, s.ticks(remaining)))
		}
	}
}

func genTimers() *rapid.Generator[Timers] {
	return rapid.Custom(func(t *rapid.T) Timers {
		n := func(low, high int, name string) int { return rapid.IntRange(low, high).Draw(t, name) }
		ms := func(low, high int, name string) time.Duration {
			return time.Duration(n(low, high, name)) * time.Millisecond
		}
		r := Timers{
			HZ:         rapid.SampledFrom([]int{100, 250, 1000}).Draw(t, "hz"),
			SYNRetries: n(1, 12, "syn retries"), SYNLinearTimeouts: n(0, 12, "linear"),
			Retries2: n(0, 16, "retries2"), OrphanRetries: n(0, 12, "orphan retries"),
			FINTimeout: time.Duration(n(0, 120, "fin timeout")) * time.Second,
			KeepIdle:   time.Duration(n(1, 100, "idle")) * time.Second, KeepInterval: time.Duration(n(0, 50, "interval")) * time.Second,
			KeepProbes: n(1, 10, "probes"),
		}
		if rapid.Bool().Draw(t, "bounded") {
			r.RTOMax = rapid.OneOf(rapid.Just(time.Second), rapid.Just(time.Minute), rapid.Custom(func(t *rapid.T) time.Duration {
				return ms(1000, 120_000, "rto max")
			})).Draw(t, "rto max")
		}
		if rapid.Bool().Draw(t, "by user") {
			r.UserTimeout = ms(1, 20_000, "user timeout")
		}
		return r
	})
}

// The kernel's timers, started at any moment between two ticks and anywhere on
// the wheel, end within what is predicted, whether HZ is known or not.
func TestTimersEndWithinThePrediction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timers := genTimers().Draw(t, "timers")
		w := &wheel{hz: int64(timers.HZ), now: rapid.Int64Range(0, 1<<36).Draw(t, "start")}
		start := w.now
		roundTrip := time.Duration(rapid.IntRange(1, 400).Draw(t, "round trip")) * time.Microsecond
		rto := w.ticks(200*time.Millisecond + roundTrip)

		check := func(what string, predict func(Timers) Timeout) {
			took := time.Duration(w.now-start) * time.Microsecond
			for _, hz := range []int{timers.HZ, 0} {
				p := timers
				if p.HZ = hz; hz == 0 && p.RTOMax%(20*time.Millisecond) != 0 {
					continue // to how many ticks it is rounded up is not known
				}
				if got := predict(p).After; got.Distance(took) != 0 {
					t.Fatalf("%s with HZ %d: %v, predicted %v", what, hz, took, got)
				}
			}
			w.now = start
		}
		sent := func() *socket {
			s := &socket{wheel: w, t: timers, rto: rto}
			if rapid.Bool().Draw(t, "loss probe") {
				w.sleep(rapid.Int64Range(2, rto).Draw(t, "probe"))
			}
			return s
		}

		(&socket{wheel: w, t: timers, syn: true, rto: w.hz, stamp: w.millis()}).live()
		check("SYN_SENT", Timers.SYNSent)

		sent().live()
		check("in flight", Timers.InFlight)

		orphan := sent()
		orphan.orphan = true
		orphan.live()
		check("FIN_WAIT_1", Timers.FINWait1)

		finWait2(w, timers, rto)
		check("FIN_WAIT_2", Timers.FINWait2)

		keepalive(w, timers)
		check("keepalive", Timers.Keepalive)
	})
}

// finWait2 is tcp_fin_time, the end of __tcp_close, tcp_keepalive_timer for
// FIN_WAIT_2, and tcp_time_wait.
func finWait2(w *wheel, t Timers, rto int64) {
	least := rto<<2 - rto>>1
	length := max(w.ticks(t.FINTimeout), least)
	if length > 60*w.hz {
		length -= 60 * w.hz
		w.sleep(length)
	}
	w.sleep(max(length, least))
}

// keepalive is tcp_keepalive_timer.
func keepalive(w *wheel, t Timers) {
	start, probes := w.jiffies(), 0
	for wait := w.ticks(t.KeepIdle); ; wait = w.ticks(t.KeepInterval) {
		w.sleep(wait)
		if t.UserTimeout > 0 {
			if w.jiffies()-start >= w.ticks(t.UserTimeout) && probes > 0 {
				return
			}
		} else if probes >= t.KeepProbes {
			return
		}
		probes++
	}
}
