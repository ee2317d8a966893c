package engine

import (
	"fmt"
	"syscall"
	"time"

	"lastport/loadgen/kernel"
)

// seat is one of a worker's threads and the connections that live in its
// descriptor table. A worker sits on one seat at a time and moves on when the
// table is full, so it is one flow of calls however many tables it needs.
type seat struct {
	index   int
	thread  *kernel.Thread
	size    int      // connections that it can hold
	conns   []conn   // by slot, as far as slots have been used
	free    []uint32 // slots of those that are free again
	ends    []End    // ends together: by target
	owed    []uint32 // slots whose other end has not been accepted yet, oldest first
	epoll   int      // watches the sockets of pending steps
	events  [reapMost]kernel.Event
	pending pending
}

// conn is one connection, open or pending: 16 bytes for both ends. What has never
// been used of the lists of slots takes no memory.
type conn struct {
	fd, peer       int32  // peer: the listener's end in this table
	port           uint16 // 0 as long as the kernel has not told it
	source, target uint16
	open           bool
	booked         bool // the strategy has chosen the port, and must be told when it is free
}

// MaxThreads is how many threads one worker has at most, each with a descriptor
// table of its own. A connection's name holds 1 << (32 - slotBits) of them.
const MaxThreads = 512

const (
	noFD         = -1
	noPeer       = -1
	spareFDs     = 8 // left free in each table: the poller's, and a few for the runtime
	maxSeats     = MaxThreads
	slotBits     = 23 // of a connection's name: which slot; the bits above say which seat
	fdsApart     = 1
	fdsTogether  = 2
	smallestSeat = 1
)

// LimitError says that the descriptor limit is too low for the connections
// that a run is to hold.
type LimitError struct {
	Connections int    // that the run needs
	Limit       uint64 // descriptors a table
	Need        int    // descriptors a table that would do
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("a descriptor limit of %d is too low to hold %d connections in %d threads", e.Limit, e.Connections, maxSeats)
}

// Hint says what to type.
func (e *LimitError) Hint() string {
	return fmt.Sprintf("raise it with 'ulimit -n %d', or hold fewer with --connections", e.Need)
}

// newSeats starts the threads that o.Connections need.
func newSeats(o *Options) ([]*seat, error) {
	fds := fdsApart
	if o.Ends != nil && !o.UDP { // datagrams come by one socket of the listener's
		fds = fdsTogether
	}
	want := o.Connections + 1 // one more, for the attempt that finds no port
	var seats []*seat
	for held := 0; held < want; {
		s, err := newSeat(o, len(seats), fds, want)
		if err != nil {
			closeSeats(seats)
			return nil, err
		}
		seats = append(seats, s)
		if held += s.size; s.size < smallestSeat || (want+s.size-1)/s.size > maxSeats {
			closeSeats(seats)
			limit, err := kernel.NoFileLimit()
			if err != nil {
				return nil, err
			}
			used := int(limit) - s.thread.Free()
			return nil, &LimitError{Connections: o.Connections, Limit: limit, Need: used + spareFDs + fds*((want+maxSeats-1)/maxSeats)}
		}
	}
	return seats, nil
}

func newSeat(o *Options, index, fds, want int) (*seat, error) {
	thread, err := kernel.NewThread()
	if err != nil {
		return nil, fmt.Errorf("worker %d: %w", o.Worker, err)
	}
	s := &seat{index: index, thread: thread, size: max(0, min(want, (thread.Free()-spareFDs)/fds, 1<<slotBits))}
	var errno syscall.Errno
	thread.Do(func() {
		s.epoll, errno = kernel.NewEpoll()
		if o.Enter != nil {
			err = o.Enter()
		}
		if err == nil && o.Pinned {
			err = kernel.PinTo(o.CPU)
		}
	})
	if errno != 0 {
		err = fmt.Errorf("epoll: %w", errno)
	}
	if err != nil {
		thread.Close()
		return nil, fmt.Errorf("worker %d: %w", o.Worker, err)
	}
	s.conns = make([]conn, 0, s.size)
	s.free = make([]uint32, 0, s.size)
	if o.Ends != nil {
		for t := range o.Targets {
			s.ends = append(s.ends, o.Ends(t))
		}
		s.owed = make([]uint32, 0, min(s.size, o.Unaccepted+1))
	}
	s.pending.init()
	return s, nil
}

