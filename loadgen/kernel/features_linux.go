package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The probes below ask the kernel for a feature by using it once. The release
// that uname shows is no proof: distributions carry features back, and filters
// of system calls take them away. Nil says that the feature is there and may
// be used; else the error wraps the kernel's error number. A probe leaves
// nothing open.

// ProbeLocalPortRange tries IP_LOCAL_PORT_RANGE (Linux 6.3). ENOPROTOOPT: the
// kernel does not know it.
func ProbeLocalPortRange() error {
	return withSocket("IP_LOCAL_PORT_RANGE", unix.AF_INET, func(fd int) syscall.Errno {
		return SetLocalPortRange(fd, 1, 65535)
	})
}

// ProbeBindAddressNoPort tries IP_BIND_ADDRESS_NO_PORT (Linux 4.2).
// ENOPROTOOPT: the kernel does not know it.
func ProbeBindAddressNoPort() error {
	return withSocket("IP_BIND_ADDRESS_NO_PORT", unix.AF_INET, func(fd int) syscall.Errno {
		return SetInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
}

// ProbeIPv6 binds a socket to ::1. EAFNOSUPPORT: the kernel has no IPv6;
// EADDRNOTAVAIL: it is disabled, or the loopback link is down.
func ProbeIPv6() error {
	return withSocket("bind to ::1", unix.AF_INET6, func(fd int) syscall.Errno {
		sa := NewSockaddr(netip.AddrPortFrom(netip.IPv6Loopback(), 0))
		return Bind(fd, &sa)
	})
}

// ProbeIOUring sets up a ring of one entry (Linux 5.1). ENOSYS: the kernel has
// no io_uring, or a filter hides it; EPERM: kernel.io_uring_disabled or a
// filter forbids it.
func ProbeIOUring() error {
	var params [120]byte // struct io_uring_params, include/uapi/linux/io_uring.h
	fd, _, errno := syscall.RawSyscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)), 0)
	if errno != 0 {
		return fmt.Errorf("io_uring_setup: %w", errno)
	}
	_ = CloseFD(int(fd))
	return nil
}

// withSocket tries something on a new TCP socket.
func withSocket(what string, family int, try func(fd int) syscall.Errno) error {
	fd, errno := StreamSocket(family)
	if errno != 0 {
		return fmt.Errorf("%s: socket: %w", what, errno)
	}
	errno = try(fd)
	_ = CloseFD(fd)
	if errno != 0 {
		return fmt.Errorf("%s: %w", what, errno)
	}
	return nil
}

// Absent says whether a probe's error means that this kernel does not have the
// feature, and not that it refuses it here.
func Absent(err error) bool {
	for _, errno := range []error{unix.ENOPROTOOPT, unix.ENOSYS, unix.EAFNOSUPPORT, unix.ENOENT, unix.EPROTONOSUPPORT} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// NoFileLimits returns the soft and the hard limit of descriptors in one table
// (RLIMIT_NOFILE, getrlimit(2)).
//
// The Go runtime raises the soft limit to the hard one when a program starts, so
// the soft limit is lastport's own and may be above that of the shell.
func NoFileLimits() (soft, hard uint64, err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, 0, fmt.Errorf("descriptor limit: %w", err)
	}
	return limit.Cur, limit.Max, nil
}
