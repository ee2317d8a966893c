package fakekernel

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// What the driver has in common with a real engine, and its patience.
const (
	batch       = 32
	longestWait = int64(20 * time.Millisecond)
	limit       = int64(4 * time.Hour)
)

// worker is one engine's state.
type worker struct {
	*Kernel
	index   int
	work    step.Work
	now     int64
	steps   [batch]step.Step
	n, i    int // steps in the batch, and the next one
	done    []step.Completion
	pending []waiting
	ended   bool
}

// waiting is a step whose answer comes at the time at.
type waiting struct {
	c     step.Completion
	place place
	at    int64
}

// Run does the works side by side, each as one worker, until all are done. The
// clock goes on from where it stands. An error says that a work broke the rules
// of package step, or that it did not end within hours.
func (k *Kernel) Run(works ...step.Work) error {
	workers := make([]*worker, len(works))
	for i, w := range works {
		workers[i] = &worker{Kernel: k, index: i, work: w, now: k.now}
	}
	for {
		var first *worker // in virtual time: what it does happens next
		for _, w := range workers {
			if !w.ended && (first == nil || w.now < first.now) {
				first = w
			}
		}
		if first == nil {
			return nil
		}
		k.now = first.now
		if k.now > limit {
			return fmt.Errorf("worker %d: not done after %v", first.index, time.Duration(k.now))
		}
		if stall := &k.config.Stall; stall.For > 0 && k.now >= int64(stall.At) {
			first.now += int64(stall.For)
			stall.For = 0
			continue
		}
		if k.config.Each != nil {
			k.config.Each(k.now)
		}
		if err := first.turn(); err != nil {
			return fmt.Errorf("worker %d at %v: %w", first.index, time.Duration(k.now), err)
		}
	}
}

// turn does one step, or asks for more.
func (w *worker) turn() error {
	if w.i < w.n {
		st := w.steps[w.i]
		w.i++
		switch st.Op {
		case step.Open, step.Cycle:
			w.open(st)
		case step.Close:
			return w.close(st)
		case step.Request:
			return w.request(st)
		default:
			return fmt.Errorf("step %d of a batch: unknown operation %d", w.i, st.Op)
		}
		return nil
	}
	w.reap()
	if len(w.done) > 0 {
		w.work.Take(w.done)
		w.done = w.done[:0]
	}
	return w.fetch()
}

// fetch gets the next batch, or moves the worker's clock to when it has to ask
// again.
func (w *worker) fetch() error {
	n, wake := w.work.Next(w.now, w.steps[:])
	w.n, w.i = n, 0
	switch {
	case n < 0 || n > batch:
		return fmt.Errorf("filled %d of %d steps", n, batch)
	case n > 0:
		return nil
	case wake == step.Done:
		w.cancel()
		return nil
	case wake <= w.now:
		return fmt.Errorf("nothing to do, and asks to be woken at %v: that would spin", time.Duration(wake))
	}
	next := min(wake, w.now+longestWait)
	for _, p := range w.pending {
		next = min(next, max(p.at, w.now))
	}
	w.now = next
	return nil
}

// open makes one attempt.
func (w *worker) open(st step.Step) {
	k := w.Kernel
	k.tries++
	at := place{source: st.Source, target: st.Target, pool: k.poolOf(st.Source, st.Target), index: noPort}
	pool := &k.pools[at.pool]
	c := step.Completion{
		Op: st.Op, Probe: st.Probe, Source: st.Source, Target: st.Target, Due: st.Due, Tag: st.Tag,
		Start: w.now, Open: uint32(pool.open),
	}
	if !st.Probe {
		k.attempts++
		c.Attempt = uint32(k.attempts)
	}
	var fate Fate
	if k.config.Fate != nil {
		fate = k.config.Fate(k.tries, w.now)
	}
	w.now += int64(k.config.Call)
	if fate.Outcome == outcome.NoFD { // socket(2) comes before the search for a port, and waits for nobody
		fate.After = 0
	} else {
		if at.index = k.take(pool, st.Port); at.index == noPort {
			fate = Fate{Outcome: outcome.NoPort}
		} else {
			c.Port = FirstPort + uint16(at.index)
		}
	}
	c.Outcome = fate.Outcome
	answer := w.now + int64(fate.After)
	if fate.After >= k.config.Timeout {
		c.Outcome, answer = outcome.TimedOut, c.Start+int64(k.config.Timeout)
	}
	if fate.After > 0 {
		w.pending = append(w.pending, waiting{c, at, answer})
		return
	}
	w.opened(c, at)
}

