package kernel

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// AskNetlink sends one request over a netlink socket of the protocol, such as
// unix.NETLINK_SOCK_DIAG, in the calling thread's network namespace. It hands each
// datagram of the answer to parse until that is done or fails, and returns whether
// any of them was interrupted: the table changed while the kernel dumped it. A
// kernel that says nothing for 5 s is an error.
func AskNetlink(protocol int, request []byte, parse func(datagram []byte) (done, interrupted bool, err error)) (interrupted bool, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return false, fmt.Errorf("socket: %w", err)
	}
	defer func() { _ = unix.Close(fd) }() // nothing to lose
	timeout := unix.NsecToTimeval(int64(5 * time.Second))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return false, fmt.Errorf("timeout: %w", err)
	}
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return false, fmt.Errorf("request: %w", err)
	}
	const most = 256 << 10 // bytes of a datagram
	buf := make([]byte, most)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return interrupted, fmt.Errorf("answer: %w", err)
		}
		done, cut, err := parse(buf[:n])
		interrupted = interrupted || cut
		if err != nil || done {
			return interrupted, err
		}
	}
}
