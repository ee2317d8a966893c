package kernel

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// open fails the test unless the descriptor could be opened, and closes it with
// the test.
func open(t *testing.T, fd int, errno syscall.Errno) int {
	t.Helper()
	if errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() { _ = CloseFD(fd) })
	return fd
}

func openEpoll(t *testing.T) int {
	fd, errno := NewEpoll()
	return open(t, fd, errno)
}

func openWaker(t *testing.T) int {
	fd, errno := NewWaker()
	return open(t, fd, errno)
}

// ready asks, without waiting, what is ready.
func ready(t *testing.T, epoll int) []uint64 {
	t.Helper()
	events := make([]Event, 8)
	n, errno := EpollWait(epoll, events, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	var tags []uint64
	for i := range events[:n] {
		tags = append(tags, events[i].Tag())
	}
	return tags
}

func TestWakeReachesEveryEpollOnce(t *testing.T) {
	const tag = uint64(0xfedcba98_76543210) // all 64 bits come back
	waker := openWaker(t)
	epolls := []int{openEpoll(t), openEpoll(t)}
	for _, epoll := range epolls {
		if errno := EpollAdd(epoll, waker, unix.EPOLLIN|unix.EPOLLET, tag); errno != 0 {
			t.Fatal(errno)
		}
		if tags := ready(t, epoll); len(tags) != 0 {
			t.Errorf("%x are ready before any Wake", tags)
		}
	}
	for range 3 {
		if errno := Wake(waker); errno != 0 {
			t.Fatal(errno)
		}
		for _, epoll := range epolls {
			if tags := ready(t, epoll); len(tags) != 1 || tags[0] != tag {
				t.Errorf("ready: %x, want %x", tags, tag)
			}
			if tags := ready(t, epoll); len(tags) != 0 {
				t.Errorf("ready a second time: %x", tags)
			}
		}
	}
}

func TestEpollRemove(t *testing.T) {
	waker, epoll := openWaker(t), openEpoll(t)
	if errno := EpollAdd(epoll, waker, unix.EPOLLIN, 1); errno != 0 {
		t.Fatal(errno)
	}
	if errno := EpollAdd(epoll, waker, unix.EPOLLIN, 1); errno != syscall.EEXIST {
		t.Errorf("added twice: %v, want EEXIST", errno)
	}
	_ = Wake(waker)
	if tags := ready(t, epoll); len(tags) != 1 {
		t.Errorf("ready: %x, want one", tags)
	}
	if errno := EpollRemove(epoll, waker); errno != 0 {
		t.Error(errno)
	}
	if tags := ready(t, epoll); len(tags) != 0 {
		t.Errorf("ready after it was removed: %x", tags)
	}
}

// A thread that waits must not keep the others from running: the garbage
// collector stops them all, and a wait without a timeout would never return.
func TestEpollWaitTellsTheScheduler(t *testing.T) {
	waker, epoll := openWaker(t), openEpoll(t)
	if errno := EpollAdd(epoll, waker, unix.EPOLLIN, 7); errno != 0 {
		t.Fatal(errno)
	}
	woken := make(chan int)
	go func() {
		events := make([]Event, 1)
		n := 0
		for n == 0 { // a signal of the scheduler ends a wait early
			n, _ = EpollWait(epoll, events, -1)
		}
		woken <- n
	}()
	for range 20 {
		Sleep(time.Millisecond)
		runtime.GC() // needs every thread that runs Go
	}
	_ = Wake(waker)
	if n := <-woken; n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}
