package server

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/loadgen/kernel/uring"
	"lastport/reports/result"
)

// A listener with rings counts who came and went, and waits for a client's close
// unless that is an RST. Where there is a ring for each processor every one of
// them has its share.
func TestRing(t *testing.T) {
	const n = 300
	nstest.NeedRing(t, uring.Probe())
	all, err := kernel.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	for _, rst := range []bool{false, true} {
		for _, cpus := range [][]int{nil, all} {
			l := listenApart(t, Config{Ring: true, RST: rst, CPUs: cpus})
			var fds []int
			for range n {
				fds = append(fds, dial(t, l.Addrs()[0]))
			}
			waitStats(t, l, "every accept", func(s result.Server) bool { return s.Accepted == n })
			if s := l.Stats(); !rst && *s.Open() != n {
				t.Errorf("%d open, and no client has closed", *s.Open())
			}
			for _, fd := range fds {
				closeClient(fd, rst)
			}
			if err := l.Drain(); err != nil {
				t.Error(err)
			}
			s := l.Stats()
			if s.Accepted != n || *s.Closed != n || s.NoFD != 0 || s.DistinctPeers != nil || s.DistinctTuples != nil {
				t.Errorf("rst %v, %d processors: %+v", rst, len(cpus), s)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if _, errno := dialErrno(l.Addrs()[0]); errno == 0 {
				t.Error("it still answers")
			}
		}
	}
}

// A client that never closes keeps Drain and Close waiting for a while, not for
// ever, and is closed with the ring.
func TestRingWithAClientThatStays(t *testing.T) {
	nstest.NeedRing(t, uring.Probe())
	l := listenApart(t, Config{Ring: true})
	fd := dial(t, l.Addrs()[0])
	waitStats(t, l, "the accept", func(s result.Server) bool { return s.Accepted == 1 })
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	for !kernel.Finished(fd) {
		kernel.Sleep(ringPause)
	}
	_ = kernel.CloseFD(fd)
}

// A close that fails is tried again once, on its own connection, and each
// connection ends once.
func TestRingAndACloseThatFails(t *testing.T) {
	nstest.NeedRing(t, uring.Probe())
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, rst := range []bool{false, true} {
		ring, err := uring.New(8, 4)
		if err != nil {
			t.Fatal(err)
		}
		a := &acceptor{l: &Listener{config: Config{Ring: true, RST: rst}}, ring: ring}
		if !rst {
			a.open = 1
		}
		const slot = 3 // is empty, and so its close fails
		a.ended(&uring.Completion{Tag: ringClose | slot, Res: -int32(syscall.ECONNRESET)})
		var again uring.Completion
		if errno := ring.Submit(1, time.Second); errno != 0 || !ring.Next(&again) || again.Tag != ringAgain|slot || again.Errno() != syscall.EBADF {
			t.Fatalf("rst %v: %v, %+v", rst, errno, again)
		}
		room := ring.Room()
		a.ended(&again)
		if want := int64(1); ring.Room() != room || a.open != 0 || !rst && a.closed.Load() != want || rst && a.closed.Load() != 0 {
			t.Errorf("rst %v: %d more submissions, %d open, %d closed", rst, room-ring.Room(), a.open, a.closed.Load())
		}
		ring.Close()
	}
}

// Drain gives a client that stays a second, and leaves it to Close.
func TestRingDrainsWithoutWaitingForEver(t *testing.T) {
	nstest.NeedRing(t, uring.Probe())
	l := listenApart(t, Config{Ring: true})
	fd := dial(t, l.Addrs()[0])
	waitStats(t, l, "the accept", func(s result.Server) bool { return s.Accepted == 1 })
	if err := l.Drain(); err != nil {
		t.Error(err)
	}
	if s := l.Stats(); *s.Open() != 1 || kernel.Finished(fd) {
		t.Errorf("%d open after Drain, want the one that stays", *s.Open())
	}
	_ = kernel.CloseFD(fd)
	err := l.Drain()
	if s := l.Stats(); err != nil || *s.Open() != 0 {
		t.Errorf("%v, %d open once the client has closed", err, *s.Open())
	}
}

// The table of a ring is no larger than the descriptor limit.
func TestRingRoom(t *testing.T) {
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		limit uint64
		most  uint32
		want  uint32
	}{{64, ringRoom, 64}, {64, 16, 16}, {old.Cur, 1, 1}} {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: c.limit, Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		got := room(c.most)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("of %d under a limit of %d: %d, want %d", c.most, c.limit, got, c.want)
		}
	}
}

func TestRingRefuses(t *testing.T) {
	for name, c := range map[string]Config{
		"udp": {UDP: true}, "together": {Together: true}, "server first": {ServerFirst: true},
		"idle": {Idle: 1}, "limit": {MaxConnections: 1}, "vanish": {Vanish: true},
	} {
		c.Addrs, c.Ring = listenOnly(t, Config{}).Addrs(), true
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "by a ring") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
