package server

import (
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/cpu"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// counts is what one accepting thread counts. That thread alone writes; any
// may read.
type counts struct {
	_        cpu.CacheLinePad // no other thread's counts on the same cache line
	accepted atomic.Int64
	closed   atomic.Int64
	noFD     atomic.Int64
}

// addTo adds the counts up. It reads them in the reverse of the order in which
// they are written: a moment's total has never more closed than accepted.
func (c *counts) addTo(sum *result.Server) {
	sum.NoFD += c.noFD.Load()
	sum.Closed += c.closed.Load()
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

// outOfDescriptors says whether an accept failed for want of a descriptor: in
// the thread's table or in the whole system.
func outOfDescriptors(errno syscall.Errno) bool {
	return errno == syscall.EMFILE || errno == syscall.ENFILE
}