func closeSeats(seats []*seat) {
	for _, s := range seats {
		s.thread.Close()
	}
}

func (d *direct) CPUTime() (sum kernel.CPUTime) {
	for _, s := range d.seats {
		sum = sum.Plus(s.thread.CPUTime())
	}
	return sum
}

// Close ends the threads; the kernel closes what their tables hold.
func (d *direct) Close() { closeSeats(d.seats) }

// name returns how steps name the connection in a slot of this seat. Seats may
// differ in size, as their tables begin with whatever is open at the time.
func (s *seat) name(slot uint32) uint32 { return uint32(s.index)<<slotBits | slot }

// place returns the seat and slot of a name.
func place(name uint32) (seat int, slot uint32) {
	return int(name >> slotBits), name & (1<<slotBits - 1)
}

// full says whether every slot is in use.
func (s *seat) full() bool { return len(s.free) == 0 && len(s.conns) == s.size }

// take returns a slot: the one that was freed last, or one that is new. The seat
// is not full.
func (s *seat) take() uint32 {
	if n := len(s.free); n > 0 {
		k := s.free[n-1]
		s.free = s.free[:n-1]
		return k
	}
	s.conns = s.conns[:len(s.conns)+1]
	return uint32(len(s.conns) - 1)
}

// leave gives the slot of a connection that is over back, or of one that never
// came to be. It comes after the socket is closed: not before may its port be
// chosen again.
func (s *seat) leave(d *direct, k uint32) {
	c := &s.conns[k]
	if c.open {
		d.Tally.change(d.Worker, d.Counted.Of(c.source, c.target), -1)
	}
	if c.booked {
		d.Strategy.Freed(d.Pools.Of(c.source, c.target), c.port)
	}
	s.free = append(s.free, k)
}

// acceptAll accepts what is in the listeners' queues and pairs it, by port, with
// the connections that wait for their other end: usually the oldest of them. It
// comes before another thread goes on, which would find in the queue what
// belongs to this thread's table.
func (s *seat) acceptAll() {
	paired := 0
	for paired < len(s.owed) {
		target := s.conns[s.owed[paired]].target
		end := s.ends[target]
		fd, port, errno := end.Accept()
		if errno != 0 {
			break // EAGAIN: not there yet. Anything else the end has counted.
		}
		i := paired
		for i < len(s.owed) && (s.conns[s.owed[i]].port != port || s.conns[s.owed[i]].target != target) {
			i++
		}
		if i == len(s.owed) {
			end.Shut(fd, false) // its attempt was given up in the meantime
			continue
		}
		s.owed[paired], s.owed[i] = s.owed[i], s.owed[paired]
		s.conns[s.owed[paired]].peer = int32(fd)
		paired++
	}
	s.owed = s.owed[:copy(s.owed, s.owed[paired:])]
}

// shut closes the listener's end of the slot's connection, if it is here.
func (s *seat) shut(k uint32, rst bool) {
	if c := &s.conns[k]; c.peer != noPeer {
		s.ends[c.target].Shut(int(c.peer), rst)
		c.peer = noPeer
	}
}

// disown forgets that the slot waits for its other end.
func (s *seat) disown(k uint32) {
	for i, o := range s.owed {
		if o == k {
			s.owed = append(s.owed[:i], s.owed[i+1:]...)
			return
		}
	}
}

// wait sleeps, at most so many nanoseconds, until a pending step may have an
// answer.
func (s *seat) wait(ns int64) {
	switch {
	case ns <= 0:
	case s.pending.count == 0:
		kernel.Sleep(time.Duration(ns))
	default:
		// What it finds ready is still ready when reap asks.
		_, _ = kernel.EpollWait(s.epoll, s.events[:1], time.Duration(ns))
	}
}
