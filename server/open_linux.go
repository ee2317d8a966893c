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
	UDP   bool
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
		if e.UDP {
			return "the port is taken by another socket"
		}
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
		sockets := "-tanp"
		if e.UDP {
			sockets = "-uanp"
		}
		return fmt.Sprintf("see what has it with `ss %s sport = :%d`, or choose another port", sockets, e.Addr.Port())
	case syscall.EADDRNOTAVAIL:
		return "choose one of the addresses that `ip -brief address` lists"
	case syscall.EACCES:
		return "choose a port from 1024 up"
	case syscall.EMFILE:
		return "listen on fewer ports, or raise the limit with `ulimit -n 20000`"
	}
	return ""
}

// opening says how addresses are listened on.
type opening struct {
	udp     bool
	backlog int
	cpus    []int // the i-th of the sockets that share an address is for cpus[i]; fewer than two: none shares
}

// all opens a socket for each address, or a group of them that share it; or none
// at all. It returns their addresses as the kernel has them, which differ for
// port 0.
func (o opening) all(addrs []netip.AddrPort) (fds []int, bound []netip.AddrPort, err error) {
	for _, addr := range addrs {
		group, at, err := o.group(addr)
		fds = append(fds, group...)
		if err != nil {
			closeAll(fds)
			return nil, nil, err
		}
		bound = append(bound, at)
	}
	return fds, bound, nil
}

// group opens one socket, or one for each of the processors.
func (o opening) group(addr netip.AddrPort) (fds []int, at netip.AddrPort, err error) {
	at = addr
	for range max(1, len(o.cpus)) {
		var fd int
		if fd, at, err = o.one(at); err != nil {
			return fds, at, err
		}
		fds = append(fds, fd)
	}
	if len(o.cpus) > 1 {
		if errno := kernel.SteerByCPU(fds[0], o.cpus); errno != 0 {
			return fds, at, &ListenError{addr, o.udp, "setsockopt(SO_ATTACH_REUSEPORT_CBPF)", errno}
		}
	}
	return fds, at, nil
}

// one opens a socket and returns its address as the kernel has it.
func (o opening) one(addr netip.AddrPort) (int, netip.AddrPort, error) {
	if !addr.IsValid() {
		return -1, addr, fmt.Errorf("listen on %q: want an address and port", addr)
	}
	sa := kernel.NewSockaddr(addr)
	open := kernel.StreamSocket
	if o.udp {
		open = kernel.DatagramSocket
	}
	fd, errno := open(sa.Family())
	if errno != 0 {
		return -1, addr, &ListenError{addr, o.udp, "socket", errno}
	}
	if call, errno := o.ready(fd, &sa); errno != 0 {
		_ = kernel.CloseFD(fd)
		return -1, addr, &ListenError{addr, o.udp, call, errno}
	}
	return fd, netip.AddrPortFrom(sa.AddrPort().Addr().WithZone(addr.Addr().Zone()), sa.Port()), nil
}

// ready makes a socket listen at sa, which becomes the address that it has; or
// it returns the call that failed.
//
// SO_REUSEADDR stays off. With it a TCP listener could take a port whose earlier
// connections still wait in TIME_WAIT; they would count as this run's, and
// accepted sockets would inherit the option, which changes when a port can be
// bound again. Over UDP two sockets would have the port.
func (o opening) ready(fd int, sa *kernel.Sockaddr) (call string, errno syscall.Errno) {
	if sa.Family() == unix.AF_INET6 {
		// Every address is named by itself: [::]:80 shall not take 0.0.0.0:80 too.
		if errno := kernel.SetInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); errno != 0 {
			return "setsockopt(IPV6_V6ONLY)", errno
		}
	}
	if len(o.cpus) > 1 {
		if errno := kernel.ShareAddress(fd); errno != 0 {
			return "setsockopt(SO_REUSEPORT)", errno
		}
	}
	if errno := kernel.Bind(fd, sa); errno != 0 {
		return "bind", errno
	}
	if o.udp {
		kernel.GrowBuffers(fd, datagramBuffer)
	} else if errno := kernel.Listen(fd, o.backlog); errno != 0 {
		return "listen", errno
	}
	return "getsockname", kernel.LocalAddr(fd, sa)
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
