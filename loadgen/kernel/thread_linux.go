package kernel

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Thread is an operating system thread with a descriptor table of its own.
//
// The descriptor limit counts per table, and a Go process has one table for
// all its threads; a thread that calls unshare(CLONE_FILES) leaves it. So one
// process holds as many times the limit as it has such threads. A descriptor
// that was opened on a Thread means something on that Thread only.
//
// The thread runs what Do gives it and no other goroutine, and it is ended,
// not returned to Go's pool, by Close: its table must not leak into other
// goroutines. What it runs must not use the network poller (package net,
// os.File of pipes): the poller belongs to the first table. The copied table
// keeps the descriptors that were open before, the runtime's own epoll
// descriptor among them, which the runtime may use on any thread.
type Thread struct {
	work chan func()
	idle chan struct{}
	free int
	tid  int
}

// NewThread starts a thread. Descriptors that are open now are in its table
// too and take their part of its limit.
func NewThread() (*Thread, error) {
	t := &Thread{work: make(chan func()), idle: make(chan struct{})}
	started := make(chan error)
	go t.loop(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Thread) loop(started chan<- error) {
	// Not unlocked: a locked goroutine that returns ends its thread. Only the
	// process's first thread is never ended by the runtime but parked, and would
	// keep its table open for ever, so that one is left to others: while this
	// goroutine holds it, the next one gets another thread.
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		moved := make(chan error)
		go t.loop(moved)
		started <- <-moved
		runtime.UnlockOSThread()
		return
	}
	t.tid = unix.Gettid()
	// A sleep may end up to 50 µs late by default, so that wake-ups can be joined
	// (PR_SET_TIMERSLACK, prctl(2)); a schedule wants them at their time. Where it
	// is refused the default stays.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	if err := unix.Unshare(unix.CLONE_FILES); err != nil {
		started <- fmt.Errorf("descriptor table of its own: unshare(CLONE_FILES): %w", err)
		return
	}
	var err error
	t.free, err = freeDescriptors()
	started <- err
	if err != nil {
		return
	}
	for f := range t.work {
		f()
		t.idle <- struct{}{}
	}
}

// Do runs f on the thread and waits for it.
func (t *Thread) Do(f func()) {
	t.work <- f
	<-t.idle
}

// Free returns how many descriptors the table could still hold when the thread
// started.
func (t *Thread) Free() int { return t.free }

// CPUTime returns the thread's processor time so far, also while it does something;
// nothing once it is closed. Its sum is exact. What of it was user time the kernel
// tells in steps of 10 ms (USER_HZ), as its ticks found it.
func (t *Thread) CPUTime() CPUTime { return threadCPU(t.tid) }

// Close ends the thread; the kernel closes every descriptor of its table.
func (t *Thread) Close() { close(t.work) }

// freeDescriptors returns the limit less what the calling thread's table holds.
// It reads the directory by bare calls: os.Open would offer the descriptor to
// the network poller.
func freeDescriptors() (int, error) {
	limit, err := NoFileLimit()
	if err != nil {
		return 0, err
	}
	dir, err := unix.Open("/proc/thread-self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("count open descriptors: %w", err)
	}
	defer func() { _ = unix.Close(dir) }() // read only
	used := -1                             // the directory itself is one of them, for now
	buf := make([]byte, 8192)
	for {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil {
			return 0, fmt.Errorf("count open descriptors: %w", err)
		}
		if n == 0 {
			return max(0, int(min(limit, 1<<30))-used), nil
		}
		_, count, _ := unix.ParseDirent(buf[:n], -1, nil)
		used += count
	}
}

// NoFileLimit returns how many descriptors one table may hold (RLIMIT_NOFILE).
func NoFileLimit() (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("descriptor limit: %w", err)
	}
	return limit.Cur, nil
}
