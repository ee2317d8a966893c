package capacity

import (
	"fmt"
	"time"
)

// Timers are the settings that decide how long a port stays taken when the
// peer falls silent. They are used as they are; what stands for another value
// says so.
type Timers struct {
	HZ int // timer interrupts per second; 0: not known

	SYNRetries        int // tcp_syn_retries, or TCP_SYNCNT of the socket; at least 1
	SYNLinearTimeouts int // tcp_syn_linear_timeouts; 0: the kernel has no such setting (before Linux 6.5)

	RTOMin time.Duration // tcp_rto_min_us; 0: TCP_RTO_MIN, 200 ms
	RTOMax time.Duration // tcp_rto_max_ms; 0: TCP_RTO_MAX, 120 s
	RTT    time.Duration // the longest round trip; 0: of no account, as on one machine

	Retries2      int           // tcp_retries2
	OrphanRetries int           // tcp_orphan_retries; 0: 8, as the kernel takes it
	UserTimeout   time.Duration // TCP_USER_TIMEOUT of the socket; 0: not set
	FINTimeout    time.Duration // tcp_fin_timeout, or TCP_LINGER2 of the socket

	KeepIdle     time.Duration // tcp_keepalive_time, or TCP_KEEPIDLE
	KeepInterval time.Duration // tcp_keepalive_intvl, or TCP_KEEPINTVL
	KeepProbes   int           // tcp_keepalive_probes, or TCP_KEEPCNT
}

// Timeout is how long a port stays taken.
type Timeout struct {
	After Interval[time.Duration]
	Why   []string // in plain sentences
}

// Constants of include/net/tcp.h.
const (
	timeoutInit = time.Second            // TCP_TIMEOUT_INIT: the first retransmission timeout, RFC 6298
	rtoMin      = 200 * time.Millisecond // TCP_RTO_MIN
	rtoMax      = 120 * time.Second      // TCP_RTO_MAX
)

// SYNSent is the time from connect to a peer that never answers until
// ETIMEDOUT.
//
// Source: tcp_write_timeout and tcp_retransmit_timer of net/ipv4/tcp_timer.c.
// The first tcp_syn_linear_timeouts + 1 timers are of 1 s, and each that
// follows of twice the one before. The kernel gives up when tcp_syn_retries +
// tcp_syn_linear_timeouts SYNs were sent again, or when a timer ends after
// the time that tcp_syn_retries doubled timeouts would have taken: few retries
// come to an end by the time, before all of them were made. TCP_USER_TIMEOUT
// takes the place of that time, from the first retry on.
//
// Measured on Linux 6.18 at 250 Hz: tcp_syn_retries of 1, 2, 3, 4 and 6 with
// the default of 4 linear timeouts: 3.07, 7.13, 19.5, 35.7 and 134.6 s; with
// none, and 1, 2, 3 and 5 retries: 3.03, 7.18, 15.4 and 65.3 s.
func (t Timers) SYNSent() Timeout {
	timer := func(n int) time.Duration { return t.backoff(timeoutInit, n-1-t.SYNLinearTimeouts) }
	c := chain{
		hz:    t.HZ,
		timer: func(n int) Interval[time.Duration] { return exact(timer(n)) },
		last:  exact(int64(t.SYNRetries + t.SYNLinearTimeouts + 1)),
		limit: t.model(t.SYNRetries, timeoutInit),
		looks: 2,
	}
	after := c.within(t.UserTimeout).end()
	why := fmt.Sprintf("with tcp_syn_retries=%d and tcp_syn_linear_timeouts=%d the SYN is sent again after %s",
		t.SYNRetries, t.SYNLinearTimeouts, sums(timer, after.Min))
	return t.timeout(after, t.byUser(why))
}

// InFlight is the time from sending data to a peer that has vanished until the
// connection ends with ETIMEDOUT.
//
// Source: tcp_write_timeout, retransmits_timed_out and tcp_model_timeout of
// net/ipv4/tcp_timer.c. The time is not the number of retries: it is what
// tcp_retries2 doubled timeouts of 200 ms would take, and the first timer
// beyond ends the connection. It counts from the first retransmission, and so
// does TCP_USER_TIMEOUT in its place. Before that one is a retransmission
// timeout, and often another for a tail loss probe (tcp_schedule_loss_probe of
// net/ipv4/tcp_output.c). Thin streams with linear timeouts are not covered.
//
// Measured on Linux 6.18 at 250 Hz: tcp_retries2 of 0 to 7: 0.84, 1.68, 3.34,
// 6.77, 6.77, 13.4, 26.7 and 54.0 s; TCP_USER_TIMEOUT of 0.5, 1, 2 and 5 s:
// 0.92, 1.44, 2.44 and 5.58 s.
func (t Timers) InFlight() Timeout {
	why := fmt.Sprintf("tcp_retries2=%d: data are sent again, each time after twice as long, and the first timer that ends %v "+
		"after the first retransmission ends the connection", t.Retries2, t.model(t.Retries2, rtoMin))
	return t.retransmit(t.Retries2, exact[int64](endless), why)
}

