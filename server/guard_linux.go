package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// Guard keeps a listener for those who may load it: its tenants. A connection of
// anyone else goes out by Next, to prove who it is, or is reset. A worker's
// thread has a descriptor table of its own, so it passes such a connection over
// a socket (SCM_RIGHTS in unix(7)), and the rest of the work is nobody's who
// accepts.
type Guard struct {
	allow   []netip.Prefix
	in      int           // where workers pass connections; their tables have copies
	out     *net.UnixConn // where they come out
	waiting queue         // between the two
	closing sync.Once

	strangers atomic.Int64 // that came, over TCP; datagrams of strangers over UDP
	sentAway  atomic.Int64 // of them, those that were reset at once
	refused   chan netip.Addr

	change  sync.Mutex // held by who changes tenants
	tenants atomic.Pointer[map[netip.Addr][]*Tenant]
}

// NewGuard makes a guard without tenants. Where allow has prefixes, only
// addresses in them are asked for a proof, and only they can be tenants'. It must
// be made before the listeners that have it.
func NewGuard(allow []netip.Prefix) (*Guard, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("guard: socketpair: %w", err)
	}
	file := os.NewFile(uintptr(pair[1]), "door")
	conn, err := net.FileConn(file)
	_ = file.Close() // conn has a descriptor of its own
	out, ok := conn.(*net.UnixConn)
	if !ok {
		_ = kernel.CloseFD(pair[0])
		return nil, fmt.Errorf("guard: socketpair: %w", err)
	}
	return &Guard{allow: slices.Clone(allow), in: pair[0], out: out, refused: make(chan netip.Addr, 1)}, nil
}

// Close makes Next return; from now on strangers are reset. Later calls do nothing.
func (g *Guard) Close() {
	g.closing.Do(func() {
		_ = g.out.Close() // nothing is lost
		_ = kernel.CloseFD(g.in)
	})
}

// Next waits for the next stranger and returns its connection, which is the
// caller's. After Close the error is net.ErrClosed.
func (g *Guard) Next() (*net.TCPConn, error) {
	for {
		conn, err := g.receive()
		if conn != nil || err != nil {
			return conn, err
		}
	}
}

// receive is Next; nothing came of a connection that could not be taken over.
func (g *Guard) receive() (*net.TCPConn, error) {
	var from [16]byte
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := g.out.ReadMsgUnix(from[:], rights)
	if err != nil {
		return nil, err
	}
	g.waiting.leave(Origin(netip.AddrFrom16(from)))
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) == 0 {
		return nil, nil // no descriptor was left for it: it is closed
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return nil, nil
	}
	unix.CloseOnExec(fds[0])
	file := os.NewFile(uintptr(fds[0]), "stranger")
	defer file.Close() //nolint:errcheck // net has a descriptor of its own
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, nil //nolint:nilerr // the connection has ended already: the next one, please
	}
	if conn.RemoteAddr() == nil { // it ends just now
		_ = conn.Close()
		return nil, nil
	}
	tcp, _ := conn.(*net.TCPConn)
	return tcp, nil
}

// Allows says whether the address may ask for consent.
func (g *Guard) Allows(addr netip.Addr) bool {
	addr = kernel.PlainAddr(addr)
	return len(g.allow) == 0 || slices.ContainsFunc(g.allow, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// pass takes over a stranger's connection that the calling thread has accepted.
func (g *Guard) pass(fd int, peer netip.Addr) {
	g.strangers.Add(1)
	allowed := g.Allows(peer)
	if !allowed {
		select {
		case g.refused <- kernel.PlainAddr(peer):
		default: // one of many is enough to tell of
		}
	}
	if !allowed || !g.hand(fd, peer) {
		g.sentAway.Add(1)
		_ = kernel.Reset(fd)
		return
	}
	_ = kernel.CloseFD(fd) // the connection lives on in the message
}

// Refused has some of the addresses that came and are not allowed. It is never
// closed.
func (g *Guard) Refused() <-chan netip.Addr { return g.refused }

// hand sends a connection on its way to Next, with the address that it came from, if
// there is room.
func (g *Guard) hand(fd int, peer netip.Addr) bool {
	origin := Origin(peer)
	if !g.waiting.enter(origin) {
		return false
	}
	from := peer.As16()
	if unix.Sendmsg(g.in, from[:], unix.UnixRights(fd), nil, unix.MSG_NOSIGNAL) != nil {
		g.waiting.leave(origin)
		return false
	}
	return true
}

// Welcome says that a connection of Next was no stranger's after all.
func (g *Guard) Welcome() { g.strangers.Add(-1) }

// Strangers tells how many connections, or over UDP datagrams, came from others
// than tenants, and how many of those connections were reset without being asked.
func (g *Guard) Strangers() (came, sentAway int64) { return g.strangers.Load(), g.sentAway.Load() }

// BusyError says that another tenant has the addresses and ports.
type BusyError struct{ Addr netip.Addr }

func (e *BusyError) Error() string {
	return fmt.Sprintf("another run loads this server from %s, and from some of the same ports", e.Addr)
}

// Hint says what to do.
func (e *BusyError) Hint() string { return "wait until it is over, or choose another --range" }

// errNotAllowed says that an address is not one of those allowed.
var errNotAllowed = errors.New("the server does not allow connections")

// Admit makes a tenant: from now on connections from its addresses and ports are
// load. The error is a *BusyError, or an address that is not allowed.
func (g *Guard) Admit(t *Tenant) error {
	g.change.Lock()
	defer g.change.Unlock()
	known := g.all()
	for _, addr := range t.addrs {
		if !g.Allows(addr) {
			return fmt.Errorf("%w from %s", errNotAllowed, addr)
		}
		for _, other := range known[addr] {
			if t.meets(other) {
				return &BusyError{addr}
			}
		}
	}
	g.renew(t, func(list []*Tenant) []*Tenant { return append(slices.Clone(list), t) })
	return nil
}

// Dismiss ends a tenancy: what comes from now on is a stranger's. Connections that
// are open are Listener.Evict's.
func (g *Guard) Dismiss(t *Tenant) {
	g.change.Lock()
	defer g.change.Unlock()
	g.renew(t, func(list []*Tenant) []*Tenant {
		return slices.DeleteFunc(slices.Clone(list), func(other *Tenant) bool { return other == t })
	})
}

// all are the tenants by address; never to be changed, as threads read it
// without a lock.
func (g *Guard) all() map[netip.Addr][]*Tenant {
	if known := g.tenants.Load(); known != nil {
		return *known
	}
	return nil
}

// renew changes the tenants of t's addresses. The caller holds change.
func (g *Guard) renew(t *Tenant, of func([]*Tenant) []*Tenant) {
	next := make(map[netip.Addr][]*Tenant, len(g.all())+len(t.addrs))
	for addr, list := range g.all() {
		next[addr] = list
	}
	for _, addr := range t.addrs {
		if next[addr] = of(next[addr]); len(next[addr]) == 0 {
			delete(next, addr)
		}
	}
	g.tenants.Store(&next)
}

// tenant says whose load a connection is. Without a guard it is welcome and
// nobody's. It does not allocate.
func (g *Guard) tenant(peer netip.AddrPort) (t *Tenant, welcome bool) {
	if g == nil {
		return nil, true
	}
	for _, t := range g.all()[kernel.PlainAddr(peer.Addr())] {
		if t.ports.has(peer.Port()) {
			return t, true
		}
	}
	return nil, false
}
