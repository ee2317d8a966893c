package server

import (
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// openOn makes n connections on threads that stay on a processor. The threads
// close them with the test, or before it when they are told to.
func openOn(t *testing.T, cpu int, to netip.AddrPort, n int) (closeAll func()) {
	t.Helper()
	const perThread = 50
	var threads []*kernel.Thread
	for left := n; left > 0; left -= perThread {
		thread, err := kernel.NewThread()
		if err != nil {
			t.Fatal(err)
		}
		threads = append(threads, thread)
		var errno syscall.Errno
		thread.Do(func() {
			if err = kernel.PinTo(cpu); err != nil {
				return
			}
			for range min(left, perThread) {
				if _, errno = dialErrno(to); errno != 0 {
					return
				}
			}
		})
		if err != nil || errno != 0 {
			t.Fatalf("connect to %s on processor %d: %v, %v", to, cpu, err, errno)
		}
	}
	closeAll = sync.OnceFunc(func() {
		for _, thread := range threads {
			thread.Close()
		}
	})
	t.Cleanup(closeAll)
	return closeAll
}

// Apart, what is opened on a processor is accepted by that processor's workers
// alone, one after the other as their tables fill.
func TestSharesByProcessor(t *testing.T) {
	cpus, err := kernel.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	if len(cpus) < 2 {
		t.Skip("one processor: there is nothing to share")
	}
	cpus = cpus[:2]
	const limit, n = 128, 150
	limitDescriptors(t, limit)
	l := listenApart(t, Config{Keep: true, CPUs: cpus, Connections: n})
	if got := len(l.workers); got != 4 {
		t.Fatalf("%d threads, want two for each processor: a table of %d holds less than %d", got, limit, n)
	}
	opened := [2]int64{n, 20}
	closes := []func(){openOn(t, cpus[0], l.Addrs()[0], n), openOn(t, cpus[1], l.Addrs()[0], 20)}
	waitStats(t, l, "every accept", func(s result.Server) bool { return s.Accepted == n+20 })
	byShare := [2]int64{}
	for _, w := range l.workers {
		byShare[w.share] += w.accepted.Load()
	}
	if byShare != opened || l.Stats().NoFD != 0 {
		t.Errorf("accepted by processor: %v, want %v; %+v", byShare, opened, l.Stats())
	}
	if used := l.CPUTime(); used.Total() <= 0 {
		t.Errorf("its threads used %v", used.Total())
	}
	for _, closeAll := range closes {
		closeAll()
	}
	waitStats(t, l, "every close", func(s result.Server) bool { return *s.Closed == n+20 })
}

// Every share has a worker, however few threads are asked for, and every address
// a listener for it.
func TestFewThreadsForManyShares(t *testing.T) {
	cpus, err := kernel.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	l := listenApart(t, Config{Addrs: anyPorts(3), CPUs: []int{cpus[0], cpus[0], cpus[0]}, Threads: 1})
	if len(l.workers) != 3 || len(l.sockets) != 9 {
		t.Fatalf("%d threads and %d sockets, want 3 and 9", len(l.workers), len(l.sockets))
	}
	seen := map[int]bool{}
	for i, w := range l.workers {
		if w.share != i || len(w.sockets) != 3 {
			t.Errorf("worker %d has %d sockets of share %d", i, len(w.sockets), w.share)
		}
		for _, fd := range w.sockets {
			seen[fd] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d sockets are accepted from, want all 9", len(seen))
	}
	for _, to := range l.Addrs() {
		closeFD(dial(t, to))
	}
	waitStats(t, l, "every close", func(s result.Server) bool { return *s.Closed == 3 })
}

// A worker pauses longer where no client waits for it.
func TestPauseByWhoWaits(t *testing.T) {
	for _, c := range []struct {
		config Config
		asks   bool
		want   time.Duration
	}{
		{Config{Threads: 1}, false, acceptPause},
		{Config{Threads: 1}, true, roundPause},
		{Config{Threads: 1, ServerFirst: true}, false, roundPause},
	} {
		l := listenOnly(t, c.config)
		pauses := make(chan time.Duration, 1)
		l.sleep = func(d time.Duration) {
			select {
			case pauses <- d:
			default:
			}
		}
		if err := l.Start(); err != nil {
			t.Fatal(err)
		}
		fd := dial(t, l.Addrs()[0])
		if got := <-pauses; got != c.want && !c.asks {
			t.Errorf("%+v: pause of %v after an accept, want %v", c.config, got, c.want)
		}
		if c.asks {
			waitStats(t, l, "the accept", func(s result.Server) bool { return s.Accepted == 1 })
			for len(pauses) > 0 { // of the accept
				<-pauses
			}
			if errno := kernel.WriteByte(fd, byteRequest); errno != 0 {
				t.Fatal(errno)
			}
			waitStats(t, l, "the answer", func(s result.Server) bool { return s.Requests == 1 })
			if got := <-pauses; got != c.want {
				t.Errorf("%+v: pause of %v after a request, want %v", c.config, got, c.want)
			}
		}
		closeFD(fd)
	}
}
