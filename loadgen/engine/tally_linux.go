package engine

import "sync/atomic"

// Tally lets the workers of a run know how far they all are, and how full each
// pool of ports is. Each writes its own counts and reads the others': nothing
// is written by two. An attempt's number, and what was open when it began, are
// off by no more than the attempts that are under way.
type Tally struct{ lines []line }

// line is one worker's counts, on cache lines of their own.
type line struct {
	attempts, open atomic.Int64
	pools          []atomic.Int64 // open, by pool
	_              [88]byte
}

// apart is how many counters keep the pools of two workers on cache lines of
// their own: processors fetch lines of 64 bytes in pairs.
const apart = 16

// NewTally makes a tally for so many workers and pools (strategy.Pools.Count).
func NewTally(workers, pools int) *Tally {
	t := &Tally{lines: make([]line, workers)}
	for i := range t.lines {
		t.lines[i].pools = make([]atomic.Int64, pools, pools+apart)
	}
	return t
}

// Open returns how many connections all workers hold.
func (t *Tally) Open() int64 {
	open := int64(0)
	for i := range t.lines {
		open += t.lines[i].open.Load()
	}
	return open
}

// inPool returns how many connections of a pool all workers hold.
func (t *Tally) inPool(pool int) int64 {
	open := int64(0)
	for i := range t.lines {
		open += t.lines[i].pools[pool].Load()
	}
	return open
}

// attempt counts one more of the worker's attempts and returns its number among
// all, from 1.
func (t *Tally) attempt(worker int) int64 {
	t.begun(worker)
	return t.attempts()
}

// begun counts one more of the worker's attempts.
func (t *Tally) begun(worker int) { t.lines[worker].attempts.Add(1) }

// attempts returns how many attempts all workers have begun.
func (t *Tally) attempts() int64 {
	n := int64(0)
	for i := range t.lines {
		n += t.lines[i].attempts.Load()
	}
	return n
}

// change counts connections that the worker has opened, or closed if by is
// below 0.
func (t *Tally) change(worker, pool int, by int64) {
	t.lines[worker].open.Add(by)
	t.lines[worker].pools[pool].Add(by)
}
