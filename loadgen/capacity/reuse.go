package capacity

import "time"

// timeWait is how long a closed connection stays in TIME_WAIT:
// TCP_TIMEWAIT_LEN of include/net/tcp.h. No setting changes it;
// tcp_fin_timeout is the time of FIN_WAIT_2.
const timeWait = 60 * time.Second

// reuse returns the time from close until the same tuple can connect again, by
// the strategy.
func (a *Answer) reuse(q Question) Interval[time.Duration] {
	switch s := q.Strategy; {
	case !q.Rests():
		return Interval[time.Duration]{} // no TIME_WAIT on this side
	case q.Reuse > 0:
		a.why("a closed port is taken to be out of use for %v, as asked", q.Reuse)
		return Interval[time.Duration]{Min: q.Reuse, Max: q.Reuse}
	case q.System != nil:
		return a.statedReuse(q.System)
	case s.Explicit && q.Settings.Timestamps:
		// An explicit bind with SO_REUSEADDR on the old and the new socket does not
		// look at TIME_WAIT, and connect from a port that is bound takes the tuple
		// (check_established without twp in __inet_hash_connect).
		a.why("a port that is bound explicitly with SO_REUSEADDR can be had again at once, in TIME_WAIT too: tcp_timestamps tell old segments from new")
		return Interval[time.Duration]{}
	case s.Explicit:
		a.why("without tcp_timestamps connect does not take a tuple out of TIME_WAIT, though bind takes its port")
	case s.Early:
		a.why("bind to port 0 passes over ports in TIME_WAIT, whatever tcp_tw_reuse says")
	case q.Settings.reuses():
		return a.earlyReuse(q.Settings)
	}
	return a.timeWaitEnd(q.Settings.HZ)
}

// reuses says whether the kernel gives a port out again while it is in
// TIME_WAIT. Source: tcp_twsk_unique of net/ipv4/tcp_ipv4.c. It takes
// timestamps to tell the segments of the old connection from the new one's.
func (s Settings) reuses() bool {
	return s.Timestamps && (s.TWReuse == 1 || s.TWReuse == 2 && s.Loopback)
}

// earlyReuse is the delay of tcp_tw_reuse. The kernel compares milliseconds of
// the timestamp clock, so it is over within the delay and two of them; measured
// at 10, 100, 350 and 500 ms.
//
// Before tcp_tw_reuse_delay (Linux 6.14) it compared whole seconds, and a port
// was free when the next second began.
func (a *Answer) earlyReuse(s Settings) Interval[time.Duration] {
	const clock = 2 * time.Millisecond
	if s.TWReuseDelay <= 0 {
		a.why("tcp_tw_reuse gives a port back when the kernel's clock begins its next second, at most 1 s after the close")
		return Interval[time.Duration]{Min: 0, Max: time.Second + clock}
	}
	a.why("tcp_tw_reuse gives a port back %v after the close (tcp_tw_reuse_delay)", s.TWReuseDelay)
	return Interval[time.Duration]{Min: s.TWReuseDelay, Max: s.TWReuseDelay + clock}
}

// timeWaitEnd is the full time in TIME_WAIT, up to the grain of its timer.
func (a *Answer) timeWaitEnd(hz int) Interval[time.Duration] {
	grain := late(timeWait, hz)
	if hz > 0 {
		a.why("a closed port is in TIME_WAIT for 60 s, and at %d Hz its timer ends up to %v late", hz, round(grain))
	} else {
		a.why("a closed port is in TIME_WAIT for 60 s, and its timer ends up to %v late: the kernel's HZ is not known", round(grain))
	}
	return Interval[time.Duration]{Min: timeWait, Max: timeWait + grain}
}

// late returns how late a timer of the given length may end: its grain, or if
// hz is not known, the coarsest grain of the kernels that there are.
func late(timeout time.Duration, hz int) time.Duration {
	if hz > 0 {
		return grain(timeout, hz)
	}
	var coarsest time.Duration
	for _, usual := range []int{100, 250, 300, 1000} { // kernel/Kconfig.hz
		coarsest = max(coarsest, grain(timeout, usual))
	}
	return coarsest
}

// grain returns how late a timer of the given length may end on a kernel with
// hz timer interrupts per second; 0 if hz is not above 0. It holds for timers
// of hours at least: the wheel ends after 12 days at 1000 Hz.
//
// Source: kernel/time/timer.c. Level n of the wheel takes timers from LVL_START
// to the next level's, (2^LVL_BITS - 1) << ((n - 1) * LVL_CLK_SHIFT) jiffies,
// and rounds them up to LVL_GRAN, 1 << (n * LVL_CLK_SHIFT) jiffies.
func grain(timeout time.Duration, hz int) time.Duration {
	const (
		lvlClkShift = 3
		lvlBits     = 6
	)
	if hz <= 0 {
		return 0
	}
	jiffies := (int64(timeout)*int64(hz) + int64(time.Second) - 1) / int64(time.Second)
	level := 0
	for jiffies >= (1<<lvlBits-1)<<(level*lvlClkShift) {
		level++
	}
	return time.Duration(1<<(level*lvlClkShift)) * time.Second / time.Duration(hz)
}
