package engine

import (
	"math"
	"syscall"

	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// doOpen makes one attempt: one try, or several where what the strategy has
// chosen turns out to be taken.
func (d *direct) doOpen(s *seat, st *step.Step, done []step.Completion) []step.Completion {
	a := strategy.Attempt{Pool: d.Pools.Of(st.Source, st.Target), Source: st.Source, Target: st.Target}
	c := step.Completion{Op: step.Open, Probe: st.Probe, Source: st.Source, Target: st.Target, Tag: st.Tag, Due: st.Due}
	d.count(&c, d.Counted.Of(st.Source, st.Target))
	c.Start = d.Clock.Now()
	if s.full() {
		return append(done, d.fail(c, outcome.Socket, syscall.EMFILE, c.Start))
	}
	k := s.take()
	for ; ; a.Try++ {
		choice, ok := d.choose(st, a)
		c.Passed = uint16(min(a.Try, math.MaxUint16))
		s.conns[k] = conn{
			fd: noFD, peer: noPeer, port: choice.Port, source: st.Source, target: st.Target,
			booked: ok && choice.Port != 0 && st.Port == 0,
		}
		if !ok {
			s.leave(d, k)
			return append(done, d.noPort(c, d.Clock.Now()))
		}
		call, errno := d.begin(s, &s.conns[k], choice, &c)
		now := d.Clock.Now()
		switch errno {
		case 0:
			return append(done, s.opened(d, c, k, now))
		case syscall.EALREADY, syscall.EINPROGRESS:
			if d.Path != nil { // it may yet be the first that found no port
				d.number(&c)
			}
			s.park(d, c, k)
			return done
		}
		_ = kernel.CloseFD(int(s.conns[k].fd))
		failed := d.fail(c, call, errno, now)
		if st.Port != 0 || !failed.Outcome.Taken() {
			s.leave(d, k)
			return append(done, failed)
		}
		s.conns[k].booked = false // Failed tells the strategy all
		if !d.Strategy.Failed(a, choice) {
			s.leave(d, k)
			return append(done, d.noPort(failed, now))
		}
	}
}

// choose returns what the attempt's next try asks for. For a step that names
// its port that is the port, and the strategy is not told of it.
func (d *direct) choose(st *step.Step, a strategy.Attempt) (strategy.Choice, bool) {
	switch {
	case st.Port == 0:
		return d.Strategy.Choose(a)
	case d.Traits.Explicit:
		return strategy.Choice{Bind: strategy.BindNow, Port: st.Port, ReuseAddr: !d.UDP}, true
	}
	// A window of one port asks for that port without an explicit bind, whose
	// rules would be other ones.
	choice := strategy.Choice{Window: ports.Range{Low: st.Port, High: st.Port}}
	switch {
	case d.Traits.Early:
		choice.Bind = strategy.BindNow
	case d.Traits.Late:
		choice.Bind = strategy.BindLate
	}
	return choice, true
}

// begin makes the try's socket, and binds and connects it. It returns the call
// that decided and its error number: EALREADY and EINPROGRESS say that the
// answer is still to come.
func (d *direct) begin(s *seat, conn *conn, choice strategy.Choice, c *step.Completion) (outcome.Call, syscall.Errno) {
	target := &d.Targets[conn.target]
	fd, errno := d.socket(target.Family(), choice)
	if errno != 0 {
		return outcome.Socket, errno
	}
	conn.fd, c.Port, c.BindNS = int32(fd), choice.Port, 0
	now := d.Clock.Now()
	if c.Passed == 0 {
		c.Start = now
	}
	if choice.Bind != strategy.NoBind {
		source := d.Sources[conn.source]
		source.SetPort(choice.Port)
		errno = kernel.Bind(fd, &source)
		if c.BindNS = uint32(d.Clock.Now() - now); errno != 0 {
			return outcome.Bind, errno
		}
	}
	errno = kernel.Connect(fd, target)
	switch {
	case errno == 0 && d.UDP:
		errno = s.greet(d, conn)
	case errno == syscall.EINPROGRESS:
		// On one machine the answer comes within the call, but only a second call
		// tells.
		errno = kernel.Connect(fd, target)
	}
	return outcome.Connect, errno
}

// socket makes a socket with the options that the choice and the run ask for.
func (d *direct) socket(family int, choice strategy.Choice) (fd int, errno syscall.Errno) {
	if d.UDP {
		fd, errno = kernel.DatagramSocket(family)
	} else {
		fd, errno = kernel.StreamSocket(family)
	}
	if errno != 0 {
		return noFD, errno
	}
	if d.Keepalive || d.UserTimeout > 0 {
		kernel.SetTimeouts(fd, d.Keepalive, d.UserTimeout)
	}
	if choice.Window.High != 0 {
		errno = kernel.SetLocalPortRange(fd, choice.Window.Low, choice.Window.High)
	}
	if errno == 0 && choice.Bind == strategy.BindLate {
		errno = kernel.SetBindNoPort(fd)
	}
	if errno == 0 && choice.ReuseAddr {
		errno = kernel.SetReuseAddr(fd)
	}
	if errno != 0 {
		_ = kernel.CloseFD(fd)
		return noFD, errno
	}
	return fd, 0
}

// greet sends the datagram that opens, and takes its answer if it is there: over
// UDP a connect says nothing about the other end.
func (s *seat) greet(d *direct, conn *conn) syscall.Errno {
	var local kernel.Sockaddr
	if kernel.LocalAddr(int(conn.fd), &local) == 0 && d.targets[local.AddrPort()] {
		return 0 // connected to itself, as opened finds out: nobody would answer
	}
	errno := kernel.WriteByte(int(conn.fd), byteOpen)
	if errno != 0 {
		return errno
	}
	if s.ends != nil {
		s.ends[conn.target].Serve()
	}
	return d.stands(conn)
}

// stands says how an open that was begun stands: connected, failed, or
// EALREADY or EINPROGRESS while the answer is still to come.
func (d *direct) stands(conn *conn) syscall.Errno {
	if !d.UDP {
		errno := kernel.Connect(int(conn.fd), &d.Targets[conn.target])
		if errno == syscall.EISCONN {
			return 0
		}
		return errno
	}
	errno := readAnswer(int(conn.fd), d.answerTo(byteOpen))
	if errno == syscall.EAGAIN { // which of a UDP connect would mean that there is no port
		return syscall.EINPROGRESS
	}
	return errno
}

// opened takes a connected socket in, unless its own address is a target's: with
// no listener there the kernel may join the two halves of one socket, or two
// sockets of ours that are each other's target. Nobody has answered them.
func (s *seat) opened(d *direct, c step.Completion, k uint32, now int64) step.Completion {
	conn := &s.conns[k]
	var local kernel.Sockaddr
	errno := kernel.LocalAddr(int(conn.fd), &local)
	if errno == 0 && d.mayBeTarget(local.Port()) && d.targets[local.AddrPort()] {
		c.Self, errno = true, syscall.ECONNREFUSED
	}
	c.Port, c.End = local.Port(), now
	if errno != 0 {
		_ = kernel.Reset(int(conn.fd)) // a self-connection would end in TIME_WAIT
		s.leave(d, k)
		return d.fail(c, outcome.Connect, errno, now)
	}
	conn.port, conn.open, c.Conn = c.Port, true, s.name(k)
	d.Tally.change(d.Worker, d.Counted.Of(conn.source, conn.target), 1)
	if s.ends != nil && !d.UDP {
		s.owed = append(s.owed, k)
		if len(s.owed) > d.Unaccepted {
			s.acceptAll()
		}
	}
	return c
}

// mayBeTarget says whether a target may have the port: usually the range has
// none, and the look into the map is saved.
func (d *direct) mayBeTarget(port uint16) bool { return d.lowest <= port && port <= d.highest }

// count counts the attempt, and unless that is not asked for numbers it among
// those of all workers and says how many connections of its pool are open.
func (d *direct) count(c *step.Completion, pool int) {
	if !c.Probe {
		d.Tally.begun(d.Worker)
	}
	if !d.Unnumbered {
		c.Open = uint32(d.Tally.inPool(pool))
		d.number(c)
	}
}

// number gives the attempt the number of the latest that has begun, if it has
// none.
func (d *direct) number(c *step.Completion) {
	if !c.Probe && c.Attempt == 0 {
		c.Attempt = uint32(d.Tally.attempts())
	}
}

// fail completes an attempt that came to nothing.
func (d *direct) fail(c step.Completion, call outcome.Call, errno syscall.Errno, now int64) step.Completion {
	by := outcome.Kernel
	if d.Traits.Explicit {
		by = outcome.Us
	}
	d.number(&c)
	c.End, c.Errno = now, uint16(errno)
	c.GaveUp = errno == syscall.ETIMEDOUT
	c.Outcome = outcome.Of(call, errno, by)
	return c
}

// noPort completes an attempt for which the strategy has nothing more to try.
func (d *direct) noPort(c step.Completion, now int64) step.Completion {
	d.number(&c)
	c.End, c.Port, c.Outcome = now, 0, outcome.NoPort
	return c
}
