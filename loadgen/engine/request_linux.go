package engine

import (
	"syscall"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// The bytes that a generator says to its listener.
const (
	byteClose   = 0 // close, you are first
	byteRequest = 1 // answer me with a byte
)

// doRequest sends one request and takes its answer, at once if it is there.
func (d *direct) doRequest(s *seat, st *step.Step, done []step.Completion) []step.Completion {
	_, k := place(st.Conn)
	if s.ends != nil && s.conns[k].peer == noPeer {
		s.acceptAll()
	}
	conn := s.conns[k]
	c := step.Completion{
		Op: step.Request, Probe: st.Probe, Source: st.Source, Target: conn.target,
		Port: conn.port, Conn: st.Conn, Tag: st.Tag, Due: st.Due,
	}
	c.Start = d.Clock.Now()
	errno := kernel.WriteByte(int(conn.fd), byteRequest)
	if errno == 0 && conn.peer != noPeer {
		errno = s.ends[conn.target].Answer(int(conn.peer))
	}
	if errno == 0 {
		errno = readAnswer(int(conn.fd))
	}
	switch errno {
	case 0:
		c.End = d.Clock.Now()
		return append(done, c)
	case syscall.EAGAIN:
		item := s.pending.add(c, k, c.Start+int64(d.Timeout))
		s.watch(int(conn.fd), unix.EPOLLIN, item)
		if conn.peer != noPeer { // the request itself is still under way
			s.watch(int(conn.peer), unix.EPOLLIN, item)
		}
		return done
	}
	return append(done, s.lost(d, c, k, errno))
}

// doAwait waits until the peer or the kernel ends the connection.
func (d *direct) doAwait(s *seat, st *step.Step, done []step.Completion) []step.Completion {
	_, k := place(st.Conn)
	conn := s.conns[k]
	c := step.Completion{
		Op: step.Await, Probe: st.Probe, Source: st.Source, Target: conn.target,
		Port: conn.port, Conn: st.Conn, Tag: st.Tag, Start: d.Clock.Now(),
	}
	if ended, errno := kernel.Ending(int(conn.fd)); ended {
		return append(done, s.closed(d, c, k, errno))
	}
	s.watch(int(conn.fd), unix.EPOLLIN, s.pending.add(c, k, c.Start+int64(d.Timeout)))
	return done
}

// readAnswer takes the answer to one request. The end of the stream is a reset:
// the listener owed an answer.
func readAnswer(fd int) syscall.Errno {
	var answer [1]byte
	n, errno := kernel.Read(fd, answer[:])
	if errno == 0 && n == 0 {
		return syscall.ECONNRESET
	}
	return errno
}

// lost ends a connection whose request failed.
func (s *seat) lost(d *direct, c step.Completion, k uint32, errno syscall.Errno) step.Completion {
	_ = kernel.CloseFD(int(s.conns[k].fd))
	s.shut(k, false)
	s.disown(k)
	s.release(k)
	d.open--
	c.End, c.Errno = d.Clock.Now(), uint16(errno)
	c.GaveUp = errno == syscall.ETIMEDOUT
	if c.Outcome = outcome.Of(outcome.Connect, errno, outcome.Kernel); errno == syscall.EPIPE {
		c.Outcome = outcome.Reset
	}
	return c
}
