package server

import (
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// ListenError says why an address cannot be listened on.
type ListenError struct {
	Addr  netip.AddrPort
	Call  string // the system call that failed
	Errno syscall.Errno
}

// Error names the address and, where the error number alone would mislead, the
// cause.
func (e *ListenError) Error() string {
	return fmt.Sprintf("listen on %s: %s: %s", e.Addr, e.Call, e.cause())
}

func (e *ListenError) cause() string {
	switch e.Errno {
	case syscall.EADDRINUSE:
		return "the port is taken, by a socket or by connections in TIME_WAIT"
	case syscall.EADDRNOTAVAIL:
		return "the address is not on this host"
	case syscall.EACCES:
		return "the port is below net.ipv4.ip_unprivileged_port_start"
	case syscall.EMFILE:
		return "the descriptor limit is reached"
	}
	return e.Errno.Error()
}

// Unwrap returns the error number.
func (e *ListenError) Unwrap() error { return e.Errno }

// Usage tells whether another address is what is needed.
func (e *ListenError) Usage() bool {
	return e.Errno == syscall.EADDRNOTAVAIL || e.Errno == syscall.EACCES
}

// Hint says what to type.
func (e *ListenError) Hint() string {
	switch e.Errno {
	case syscall.EADDRINUSE:
		return fmt.Sprintf("see what has it with `ss -tanp sport = :%d`, or choose another port", e.Addr.Port())
	case syscall.EADDRNOTAVAIL:
		return "choose one of the addresses that `ip -brief address` lists"
	case syscall.EACCES:
		return "choose a port from 1024 up"
	case syscall.EMFILE:
		return "listen on fewer ports, or raise the limit with `ulimit -n 20000`"
	}
	return ""
}

// listenAll opens a listener for each address, or a group of them that share it,
// one for each of the cpus; or none at all. It returns their addresses as the
// kernel has them, which differ for port 0.
func listenAll(addrs []netip.AddrPort, backlog int, cpus []int) (fds []int, bound []netip.AddrPort, err error) {
	for _, addr := range addrs {
		group, at, err := listenShared(addr, backlog, cpus)
		fds = append(fds, group...)
		if err != nil {
			closeAll(fds)
			return nil, nil, err
		}
		bound = append(bound, at)
	}
	return fds, bound, nil
}

// listenShared opens one listener, or one for each of the cpus.
func listenShared(addr netip.AddrPort, backlog int, cpus []int) (fds []int, at netip.AddrPort, err error) {
	at = addr
	for range max(1, len(cpus)) {
		var fd int
		if fd, at, err = listen(at, backlog, len(cpus) > 1); err != nil {
			return fds, at, err
		}
		fds = append(fds, fd)
	}
	if len(cpus) > 1 {
		if errno := kernel.SteerByCPU(fds[0], cpus); errno != 0 {
			return fds, at, &ListenError{addr, "setsockopt(SO_ATTACH_REUSEPORT_CBPF)", errno}
		}
	}
	return fds, at, nil
}

// listen leaves SO_REUSEADDR off. With it a listener could take a port whose
// earlier connections still wait in TIME_WAIT; they would count as this run's,
// and accepted sockets would inherit the option, which changes when a port can be
// bound again.
//
// shared lets other listeners of this one have the address too.
func listen(addr netip.AddrPort, backlog int, shared bool) (int, netip.AddrPort, error) {
	if !addr.IsValid() || addr.Addr().Zone() != "" {
		return -1, addr, fmt.Errorf("listen on %q: want an address and port, without a zone", addr)
	}
	sa := kernel.NewSockaddr(addr)
	fd, errno := kernel.StreamSocket(sa.Family())
	if errno != 0 {
		return -1, addr, &ListenError{addr, "socket", errno}
	}
	call, errno := "setsockopt(IPV6_V6ONLY)", syscall.Errno(0)
	if sa.Family() == unix.AF_INET6 {
		// Every address is named by itself: [::]:80 shall not take 0.0.0.0:80 too.
		errno = kernel.SetInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if errno == 0 && shared {
		call, errno = "setsockopt(SO_REUSEPORT)", kernel.ShareAddress(fd)
	}
	if errno == 0 {
		call, errno = "bind", kernel.Bind(fd, &sa)
	}
	if errno == 0 {
		call, errno = "listen", kernel.Listen(fd, backlog)
	}
	if errno == 0 {
		call, errno = "getsockname", kernel.LocalAddr(fd, &sa)
	}
	if errno != 0 {
		_ = kernel.CloseFD(fd)
		return -1, addr, &ListenError{addr, call, errno}
	}
	return fd, sa.AddrPort(), nil
}

// closeAll closes descriptors in the calling thread's table.
func closeAll(fds []int) {
	for _, fd := range fds {
		_ = kernel.CloseFD(fd)
	}
}

// tableError says that a descriptor table has no room for connections.
type tableError struct{ room int }

func (e tableError) Error() string {
	return fmt.Sprintf("the descriptor limit leaves an accepting thread room for %d connections", e.room)
}

func (tableError) Hint() string { return "raise it with `ulimit -n 20000`, or listen on fewer ports" }

// watchError says that a socket could not be watched.
type watchError struct{ errno syscall.Errno }

func (e watchError) Error() string {
	return "watch a socket: epoll_ctl: " + e.errno.Error()
}

func (e watchError) Unwrap() error { return e.errno }

func (e watchError) Hint() string {
	if e.errno == syscall.ENOSPC {
		return "hold fewer connections, or raise `sysctl fs.epoll.max_user_watches`"
	}
	return ""
}
