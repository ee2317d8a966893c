package uring

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SupportError says why the ring cannot be used here.
type SupportError struct {
	What string // what was tried
	Why  string // in plain words
	err  error
}

func (e *SupportError) Error() string {
	return fmt.Sprintf("io_uring: %s: %s", e.What, e.Why)
}

// Unwrap returns the kernel's error.
func (e *SupportError) Unwrap() error { return e.err }

// Probe finds out, by doing it, whether this kernel lets this process make whole
// connections by one ring: direct descriptors, linked calls and SO_LINGER by
// command (Linux 6.7). The error is a *SupportError.
func Probe() error {
	runtime.LockOSThread() // a ring is its thread's
	defer runtime.UnlockOSThread()
	r, err := New(8, 2)
	if err != nil {
		return &SupportError{What: "make a ring", Why: refusal(err), err: err}
	}
	defer r.Close()
	linger := unix.Linger{Onoff: 1}
	r.Socket(unix.AF_INET, 0, ThenNext, 1)
	r.SetLinger(0, &linger, ThenNext, 2)
	r.CloseFile(0, Alone, 3)
	errno := r.Submit(1, time.Second)
	runtime.KeepAlive(&linger)
	if errno != 0 {
		return &SupportError{What: "submit", Why: errno.Error(), err: errno}
	}
	var c Completion
	if !r.Next(&c) {
		return &SupportError{What: "submit", Why: "no completion within a second"}
	}
	if errno := c.Errno(); errno != 0 {
		what := map[uint64]string{1: "socket as a direct descriptor", 2: "SO_LINGER by command", 3: "close a direct descriptor"}[c.Tag]
		return &SupportError{What: what, Why: "this kernel is too old (Linux 6.7 and later have it): " + errno.Error(), err: errno}
	}
	return nil
}

// refusal explains what io_uring_setup(2) says.
func refusal(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSYS):
		return "this kernel has none, or one too old (Linux 6.1 and later will do)"
	case errors.Is(err, syscall.EINVAL):
		return "this kernel's is too old (Linux 6.1 and later will do)"
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return "forbidden, by kernel.io_uring_disabled or by a seccomp filter"
	case errors.Is(err, syscall.ENOMEM):
		return "RLIMIT_MEMLOCK is too low, or memory is short"
	}
	return err.Error()
}

// size of an entry is part of the kernel's interface.
var _ = [1]struct{}{}[sqeSize-unsafe.Sizeof(entry{})]
