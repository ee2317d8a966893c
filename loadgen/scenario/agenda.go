package scenario

import "container/heap"

// timed is something that is due at a moment.
type timed struct {
	at    int64
	index int
}

// agenda gives out what is due first, first.
type agenda struct{ items timedHeap }

func (a *agenda) len() int    { return len(a.items) }
func (a *agenda) head() timed { return a.items[0] }
func (a *agenda) put(t timed) { heap.Push(&a.items, t) }
func (a *agenda) take() timed { return heap.Pop(&a.items).(timed) }

// timedHeap is the order of an agenda (container/heap).
type timedHeap []timed

func (h timedHeap) Len() int           { return len(h) }
func (h timedHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h timedHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *timedHeap) Push(x any)        { *h = append(*h, x.(timed)) }
func (h *timedHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
