package engine

import (
	"syscall"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// The bytes that a generator says to its listener. The last two are answered by
// themselves, over UDP with the answerBit.
const (
	byteClose   = 0 // close, you are first
	byteRequest = 1
	byteOpen    = 2 // over UDP: count me as a connection
	answerBit   = 0x80
)

// doRequest sends one request and takes its answer, at once if it is there.
func (d *direct) doRequest(s *seat, st *step.Step, done []step.Completion) []step.Completion {
	_, k := place(st.Conn)
	if s.ends != nil && s.conns[k].peer == noPeer {
		s.acceptAll()
	}
	conn := s.conns[k]
	c := step.Completion{
		Op: step.Request, Probe: st.Probe, Source: conn.source, Target: conn.target,
		Port: conn.port, Conn: st.Conn, Tag: st.Tag, Due: st.Due,
	}
	c.Start = d.Clock.Now()
	errno := kernel.WriteByte(int(conn.fd), byteRequest)
	switch {
	case errno != 0:
	case conn.peer != noPeer:
		errno = s.ends[conn.target].Answer(int(conn.peer))
	case d.UDP && s.ends != nil:
		s.ends[conn.target].Serve()
	}
	if errno == 0 {
		errno = readAnswer(int(conn.fd), d.answerTo(byteRequest))
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
		Op: step.Await, Probe: st.Probe, Source: conn.source, Target: conn.target,
		Port: conn.port, Conn: st.Conn, Tag: st.Tag, Start: d.Clock.Now(),
	}
	if ended, errno := kernel.Ending(int(conn.fd)); ended {
		return append(done, s.closed(d, c, k, errno))
	}
	s.watch(int(conn.fd), unix.EPOLLIN, s.pending.add(c, k, c.Start+int64(d.Timeout)))
	return done
}

// answerTo is what the listener answers: over TCP the same byte, over UDP one
// that no listener takes for an opening or a request.
func (d *direct) answerTo(said byte) byte {
	if d.UDP {
		said |= answerBit
	}
	return said
}

// readAnswer takes the answer to one request. The end of the stream is a reset:
// the listener owed an answer. What is no answer is passed over: over UDP it was
// meant for an earlier socket of the same address and port.
func readAnswer(fd int, want byte) syscall.Errno {
	var answer [1]byte
	for {
		n, errno := kernel.Read(fd, answer[:])
		if errno == 0 && n == 0 {
			return syscall.ECONNRESET
		}
		if errno != 0 || answer[0] == want {
			return errno
		}
	}
}

// lost ends a connection whose request failed.
func (s *seat) lost(d *direct, c step.Completion, k uint32, errno syscall.Errno) step.Completion {
	_ = kernel.CloseFD(int(s.conns[k].fd))
	s.shut(k, false)
	s.disown(k)
	s.leave(d, k)
	c = d.fail(c, outcome.Connect, errno, d.Clock.Now())
	if errno == syscall.EPIPE {
		c.Outcome = outcome.Reset
	}
	return c
}