// opened ends an attempt, on the port that it took.
func (w *worker) opened(c step.Completion, at place) {
	c.End = w.now
	switch {
	case c.Outcome == outcome.OK:
		c.Conn = w.connect(at)
		if c.Op == step.Cycle {
			w.disconnect(c.Conn, false)
		}
	case at.index != noPort:
		w.pools[at.pool].ports[at.index].taken = false
	}
	w.count(&c)
	w.finish(c)
}

// close closes a connection, or waits for the listener to do so.
func (w *worker) close(st step.Step) error {
	place, ok := w.conns[st.Conn]
	if !ok || w.waits(st.Conn) {
		return fmt.Errorf("closes connection %d, which is not open", st.Conn)
	}
	c := step.Completion{
		Op: step.Close, Probe: st.Probe, Source: place.source, Target: place.target, Port: FirstPort + uint16(place.index),
		Conn: st.Conn, Due: st.Due, Tag: st.Tag, Start: w.now,
	}
	w.now += int64(w.config.Call)
	if w.config.Close.ServerFirst() && w.config.PeerClose > 0 && !st.Reset {
		at := w.now + int64(min(w.config.PeerClose, w.config.Timeout))
		w.pending = append(w.pending, waiting{c, place, at})
		return nil
	}
	w.closed(c, st.Reset)
	return nil
}

// request sends a request, or waits for its answer.
func (w *worker) request(st step.Step) error {
	place, ok := w.conns[st.Conn]
	if !ok || w.waits(st.Conn) {
		return fmt.Errorf("sends a request over connection %d, which is not open", st.Conn)
	}
	c := step.Completion{
		Op: step.Request, Probe: st.Probe, Source: place.source, Target: place.target, Port: FirstPort + uint16(place.index),
		Conn: st.Conn, Due: st.Due, Tag: st.Tag, Start: w.now,
	}
	w.requests++
	var fate Fate
	if w.config.Request != nil {
		fate = w.config.Request(w.requests)
	}
	w.now += int64(w.config.Call)
	c.Outcome = fate.Outcome
	at := w.now + int64(fate.After)
	if fate.After >= w.config.Timeout {
		c.Outcome, at = outcome.TimedOut, c.Start+int64(w.config.Timeout)
	}
	if fate.After > 0 {
		w.pending = append(w.pending, waiting{c, place, at})
		return nil
	}
	w.answered(c)
	return nil
}

// answered ends a request, and with one that failed its connection.
func (w *worker) answered(c step.Completion) {
	if c.Outcome != outcome.OK {
		w.disconnect(c.Conn, true)
	}
	c.End = w.now
	w.finish(c)
}

// waits says whether a step over the connection waits for its answer.
func (w *worker) waits(name uint32) bool {
	return slices.ContainsFunc(w.pending, func(p waiting) bool { return p.c.Op != step.Open && p.c.Op != step.Cycle && p.c.Conn == name })
}

func (w *worker) closed(c step.Completion, rst bool) {
	w.disconnect(c.Conn, rst)
	c.End = w.now
	w.finish(c)
}

// reap ends the steps whose answer has come, the first answer first.
func (w *worker) reap() {
	slices.SortStableFunc(w.pending, func(a, b waiting) int { return cmp.Compare(a.at, b.at) })
	w.pending = slices.DeleteFunc(w.pending, func(p waiting) bool {
		if p.at > w.now {
			return false
		}
		w.end(p)
		return true
	})
}

// end ends a step that was pending.
func (w *worker) end(p waiting) {
	switch p.c.Op {
	case step.Close:
		w.closed(p.c, false)
	case step.Request:
		w.answered(p.c)
	default:
		w.opened(p.c, p.place)
	}
}

// cancel ends the work, and what is pending with it.
func (w *worker) cancel() {
	for _, p := range w.pending {
		if p.c.Op != step.Close {
			p.c.Outcome = outcome.Canceled
		}
		w.end(p)
	}
	w.pending = nil
	if len(w.done) > 0 {
		w.work.Take(w.done)
	}
	w.ended = true
}

func (w *worker) finish(c step.Completion) {
	if w.config.Done != nil {
		w.config.Done(w.index, c)
	}
	w.done = append(w.done, c)
}
