package server

import (
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// counts is what one accepting thread counts. That thread alone writes; any
// may read.
type counts struct {
	_          cpu.CacheLinePad // no other thread's counts on the same cache line
	accepted   atomic.Int64
	overLimit  atomic.Int64
	requests   atomic.Int64
	idleClosed atomic.Int64
	closed     atomic.Int64
	noFD       atomic.Int64
}

// addTo adds the counts up. It reads them in the reverse of the order in which
// they are written: a moment's total has never more closed than accepted.
func (c *counts) addTo(sum *result.Server) {
	sum.NoFD += c.noFD.Load()
	*sum.Closed += c.closed.Load()
	sum.IdleClosed += c.idleClosed.Load()
	sum.Requests += c.requests.Load()
	sum.OverLimit += c.overLimit.Load()
	sum.Accepted += c.accepted.Load()
}

// shut closes a connection on the thread that accepted it, by FIN or RST.
func (c *counts) shut(fd int, rst bool) {
	if rst {
		_ = kernel.Reset(fd)
	} else {
		_ = kernel.CloseFD(fd)
	}
	c.closed.Add(1)
}

// converse reads what the client has sent, as much as fits into buf, answers its
// requests, and tells how many bytes came and whether it asked for a close that it
// may ask for.
//
// EAGAIN says that nothing has come, EPIPE that the client has closed, ENOBUFS
// that it does not read its answers: they are not kept for it. After any error
// but EAGAIN nothing more can come of the connection.
func (c *counts) converse(fd int, buf []byte, mayAsk bool, tenant *Tenant) (n int, asked bool, errno syscall.Errno) {
	n, errno = kernel.Read(fd, buf)
	switch {
	case errno != 0:
		return 0, false, errno
	case n == 0:
		return 0, false, syscall.EPIPE
	}
	requests, asked := understand(buf[:n], mayAsk)
	if requests == 0 {
		return n, asked, 0
	}
	c.requests.Add(int64(requests)) // before the answers leave: who has one is counted
	tenant.asked(int64(requests))
	sent, _ := unix.Write(fd, answers(buf, requests)) // -1 where nothing could be sent
	if unsent := requests - max(0, sent); unsent > 0 {
		c.requests.Add(int64(-unsent))
		tenant.asked(int64(-unsent))
		return n, asked, syscall.ENOBUFS
	}
	return n, asked, 0
}

// outOfDescriptors says whether an accept failed for want of a descriptor: in
// the thread's table or in the whole system.
func outOfDescriptors(errno syscall.Errno) bool {
	return errno == syscall.EMFILE || errno == syscall.ENFILE
}
