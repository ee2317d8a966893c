// Package diag lists the sockets of a network namespace by sock_diag(7), the
// interface behind ss(8). It asks for the shortest answer there is, so that
// 28,000 sockets take some 15 ms.
//
// It lists; counting and judging is package observe's and loadgen's.
package diag

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// State is a TCP state as the kernel numbers it (include/net/tcp_states.h). A
// UDP socket is Established once it is connected, and BoundInactive before.
type State uint8

// The TCP states.
const (
	Established State = iota + 1
	SynSent
	SynRecv
	FinWait1
	FinWait2
	TimeWait
	Closed
	CloseWait
	LastAck
	Listen
	Closing
	NewSynRecv
	BoundInactive // bound, neither listening nor connected; Linux 6.8 and later list it for TCP, as CLOSE
	stateCount
)

var stateNames = [stateCount]string{
	"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
	"CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV", "BOUND",
}

// String returns the state's usual name.
func (s State) String() string {
	if s > 0 && s < stateCount {
		return stateNames[s]
	}
	return "UNKNOWN"
}

// States is a set of states.
type States uint32

// All asks for every state.
const All States = 1<<stateCount - 1

// Of makes a set.
func Of(states ...State) States {
	var set States
	for _, s := range states {
		set |= 1 << s
	}
	return set
}

// Socket is one socket of the answer.
type Socket struct {
	State  State
	Local  netip.AddrPort
	Remote netip.AddrPort
	UID    uint32
	Inode  uint32        // 0 for sockets without a descriptor, such as those in TIME_WAIT
	V6Only bool          // of an IPv6 socket that listens or is bound: it has no part in IPv4 (IPV6_V6ONLY)
	Left   time.Duration // of a socket in TIME_WAIT: until it ends, but for the grain of the kernel's timer
	Cookie uint64        // the socket's own, never given again; it stays the same in TIME_WAIT

	// Of a socket that listens: connections that wait to be accepted, and how many
	// may. Of others, bytes that wait to be read and to be acknowledged.
	Queued, QueuedMax uint32
}

// ErrInterrupted says that the table changed while it was listed: a socket may
// be missing or double (NLM_F_DUMP_INTR).
var ErrInterrupted = errors.New("sock_diag: the table changed during the dump")

// Layout of include/uapi/linux/inet_diag.h.
const (
	sockDiagByFamily = 20
	reqSize          = 56 // struct inet_diag_req_v2
	msgSize          = 72 // struct inet_diag_msg
	skV6Only         = 11 // INET_DIAG_SKV6ONLY, an attribute of one byte
)

// TCP calls f for every TCP socket of the family (AF_INET or AF_INET6) that is
// in one of the states, in the network namespace of the calling thread. f must
// not keep the pointer. ErrInterrupted comes after the last call of f.
func TCP(family uint8, states States, f func(*Socket)) error {
	return Query{Family: family, States: states}.Each(f)
}

// UDP is TCP for UDP sockets. ENOENT says that the kernel has no udp_diag.
func UDP(family uint8, states States, f func(*Socket)) error {
	return Query{Family: family, UDP: true, States: states}.Each(f)
}

// list asks the kernel for sockets and reads its answer.
func list(request []byte, f func(*Socket)) error {
	interrupted, err := kernel.AskNetlink(unix.NETLINK_SOCK_DIAG, request, func(b []byte) (bool, bool, error) { return Parse(b, f) })
	switch {
	case err != nil:
		return fmt.Errorf("sock_diag: %w", err)
	case interrupted:
		return ErrInterrupted
	}
	return nil
}

// Parse reads the netlink messages of one datagram and calls f for each socket
// in them. done says that the dump has ended, interrupted that the kernel
// marked it as inconsistent.
func Parse(b []byte, f func(*Socket)) (done, interrupted bool, err error) {
	ne := binary.NativeEndian
	var s Socket
	for len(b) >= unix.SizeofNlMsghdr {
		size, kind := int(ne.Uint32(b[0:])), ne.Uint16(b[4:])
		if size < unix.SizeofNlMsghdr || size > len(b) {
			return false, interrupted, fmt.Errorf("message of %d bytes in %d", size, len(b))
		}
		interrupted = interrupted || ne.Uint16(b[6:])&unix.NLM_F_DUMP_INTR != 0
		body := b[unix.SizeofNlMsghdr:size]
		switch kind {
		case unix.NLMSG_DONE:
			// A dump that broke off ends with the error number in the place of 0.
			if len(body) >= 4 && int32(ne.Uint32(body)) < 0 {
				return true, interrupted, unix.Errno(-int32(ne.Uint32(body)))
			}
			return true, interrupted, nil
		case unix.NLMSG_ERROR:
			if len(body) < 4 {
				return false, interrupted, errors.New("error without a number")
			}
			return false, interrupted, unix.Errno(-int32(ne.Uint32(body)))
		case sockDiagByFamily:
			if len(body) < msgSize {
				return false, interrupted, fmt.Errorf("socket of %d bytes", len(body))
			}
			s.decode(body)
			f(&s)
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return false, interrupted, nil
}

func (s *Socket) decode(b []byte) {
	family := b[0]
	s.State = State(b[1])
	if s.State == Closed {
		s.State = BoundInactive // the only sockets in CLOSE that are in a table to be listed
	}
	s.Local = addrPort(family, b[8:24], b[4:6])
	s.Remote = addrPort(family, b[24:40], b[6:8])
	s.Queued = binary.NativeEndian.Uint32(b[56:])
	s.QueuedMax = binary.NativeEndian.Uint32(b[60:])
	s.UID = binary.NativeEndian.Uint32(b[64:])
	s.Inode = binary.NativeEndian.Uint32(b[68:])
	s.Cookie = uint64(binary.NativeEndian.Uint32(b[44:])) | uint64(binary.NativeEndian.Uint32(b[48:]))<<32
	s.V6Only = false
	s.Left = 0
	if s.State == TimeWait { // whose timer is that alone (inet_twsk_diag_fill, net/ipv4/inet_diag.c)
		s.Left = time.Duration(binary.NativeEndian.Uint32(b[52:])) * time.Millisecond
	}
	// Attributes follow: length, kind and payload, each padded to four bytes.
	for a := b[msgSize:]; len(a) >= unix.SizeofNlAttr; {
		size := int(binary.NativeEndian.Uint16(a))
		if size < unix.SizeofNlAttr || size > len(a) {
			return
		}
		if binary.NativeEndian.Uint16(a[2:]) == skV6Only && size > unix.SizeofNlAttr {
			s.V6Only = a[unix.SizeofNlAttr] != 0
		}
		a = a[min(len(a), (size+3)&^3):]
	}
}

func addrPort(family uint8, addr, port []byte) netip.AddrPort {
	p := binary.BigEndian.Uint16(port)
	if family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(addr[:4])), p)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(addr)), p)
}
