package loadgen

import (
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// trap shows what no strategy ever does: SO_REUSEADDR on sockets that are bound
// to port 0. It comes last, when nothing of the run is open any more, on sockets
// that the run does not count.
func (s *surveying) trap() error {
	if s.stop.Load() {
		return nil
	}
	target := s.cfg.Targets[0]
	udp := duplicates(kernel.DatagramSocket, target)
	var tcp *int64
	if listener, addr, ok := trapListener(target.Addr()); ok {
		tcp = duplicates(kernel.StreamSocket, addr)
		_ = kernel.CloseFD(listener)
	}
	trap := &result.ReuseAddrTrap{UDPDuplicates: udp, TCPDuplicates: tcp, Text: trapText(udp, tcp)}
	s.do(func() {
		s.out.ReuseAddrTrap = trap
		s.publish()
	})
	return nil
}

// trapListener listens for the TCP half: a socket must be answered to have a
// peer. It is on this host or not at all.
func trapListener(addr netip.Addr) (fd int, at netip.AddrPort, ok bool) {
	sa := kernel.NewSockaddr(netip.AddrPortFrom(addr, 0))
	fd, errno := kernel.StreamSocket(sa.Family())
	if errno != 0 {
		return 0, at, false
	}
	const backlog = 8
	if kernel.Bind(fd, &sa) != 0 || kernel.Listen(fd, backlog) != 0 || kernel.LocalAddr(fd, &sa) != 0 {
		_ = kernel.CloseFD(fd)
		return 0, at, false
	}
	return fd, netip.AddrPortFrom(addr, sa.Port()), true
}

// duplicates connects two sockets to the target, the second of them with the
// window of its ports (IP_LOCAL_PORT_RANGE) narrowed to the port that the first
// one got, and returns how many got the 4-tuple that another one had. Nil: it
// could not be tried.
func duplicates(socket func(family int) (int, syscall.Errno), target netip.AddrPort) *int64 {
	sa := kernel.NewSockaddr(target)
	var fds []int
	defer func() {
		for _, fd := range fds {
			_ = kernel.Reset(fd) // by RST, so that no port stays in TIME_WAIT
		}
	}()
	var port uint16
	n := int64(0)
	for range 2 {
		fd, errno := socket(sa.Family())
		if errno != 0 {
			return nil
		}
		fds = append(fds, fd)
		if port != 0 && kernel.SetLocalPortRange(fd, port, port) != 0 {
			return nil // before Linux 6.3
		}
		got, errno := reckless(fd, &sa)
		switch {
		case errno == 0 && got == port:
			n++
		case port == 0 && errno != 0:
			return nil // not even one
		}
		port = got
	}
	return &n
}

// reckless binds a socket with SO_REUSEADDR to port 0 and connects it.
func reckless(fd int, target *kernel.Sockaddr) (port uint16, errno syscall.Errno) {
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	from := any4
	if target.Family() == unix.AF_INET6 {
		from = any6
	}
	local := kernel.NewSockaddr(netip.AddrPortFrom(from, 0))
	if errno = kernel.SetReuseAddr(fd); errno != 0 {
		return 0, errno
	}
	if errno = kernel.Bind(fd, &local); errno != 0 {
		return 0, errno
	}
	if errno = kernel.Connect(fd, target); errno == syscall.EINPROGRESS {
		errno = kernel.Connect(fd, target) // on one machine the first call has done it
	}
	if errno != 0 {
		return 0, errno
	}
	errno = kernel.LocalAddr(fd, &local)
	return local.Port(), errno
}

// trapText says what was measured.
func trapText(udp, tcp *int64) string {
	switch {
	case udp == nil || tcp == nil:
		return "not measured: two sockets could not be asked for one port here"
	case *udp > 0 && *tcp == 0:
		return "with SO_REUSEADDR and port 0 the kernel gave two UDP sockets the same 4-tuple, so that one of them gets the other's " +
			"datagrams; to a TCP socket it refused the port. No strategy of lastport binds so"
	case *udp == 0 && *tcp == 0:
		return "with SO_REUSEADDR and port 0 no 4-tuple was given twice, neither over UDP nor over TCP"
	}
	return fmt.Sprintf("with SO_REUSEADDR and port 0 sockets got a 4-tuple that another one had: %d over UDP, %d over TCP", *udp, *tcp)
}
