package uring

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Operations.
const (
	opPollAdd    = 6  // IORING_OP_POLL_ADD
	opAccept     = 13 // IORING_OP_ACCEPT
	opCancel     = 14 // IORING_OP_ASYNC_CANCEL
	opConnect    = 16 // IORING_OP_CONNECT
	opClose      = 19 // IORING_OP_CLOSE
	opSend       = 26 // IORING_OP_SEND
	opSocket     = 45 // IORING_OP_SOCKET, Linux 5.19
	opURingCmd   = 46 // IORING_OP_URING_CMD
	opBind       = 56 // IORING_OP_BIND, Linux 6.11
	cmdSetOpt    = 3  // SOCKET_URING_OP_SETSOCKOPT, Linux 6.7
	acceptMulti  = 1  // IORING_ACCEPT_MULTISHOT, Linux 5.19
	fileAnySlot  = ^uint32(0)
	flagFixed    = 1 << 0 // IOSQE_FIXED_FILE
	flagLink     = 1 << 2 // IOSQE_IO_LINK
	flagSkipDone = 1 << 6 // IOSQE_CQE_SKIP_SUCCESS, Linux 5.17
)

// entry is struct io_uring_sqe: one submission.
type entry struct {
	opcode    uint8
	flags     uint8
	ioprio    uint16
	fd        int32
	off       uint64
	addr      uint64
	len       uint32
	opFlags   uint32
	tag       uint64
	_         uint16
	_         uint16
	fileIndex uint32
	addr3     uint64
	_         uint64
}

// Link says how a submission hangs together with the next one.
type Link uint8

// The links. A chain of ThenNext and a last one that is Alone completes once: by
// the link that failed, after which the rest is canceled silently
// (REQ_F_SKIP_LINK_CQES), or by its last.
const (
	Alone      Link = 0                       // it completes by itself
	ThenNext   Link = flagLink | flagSkipDone // the next begins when it has succeeded; only a failure completes
	SilentGood Link = flagSkipDone            // only a failure completes
)

// next returns the next submission to be written, all zero. There must be Room.
func (r *Ring) next(op uint8, link Link, tag uint64) *entry {
	e := (*entry)(unsafe.Pointer(&r.entries[uintptr(r.tail&r.sqMask)*sqeSize]))
	*e = entry{opcode: op, flags: uint8(link), tag: tag}
	r.tail++
	return e
}

// Socket opens a stream socket of the family as the direct descriptor slot.
func (r *Ring) Socket(family int, slot uint32, link Link, tag uint64) {
	e := r.next(opSocket, link, tag)
	e.fd, e.off, e.fileIndex = int32(family), unix.SOCK_STREAM, slot+1
}

// Connect connects the direct descriptor. The address must stay where it is
// until the submission has completed.
func (r *Ring) Connect(slot uint32, addr unsafe.Pointer, size uint32, link Link, tag uint64) {
	e := r.next(opConnect, link|flagFixed, tag)
	e.fd, e.addr, e.off = int32(slot), uint64(uintptr(addr)), uint64(size)
}

// Bind binds the direct descriptor. The address must stay where it is until the
// submission has completed. Linux 6.11; without it, EINVAL.
func (r *Ring) Bind(slot uint32, addr unsafe.Pointer, size uint32, link Link, tag uint64) {
	e := r.next(opBind, link|flagFixed, tag)
	e.fd, e.addr, e.off = int32(slot), uint64(uintptr(addr)), uint64(size)
}

// Accept takes a connection from the queue of the ordinary descriptor listener
// as the direct descriptor slot. The peer's address is written to addr, unless
// that is nil, and its size to size, which holds the room there is; both must
// stay where they are until the submission has completed.
func (r *Ring) Accept(listener int, slot uint32, addr unsafe.Pointer, size *uint32, link Link, tag uint64) {
	e := r.next(opAccept, link, tag)
	e.fd, e.fileIndex = int32(listener), slot+1
	e.addr, e.off = uint64(uintptr(addr)), uint64(uintptr(unsafe.Pointer(size)))
}

// AcceptAll takes connections from the queue until it fails: each completes with
// the direct descriptor that the kernel chose for it (multishot).
func (r *Ring) AcceptAll(listener int, tag uint64) {
	e := r.next(opAccept, Alone, tag)
	e.fd, e.ioprio, e.fileIndex = int32(listener), acceptMulti, fileAnySlot
}

// CloseFile closes the direct descriptor.
func (r *Ring) CloseFile(slot uint32, link Link, tag uint64) {
	e := r.next(opClose, link, tag)
	e.fileIndex = slot + 1
}

// Send sends one byte, which must stay where it is until the submission has
// completed. A peer that has reset is EPIPE and no signal.
func (r *Ring) Send(slot uint32, b *byte, link Link, tag uint64) {
	e := r.next(opSend, link|flagFixed, tag)
	e.fd, e.addr, e.len, e.opFlags = int32(slot), uint64(uintptr(unsafe.Pointer(b))), 1, unix.MSG_NOSIGNAL
}

// Readable waits until something can be read: data, the peer's FIN, or an error.
func (r *Ring) Readable(slot uint32, link Link, tag uint64) {
	e := r.next(opPollAdd, link|flagFixed, tag)
	e.fd, e.opFlags = int32(slot), unix.POLLIN|unix.POLLRDHUP
}

// Cancel ends the submission with the tag of that waits for something: it
// completes with ECANCELED. Only if there is none does Cancel complete itself,
// with ENOENT.
func (r *Ring) Cancel(of uint64, tag uint64) {
	e := r.next(opCancel, SilentGood, tag)
	e.fd, e.addr = -1, of
}

// SetPortRange lets the kernel choose the source port of the direct descriptor
// inside the window alone: IP_LOCAL_PORT_RANGE, Linux 6.3. The window must stay
// where it is until the submission has completed.
func (r *Ring) SetPortRange(slot uint32, window *PortRange, link Link, tag uint64) {
	r.setOption(slot, unix.IPPROTO_IP, unix.IP_LOCAL_PORT_RANGE, unsafe.Pointer(window), uint32(unsafe.Sizeof(*window)), link, tag)
}

// PortRange is a range of ports as IP_LOCAL_PORT_RANGE wants it.
type PortRange struct{ Low, High uint16 } // a 32-bit number, High in its upper half

// SetBindNoPort makes a bind to port 0 take the address alone and leave the port
// to connect: IP_BIND_ADDRESS_NO_PORT, Linux 4.2.
func (r *Ring) SetBindNoPort(slot uint32, link Link, tag uint64) {
	r.setOption(slot, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, unsafe.Pointer(&r.on), uint32(unsafe.Sizeof(r.on)), link, tag)
}

// SetReset makes the close of the direct descriptor an RST: SO_LINGER with a
// time of zero (socket(7)).
func (r *Ring) SetReset(slot uint32, link Link, tag uint64) {
	r.setOption(slot, unix.SOL_SOCKET, unix.SO_LINGER, unsafe.Pointer(&r.reset), uint32(unsafe.Sizeof(r.reset)), link, tag)
}

// setOption sets a socket option. The value must stay where it is until the
// submission has completed.
func (r *Ring) setOption(slot, level, option uint32, value unsafe.Pointer, size uint32, link Link, tag uint64) {
	e := r.next(opURingCmd, link|flagFixed, tag)
	e.fd, e.off = int32(slot), cmdSetOpt
	e.addr = uint64(level) | uint64(option)<<32
	e.fileIndex, e.addr3 = size, uint64(uintptr(value)) // optlen, optval
}
