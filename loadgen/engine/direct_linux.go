package engine

import (
	"syscall"

	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// batch is how many steps are asked for at a time. It bounds how long a worker
// goes without asking whether the run is to end.
const batch = 32

// longestWait bounds one sleep of an idle worker, in nanoseconds, so that it
// notices soon that its work has more to do or is to end.
const longestWait = 20e6

// direct does each step by ordinary system calls on non-blocking sockets: one
// call at a time, each timed alone. It is the engine for latency.
type direct struct {
	Options
	seats []*seat
	work  step.Work
	steps [batch]step.Step
	n, i  int // steps in the batch, and the next one

	attempts, open int64 // this worker's
}

// NewDirect makes the engine and its threads, enough of them to hold
// o.Connections at once under the descriptor limit.
func NewDirect(o Options) (Engine, error) {
	seats, err := newSeats(&o)
	if err != nil {
		return nil, err
	}
	return &direct{Options: o, seats: seats}, nil
}

// finished, as the seat to go to next, says that the work is done.
const finished = -1

func (d *direct) Run(work step.Work) error {
	d.work, d.n, d.i = work, 0, 0
	at := 0
	for at != finished {
		s := d.seats[at]
		s.thread.Do(func() { at = d.drive(s) })
	}
	d.Log.Flush()
	return nil
}

// drive does steps on the seat's thread until one needs another seat, and
// returns which. This is the hot loop.
func (d *direct) drive(s *seat) (next int) {
	for {
		done := s.reap(d, d.Log.Room(batch+reapMost), d.Clock.Now())
		for ; d.i < d.n; d.i++ {
			st := &d.steps[d.i]
			if next = d.seatOf(st, s); next != s.index {
				s.acceptAll()
				break
			}
			switch st.Op {
			case step.Open:
				done = d.doOpen(s, st, done)
			case step.Close:
				done = d.doClose(s, st, done)
			case step.Request:
				done = d.doRequest(s, st, done)
			case step.Await:
				done = d.doAwait(s, st, done)
			}
		}
		d.finish(done)
		if d.i < d.n {
			return next
		}
		if next = d.fetch(s); next != s.index {
			return next
		}
	}
}

// finish hands on what was done.
func (d *direct) finish(done []step.Completion) {
	d.Log.Keep(done)
	if len(done) > 0 {
		d.work.Take(done)
	}
	d.Tally.set(d.Worker, d.attempts, d.open)
}

// fetch gets the next batch and returns the seat to go on with. It waits while
// there is nothing to do.
func (d *direct) fetch(s *seat) (next int) {
	now := d.Clock.Now()
	n, wake := d.work.Next(now, d.steps[:])
	d.n, d.i = n, 0
	if n > 0 {
		return s.index
	}
	if wake == step.Done {
		s.acceptAll()
		d.cancel(s)
		return d.otherPending(s, finished)
	}
	d.Log.FlushOld(now)
	s.wait(min(wake-now, longestWait))
	return d.otherPending(s, s.index)
}

// otherPending returns a seat other than s with pending connections, or else.
func (d *direct) otherPending(s *seat, otherwise int) int {
	for k := 1; k < len(d.seats); k++ {
		if o := d.seats[(s.index+k)%len(d.seats)]; o.pending.count > 0 {
			return o.index
		}
	}
	return otherwise
}

// cancel ends everything that is pending on the seat.
func (d *direct) cancel(s *seat) {
	for s.pending.count > 0 {
		d.finish(s.expire(d, d.Log.Room(reapMost), d.Clock.Now(), outcome.Canceled))
	}
}

// seatOf returns which seat the step needs: a close the one that holds the
// connection, an open one with room, this one if it can.
func (d *direct) seatOf(st *step.Step, s *seat) int {
	if st.Op != step.Open {
		seat, _ := place(st.Conn)
		return seat
	}
	if len(s.free) > 0 {
		return s.index
	}
	for _, o := range d.seats {
		if len(o.free) > 0 {
			return o.index
		}
	}
	return s.index // which then answers no_fd
}

// doOpen makes one attempt.
func (d *direct) doOpen(s *seat, st *step.Step, done []step.Completion) []step.Completion {
	c := step.Completion{Op: step.Open, Probe: st.Probe, Source: st.Source, Target: st.Target, Tag: st.Tag, Due: st.Due}
	d.count(st, &c)
	c.Start = d.Clock.Now()
	if len(s.free) == 0 {
		return append(done, fail(c, outcome.Socket, syscall.EMFILE, c.Start))
	}
	target := &d.Targets[st.Target]
	fd, errno := kernel.StreamSocket(target.Family())
	if errno != 0 {
		return append(done, fail(c, outcome.Socket, errno, d.Clock.Now()))
	}
	if d.Keepalive || d.UserTimeout > 0 {
		kernel.SetTimeouts(fd, d.Keepalive, d.UserTimeout)
	}
	choice, _ := d.Strategy.Choose(strategy.Attempt{Pool: d.Pools.Of(st.Source, st.Target), Source: st.Source, Target: st.Target})
	if st.Port != 0 {
		choice.Window = ports.Range{Low: st.Port, High: st.Port}
	}
	if choice.Window.High != 0 {
		errno = kernel.SetLocalPortRange(fd, choice.Window.Low, choice.Window.High)
	}
	if errno == 0 {
		c.Start = d.Clock.Now()
		if errno = kernel.Connect(fd, target); errno == syscall.EINPROGRESS {
			// On one machine the answer comes within the call, but only a second
			// call tells.
			errno = kernel.Connect(fd, target)
		}
	}
	now := d.Clock.Now()
	switch errno {
	case 0:
		return append(done, s.opened(d, c, fd, now))
	case syscall.EALREADY, syscall.EINPROGRESS:
		s.park(c, fd, c.Start+int64(d.Timeout))
		return done
	}
	_ = kernel.CloseFD(fd)
	return append(done, fail(c, outcome.Connect, errno, now))
}

// count numbers the attempt among those of all workers, and says how many
// connections are open.
func (d *direct) count(st *step.Step, c *step.Completion) {
	if !st.Probe {
		d.attempts++
	}
	attempts, open := d.attempts, d.open
	if len(d.Tally.lines) > 1 {
		d.Tally.set(d.Worker, d.attempts, d.open)
		moreAttempts, moreOpen := d.Tally.others(d.Worker)
		attempts, open = attempts+moreAttempts, open+moreOpen
	}
	c.Open = uint32(open)
	if !st.Probe {
		c.Attempt = uint32(attempts)
	}
}

// fail completes an attempt that came to nothing.
func fail(c step.Completion, call outcome.Call, errno syscall.Errno, now int64) step.Completion {
	c.End, c.Errno = now, uint16(errno)
	c.GaveUp = errno == syscall.ETIMEDOUT
	c.Outcome = outcome.Of(call, errno, outcome.Kernel)
	return c
}

// doClose closes a connection by the run's close mode. What is timed is the
// generator's own close.
func (d *direct) doClose(s *seat, st *step.Step, done []step.Completion) []step.Completion {
	_, k := place(st.Conn)
	conn := s.conns[k]
	c := step.Completion{
		Op: step.Close, Probe: st.Probe, Source: st.Source, Target: conn.target,
		Port: conn.port, Conn: st.Conn, Tag: st.Tag, Due: st.Due,
	}
	if s.ends != nil && conn.peer == noPeer {
		s.acceptAll()
		s.disown(k) // if it is not there by now, it never will be
	}
	if d.CloseMode.ServerFirst() && !st.Reset {
		if s.ends == nil {
			return s.askToClose(d, c, k, done)
		}
		s.shut(k, d.CloseMode.RST())
	}
	c.Start = d.Clock.Now()
	if d.CloseMode == step.ClientRST || st.Reset {
		_ = kernel.Reset(int(conn.fd))
	} else {
		_ = kernel.CloseFD(int(conn.fd))
	}
	c.End = d.Clock.Now()
	if !d.LeavePeer {
		s.shut(k, false)
	}
	s.release(k)
	d.open--
	return append(done, c)
}
