package engine

import (
	"syscall"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/uring"
	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// chain is one connection under way. The kernel reads and writes its addresses
// while it is, so a chain stays where it is.
type chain struct {
	c        step.Completion
	deadline int64
	ended    outcome.Code // what an end by us means; OK: none
	busy     bool
	window   uring.PortRange
	source   kernel.Sockaddr
	peer     kernel.Sockaddr // ends together: of whom was accepted
	accepted bool
}

// link is one call of a chain. A completion's tag says of which slot and link.
type link uint8

const (
	linkSocket link = iota
	linkOption
	linkBind
	linkConnect
	linkAccept
	linkAsk   // asks a listener that closes first to do so
	linkWait  // waits until it has
	linkFirst // the close of the end that closes first; the other's follows
	linkClose // the last close, and what belongs to it
	linkClean // closes what a broken chain left open
	linkCancel
)

const linkBits = 8

func tag(k uint32, l link) uint64 { return uint64(k)<<linkBits | uint64(l) }

func untag(t uint64) (k uint32, l link) { return uint32(t >> linkBits), link(t & (1<<linkBits - 1)) }

// client and listener are the direct descriptors of a slot's two ends.
func (e *chained) client(k uint32) uint32   { return k }
func (e *chained) listener(k uint32) uint32 { return k + uint32(len(e.chains)) }

// begin makes one attempt: it writes the chain.
func (e *chained) begin(st *step.Step, now int64) {
	k := e.free[len(e.free)-1]
	e.free = e.free[:len(e.free)-1]
	c := &e.chains[k]
	e.Tally.attempt(e.Worker)
	c.c = step.Completion{
		Op: step.Cycle, Probe: st.Probe, Source: st.Source, Target: st.Target, Tag: st.Tag, Due: st.Due, Start: now,
		Attempt: uint32(e.Tally.attempts()),
	}
	c.busy, c.ended, c.accepted, c.deadline = true, outcome.OK, false, now+int64(e.Timeout)
	choice, _ := e.Strategy.Choose(strategy.Attempt{Pool: e.Pools.Of(st.Source, st.Target), Source: st.Source, Target: st.Target})
	e.write(k, c, choice)
	e.due++
}

// write writes the chain: what opens the connection, and what closes it.
func (e *chained) write(k uint32, c *chain, choice strategy.Choice) {
	r, at, target := e.ring, e.client(k), &e.Targets[c.c.Target]
	r.Socket(target.Family(), at, uring.ThenNext, tag(k, linkSocket))
	if w := choice.Window; w.High != 0 {
		c.window = uring.PortRange{Low: w.Low, High: w.High}
		r.SetPortRange(at, &c.window, uring.ThenNext, tag(k, linkOption))
	}
	if choice.Bind == strategy.BindLate {
		r.SetBindNoPort(at, uring.ThenNext, tag(k, linkOption))
	}
	if choice.Bind != strategy.NoBind {
		c.source = e.Sources[c.c.Source]
		addr, size := c.source.Raw()
		r.Bind(at, addr, size, uring.ThenNext, tag(k, linkBind))
	}
	addr, size := target.Raw()
	r.Connect(at, addr, size, uring.ThenNext, tag(k, linkConnect))
	if e.ends != nil {
		e.writeTogether(k, c)
	} else {
		e.writeApart(k)
	}
}

// writeTogether accepts, and closes. What a close puts off to the end of the call
// (fput in fs/file_table.c) the kernel does in no order that it promises. With
// RST that does not matter; with FIN the second end is closed by a call of its
// own.
func (e *chained) writeTogether(k uint32, c *chain) {
	r := e.ring
	addr, room := c.peer.Room()
	r.Accept(e.ends[c.c.Target].Socket(), e.listener(k), addr, room, uring.ThenNext, tag(k, linkAccept))
	first, second := e.inOrder(k)
	if !e.CloseMode.RST() {
		r.CloseFile(first, uring.Alone, tag(k, linkFirst))
		return
	}
	r.SetReset(first, uring.ThenNext, tag(k, linkClose))
	r.CloseFile(first, uring.ThenNext, tag(k, linkClose))
	r.CloseFile(second, uring.Alone, tag(k, linkClose))
}

// inOrder returns the slot's two ends in the order in which they are closed.
func (e *chained) inOrder(k uint32) (first, second uint32) {
	if e.CloseMode.ServerFirst() {
		return e.listener(k), e.client(k)
	}
	return e.client(k), e.listener(k)
}

// closeSecond closes the end that does not close first.
func (e *chained) closeSecond(k uint32) {
	_, second := e.inOrder(k)
	e.ring.CloseFile(second, uring.Alone, tag(k, linkClose))
	e.due++
}

// writeApart closes this end: at once, or when a listener that closes first has.
func (e *chained) writeApart(k uint32) {
	r, at := e.ring, e.client(k)
	if e.CloseMode.ServerFirst() {
		if e.AskToClose {
			r.Send(at, &e.ask, uring.ThenNext, tag(k, linkAsk))
		}
		r.Readable(at, uring.ThenNext, tag(k, linkWait))
	} else if e.CloseMode.RST() {
		r.SetReset(at, uring.ThenNext, tag(k, linkClose))
	}
	r.CloseFile(at, uring.Alone, tag(k, linkClose))
}

// broken takes a chain that a call has ended, and says whether the close of what
// is open is still to come.
func (e *chained) broken(k uint32, at link, errno syscall.Errno) (open bool) {
	c := &e.chains[k]
	if call, decides := at.call(); decides {
		c.c.Outcome, c.c.Errno = e.means(c, call, errno), uint16(errno)
	}
	if at == linkSocket {
		return false
	}
	c.accepted = e.ends != nil && at > linkAccept
	e.clean(k, at)
	return true
}

// means is what the error number of a call that decides means.
func (e *chained) means(c *chain, call outcome.Call, errno syscall.Errno) outcome.Code {
	if errno == syscall.ECANCELED && c.ended != outcome.OK {
		return c.ended
	}
	c.c.GaveUp = errno == syscall.ETIMEDOUT
	return outcome.Of(call, errno, outcome.Kernel)
}

// call is the call whose failure decides over the attempt. After it the
// connection stands, and the attempt has succeeded.
func (l link) call() (call outcome.Call, decides bool) {
	switch l {
	case linkSocket, linkOption:
		return outcome.Socket, true
	case linkBind:
		return outcome.Bind, true
	case linkConnect:
		return outcome.Connect, true
	}
	return 0, false
}

// clean closes what a chain that broke at a link has left open; by RST, as
// whatever waits for it shall not take the port.
func (e *chained) clean(k uint32, at link) {
	e.strays = e.strays || at == linkAccept
	if e.chains[k].accepted {
		e.ring.CloseFile(e.listener(k), uring.SilentGood, tag(k, linkCancel))
	}
	e.ring.SetReset(e.client(k), uring.SilentGood, tag(k, linkCancel))
	e.ring.CloseFile(e.client(k), uring.Alone, tag(k, linkClean))
	e.due++
}

// cancel ends the chain at whatever it waits for, and says whether there was
// room to. It may wait for nothing: then it ends by itself.
func (e *chained) cancel(k uint32, why outcome.Code) bool {
	if e.ring.Room() < mostLinks {
		return false
	}
	c := &e.chains[k]
	if c.ended == outcome.OK {
		c.ended = why
	}
	for _, l := range []link{linkConnect, linkAccept, linkWait} {
		e.ring.Cancel(tag(k, l), tag(k, linkCancel))
	}
	return true
}

// finish ends an attempt: nothing of it is open any more.
func (e *chained) finish(k uint32, now int64) step.Completion {
	c := &e.chains[k]
	c.c.End = now
	if c.accepted {
		end := e.ends[c.c.Target]
		end.Took(&c.peer)
		c.c.Port = c.peer.Port()
	}
	c.busy = false
	e.free = append(e.free, k)
	return c.c
}
