package engine

import (
	"syscall"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// reapMost bounds how many pending steps one look can complete.
const reapMost = 64

// pending holds the steps of a seat that wait for the network, oldest first.
// All have the same timeout, so the oldest is the first to expire. Entries are
// reused: in a steady state nothing is allocated.
type pending struct {
	items      []parked
	spare      []int32 // indices of unused items
	head, tail int32
	count      int
}

// parked is a step whose answer is still to come.
type parked struct {
	c          step.Completion
	slot       uint32
	deadline   int64
	prev, next int32
}

const none = -1

func (p *pending) init() { p.head, p.tail = none, none }

func (p *pending) add(c step.Completion, slot uint32, deadline int64) int32 {
	if len(p.spare) == 0 {
		p.items = append(p.items, parked{})
		p.spare = append(p.spare, int32(len(p.items)-1))
	}
	i := p.spare[len(p.spare)-1]
	p.spare = p.spare[:len(p.spare)-1]
	p.items[i] = parked{c: c, slot: slot, deadline: deadline, prev: p.tail, next: none}
	if p.tail == none {
		p.head = i
	} else {
		p.items[p.tail].next = i
	}
	p.tail = i
	p.count++
	return i
}

func (p *pending) remove(i int32) {
	it := &p.items[i]
	if it.prev == none {
		p.head = it.next
	} else {
		p.items[it.prev].next = it.next
	}
	if it.next == none {
		p.tail = it.prev
	} else {
		p.items[it.next].prev = it.prev
	}
	it.c.Op = 0 // a second event of the same look finds nothing to do
	p.spare = append(p.spare, i)
	p.count--
}

// park keeps a connection that was begun until its answer comes.
func (s *seat) park(d *direct, c step.Completion, k uint32) {
	events := uint32(unix.EPOLLOUT)
	if d.UDP {
		events = unix.EPOLLIN
	}
	s.watch(int(s.conns[k].fd), events, s.pending.add(c, k, c.Start+int64(d.Timeout)))
}

// watch asks the poller for word of the socket. Without room for it the step
// can only time out.
func (s *seat) watch(fd int, events uint32, item int32) {
	_ = kernel.EpollAdd(s.epoll, fd, events, uint64(item))
}

// askToClose asks a listener that closes first to do so, and keeps the
// connection until it has.
func (s *seat) askToClose(d *direct, c step.Completion, k uint32, done []step.Completion) []step.Completion {
	fd := int(s.conns[k].fd)
	c.Start = d.Clock.Now()
	if d.AskToClose {
		_ = kernel.WriteByte(fd, byteClose) // an error shows when the socket is read
	}
	if ended, errno := kernel.Ending(fd); ended {
		return append(done, s.closed(d, c, k, errno))
	}
	s.watch(fd, unix.EPOLLIN, s.pending.add(c, k, c.Start+int64(d.Timeout)))
	return done
}

// closed closes a connection that its peer or the kernel has ended.
func (s *seat) closed(d *direct, c step.Completion, k uint32, errno syscall.Errno) step.Completion {
	c.GaveUp = errno == syscall.ETIMEDOUT
	_ = kernel.CloseFD(int(s.conns[k].fd))
	s.shut(k, false)
	s.leave(d, k)
	c.End = d.Clock.Now()
	return c
}

// reap completes pending steps whose answer has come or whose time is over.
func (s *seat) reap(d *direct, done []step.Completion, now int64) []step.Completion {
	if s.pending.count == 0 {
		return done
	}
	if d.UDP {
		for _, end := range s.ends { // what came after the last look
			end.Serve()
		}
	}
	n, _ := kernel.EpollWait(s.epoll, s.events[:], 0) // an error shows as steps that time out
	for i := range n {
		done = s.answer(d, int32(s.events[i].Tag()), done)
	}
	for i := s.pending.head; i != none && s.pending.items[i].deadline <= now && len(done) < reapMost; i = s.pending.head {
		done = append(done, s.giveUp(d, i, now, outcome.TimedOut))
	}
	return done
}

// answer looks at one pending step that the poller has called ready.
func (s *seat) answer(d *direct, i int32, done []step.Completion) []step.Completion {
	it := s.pending.items[i]
	fd := int(s.conns[it.slot].fd)
	switch it.c.Op {
	case 0:
		return done
	case step.Close, step.Await:
		ended, errno := kernel.Ending(fd)
		if !ended {
			return done
		}
		s.pending.remove(i)
		return append(done, s.closed(d, it.c, it.slot, errno))
	case step.Request:
		return s.answered(d, i, done)
	}
	errno := d.stands(&s.conns[it.slot])
	if errno == syscall.EALREADY || errno == syscall.EINPROGRESS {
		return done
	}
	now := d.Clock.Now()
	s.pending.remove(i)
	if errno == 0 {
		d.delayed(&it.c, fd)
		_ = kernel.EpollRemove(s.epoll, fd)
		return append(done, s.opened(d, it.c, it.slot, now))
	}
	failed := d.fail(it.c, outcome.Connect, errno, now)
	d.explain(&failed, fd)
	_ = kernel.CloseFD(fd)
	s.leave(d, it.slot)
	return append(done, failed)
}

// answered takes the answer that a request has waited for.
func (s *seat) answered(d *direct, i int32, done []step.Completion) []step.Completion {
	it := s.pending.items[i]
	fd, peer := int(s.conns[it.slot].fd), int(s.conns[it.slot].peer)
	if peer != noPeer {
		_ = s.ends[it.c.Target].Answer(peer) // what is wrong with it shows when the answer is read
	}
	errno := readAnswer(fd, d.answerTo(byteRequest))
	if errno == syscall.EAGAIN {
		return done
	}
	s.pending.remove(i)
	if errno != 0 {
		return append(done, s.lost(d, it.c, it.slot, errno))
	}
	_ = kernel.EpollRemove(s.epoll, fd)
	if peer != noPeer {
		_ = kernel.EpollRemove(s.epoll, peer)
	}
	it.c.End = d.Clock.Now()
	return append(done, it.c)
}

// giveUp ends a pending step without an answer. A close that the listener did
// not answer is done by RST: it must not hold its port for ever.
func (s *seat) giveUp(d *direct, i int32, now int64, why outcome.Code) step.Completion {
	it := s.pending.items[i]
	s.pending.remove(i)
	it.c.End = now
	if it.c.Op != step.Close {
		it.c.Outcome = why
		d.explain(&it.c, int(s.conns[it.slot].fd))
	}
	_ = kernel.Reset(int(s.conns[it.slot].fd))
	s.shut(it.slot, false)
	s.disown(it.slot)
	s.leave(d, it.slot)
	return it.c
}

// expire ends pending steps, at most reapMost of them.
func (s *seat) expire(d *direct, done []step.Completion, now int64, why outcome.Code) []step.Completion {
	for s.pending.count > 0 && len(done) < reapMost {
		done = append(done, s.giveUp(d, s.pending.head, now, why))
	}
	return done
}
