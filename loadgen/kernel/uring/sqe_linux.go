package uring

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Operations.
const (
	opConnect    = 16 // IORING_OP_CONNECT
	opAccept     = 13 // IORING_OP_ACCEPT
	opClose      = 19 // IORING_OP_CLOSE
	opSocket     = 45 // IORING_OP_SOCKET, Linux 5.19
	opURingCmd   = 46 // IORING_OP_URING_CMD
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

// Accept takes a connection from the queue of the ordinary descriptor listener
// as the direct descriptor slot.
func (r *Ring) Accept(listener int, slot uint32, link Link, tag uint64) {
	e := r.next(opAccept, link, tag)
	e.fd, e.fileIndex = int32(listener), slot+1
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

// SetLinger makes the close of the direct descriptor an RST: SO_LINGER with a
// time of zero (socket(7)). linger must stay where it is until the submission
// has completed.
func (r *Ring) SetLinger(slot uint32, linger *unix.Linger, link Link, tag uint64) {
	r.setOption(slot, unix.SOL_SOCKET, unix.SO_LINGER, unsafe.Pointer(linger), uint32(unsafe.Sizeof(*linger)), link, tag)
}

func (r *Ring) setOption(slot uint32, level, option uint32, value unsafe.Pointer, size uint32, link Link, tag uint64) {
	e := r.next(opURingCmd, link|flagFixed, tag)
	e.fd, e.off = int32(slot), cmdSetOpt
	e.addr = uint64(level) | uint64(option)<<32
	e.fileIndex, e.addr3 = size, uint64(uintptr(value)) // optlen, optval
}
