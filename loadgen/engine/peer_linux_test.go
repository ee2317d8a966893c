package engine_test

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lastport/loadgen/kernel"
)

// peer is a listener with a goroutine of its own: it accepts, closes what is
// closed, and closes first what sends it a byte.
type peer struct {
	addr     netip.AddrPort
	accepted atomic.Int64
	stop     chan struct{}
	group    sync.WaitGroup
}

func newPeer(t testing.TB, rst bool) *peer {
	t.Helper()
	fd, addr := listen(t, backlog)
	p := &peer{addr: addr, stop: make(chan struct{})}
	p.group.Go(func() { p.serve(fd, rst) })
	t.Cleanup(func() {
		close(p.stop)
		p.group.Wait()
	})
	return p
}

func (p *peer) serve(listener int, rst bool) {
	conns := map[int]bool{}
	defer func() {
		for fd := range conns {
			_ = kernel.Reset(fd)
		}
	}()
	var from kernel.Sockaddr
	for {
		select {
		case <-p.stop:
			return
		default:
			kernel.Sleep(200 * time.Microsecond)
		}
		for fd, errno := kernel.Accept(listener, &from); errno == 0; fd, errno = kernel.Accept(listener, &from) {
			conns[fd] = true
			p.accepted.Add(1)
		}
		for fd := range conns {
			n, errno := kernel.Read(fd, make([]byte, 8))
			switch {
			case errno == syscall.EAGAIN:
				continue
			case n > 0 && rst:
				_ = kernel.Reset(fd)
			default:
				_ = kernel.CloseFD(fd)
			}
			delete(conns, fd)
		}
	}
}
