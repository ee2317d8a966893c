package consent

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"lastport/reports/result"
)

// Lease is a server's consent while it lasts. Its methods may be called from any
// goroutine.
type Lease struct {
	terms   Terms
	asking  sync.Mutex // one question at a time
	w       *wire
	answers chan answer
	ended   chan struct{}
	why     error // of ended
}

// ErrEnded says that a lease is over.
var ErrEnded = errors.New("the server has ended its consent")

func newLease(w *wire, terms Terms) *Lease {
	l := &Lease{terms: terms, w: w, answers: make(chan answer), ended: make(chan struct{})}
	go l.listen()
	return l
}

// listen reads answers until the connection ends. It is there all the time, so
// that the end of a server is known though nobody asks it anything.
func (l *Lease) listen() {
	defer close(l.ended)
	for {
		var a answer
		if _, err := l.w.hear(&a, mostProven); err != nil {
			l.why = err
			return
		}
		l.answers <- a
	}
}

// Terms are what the server consented to.
func (l *Lease) Terms() Terms { return l.terms }

// Ended is closed when the lease is over: the server has gone, or Close was called.
func (l *Lease) Ended() <-chan struct{} { return l.ended }

// Ask asks the server and returns its numbers of this lease. patience bounds how
// long. A lease that did not answer is over, as what comes late would answer the
// next question.
func (l *Lease) Ask(what Ask, patience time.Duration) (result.Server, error) {
	l.asking.Lock()
	defer l.asking.Unlock()
	if err := l.w.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return result.Server{}, fmt.Errorf("%s: %w: %w", what, ErrEnded, err)
	}
	if err := l.w.say(question{what}); err != nil {
		return result.Server{}, fmt.Errorf("%s: %w: %w", what, ErrEnded, err)
	}
	select {
	case a := <-l.answers:
		_ = l.w.conn.SetDeadline(time.Time{}) // fails if it is closed, which listen finds out
		switch {
		case a.Failed != "":
			return result.Server{}, fmt.Errorf("%s: the server says: %s", what, a.Failed)
		case a.Server == nil:
			return result.Server{}, fmt.Errorf("%s: the server says nothing", what)
		}
		return *a.Server, nil
	case <-l.ended:
		return result.Server{}, fmt.Errorf("%s: %w: %w", what, ErrEnded, l.why)
	}
}

// farewell bounds how long Close waits for the server.
const farewell = time.Second

// Close gives the lease up. What is open to the server is reset there; a server
// that is alive has done so when Close returns, and would take the same run again.
func (l *Lease) Close() error {
	if c, ok := l.w.conn.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil && l.w.conn.SetDeadline(time.Now().Add(farewell)) == nil {
		l.drain()
	}
	err := l.w.conn.Close()
	l.drain()
	return err
}

// drain takes answers that nobody waits for any more, until the connection ends.
func (l *Lease) drain() {
	for {
		select {
		case <-l.answers:
		case <-l.ended:
			return
		}
	}
}
