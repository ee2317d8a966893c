// Package uring is a small io_uring of our own: as much of it as opening,
// accepting and closing connections takes, with descriptors that live in the
// ring's own table instead of the process's (direct descriptors).
//
// It submits and completes; which calls are linked to a chain and what a
// completion means is an engine's business. A ring belongs to one thread
// (IORING_SETUP_SINGLE_ISSUER), the one that made it.
//
// Source of the layout: include/uapi/linux/io_uring.h; io_uring_setup(2),
// io_uring_enter(2), io_uring_register(2).
package uring

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Setup flags.
const (
	setupCQSize       = 1 << 3  // IORING_SETUP_CQSIZE
	setupSingleIssuer = 1 << 12 // IORING_SETUP_SINGLE_ISSUER, Linux 6.0
	setupDeferTaskrun = 1 << 13 // IORING_SETUP_DEFER_TASKRUN, Linux 6.1
)

// Features of io_uring_params.
const (
	featSingleMmap = 1 << 0  // IORING_FEAT_SINGLE_MMAP
	featNoDrop     = 1 << 1  // IORING_FEAT_NODROP
	featExtArg     = 1 << 8  // IORING_FEAT_EXT_ARG
	featCQESkip    = 1 << 11 // IORING_FEAT_CQE_SKIP
)

const (
	offSQRing = 0          // IORING_OFF_SQ_RING
	offSQEs   = 0x10000000 // IORING_OFF_SQES

	enterGetEvents  = 1 << 0 // IORING_ENTER_GETEVENTS
	enterExtArg     = 1 << 3 // IORING_ENTER_EXT_ARG
	enterRegistered = 1 << 4 // IORING_ENTER_REGISTERED_RING, Linux 5.18

	registerFiles2     = 13     // IORING_REGISTER_FILES2
	registerRings      = 20     // IORING_REGISTER_RING_FDS, Linux 5.18
	unregisterRings    = 21     // IORING_UNREGISTER_RING_FDS
	registerSparse     = 1 << 0 // IORING_RSRC_REGISTER_SPARSE
	sqeSize            = 64
	cqeSize            = 16
	completionsPerSlot = 4 // completion entries for each entry of the submission queue
)

// params is struct io_uring_params.
type params struct {
	sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFD uint32
	_                                                                      [3]uint32
	sq                                                                     sqOffsets
	cq                                                                     cqOffsets
}

type sqOffsets struct {
	head, tail, mask, entries, flags, dropped, array, _ uint32
	_                                                   uint64
}

type cqOffsets struct {
	head, tail, mask, entries, overflow, cqes, flags, _ uint32
	_                                                   uint64
}

// Completion is struct io_uring_cqe: what became of one submission.
type Completion struct {
	Tag   uint64 // as the submission had it
	Res   int32  // what the system call returned: below 0 an error number, negated
	Flags uint32
}

// More says that the submission is a multishot one and goes on (IORING_CQE_F_MORE).
func (c *Completion) More() bool { return c.Flags&(1<<1) != 0 }

// Errno returns the error number; 0 is success.
func (c *Completion) Errno() syscall.Errno {
	if c.Res < 0 {
		return syscall.Errno(-c.Res)
	}
	return 0
}

// longestNap is the longest sleep that the Go scheduler is not told of. A signal
// ends it, and so the runtime's preemption does not wait for it.
const longestNap = time.Millisecond

// Ring is an io_uring. It belongs to the thread that made it.
type Ring struct {
	fd         int
	index      uint32 // of the ring among those registered for its thread
	registered bool
	rings      []byte // the shared memory of both queues
	entries    []byte // of the submissions
	sqHead     *atomic.Uint32
	sqTail     *atomic.Uint32
	sqMask     uint32
	sqSize     uint32
	tail       uint32 // ours: submissions written, not yet shown to the kernel
	cqHead     *atomic.Uint32
	cqTail     *atomic.Uint32
	cqMask     uint32
	cqes       unsafe.Pointer
	ts         unix.Timespec // of the wait under way; the kernel reads it
	arg        getEventsArg

	reset unix.Linger // values of options; the kernel reads them
	on    int32
}

// getEventsArg is struct io_uring_getevents_arg.
type getEventsArg struct {
	sigmask   uint64
	sigmaskSz uint32
	_         uint32
	ts        uint64
}

