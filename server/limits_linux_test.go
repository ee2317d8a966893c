package server

import (
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// testClock stands in for the time of a listener.
type testClock struct{ ns atomic.Int64 }

// listenByClock starts a listener whose time stands still.
func listenByClock(t *testing.T, config Config) (*Listener, *testClock) {
	t.Helper()
	l := listenOnly(t, config)
	var clock testClock
	l.now = clock.ns.Load
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	return l, &clock
}

// set sets the time and returns when every worker has gone a whole round in it:
// an order is obeyed at the end of a round, so the second is at the end of one
// that began after the first.
func (c *testClock) set(l *Listener, at time.Duration) {
	c.ns.Store(int64(at))
	for range 2 {
		l.tell(func(*worker) {})
	}
}

func TestHoldThenClose(t *testing.T) {
	const hold = time.Hour
	for _, mode := range closeModes[2:] {
		t.Run(mode.name, func(t *testing.T) {
			l, clock := listenByClock(t, Config{ServerFirst: true, RST: mode.rst, Hold: hold, Connections: 4})
			first := dial(t, l.Addrs()[0])
			waitStats(t, l, "the first", func(s result.Server) bool { return s.Accepted == 1 })
			clock.set(l, hold/2)
			second, early := dial(t, l.Addrs()[0]), dial(t, l.Addrs()[0])
			waitStats(t, l, "all", func(s result.Server) bool { return s.Accepted == 3 })
			clock.set(l, hold-1)
			if s := l.Stats(); *s.Closed != 0 {
				t.Errorf("%+v: closed before the time was over", s)
			}
			send(t, early, "\x00") // a wish comes before the time
			if got := finish(t, early); got != mode.clientSees {
				t.Errorf("the close is seen as %v, want %v", got, mode.clientSees)
			}
			send(t, first, "\x01") // speaking does not change the time, and is heard
			expectAnswers(t, first, 1)
			clock.set(l, hold)
			if s := l.Stats(); *s.Closed != 2 {
				t.Errorf("%+v, want the first closed", s)
			}
			clock.set(l, hold/2+hold)
			for _, fd := range []int{first, second} {
				if got := finish(t, fd); got != mode.clientSees {
					t.Errorf("the close is seen as %v, want %v", got, mode.clientSees)
				}
				_ = kernel.CloseFD(fd)
			}
			_ = kernel.CloseFD(early)
			if s := l.Stats(); *s.Closed != 3 || s.IdleClosed != 0 {
				t.Errorf("%+v, want 3 closed, none for idleness", s)
			}
		})
	}
}

// A listener that lingers closes late, and by itself: whether it was asked to be
// first or the client was. What was reset it closes at once.
func TestLinger(t *testing.T) {
	const linger = time.Hour
	for _, mode := range closeModes {
		t.Run(mode.name, func(t *testing.T) {
			l, clock := listenByClock(t, Config{ServerFirst: mode.serverFirst, Keep: true, RST: mode.rst, Linger: linger, Connections: 4})
			fd, other := dial(t, l.Addrs()[0]), dial(t, l.Addrs()[0])
			waitStats(t, l, "both", func(s result.Server) bool { return s.Accepted == 2 })
			if mode.serverFirst {
				send(t, fd, "\x00")
			} else {
				closeClient(fd, mode.rst)
			}
			if mode.rst && !mode.serverFirst {
				waitStats(t, l, "the close", func(s result.Server) bool { return *s.Closed == 1 })
				_ = kernel.CloseFD(other)
				return
			}
			waitStats(t, l, "its being heard", func(result.Server) bool { return lingering(l) == 1 })
			clock.set(l, linger-1)
			if s := l.Stats(); *s.Closed != 0 {
				t.Errorf("%+v: closed before the time was over", s)
			}
			clock.set(l, linger)
			if s := l.Stats(); *s.Closed != 1 {
				t.Errorf("%+v, want one closed", s)
			}
			if mode.serverFirst {
				if got := finish(t, fd); got != mode.clientSees {
					t.Errorf("the close is seen as %v, want %v", got, mode.clientSees)
				}
				_ = kernel.CloseFD(fd)
			}
			_ = kernel.CloseFD(other)
		})
	}
}

// lingering counts the connections that are to be closed late.
func lingering(l *Listener) int64 {
	var n atomic.Int64
	l.tell(func(w *worker) {
		for fd := range w.held.all() {
			if fd < len(w.linger.links) && w.linger.links[fd].at != 0 {
				n.Add(1)
			}
		}
	})
	return n.Load()
}

func TestIdleIsClosed(t *testing.T) {
	const idle = time.Hour
	for _, mode := range closeModes {
		t.Run(mode.name, func(t *testing.T) {
			l, clock := listenByClock(t, Config{ServerFirst: mode.serverFirst, Keep: true, RST: mode.rst, Idle: idle, Connections: 4})
			quiet, talks := dial(t, l.Addrs()[0]), dial(t, l.Addrs()[0])
			leaves := dial(t, l.Addrs()[0])
			waitStats(t, l, "all", func(s result.Server) bool { return s.Accepted == 3 })
			_ = kernel.CloseFD(leaves) // what is closed has no time any more
			waitStats(t, l, "the close", func(s result.Server) bool { return *s.Closed == 1 })
			clock.set(l, idle-1)
			if s := l.Stats(); s.IdleClosed != 0 {
				t.Errorf("%+v: closed before the time was over", s)
			}
			send(t, talks, "\x01")
			expectAnswers(t, talks, 1)
			clock.set(l, idle)
			if s := l.Stats(); s.IdleClosed != 1 || *s.Closed != 2 {
				t.Errorf("%+v, want one of 2 closed for idleness", s)
			}
			want := syscall.Errno(0)
			if mode.rst {
				want = syscall.ECONNRESET
			}
			if got := finish(t, quiet); got != want {
				t.Errorf("the close is seen as %v, want %v", got, want)
			}
			clock.set(l, 2*idle-1)
			if got := finish(t, talks); got != want {
				t.Errorf("the close is seen as %v, want %v", got, want)
			}
			if s := l.Stats(); s.IdleClosed != 2 || *s.Closed != 3 {
				t.Errorf("%+v, want both closed for idleness", s)
			}
			_, _ = kernel.CloseFD(quiet), kernel.CloseFD(talks)
		})
	}
}

// What came in time and was not read yet is no silence. The worker does not
// look at its events here: it finds out when the time is over.
func TestUnreadIsNotIdle(t *testing.T) {
	l := listenOnly(t, Config{Idle: time.Hour})
	clock := int64(0)
	l.now = func() int64 { return clock }
	w, err := newWorker(l, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.thread.Close()
	client := dial(t, l.Addrs()[0])
	w.thread.Do(func() { w.accept(0) })
	send(t, client, "x")
	for i, want := range []int64{0, 1} {
		clock += int64(time.Hour)
		w.thread.Do(func() { w.readClock(); w.expire() })
		if got := w.idleClosed.Load(); got != want {
			t.Errorf("after hour %d: %d closed for idleness, want %d", i+1, got, want)
		}
	}
	_ = kernel.CloseFD(client)
}

// What was sent before the time is over is read before the close, which would
// be an RST otherwise.
func TestUnreadIsReadBeforeTheClose(t *testing.T) {
	l := listenOnly(t, Config{ServerFirst: true, Hold: time.Hour})
	clock := int64(0)
	l.now = func() int64 { return clock }
	w, err := newWorker(l, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.thread.Close()
	client := dial(t, l.Addrs()[0])
	w.thread.Do(func() { w.accept(0) })
	send(t, client, "x")
	clock += int64(time.Hour)
	w.thread.Do(func() { w.readClock(); w.expire() })
	if got := finish(t, client); got != 0 {
		t.Errorf("the close is seen as %v, want FIN", got)
	}
	_ = kernel.CloseFD(client)
}

// A wait ends when the first time is over, not before: one that ended early
// would be followed by more.
func TestWaitsUntilDue(t *testing.T) {
	w := worker{}
	for _, test := range []struct {
		hold, idle, want time.Duration
	}{
		{0, 0, -1},
		{1, 0, time.Millisecond},
		{0, 5 * time.Millisecond, 6*time.Millisecond - 1},
		{time.Second, time.Minute, time.Second + time.Millisecond - 1},
		{time.Minute, time.Second, time.Second + time.Millisecond - 1},
	} {
		w.hold, w.idle = deadlines{after: test.hold}, deadlines{after: test.idle}
		w.now = 100
		w.hold.add(7, w.now)
		w.idle.add(7, w.now)
		if got := w.untilDue(); got != test.want {
			t.Errorf("hold %v, idle %v: waits %v, want %v", test.hold, test.idle, got, test.want)
		}
		if w.now += int64(time.Hour); test.want > 0 && w.untilDue() != 0 {
			t.Errorf("hold %v, idle %v: waits %v when the time is over", test.hold, test.idle, w.untilDue())
		}
	}
}

// The limit holds over all threads and ports, and room that is free is used.
func TestMaxConnections(t *testing.T) {
	const most, limit = 300, 256 // more than one descriptor table holds
	limitDescriptors(t, limit)
	l := listenApart(t, Config{Addrs: anyPorts(2), MaxConnections: most, Connections: most, Idle: time.Hour})
	var c clients
	for _, to := range l.Addrs() {
		c.open(t, to, most/2, 150)
	}
	waitStats(t, l, "every accept", func(s result.Server) bool { return s.Accepted == most })
	for round := int64(1); round <= 5; round++ {
		fd, _ := dialEager(t, l.Addrs()[round%2])
		if fd >= 0 {
			if got := finish(t, fd); got != syscall.ECONNRESET {
				t.Errorf("one too many is seen off by %v, want ECONNRESET", got)
			}
			_ = kernel.CloseFD(fd)
		}
		s := waitStats(t, l, "the refusal", func(s result.Server) bool { return s.OverLimit == round && *s.Closed == round })
		if s.Accepted != most+round || s.NoFD != 0 {
			t.Errorf("%+v, want %d accepted", s, most+round)
		}
	}
	c.each(closeFD)
	waitStats(t, l, "every close", func(s result.Server) bool { return *s.Closed == s.Accepted })
	c.open(t, l.Addrs()[0], most, 150)
	s := waitStats(t, l, "every accept", func(s result.Server) bool { return s.Accepted == 2*most+5 })
	if s.OverLimit != 5 || *s.Closed != most+5 {
		t.Errorf("%+v, want %d open again", s, most)
	}
	c.each(closeFD)
}

// A listener that stops accepting in the middle: its queue fills, the kernel
// drops what comes then and counts it, and what waits is taken when it goes on.
func TestPause(t *testing.T) {
	const backlog = 4
	const inQueue = backlog + 1 // sk_acceptq_is_full in include/net/sock.h
	l := listenApart(t, Config{Backlog: backlog})
	to := l.Addrs()[0]
	before := dial(t, to)
	waitStats(t, l, "an accept", func(s result.Server) bool { return s.Accepted == 1 })
	for range 2 { // again is the same
		l.Pause(true)
	}
	overflows := listenOverflows(t)
	send(t, before, "\x01") // what was accepted is still served
	expectAnswers(t, before, 1)
	fds := []int{before}
	for range inQueue {
		fds = append(fds, dial(t, to))
	}
	sa := kernel.NewSockaddr(to)
	late, errno := kernel.StreamSocket(sa.Family())
	if errno != 0 {
		t.Fatal(errno)
	}
	_ = kernel.Connect(late, &sa)
	if errno := kernel.Connect(late, &sa); errno != syscall.EALREADY {
		t.Errorf("one more than the queue holds: %v, want no answer", errno)
	}
	fds = append(fds, late)
	if got := listenOverflows(t) - overflows; got < 1 { // one for each SYN, and the kernel sends it again
		t.Errorf("ListenOverflows grew by %d, want 1 or more", got)
	}
	if s := l.Stats(); s.Accepted != 1 {
		t.Errorf("%+v: accepted while it paused", s)
	}
	l.Pause(false)
	waitStats(t, l, "what waited", func(s result.Server) bool { return s.Accepted >= 1+inQueue })
	for _, fd := range fds {
		_ = kernel.CloseFD(fd)
	}
	waitStats(t, l, "every close", func(s result.Server) bool { return *s.Closed == s.Accepted })
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	l.Pause(true) // of a closed listener does nothing
}

func listenOverflows(t *testing.T) int64 {
	t.Helper()
	counters, err := kernel.ReadCounters()
	if err != nil {
		t.Fatal(err)
	}
	return counters["ListenOverflows"]
}
