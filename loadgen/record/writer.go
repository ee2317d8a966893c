// Package record counts what came of a run's steps: histograms, outcomes,
// ports, and the timeline.
//
// Workers do not count: they append each completion to a chunk, and hand full
// chunks (or, at an interval's end, started ones) to one collector, which
// alone owns every histogram. So nothing is shared and nothing allocated per
// attempt, one set of histograms serves any number of workers, and no worker
// ever stops to merge. See docs/adr for the alternative.
package record

import "lastport/loadgen/step"

// Sizes of the hand-over. A worker can be chunks × chunkSize completions ahead
// of the collector before it has to wait for it.
const (
	chunkSize = 1024
	chunks    = 16
	// MaxBatch is the most completions that Room can be asked for.
	MaxBatch = 256
)

// Writer is one worker's side of the hand-over. It belongs to one goroutine at
// a time.
type Writer struct {
	cur    []step.Completion
	full   chan<- Chunk
	free   chan []step.Completion
	spare  [][]step.Completion // chunks that have not been used yet
	last   int64               // when the current chunk began, by the first End in it
	unkept *unkept             // counts instead, where nothing is recorded; else nil
}

// Chunk is a run of completions on its way from a writer to the collector. It
// is opaque: Collector.Take alone opens it, and gives its memory back.
type Chunk struct {
	done []step.Completion
	free chan<- []step.Completion
}

func newWriter(full chan<- Chunk) *Writer {
	w := &Writer{full: full, free: make(chan []step.Completion, chunks)}
	for range chunks - 1 {
		w.spare = append(w.spare, newChunk())
	}
	w.cur = newChunk()
	return w
}

// next returns an empty chunk: one that has come back if there is one. The fewer
// go round, the more of them are in the processor's cache.
func (w *Writer) next() []step.Completion {
	select {
	case c := <-w.free:
		return c
	default:
	}
	if last := len(w.spare) - 1; last >= 0 {
		c := w.spare[last]
		w.spare = w.spare[:last]
		return c
	}
	return <-w.free
}

// newChunk makes an empty chunk and writes to all of its memory, so that no page
// fault falls into a timed call, and none counts as what connections take.
func newChunk() []step.Completion {
	c := make([]step.Completion, chunkSize)
	clear(c)
	return c[:0]
}

// flushAfter is how old, in nanoseconds, a started chunk may get before it is
// handed over: half the timeline's interval.
const flushAfter = 50e6

// Room returns an empty slice with room for n completions (n ≤ MaxBatch),
// to be appended to and handed to Keep. It waits if the collector is far behind.
func (w *Writer) Room(n int) []step.Completion {
	if cap(w.cur)-len(w.cur) < n {
		w.Flush()
	}
	return w.cur[len(w.cur):len(w.cur):cap(w.cur)]
}

// Keep takes what was appended to the last Room.
func (w *Writer) Keep(done []step.Completion) {
	if len(done) == 0 {
		return
	}
	if len(w.cur) == 0 {
		w.last = done[0].End
	}
	w.cur = w.cur[:len(w.cur)+len(done)]
	w.FlushOld(done[len(done)-1].End)
}

// FlushOld hands over what has waited for long at the time now. A worker calls
// it before it sleeps. It must not hand over all there is each time: a worker
// that sleeps often would use up its chunks while the collector writes a result,
// and be late for want of one.
func (w *Writer) FlushOld(now int64) {
	if len(w.cur) > 0 && now-w.last > flushAfter {
		w.Flush()
	}
}

// Flush hands over what there is.
func (w *Writer) Flush() {
	if len(w.cur) == 0 {
		return
	}
	if w.unkept != nil {
		w.unkept.add(w.cur)
		w.cur = w.cur[:0]
		return
	}
	w.full <- Chunk{done: w.cur, free: w.free}
	w.cur = w.next()
}
