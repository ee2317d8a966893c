package scenario

// queued is an open connection that waits for its next step.
type queued struct {
	conn     uint32
	due      int64 // when it is to be closed, nanoseconds since the run began
	requests int   // still to be sent
}

// dueBits of a tag hold a time: 78 hours in nanoseconds.
const dueBits = 48

// tag packs what the connection waits for into a step's tag.
func (q queued) tag() uint64 { return uint64(q.requests)<<dueBits | uint64(q.due)&(1<<dueBits-1) }

func untag(conn uint32, tag uint64) queued {
	return queued{conn: conn, due: int64(tag & (1<<dueBits - 1)), requests: int(tag >> dueBits)}
}

// queue is first in, first out. Its memory is used again: in a steady state
// nothing is allocated.
type queue struct {
	ring []queued
	at   int // index of the oldest
	n    int
}

func (q *queue) len() int { return q.n }

func (q *queue) put(v queued) {
	if q.n == len(q.ring) {
		q.grow()
	}
	q.ring[(q.at+q.n)%len(q.ring)] = v
	q.n++
}

// insert puts v behind all that are not due later. Those are few: connections
// come in the order in which they are due, but for one whose requests took long.
func (q *queue) insert(v queued) {
	q.put(v)
	for i := q.n - 1; i > 0; i-- {
		here, before := &q.ring[(q.at+i)%len(q.ring)], &q.ring[(q.at+i-1)%len(q.ring)]
		if before.due <= here.due {
			return
		}
		*here, *before = *before, *here
	}
}

func (q *queue) grow() {
	larger := make([]queued, max(16, 2*len(q.ring)))
	for i := range q.n {
		larger[i] = q.ring[(q.at+i)%len(q.ring)]
	}
	q.ring, q.at = larger, 0
}

func (q *queue) head() (queued, bool) {
	if q.n == 0 {
		return queued{}, false
	}
	return q.ring[q.at], true
}

func (q *queue) take() (queued, bool) {
	v, ok := q.head()
	if ok {
		q.at = (q.at + 1) % len(q.ring)
		q.n--
	}
	return v, ok
}
