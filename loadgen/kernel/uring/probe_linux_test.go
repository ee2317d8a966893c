package uring_test

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"testing"

	"lastport/loadgen/kernel/uring"
)

// A table of descriptors that no kernel grants is refused with the error number
// behind it, and the ring is freed.
func TestNewRefused(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for name, c := range map[string]struct{ entries, files uint32 }{
		"no entries": {0, 1}, "too many entries": {1 << 30, 1}, "too many files": {8, 1 << 31},
	} {
		r, err := uring.New(c.entries, c.files)
		var errno syscall.Errno
		if err == nil || !errors.As(err, &errno) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			r.Close()
		}
	}
}

func TestProbe(t *testing.T) {
	for _, probe := range []func() error{uring.Probe, uring.ProbeBind} {
		err := probe()
		var unsupported *uring.SupportError
		if err != nil && (!errors.As(err, &unsupported) || unsupported.Why == "" || unsupported.Hint() == "") {
			t.Errorf("%v: want a reason", err)
		}
	}
}

func ExampleProbe() {
	err := uring.Probe()
	var unsupported *uring.SupportError
	fmt.Println("a ring, or the reason why there is none:", err == nil || errors.As(err, &unsupported))
	// Output: a ring, or the reason why there is none: true
}
