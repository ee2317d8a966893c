package server

// helloByte begins what a generator says to prove itself. From a tenant's port it
// is no load: another run begins where one goes on, and is told so by a reset
// instead of being kept waiting.
const helloByte = '{'

// Evict closes the connections of a tenant, those that wait to be accepted too, by
// RST or in the close mode, and returns when all are closed. Over UDP it answers
// what has come. It is for a tenant that was dismissed, or that has made its last
// connection.
func (l *Listener) Evict(t *Tenant, rst bool) {
	l.life.Lock()
	defer l.life.Unlock()
	if l.closed {
		return
	}
	l.tell(func(w *worker) { w.evict(t, rst || l.config.RST) })
}

func (w *worker) evict(t *Tenant, rst bool) {
	for address := range w.sockets {
		for n := 0; w.listening && n <= w.l.config.Backlog; n += acceptsPerRound {
			w.serve(address)
		}
	}
	for fd := range w.held.all() {
		if w.owners.of(fd) == t {
			w.release(fd, rst)
		}
	}
}
