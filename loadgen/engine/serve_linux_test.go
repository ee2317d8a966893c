package engine_test

import (
	"sync"
	"syscall"
	"testing"

	"lastport/loadgen/kernel"
)

// serve answers on a goroutine of its own, until stop is called or the test is
// over: connections are accepted, and reset at the end; a byte is answered by
// itself.
func (s *space) serve(t testing.TB) (stop func()) {
	t.Helper()
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		conns := map[int]bool{}
		for {
			select {
			case <-over:
				for fd := range conns {
					_ = kernel.Reset(fd)
				}
				return
			default:
				kernel.Sleep(ms / 10)
			}
			for target := range s.listeners {
				if s.udp {
					s.answer(target)
					continue
				}
				s.accept(target, conns)
			}
			for fd := range conns {
				if !echo(fd) {
					delete(conns, fd)
				}
			}
		}
	}()
	stop = sync.OnceFunc(func() { close(over); <-ended })
	t.Cleanup(stop)
	return stop
}

// accept takes what is in a listener's queue.
func (s *space) accept(target int, conns map[int]bool) {
	var from kernel.Sockaddr
	for {
		fd, errno := kernel.Accept(s.listeners[target], &from)
		if errno != 0 {
			return
		}
		conns[fd] = true
		s.accepted(from.AddrPort(), target)
	}
}

// echo answers what a connection has said, and says whether it is still open.
func echo(fd int) bool {
	var said [16]byte
	n, errno := kernel.Read(fd, said[:])
	switch {
	case errno == syscall.EAGAIN:
		return true
	case errno != 0 || n == 0:
		_ = kernel.CloseFD(fd)
		return false
	}
	for _, b := range said[:n] {
		_ = kernel.WriteByte(fd, b)
	}
	return true
}
