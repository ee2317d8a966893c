package engine

import (
	"errors"
	"fmt"
	"math"
	"net/netip"

	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
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
	targets map[netip.AddrPort]bool // Targets again, to be looked up
	lowest  uint16                  // of their ports
	highest uint16
	seats   []*seat
	work    step.Work
	steps   [batch]step.Step
	n, i    int // steps in the batch, and the next one
}

// NewDirect makes the engine and its threads, enough of them to hold
// o.Connections at once under the descriptor limit.
func NewDirect(o Options) (Engine, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.UDP { // a datagram socket is closed, no more
		o.CloseMode, o.Keepalive, o.UserTimeout = step.ClientFIN, false, 0
	}
	d := &direct{Options: o, targets: map[netip.AddrPort]bool{}, lowest: math.MaxUint16}
	for i := range o.Targets {
		at := o.Targets[i].AddrPort()
		d.targets[at] = true
		d.lowest, d.highest = min(d.lowest, at.Port()), max(d.highest, at.Port())
	}
	var err error
	if d.seats, err = newSeats(&o); err != nil {
		return nil, err
	}
	return d, nil
}

// check settles what is left open, and refuses what would fail in the middle of a
// run.
func (o *Options) check() error {
	if o.Counted == (strategy.Pools{}) {
		o.Counted = o.Pools
	}
	if o.Traits.Source && len(o.Sources) == 0 {
		return errors.New("engine: the strategy binds to a source address, and there is none")
	}
	if pools, counted := o.Counted.Count(), len(o.Tally.lines[o.Worker].pools); pools > counted {
		return fmt.Errorf("engine: %d pools of ports, and a tally of %d", pools, counted)
	}
	return nil
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
	if !s.full() {
		return s.index
	}
	for _, o := range d.seats {
		if !o.full() {
			return o.index
		}
	}
	return s.index // which then answers no_fd
}

// doClose closes a connection by the run's close mode. What is timed is the
// generator's own close.
func (d *direct) doClose(s *seat, st *step.Step, done []step.Completion) []step.Completion {
	_, k := place(st.Conn)
	conn := s.conns[k]
	c := step.Completion{
		Op: step.Close, Probe: st.Probe, Source: conn.source, Target: conn.target,
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
	s.leave(d, k)
	return append(done, c)
}
