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

// Hint says what to type.
func (e *SupportError) Hint() string { return "--engine direct" }

// Probe finds out, by doing it, whether this kernel lets this process make whole
// connections by one ring: direct descriptors, linked calls and options by
// command (Linux 6.7). The error is a *SupportError.
func Probe() error { return try(false) }

// ProbeBind is Probe, and asks for a bind by the ring besides (Linux 6.11).
func ProbeBind() error { return try(true) }

// The calls that a probe links to a chain, by their tags.
const (
	trySocket uint64 = iota
	tryOption
	tryBind
	tryClose
)

// tried are their names, and the first Linux that has each.
func tried(tag uint64) (what, since string) {
	switch tag {
	case trySocket:
		return "a socket as a direct descriptor", "5.19"
	case tryOption:
		return "a socket option by command", "6.7"
	case tryBind:
		return "bind", "6.11"
	}
	return "close a direct descriptor", "5.15"
}

func try(bind bool) error {
	runtime.LockOSThread() // a ring is its thread's
	defer runtime.UnlockOSThread()
	r, err := New(8, 2)
	if err != nil {
		return &SupportError{What: "make a ring", Why: refusal(err), err: err}
	}
	defer r.Close()
	anywhere := &unix.RawSockaddrInet4{Family: unix.AF_INET}
	r.Socket(unix.AF_INET, 0, ThenNext, trySocket)
	r.SetReset(0, ThenNext, tryOption)
	if bind {
		r.SetBindNoPort(0, ThenNext, tryOption) // a port may not be left
		r.Bind(0, unsafe.Pointer(anywhere), uint32(unsafe.Sizeof(*anywhere)), ThenNext, tryBind)
	}
	r.CloseFile(0, Alone, tryClose)
	errno := r.Submit(1, time.Second)
	runtime.KeepAlive(anywhere)
	if errno != 0 {
		return &SupportError{What: "submit", Why: errno.Error(), err: errno}
	}
	var c Completion
	if !r.Next(&c) {
		return &SupportError{What: "submit", Why: "no completion within a second", err: syscall.ETIMEDOUT}
	}
	if errno := c.Errno(); errno != 0 {
		what, since := tried(c.Tag)
		why := errno.Error()
		if errno == syscall.EINVAL || errno == syscall.EOPNOTSUPP {
			why = "this kernel does not have it (Linux " + since + " and later do)"
		}
		return &SupportError{What: what, Why: why, err: errno}
	}
	return nil
}

// refusal explains what io_uring_setup(2) says.
func refusal(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSYS):
		return "this kernel has none, or one too old (Linux 6.7 and later will do)"
	case errors.Is(err, syscall.EINVAL):
		return "this kernel's is too old (Linux 6.7 and later will do)"
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return "forbidden, by kernel.io_uring_disabled or by a seccomp filter"
	case errors.Is(err, syscall.ENOMEM):
		return "RLIMIT_MEMLOCK is too low, or memory is short"
	}
	return err.Error()
}

// size of an entry is part of the kernel's interface.
var _ = [1]struct{}{}[sqeSize-unsafe.Sizeof(entry{})]
