package server

import (
	"errors"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// limitDescriptors lowers the limit of every table for one test.
func limitDescriptors(t *testing.T, n uint64) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	})
}

// holds returns how many connections the worker's table holds. That is its room,
// and more where the test's parent left descriptors open that are numbered
// beyond the limit: they count as used, but take nothing from it.
func holds(t *testing.T, w *worker, limit int) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := w.room
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd >= limit {
			n++
		}
	}
	return n
}

func TestMoreThanOneTableHolds(t *testing.T) {
	const n, limit = 1000, 256
	limitDescriptors(t, limit)
	l := listenApart(t, Config{ServerFirst: true, Keep: true, Connections: n})
	if got := len(l.workers); got != 5 { // 4 tables of 256 hold less than 1,000
		t.Errorf("%d threads, want 5", got)
	}
	var c clients
	for round := range int64(3) { // tables that were full are used again
		c.open(t, l.Addrs()[0], n, 200)
		waitStats(t, l, "every accept", func(s result.Server) bool { return s.Accepted == (round+1)*n })
		if err := l.Drain(); err != nil {
			t.Fatal(err)
		}
		c.each(func(fd int) {
			if got := finish(t, fd); got != 0 {
				t.Errorf("the close is seen as %v, want FIN", got)
			}
			_ = kernel.CloseFD(fd)
		})
		if s := l.Stats(); *s.Closed != s.Accepted || s.NoFD != 0 {
			t.Errorf("round %d: %+v, want all closed and none without a descriptor", round, s)
		}
	}
}

// The threads hold exactly as many as their room says, and not one accept
// fails for it.
func TestRoomIsExact(t *testing.T) {
	const limit = 128
	limitDescriptors(t, limit)
	l := listenApart(t, Config{Keep: true, Threads: 2})
	room := holds(t, l.workers[0], limit) + holds(t, l.workers[1], limit)
	var c clients
	c.open(t, l.Addrs()[0], room, 100)
	waitStats(t, l, "every accept", func(s result.Server) bool { return s.Accepted == int64(room) })
	if s := l.Stats(); s.NoFD != 0 {
		t.Errorf("%+v: want no accept without a descriptor", s)
	}
	c.open(t, l.Addrs()[0], 1, 1)
	waitStats(t, l, "one connection too many", func(s result.Server) bool { return s.NoFD > 0 })
	if s := l.Stats(); s.Accepted != int64(room) {
		t.Errorf("%+v: accepted more than the room of %d", s, room)
	}
	c.each(closeFD)
	waitStats(t, l, "the late connection", func(s result.Server) bool { return s.Accepted == int64(room)+1 })
}

// closeFD is kernel.CloseFD without a result.
func closeFD(fd int) { _ = kernel.CloseFD(fd) }

// Out of descriptors, a worker pauses between two tries, longer each time: the
// test stands in for the clock, so that no pause is a matter of time.
func TestBacksOff(t *testing.T) {
	const limit = 128
	limitDescriptors(t, limit)
	l := listenOnly(t, Config{Keep: true, Threads: 1})
	pauses, proceed := make(chan time.Duration), make(chan struct{})
	over := make(chan struct{})
	l.sleep = func(d time.Duration) {
		if d == acceptPause {
			return
		}
		select {
		case pauses <- d:
			<-proceed
		case <-over:
		}
	}
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	room := holds(t, l.workers[0], limit)
	for round := range 2 { // a pause is short again after the worker had room
		begin := l.Stats()
		var c clients
		c.open(t, l.Addrs()[0], room+1, 100)
		for i, ms := range []time.Duration{1, 2, 4, 8, 16, 16, 16} {
			if got := <-pauses; got != ms*time.Millisecond {
				t.Errorf("round %d: pause %d is %v, want %v", round, i, got, ms*time.Millisecond)
			}
			s := l.Stats()
			if s.NoFD-begin.NoFD != int64(i)+1 || s.Accepted-begin.Accepted != int64(room) {
				t.Errorf("round %d: pause %d: %+v after %+v, want one failed accept a pause", round, i, s, begin)
			}
			proceed <- struct{}{}
		}
		c.each(closeFD) // room again, perhaps after another pause
		waitStats(t, l, "the connection that waited", func(s result.Server) bool {
			select {
			case <-pauses:
				proceed <- struct{}{}
			default:
			}
			return s.Accepted-begin.Accepted == int64(room)+1 && *s.Closed == s.Accepted
		})
	}
	close(over)
}

// A worker that was woken sleeps again, though nobody reads the waker.
func TestWakeIsSeenOnce(t *testing.T) {
	l := listenOnly(t, Config{})
	w, err := newWorker(l, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.thread.Close()
	_ = kernel.Wake(l.waker)
	w.thread.Do(func() {
		for _, want := range []int{1, 0} {
			if n, errno := kernel.EpollWait(w.epoll, w.events, 0); n != want || errno != 0 {
				t.Errorf("%d events, %v, want %d", n, errno, want)
			}
		}
	})
}

func TestNoRoomAtAll(t *testing.T) {
	l := listenOnly(t, Config{Connections: 10})
	limitDescriptors(t, uint64(openDescriptors(t)+1)) // the thread's epoll takes the last
	err := l.Start()
	var room tableError
	if !errors.As(err, &room) || room.Hint() == "" {
		t.Fatalf("start: %v, want a tableError with a hint", err)
	}
}

// openDescriptors counts what the process has open, not what this call opens.
func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries) - 1
}

func TestNothingLeaks(t *testing.T) {
	_, _ = os.ReadFile("/proc/self/status") // opens the network poller's descriptors, once
	goroutines := goleak.IgnoreCurrent()
	before := openDescriptors(t)
	for _, config := range []Config{
		{Addrs: anyPorts(3), Threads: 3, ServerFirst: true, Keep: true, RST: true},
		{Addrs: anyPorts(3), Threads: 3, RST: true},
		{Addrs: anyPorts(3), Together: true},
	} {
		l, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(l.Start(), l.Start()); err != nil { // the second does nothing
			t.Fatal(err)
		}
		var fds []int
		for _, to := range l.Addrs() {
			fds = append(fds, dial(t, to))
		}
		if err := errors.Join(l.Close(), l.Close(), l.Drain(), l.Start()); err != nil {
			t.Errorf("close twice: %v", err)
		}
		for _, fd := range fds {
			// Left open, half-closed or reset by the listener: none outlives it.
			if errno := finish(t, fd); errno != 0 && errno != syscall.ECONNRESET {
				t.Errorf("the close is seen as %v", errno)
			}
			_ = kernel.CloseFD(fd)
		}
		for _, to := range l.Addrs() {
			if _, errno := dialErrno(to); errno != syscall.ECONNREFUSED {
				t.Errorf("connect after Close: %v, want ECONNREFUSED", errno)
			}
		}
		again, err := New(Config{Addrs: l.Addrs()}) // nothing holds the ports
		if err != nil {
			t.Fatal(err)
		}
		_ = again.Close()
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors are open, %d were before", after, before)
	}
	goleak.VerifyNone(t, goroutines)
}
