package door

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"lastport/server"
)

// Bounds of the proofs under way. In all: when one more comes the oldest goes, as
// a flood keeps none that is answered at once from getting through. From one origin:
// the newest goes.
const (
	mostProofs     = 64
	mostOfOne      = 4
	strangersEvery = time.Second // lines about strangers are no closer
)

// proofs are the connections whose proof is under way, the oldest first.
type proofs struct {
	mu     sync.Mutex
	closed bool
	list   []*proof
}

type proof struct {
	conn *net.TCPConn
	from netip.Prefix
}

func newProofs() *proofs { return &proofs{} }

// begin takes a connection in and returns how to say that its proof is over; false
// if there is no room for it.
func (p *proofs) begin(conn *net.TCPConn) (over func(), ok bool) {
	one := &proof{conn, server.Origin(addrOf(conn.RemoteAddr()).Addr())}
	p.mu.Lock()
	defer p.mu.Unlock()
	of := 0
	for _, other := range p.list {
		if other.from == one.from {
			of++
		}
	}
	if p.closed || of >= mostOfOne {
		return nil, false
	}
	if len(p.list) >= mostProofs {
		reset(p.list[0].conn)
		p.list = p.list[1:]
	}
	p.list = append(p.list, one)
	return func() { p.remove(one) }, true
}

func (p *proofs) remove(one *proof) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.list, one); i >= 0 {
		p.list = slices.Delete(p.list, i, i+1)
	}
}

// count is how many are under way.
func (p *proofs) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.list)
}

// close ends all.
func (p *proofs) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, one := range p.list {
		reset(one.conn)
	}
}

// reset ends a connection that is owed no word: nothing of it stays here.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// quiet says what strangers do, a line a second at most: they do not fill a log.
type quiet struct {
	tell func(format string, args ...any)
	mu   sync.Mutex
	last time.Time // monotonic
	kept int       // lines that were not said
}

func newQuiet(say func(string, ...any)) *quiet { return &quiet{tell: say} }

func (q *quiet) say(format string, args ...any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := time.Now(); q.last.IsZero() || now.Sub(q.last) >= strangersEvery {
		if q.kept > 0 {
			format, args = format+" (and %d before)", append(args, q.kept)
		}
		q.tell(format, args...)
		q.last, q.kept = now, 0
		return
	}
	q.kept++
}
