package kernel

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds how long a test waits for what must come. No test passes
// because it ran out.
const patience = 20 * time.Second

func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for start := time.Now(); !ready(); time.Sleep(time.Millisecond) {
		if time.Since(start) > patience {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func newThread(t *testing.T) *Thread {
	t.Helper()
	thread, err := NewThread()
	if err != nil {
		t.Fatal(err)
	}
	return thread
}

// A descriptor that a thread opens is in its table alone, and is closed with it.
func TestThreadHasATableOfItsOwn(t *testing.T) {
	thread := newThread(t)
	var pipe [2]int
	var err error
	thread.Do(func() { err = unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK) })
	if err != nil {
		t.Fatal(err)
	}
	var number unix.Stat_t
	thread.Do(func() { err = unix.Fstat(pipe[1], &number) })
	if err != nil {
		t.Errorf("on the thread itself: %v", err)
	}
	var here unix.Stat_t
	if err := unix.Fstat(pipe[1], &here); err == nil && here.Ino == number.Ino {
		t.Error("the thread's pipe is in the process's table too")
	}
	other := newThread(t)
	defer other.Close()
	other.Do(func() { err = unix.Fstat(pipe[1], &here) })
	if err == nil && here.Ino == number.Ino {
		t.Error("the thread's pipe is in another thread's table too")
	}
	// The reading end goes to the test by the one way that there is, so that the
	// end of the stream tells when the writing end was closed.
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer CloseFD(pair[0]) //nolint:errcheck // a test's own
	defer CloseFD(pair[1]) //nolint:errcheck // a test's own
	late := newThread(t)   // its table has the pair
	var through [2]int
	late.Do(func() {
		if err = unix.Pipe2(through[:], unix.O_CLOEXEC); err == nil {
			err = unix.Sendmsg(pair[1], []byte{0}, unix.UnixRights(through[0]), nil, 0)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	reading := receive(t, pair[0])
	var tid int
	late.Do(func() { tid = unix.Gettid() })
	late.Close()
	if n, err := unix.Read(reading, make([]byte, 1)); n != 0 || err != nil { // blocks until then
		t.Errorf("after Close the pipe reads %d, %v, want its end", n, err)
	}
	waitFor(t, "the thread to end", func() bool {
		_, err := os.Stat("/proc/self/task/" + strconv.Itoa(tid))
		return errors.Is(err, os.ErrNotExist)
	})
	thread.Close()
}

// receive takes the descriptor that was sent.
func receive(t *testing.T, socket int) int {
	t.Helper()
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), oob, 0)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil {
		t.Fatal(err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = CloseFD(fds[0]) })
	return fds[0]
}

// The runtime never ends the process's first thread, so it is never one of
// these: its table would outlive Close.
func TestThreadIsNeverTheFirst(t *testing.T) {
	for range 50 {
		thread := newThread(t)
		var tid int
		thread.Do(func() { tid = unix.Gettid() })
		if tid == unix.Getpid() {
			t.Fatal("a thread with a table of its own is the process's first")
		}
		thread.Close()
	}
}

// Free says how many descriptors fit, to the last one.
func TestThreadFree(t *testing.T) {
	const limit = 1000 // above every number that the test may have inherited
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			t.Error(err)
		}
	}()
	if got, err := NoFileLimit(); got != limit || err != nil {
		t.Errorf("limit %d, %v, want %d", got, err, limit)
	}
	thread := newThread(t)
	defer thread.Close()
	opened := 0
	var errno syscall.Errno
	thread.Do(func() {
		for errno == 0 {
			if _, errno = StreamSocket(unix.AF_INET); errno == 0 {
				opened++
			}
		}
	})
	if errno != syscall.EMFILE || opened != thread.Free() || opened == 0 {
		t.Errorf("%d descriptors opened, then %v; Free says %d", opened, errno, thread.Free())
	}
}

// enough events show what is to be shown, in so many collections at most.
const enoughEvents, mostCollections = 3, 500

// A thread that naps keeps its place in the scheduler, and gives it up all the
// same when all are to stop: the collector's signal ends a nap before its time.
func TestCollectorDoesNotWaitForNaps(t *testing.T) {
	var cut atomic.Int64
	collectBeside(t, func() {
		began := time.Now()
		Sleep(longestNap)
		if time.Since(began) < longestNap {
			cut.Add(1)
		}
	}, func() bool {
		runtime.GC()
		return cut.Load() >= enoughEvents
	})
}

// A thread that sleeps longer has no place in the scheduler: collections begin and
// end within one sleep, and do not end it.
func TestCollectorDoesNotWaitForSleeps(t *testing.T) {
	var slept atomic.Int64
	within := 0
	collectBeside(t, func() {
		slept.Add(1)
		Sleep(50 * time.Millisecond)
	}, func() bool {
		before := slept.Load()
		runtime.GC()
		if before > 0 && slept.Load() == before {
			within++
		}
		return within >= enoughEvents
	})
}

// collectBeside does sleep again and again on a thread of its own, until collect
// has seen enough.
func collectBeside(t *testing.T, sleep func(), collect func() bool) {
	t.Helper()
	thread := newThread(t)
	defer thread.Close()
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		thread.Do(func() {
			for !stop.Load() {
				sleep()
			}
		})
	}()
	seen := false
	for i := 0; i < mostCollections && !seen; i++ {
		seen = collect()
	}
	stop.Store(true)
	<-done
	if !seen {
		t.Errorf("not seen in %d collections", mostCollections)
	}
}
