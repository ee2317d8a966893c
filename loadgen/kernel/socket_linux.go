// Package kernel is the only room with raw system calls and unsafe: sockets,
// threads with descriptor tables of their own, socket diagnosis, settings,
// limits and /proc. It knows nothing of runs, attempts or outcomes.
//
// The socket calls here neither allocate nor retry (but for EINTR), and return
// the kernel's error number as it is: what it means is decided elsewhere. All
// sockets are non-blocking and close-on-exec, so that no call of theirs sleeps:
// that is why they may go past the Go scheduler.
package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sockaddr is a socket address in the kernel's own form, ready to be passed
// without a copy. The zero value is no address.
type Sockaddr struct {
	raw unix.RawSockaddrInet6 // large enough for both families
	len uint32
}

// NewSockaddr turns an address into the kernel's form. IPv4-mapped IPv6
// addresses become IPv4. A zone, which link-local addresses need, is the name or
// the number of an interface (RFC 4007, section 11.2); what names none is refused
// by the kernel when the address is used.
func NewSockaddr(ap netip.AddrPort) Sockaddr {
	var sa Sockaddr
	addr := ap.Addr().Unmap()
	if addr.Is4() {
		in4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&sa.raw)) // both start with family and port
		in4.Family = unix.AF_INET
		in4.Port = swap16(ap.Port())
		in4.Addr = addr.As4()
		sa.len = unix.SizeofSockaddrInet4
		return sa
	}
	sa.raw.Family = unix.AF_INET6
	sa.raw.Port = swap16(ap.Port())
	sa.raw.Addr = addr.As16()
	sa.raw.Scope_id = scope(addr.Zone())
	sa.len = unix.SizeofSockaddrInet6
	return sa
}

// scope is the number of a zone, 0 for none. A link may have digits for a name, and
// the name comes first, as in the C library (inet/inet6_scopeid_pton.c of glibc).
func scope(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if link, err := net.InterfaceByName(zone); err == nil {
		return uint32(link.Index)
	}
	number, err := strconv.ParseUint(zone, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(number)
}

// AddrPort reads the address back, without its zone.
func (sa *Sockaddr) AddrPort() netip.AddrPort {
	switch sa.raw.Family {
	case unix.AF_INET:
		in4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&sa.raw))
		return netip.AddrPortFrom(netip.AddrFrom4(in4.Addr), swap16(in4.Port))
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.raw.Addr), swap16(sa.raw.Port))
	}
	return netip.AddrPort{}
}

// Family returns AF_INET or AF_INET6.
func (sa *Sockaddr) Family() int { return int(sa.raw.Family) }

// Port returns the port in host order.
func (sa *Sockaddr) Port() uint16 { return swap16(sa.raw.Port) }

// SetPort changes the port, given in host order, of an address that NewSockaddr
// made.
func (sa *Sockaddr) SetPort(port uint16) { sa.raw.Port = swap16(port) } // the same place in both families

// swap16 turns network order into host order and back. All systems that
// lastport runs on are little-endian.
func swap16(v uint16) uint16 { return v<<8 | v>>8 }

// StreamSocket opens a TCP socket of the family.
func StreamSocket(family int) (fd int, errno syscall.Errno) {
	r, _, e := syscall.RawSyscall(unix.SYS_SOCKET, uintptr(family), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return int(r), e
}

// Connect starts to connect, or asks how a started connect stands: 0 is
// connected, EINPROGRESS and EALREADY mean that the answer is still to come.
func Connect(fd int, sa *Sockaddr) syscall.Errno {
	for {
		_, _, e := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len))
		if e != syscall.EINTR {
			return e
		}
	}
}

// Bind binds the socket to the address.
func Bind(fd int, sa *Sockaddr) syscall.Errno {
	_, _, e := syscall.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len))
	return e
}

// Listen makes the socket a listener.
func Listen(fd, backlog int) syscall.Errno {
	_, _, e := syscall.RawSyscall(unix.SYS_LISTEN, uintptr(fd), uintptr(backlog), 0)
	return e
}

