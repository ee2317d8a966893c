package watch

import (
	"net/netip"
	"time"

	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
)

// bare are the states of sockets that have their port by a bind of their own.
const bare diag.States = 1<<diag.Listen | 1<<diag.BoundInactive

// maxPairs bounds what is kept of a host that has each connection to another
// target. Connections beyond it are counted, but of no pair.
const maxPairs = 1 << 16

// look is what one look at all sockets finds.
type look struct {
	Settings
	at                    time.Time
	held                  portSet
	pairs                 map[key]*pair
	recent                *pair // of the last socket: the kernel lists by hash, but many hosts have one pair
	connections, timeWait int64
	opens                 int64    // so far; below 0: not known
	opened                *float64 // per second, since the last look
	interrupted           bool

	collects bool // whether sockets are to be noted, to find their processes
	sockets  map[uint32]noted
}

// key names a pair.
type key struct {
	source netip.Addr
	target netip.AddrPort
}

// noted is a socket whose process is to be found.
type noted struct {
	uid  uint32
	pair *pair
}

// maxNoted bounds the sockets whose process is looked for, and so the memory for
// it: more than four targets' worth of ports.
const maxNoted = 1 << 18

// pair is the connections between a source and a target.
type pair struct {
	key
	open, waiting int64   // ports: in TIME_WAIT, and all others
	reuses        bool    // the kernel gives those in TIME_WAIT out again
	waits         *waits  // of those in TIME_WAIT; nil: there is none
	rates         *rates  // nil: there was no look before
	marks         marks   // what it was
	closed        float64 // ports that went into TIME_WAIT since it is watched
}

// portSet is a set of ports.
type portSet [(ports.Max + 1) / 64]uint64

func (s *portSet) put(p uint16)      { s[p/64] |= 1 << (p % 64) }
func (s *portSet) has(p uint16) bool { return s[p/64]>>(p%64)&1 == 1 }

func newLook(s Settings, at time.Time) *look {
	return &look{Settings: s, at: at, pairs: make(map[key]*pair), sockets: make(map[uint32]noted)}
}

// hold notes a port that a socket has by a bind of its own: the kernel chooses it
// for no connection, and a connection that has it has come in.
func (l *look) hold(s *diag.Socket) { l.held.put(s.Local.Port()) }

// add counts a connection, unless it came in to a listener.
func (l *look) add(s *diag.Socket) {
	port := s.Local.Port()
	if s.Remote.Port() == 0 || !l.Range.Contains(port) || l.held.has(port) {
		return
	}
	l.connections++
	waiting := s.State == diag.TimeWait
	if waiting {
		l.timeWait++
	}
	p := l.pair(key{s.Local.Addr().Unmap(), plain(s.Remote)})
	if p == nil {
		return
	}
	if waiting {
		p.wait(s.Left)
	} else {
		p.open++
	}
	if l.collects && s.Inode != 0 && len(l.sockets) < maxNoted {
		l.sockets[s.Inode] = noted{s.UID, p}
	}
}

// pair returns that of the key; nil: there are too many.
func (l *look) pair(k key) *pair {
	if l.recent != nil && l.recent.key == k {
		return l.recent
	}
	p := l.pairs[k]
	if p == nil {
		if len(l.pairs) >= maxPairs {
			return nil
		}
		p = &pair{key: k, reuses: l.reuses(k)}
		l.pairs[k] = p
	}
	l.recent = p
	return p
}

// usable is how many ports there are from one source to one target.
func (l *look) usable() (n int64) {
	for port := range ports.Of(l.Range).Minus(l.Reserved).All() {
		if !l.held.has(port) {
			n++
		}
	}
	return n
}

// wait counts a port in TIME_WAIT.
func (p *pair) wait(left time.Duration) {
	p.waiting++
	if p.waits == nil {
		p.waits = new(waits)
	}
	p.waits.add(left)
}

// taken is how many ports the kernel does not give to a new connection.
func (p *pair) taken() int64 {
	if p.reuses {
		return p.open
	}
	return p.open + p.waiting
}

// follow finds the rates, from the look before; nil: there was none.
func (l *look) follow(before *look) {
	if before == nil {
		return
	}
	dt := l.at.Sub(before.at).Seconds()
	if dt <= 0 {
		return
	}
	if l.opens >= 0 && before.opens >= 0 {
		opened := float64(l.opens-before.opens) / dt
		l.opened = &opened
	}
	none := pair{}
	for k, p := range l.pairs {
		was := before.pairs[k]
		if was == nil {
			was = &none // it is new, and so are all of its connections
		}
		p.follow(was, before.at, dt)
	}
}

// ended is how many TIME_WAITs have ended since: those whose time was over by
// now, less those that the kernel's timer has not come to.
func (p *pair) ended(was *pair, dt float64) float64 {
	n := was.waits.within(dt)
	if p.waits != nil {
		n -= float64(p.waits.overdue())
	}
	return max(0, n)
}
