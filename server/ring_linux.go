package server

import (
	"errors"
	"math"
	"syscall"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/uring"
)

// Sizes of an acceptor's ring.
const (
	ringEntries = 4096
	ringRoom    = 16384                  // connections that one acceptor holds at a time
	ringGather  = 64                     // connections, or ends of them, that it waits for while there is traffic
	ringPause   = 500 * time.Microsecond // and how long
	ringIdle    = 20 * time.Millisecond
)

// What a tag of the ring names: its kind, and in the lower half the index of an
// address or a direct descriptor.
const (
	ringAccept = uint64(0) << 32
	ringClose  = uint64(1) << 32 // the wait for a client's close, and the close
	ringAgain  = uint64(2) << 32 // the close after that has failed

	ringKind = uint64(math.MaxUint32) << 32
)

// acceptor accepts and closes by a ring of its own (Config.Ring), on a thread of
// its own: connections come by one submission for all (multishot), as direct
// descriptors. Apart from counts all fields are the thread's.
type acceptor struct {
	counts
	l       *Listener
	thread  *kernel.Thread
	ring    *uring.Ring
	sockets []int // by address
	orders  chan func()
	open    int // connections that wait for their client's close
	busy    bool
	starved bool // accepting has failed for want of something
	stopped bool
}

// checkRing finds what a listener with rings cannot do.
func (c *Config) checkRing() error {
	if c.UDP || c.Together || c.ServerFirst || c.Linger > 0 || c.Idle > 0 || c.MaxConnections > 0 || c.MaxBytes > 0 || c.Guard != nil || c.Vanish {
		return errors.New("listen by a ring: it is for TCP connections that the client closes first, and knows no limits")
	}
	return nil
}

// newAcceptors makes one for each share of the listeners.
func (l *Listener) newAcceptors() (list []*acceptor, err error) {
	for i := range l.config.shares() {
		a, err := newAcceptor(l, i)
		if err != nil {
			for _, made := range list {
				made.thread.Close()
			}
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

func newAcceptor(l *Listener, share int) (a *acceptor, err error) {
	a = &acceptor{l: l, sockets: l.share(share), orders: make(chan func(), 1)}
	if a.thread, err = kernel.NewThread(); err != nil {
		return nil, err
	}
	a.thread.Do(func() {
		if len(l.config.CPUs) > 1 {
			err = kernel.PinTo(l.config.CPUs[share])
		}
		if err == nil {
			a.ring, err = uring.New(ringEntries, room(ringRoom))
		}
	})
	if err != nil {
		a.thread.Close()
		return nil, err
	}
	return a, nil
}

// run is the acceptor's life. What an order asks for is done in a quiet moment:
// when nothing came for a while that began after the order, and no client's close
// is waited for. A thread that was held up may find a while quiet that was not.
func (a *acceptor) run() {
	const patience = time.Second / ringIdle // quiet moments that a client may let an order wait
	for address := range a.sockets {
		a.listen(address)
	}
	var order func()
	for waited := 0; !a.stopped; {
		a.round()
		if a.busy {
			waited = 0
			continue
		}
		if a.open > 0 && waited < int(patience) {
			waited++
			continue
		}
		waited = 0
		if order != nil {
			order()
			order = nil
		}
		select {
		case order = <-a.orders:
		default:
		}
	}
	a.ring.Close()
}

func (a *acceptor) listen(address int) {
	a.ring.AcceptAll(a.sockets[address], ringAccept|uint64(address))
}

// room is how many of so many connections the descriptor limit lets a ring hold.
func room(most uint32) uint32 {
	limit, err := kernel.NoFileLimit()
	if err != nil {
		return most
	}
	return uint32(min(uint64(most), limit))
}

// round waits for what comes and handles it. While there is traffic it waits for
// more than one: being woken for each is the main cost of accepting.
func (a *acceptor) round() {
	wait, patience := 1, ringIdle
	if a.busy {
		wait, patience = ringGather, ringPause
	}
	if a.starved {
		a.starved = false
		a.l.sleep(leastStarved)
	}
	_ = a.ring.Submit(wait, patience) // what it could not take it takes in the next round
	a.busy = false
	var c uring.Completion
	for a.ring.Room() > 2 && a.ring.Next(&c) {
		a.busy = true
		if c.Tag&ringKind == ringAccept {
			a.came(&c)
		} else {
			a.ended(&c)
		}
	}
}

// came takes a connection. One that its client resets is closed at once: whoever
// is first, no TIME_WAIT is left. Else it is closed when the client has closed.
func (a *acceptor) came(c *uring.Completion) {
	address := int(c.Tag &^ ringKind)
	switch errno := c.Errno(); {
	case errno == 0:
		slot := uint32(c.Res)
		a.accepted.Add(1)
		if a.l.config.RST {
			a.ring.CloseFile(slot, uring.SilentGood, ringClose|uint64(slot))
			a.closed.Add(1)
		} else {
			a.open++
			a.ring.Readable(slot, uring.ThenNext, ringClose|uint64(slot))
			a.ring.CloseFile(slot, uring.Alone, ringClose|uint64(slot))
		}
	case outOfDescriptors(errno):
		a.noFD.Add(1)
		a.starved = true
	case errno == syscall.EINVAL:
		return // it listens no more
	default:
		a.starved = true
	}
	if !c.More() {
		a.listen(address)
	}
}

// ended takes a connection's end. Where the wait for it, or the close, has failed
// the connection is still to be closed; where that fails too nothing is left to
// close. One closed by RST was counted when it came.
func (a *acceptor) ended(c *uring.Completion) {
	if c.Errno() != 0 && c.Tag&ringKind == ringClose {
		slot := c.Tag &^ ringKind
		a.ring.CloseFile(uint32(slot), uring.Alone, ringAgain|slot)
		return
	}
	if !a.l.config.RST {
		a.open--
		a.closed.Add(1)
	}
}
