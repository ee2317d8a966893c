package place

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Net is a network namespace that this process alone holds: it has no name, and
// the kernel removes it, with its links, rules and connections, when the
// process ends. A nil *Net is the process's own.
type Net struct {
	fd int // copied into every descriptor table that is made after
}

// newNet makes an empty network namespace.
func newNet() (*Net, error) {
	runtime.LockOSThread()
	home, err := openNet()
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	defer func() { _ = unix.Close(home) }() // a handle, nothing to flush
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("one more network namespace: unshare: %w", err)
	}
	fd, err := openNet()
	return &Net{fd: fd}, errors.Join(err, goBack(home))
}

// openNet returns a handle of the calling thread's network namespace.
func openNet() (int, error) {
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("handle of a network namespace: %w", err)
	}
	return fd, nil
}

// goBack returns the calling thread to a namespace and frees it for other
// goroutines. One that cannot go back stays locked, and ends with its goroutine.
func goBack(home int) error {
	if err := unix.Setns(home, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("go back to a network namespace: setns: %w", err)
	}
	runtime.UnlockOSThread()
	return nil
}

// Do calls f in the namespace, on a thread that is there meanwhile. Sockets that
// f opens stay there wherever they are used later (network_namespaces(7));
// goroutines that it starts do not. f may call Do of another namespace.
func (n *Net) Do(f func() error) error {
	if n == nil {
		return f()
	}
	runtime.LockOSThread()
	home, err := openNet()
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() { _ = unix.Close(home) }() // a handle, nothing to flush
	if err := n.Enter(); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = f()
	return errors.Join(err, goBack(home))
}

// Enter moves the calling thread into the namespace, for good. The thread must
// be locked and must end with its goroutine, so that no other gets there
// unawares.
func (n *Net) Enter() error {
	if n == nil {
		return nil
	}
	if err := unix.Setns(n.fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter a network namespace: setns: %w", err)
	}
	return nil
}