// FINWait1 is the time from close until the port is free when the peer has
// vanished, with or without data in flight. It is InFlight's, with
// tcp_orphan_retries in place of tcp_retries2.
//
// Source: tcp_orphan_retries of net/ipv4/tcp_timer.c: 0 is 8, and none at all
// when the timeout has grown to tcp_rto_max_ms. Under memory pressure, or with
// more orphans than tcp_max_orphans, it ends sooner (tcp_out_of_resources).
//
// Measured on Linux 6.18 at 250 Hz: tcp_orphan_retries of 1 to 5: 1.73, 3.39,
// 6.77, 6.81 and 13.5 s; 0: 107 s, and with tcp_rto_max_ms=1000: 2.76 s.
func (t Timers) FINWait1() Timeout {
	retries, last := t.OrphanRetries, exact[int64](endless)
	if retries == 0 {
		retries = 8
		if t.UserTimeout <= 0 {
			rto := t.rto()
			last = Interval[int64]{t.doublings(rto.Max), t.doublings(rto.Min)}
		}
	}
	why := fmt.Sprintf("tcp_orphan_retries=%d: the FIN is sent again, each time after twice as long, and the first timer that ends %v "+
		"after the first retransmission frees the port; sooner under memory pressure or beyond tcp_max_orphans",
		t.OrphanRetries, t.model(retries, rtoMin))
	return t.retransmit(retries, last, why)
}

// FINWait2 is the time from close until the port is free when the peer answers
// and never closes. tcp_tw_reuse does not shorten it.
//
// Source: tcp_rcv_state_process of net/ipv4/tcp_input.c, __tcp_close of
// net/ipv4/tcp.c, tcp_keepalive_timer of net/ipv4/tcp_timer.c, tcp_fin_time of
// include/net/tcp.h. Up to TCP_TIMEWAIT_LEN, 60 s, a small timewait socket waits for
// tcp_fin_timeout, or 3.5 retransmission timeouts if that is longer. Beyond 60 s
// the socket itself waits for what is above, and then the timewait socket for the
// same once more: 61 s are 2 s, and 120 s are 120 s.
//
// Measured on Linux 6.18 at 250 Hz: tcp_fin_timeout of 0, 1, 3, 10, 30 and 60:
// 0.75, 1.05, 3.14, 10.2, 30.8 and 60.8 s; of 61, 62, 65, 75 and 90: 2.05, 4.09,
// 10.3, 30.3 and 61.8 s.
func (t Timers) FINWait2() Timeout {
	length, rto := exact(t.FINTimeout), t.rto()
	why := fmt.Sprintf("tcp_fin_timeout is %v", t.FINTimeout)
	timers := 1
	if t.FINTimeout > timeWait {
		timers = 2
		length = exact(t.FINTimeout - timeWait)
		why += fmt.Sprintf(": beyond 1m0s the kernel waits twice for what is above, %v", length)
	}
	least := Interval[time.Duration]{rto.Min * 7 / 2, rto.Max*7/2 + tick(t.HZ)/2}
	c := chain{hz: t.HZ, last: exact(int64(timers)), limit: endless, looks: 1, timer: func(n int) Interval[time.Duration] {
		if n < timers {
			return length
		}
		return Interval[time.Duration]{max(length.Min, least.Min), max(length.Max, least.Max)}
	}}
	return t.timeout(c.end(), why)
}

// Keepalive is the time from the last segment of a peer that has vanished, with
// nothing in flight, until keepalive ends the connection: idle, and an interval
// for each probe. With TCP_USER_TIMEOUT set, the number of probes does not
// count: the first timer beyond that time, and after a probe, ends it.
//
// Source: tcp_keepalive_timer of net/ipv4/tcp_timer.c; tcp(7).
//
// Measured on Linux 6.18 at 250 Hz, idle + interval × probes: 1 s + 1 s × 2:
// 3.07 s; 3 s + 4 s × 3: 15.4 s; 20 s + 20 s × 3: 82.8 s; 1 s + 1 s × 5 with a
// user timeout of 2.5 s: 3.07 s.
func (t Timers) Keepalive() Timeout {
	least := ticks(t.HZ) // from one timer's end to the next, even if the interval is 0
	c := chain{hz: t.HZ, last: exact(int64(t.KeepProbes) + 1), limit: endless, looks: 2, timer: func(n int) Interval[time.Duration] {
		if n == 1 {
			return exact(t.KeepIdle)
		}
		return Interval[time.Duration]{max(t.KeepInterval, least.Min), max(t.KeepInterval, least.Max)}
	}}
	if t.UserTimeout > 0 {
		c.limit, c.last = t.UserTimeout, exact[int64](endless)
	}
	why := fmt.Sprintf("keepalive asks after %v without a word, %d times at a distance of %v", t.KeepIdle, t.KeepProbes, t.KeepInterval)
	return t.timeout(c.end(), t.byUser(why))
}
