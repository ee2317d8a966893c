package kernel

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SetInt sets a socket option that is an int.
func SetInt(fd, level, option, value int) syscall.Errno {
	v := int32(value)
	return setsockopt(fd, level, option, unsafe.Pointer(&v), unsafe.Sizeof(v))
}

// GetInt reads a socket option that is an int.
func GetInt(fd, level, option int) (int, syscall.Errno) {
	var v int32
	n := uint32(unsafe.Sizeof(v))
	_, _, e := syscall.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option),
		uintptr(unsafe.Pointer(&v)), uintptr(unsafe.Pointer(&n)), 0)
	return int(v), e
}

// Options of ip(7), in include/uapi/linux/in.h. IPv6 sockets take them at the
// same level, IPPROTO_IP (ipv6_setsockopt of net/ipv6/ipv6_sockglue.c).
const (
	ipBindAddressNoPort = 24 // Linux 4.2
	ipLocalPortRange    = 51 // Linux 6.3
)

// SetLocalPortRange lets the kernel choose the source port from low to high
// alone, at bind or at connect: IP_LOCAL_PORT_RANGE, Linux 6.3 and later. The
// option holds the upper bound in its high 16 bits. A bound outside the
// namespace's own range is silently ignored by the kernel.
func SetLocalPortRange(fd int, low, high uint16) syscall.Errno {
	v := uint32(high)<<16 | uint32(low)
	return setsockopt(fd, unix.IPPROTO_IP, ipLocalPortRange, unsafe.Pointer(&v), unsafe.Sizeof(v))
}

// SetBindNoPort makes a bind to port 0 take the address alone and leave the
// port to connect: IP_BIND_ADDRESS_NO_PORT, Linux 4.2 and later.
func SetBindNoPort(fd int) syscall.Errno {
	return SetInt(fd, unix.IPPROTO_IP, ipBindAddressNoPort, 1)
}

// SetReuseAddr lets several sockets be bound to one address and port, if all
// of them have it and none listens: SO_REUSEADDR (socket(7)). With it over TCP
// connect finds out whether the 4-tuple is taken. UDP has no such check: two
// sockets can then have the same 4-tuple.
func SetReuseAddr(fd int) syscall.Errno {
	return SetInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
}

// SetTimeouts sets SO_KEEPALIVE, and TCP_USER_TIMEOUT if it is above 0 (tcp(7)).
// Both are always allowed on a TCP socket.
func SetTimeouts(fd int, keepalive bool, user time.Duration) {
	if keepalive {
		_ = SetInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	}
	if user > 0 {
		_ = SetInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(user.Milliseconds()))
	}
}

func setsockopt(fd, level, option int, value unsafe.Pointer, size uintptr) syscall.Errno {
	_, _, e := syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option), uintptr(value), size, 0)
	return e
}
