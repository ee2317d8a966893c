package server

import (
	"sync/atomic"

	"lastport/loadgen/kernel"
)

// How the workers of a listener apart divide what there is to accept: by
// processor into shares, if there are several, and within a share by turns, as
// one table after the other fills.

// shares is how many listeners each address has.
func (c *Config) shares() int { return max(1, len(c.CPUs)) }

// share returns the i-th listening socket of every address.
func (l *Listener) share(i int) []int {
	sockets := make([]int, len(l.addrs))
	for address := range sockets {
		sockets[address] = l.sockets[address*l.config.shares()+i]
	}
	return sockets
}

// newWorkers makes workers until the tables of every share have room for all
// connections: who opens them may do so on one processor alone.
func (l *Listener) newWorkers() (workers []*worker, err error) {
	defer func() {
		if err != nil {
			for _, w := range workers {
				w.thread.Close()
			}
		}
	}()
	shares, room := l.config.shares(), 0
	enough := func() bool {
		switch n := len(workers); {
		case l.config.Threads > 0 || l.config.UDP:
			return n >= max(shares, l.config.Threads)
		default:
			return n >= shares && (n >= maxThreads || room >= l.config.Connections)
		}
	}
	for !enough() {
		w, err := newWorker(l, len(workers))
		if err != nil {
			return workers, err
		}
		workers = append(workers, w)
		if w.share == shares-1 { // each share has got one more, and tables are alike
			room += w.room
		}
	}
	for i := range l.turns {
		l.turns[i].Store(int32(i))
	}
	return workers, nil
}

// turn says which of the share's workers accepts.
func (w *worker) turn() *atomic.Int32 { return &w.l.turns[w.share] }

// passTurn lets the next worker of the share that has room accept. It returns
// false if none but w itself is there.
func (l *Listener) passTurn(w *worker) bool {
	for k := 1; k < len(l.workers); k++ {
		next := l.workers[(w.index+k)%len(l.workers)]
		if next.share == w.share && !next.full.Load() {
			w.turn().Store(int32(next.index))
			_ = kernel.Wake(l.waker)
			return true
		}
	}
	return false
}
