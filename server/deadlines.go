package server

import (
	"iter"
	"time"
)

// deadlines lists descriptors in the order in which their time is over. All
// have the same time, so it is a queue: no heap, no timer, and every operation
// takes the same few steps however many there are. The zero value is one where
// no time is ever over. A descriptor costs 16 bytes.
type deadlines struct {
	after       time.Duration // the time that each has; 0: any
	links       []link        // by descriptor; the kernel gives the lowest free number, so they are dense
	first, last int32         // descriptor + 1; 0: none
}

// link is a descriptor's place in the queue.
type link struct {
	at         int64 // when its time is over, in nanoseconds; 0: it is not in the queue
	prev, next int32 // descriptor + 1; 0: none
}

// add gives the descriptor its whole time from now on, again if it had some

func (d *deadlines) add(fd int, now int64) {
	if d.after <= 0 {
		return
	}
	d.remove(fd)
	if missing := fd + 1 - len(d.links); missing > 0 {
		d.links = append(d.links, make([]link, missing)...)
	}
	d.links[fd] = link{at: now + int64(d.after), prev: d.last}
	if d.last == 0 {
		d.first = int32(fd + 1)
	} else {
		d.links[d.last-1].next = int32(fd + 1)
	}
	d.last = int32(fd + 1)
}

// remove takes the descriptor out, if it is in.
func (d *deadlines) remove(fd int) {
	if fd >= len(d.links) || d.links[fd].at == 0 {
		return
	}
	gone := d.links[fd]
	d.links[fd] = link{}
	if gone.prev == 0 {
		d.first = gone.next
	} else {
		d.links[gone.prev-1].next = gone.next
	}
	if gone.next == 0 {
		d.last = gone.prev
	} else {
		d.links[gone.next-1].prev = gone.prev
	}
}

// due lists the descriptors whose time is over. Each must be removed, or added
// again, before the next is asked for.
func (d *deadlines) due(now int64) iter.Seq[int] {
	return func(yield func(int) bool) {
		for d.first != 0 && d.links[d.first-1].at <= now {
			if !yield(int(d.first - 1)) {
				return
			}
		}
	}
}

// next returns when the first descriptor's time is over.
func (d *deadlines) next() (at int64, ok bool) {
	if d.first == 0 {
		return 0, false
	}
	return d.links[d.first-1].at, true
}