// Accept takes the next connection from the listener's queue and writes the
// peer's address to peer. EAGAIN says that the queue is empty.
func Accept(fd int, peer *Sockaddr) (conn int, errno syscall.Errno) {
	for {
		peer.len = uint32(unsafe.Sizeof(peer.raw))
		r, _, e := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&peer.raw)),
			uintptr(unsafe.Pointer(&peer.len)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		if e != syscall.EINTR && e != syscall.ECONNABORTED {
			return int(r), e
		}
	}
}

// LocalAddr writes the socket's own address to sa.
func LocalAddr(fd int, sa *Sockaddr) syscall.Errno {
	sa.len = uint32(unsafe.Sizeof(sa.raw))
	_, _, e := syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&sa.raw)), uintptr(unsafe.Pointer(&sa.len)))
	return e
}

// Read reads what has come. 0 bytes without an error is the peer's FIN.
func Read(fd int, p []byte) (n int, errno syscall.Errno) {
	r, _, e := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(r), e
}

// WriteByte sends one byte. A connection that the peer has reset is EPIPE and
// no signal.
func WriteByte(fd int, b byte) syscall.Errno {
	_, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b)), 1, unix.MSG_NOSIGNAL, 0, 0)
	return e
}

// Finished is Ending without the error number.
func Finished(fd int) bool {
	ended, _ := Ending(fd)
	return ended
}

// Ending says whether nothing more will come from the peer: its FIN is there,
// or the connection is broken, and then the error number of how. Data that came
// before is thrown away.
func Ending(fd int) (ended bool, errno syscall.Errno) {
	var buf [256]byte
	for {
		n, errno := Read(fd, buf[:])
		switch {
		case errno == syscall.EAGAIN:
			return false, 0
		case errno == syscall.EINTR:
		case errno != 0, n == 0:
			return true, errno
		}
	}
}

// CloseFD closes the descriptor in the calling thread's table.
func CloseFD(fd int) syscall.Errno {
	_, _, e := syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	return e
}

// Reset closes the connection with RST instead of FIN: SO_LINGER with a time
// of zero (socket(7)).
func Reset(fd int) syscall.Errno {
	linger := unix.Linger{Onoff: 1, Linger: 0}
	_ = setsockopt(fd, unix.SOL_SOCKET, unix.SO_LINGER, unsafe.Pointer(&linger), unsafe.Sizeof(linger))
	return CloseFD(fd)
}

// SourceFor returns the address that the kernel's route gives to a socket that
// is connected to the target without being bound to one. Nothing is sent: it
// connects a UDP socket and asks for its own address. Without a route the error
// is ENETUNREACH.
func SourceFor(target netip.AddrPort) (netip.Addr, error) {
	to, own := NewSockaddr(target), Sockaddr{}
	if to.Port() == 0 {
		to.SetPort(9) // discard: a port of 0 is no target, and any other gives the same route
	}
	fd, errno := DatagramSocket(to.Family())
	if errno == 0 {
		bindAnyPort(fd, to.Family())
		if errno = Connect(fd, &to); errno == 0 {
			errno = LocalAddr(fd, &own)
		}
		_ = CloseFD(fd)
	}
	if errno != 0 {
		return netip.Addr{}, fmt.Errorf("source address toward %v: %w", target.Addr(), errno)
	}
	return own.AddrPort().Addr(), nil
}

// bindAnyPort gives the socket a port of its own, because the kernel may have
// none to give: all of its range may be reserved or taken.
func bindAnyPort(fd, family int) {
	all := netip.IPv4Unspecified()
	if family == unix.AF_INET6 {
		all = netip.IPv6Unspecified()
	}
	const tries = 64
	for port := uint16(65535); port > 65535-tries; port-- {
		sa := NewSockaddr(netip.AddrPortFrom(all, port))
		if Bind(fd, &sa) == 0 {
			return
		}
	}
}