// New makes a ring for the calling thread, which must stay locked to its
// goroutine: entries is how many submissions may wait to be handed over, files
// how many direct descriptors it has. An error wraps the kernel's error number.
func New(entries, files uint32) (*Ring, error) {
	p := params{flags: setupCQSize | setupSingleIssuer | setupDeferTaskrun, cqEntries: entries * completionsPerSlot}
	fd, _, errno := syscall.RawSyscall(unix.SYS_IO_URING_SETUP, uintptr(entries), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup with %d entries: %w", entries, errno)
	}
	r := &Ring{fd: int(fd), reset: unix.Linger{Onoff: 1}, on: 1}
	const needed = featSingleMmap | featNoDrop | featExtArg | featCQESkip
	if p.features&needed != needed {
		r.Close()
		return nil, fmt.Errorf("io_uring: features %#x of the kernel, %#x are needed: %w", p.features, uint32(needed), syscall.ENOSYS)
	}
	if err := r.mmap(&p); err != nil {
		r.Close()
		return nil, err
	}
	if err := r.registerFiles(files); err != nil {
		r.Close()
		return nil, err
	}
	if err := r.registerSelf(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// mmap maps the queues, which are one area, and the submissions.
func (r *Ring) mmap(p *params) error {
	size := max(p.sq.array+p.sqEntries*4, p.cq.cqes+p.cqEntries*cqeSize)
	var err error
	if r.rings, err = unix.Mmap(r.fd, offSQRing, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return fmt.Errorf("io_uring: mmap the queues: %w", err)
	}
	if r.entries, err = unix.Mmap(r.fd, offSQEs, int(p.sqEntries*sqeSize), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return fmt.Errorf("io_uring: mmap the submissions: %w", err)
	}
	at := func(offset uint32) unsafe.Pointer { return unsafe.Pointer(&r.rings[offset]) }
	r.sqHead, r.sqTail = (*atomic.Uint32)(at(p.sq.head)), (*atomic.Uint32)(at(p.sq.tail))
	r.cqHead, r.cqTail = (*atomic.Uint32)(at(p.cq.head)), (*atomic.Uint32)(at(p.cq.tail))
	r.sqMask, r.cqMask, r.sqSize = *(*uint32)(at(p.sq.mask)), *(*uint32)(at(p.cq.mask)), p.sqEntries
	r.cqes = at(p.cq.cqes)
	// The array between the queue and the submissions is not needed: slot i holds
	// submission i for ever.
	for i := range p.sqEntries {
		*(*uint32)(at(p.sq.array + 4*i)) = i
	}
	return nil
}

// registerFiles makes a table of empty direct descriptors.
func (r *Ring) registerFiles(n uint32) error {
	if n == 0 {
		return nil
	}
	arg := struct { // struct io_uring_rsrc_register
		nr, flags  uint32
		_          uint64
		data, tags uint64
	}{nr: n, flags: registerSparse}
	_, _, errno := syscall.RawSyscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), registerFiles2, uintptr(unsafe.Pointer(&arg)), unsafe.Sizeof(arg), 0, 0)
	if errno != 0 {
		return fmt.Errorf("io_uring: register %d direct descriptors: %w", n, errno)
	}
	return nil
}

// ringUpdate is struct io_uring_rsrc_update.
type ringUpdate struct {
	offset, _ uint32
	data      uint64
}

// registerSelf registers the ring for its thread, which spares each Submit a look
// into the descriptor table.
func (r *Ring) registerSelf() error {
	self := ringUpdate{offset: ^uint32(0), data: uint64(r.fd)} // the kernel chooses where
	_, _, errno := syscall.RawSyscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), registerRings, uintptr(unsafe.Pointer(&self)), 1, 0, 0)
	if errno != 0 {
		return fmt.Errorf("io_uring: register the ring for its thread: %w", errno)
	}
	r.index, r.registered = self.offset, true
	return nil
}

// Close frees the ring, and closes every direct descriptor of it. The kernel
// does so soon, not at once. It is called on the ring's thread.
func (r *Ring) Close() {
	if r.registered { // else the thread would keep the ring alive
		self := ringUpdate{offset: r.index}
		_, _, _ = syscall.RawSyscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), unregisterRings, uintptr(unsafe.Pointer(&self)), 1, 0, 0)
	}
	if r.entries != nil {
		_ = unix.Munmap(r.entries)
	}
	if r.rings != nil {
		_ = unix.Munmap(r.rings)
	}
	_ = unix.Close(r.fd)
	*r = Ring{fd: -1}
}

// Room returns how many submissions can still be written before Submit.
func (r *Ring) Room() int { return int(r.sqSize) - int(r.tail-r.sqHead.Load()) }

// Submit hands over what was written, and does what it can of it while there are
// fewer than wait completions. Then it sleeps until they are there or the timeout
// is over; 0 does not sleep. The Go scheduler is told where that may take longer
// than a millisecond: see kernel.Sleep for what it costs to tell it.
func (r *Ring) Submit(wait int, timeout time.Duration) syscall.Errno {
	n := r.tail - r.sqHead.Load()
	r.sqTail.Store(r.tail)
	r.ts = unix.NsecToTimespec(int64(timeout))
	r.arg = getEventsArg{ts: uint64(uintptr(unsafe.Pointer(&r.ts)))}
	const flags = enterGetEvents | enterRegistered | enterExtArg
	enter := syscall.RawSyscall6
	if timeout > longestNap {
		enter = syscall.Syscall6
	}
	_, _, errno := enter(unix.SYS_IO_URING_ENTER, uintptr(r.index), uintptr(n), uintptr(wait), flags, uintptr(unsafe.Pointer(&r.arg)), unsafe.Sizeof(r.arg))
	if errno == syscall.ETIME || errno == syscall.EINTR {
		return 0
	}
	return errno
}

// Next returns the oldest completion that was not seen, and whether there is
// one. It is valid until Next is called again.
func (r *Ring) Next(c *Completion) bool {
	head := r.cqHead.Load()
	if head == r.cqTail.Load() {
		return false
	}
	*c = *(*Completion)(unsafe.Add(r.cqes, uintptr(head&r.cqMask)*cqeSize))
	r.cqHead.Store(head + 1)
	return true
}
