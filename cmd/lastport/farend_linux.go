package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/kernel"
	"lastport/reports/result"
	"lastport/server/consent"
)

// How long a server may take to answer: for numbers that it has at hand, and for
// those for which it lists sockets or closes connections.
const (
	soon  = 5 * time.Second
	later = time.Minute
)

// farEnd is the server of a run on another machine, as loadgen wants to see it:
// one lease, or several where targets are of several servers.
type farEnd struct {
	targets []netip.AddrPort
	leases  []*lease

	mu   sync.Mutex
	gone error
	end  func() // ends the run; called once, when the server has gone
}

// lease is a consent and what its server said last.
type lease struct {
	*consent.Lease
	target  netip.AddrPort // as it was dialled
	several bool           // it is for other addresses too
	numbers result.Server
	drained bool
}

// runFar makes a run against servers elsewhere, once they have consented. When one
// of them ends its consent the run drains by cancel, and that is its error.
func runFar(ctx context.Context, cancel func(), cfg *loadgen.Config, secret string, frames loadgen.Sink) error {
	token, err := consent.ParseToken(secret)
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	far, err := agree(ctx, cfg, token, cancel)
	if err != nil {
		return err
	}
	_, err = loadgen.Run(ctx, *cfg, far, frames)
	gone := far.Gone()
	_ = far.Close() // the run is over, and what it came to is told
	if err == nil {
		err = gone
	}
	return err
}

// wishOf says what the run needs of its server.
func wishOf(cfg *loadgen.Config, local net.Addr) consent.Wish {
	w := consent.Wish{
		UDP: cfg.UDP, Close: cfg.Close.String(), Connections: int64(mostConnections(cfg)), Requests: cfg.Requests, Local: local.String(),
	}
	if at, err := netip.ParseAddrPort(w.Local); err == nil {
		w.Local = kernel.PlainAddrPort(at).String()
	}
	for _, s := range cfg.Sources {
		w.Sources = append(w.Sources, kernel.PlainAddr(s))
	}
	if at, err := netip.ParseAddrPort(local.String()); err == nil && len(cfg.Sources) == 0 {
		w.Perhaps = besides(at.Addr(), ownAddrs())
	}
	for _, r := range cfg.Range {
		w.Ports = append(w.Ports, consent.PortRange{Low: r.Low, High: r.High})
	}
	return w
}

// besides returns, plain, those of this host's addresses that the kernel may choose
// where it has chosen one, and no more than a few of them: which it prefers changes
// meanwhile, as when an IPv6 address has proven to be nobody else's (RFC 6724,
// section 5).
func besides(chosen netip.Addr, own []netip.Addr) (list []netip.Addr) {
	const most = 64
	for _, addr := range own {
		sameKind := addr.Is4() == chosen.Is4() && addr.IsLoopback() == chosen.IsLoopback() && addr.Zone() == chosen.Zone()
		if plain := kernel.PlainAddr(addr); sameKind && addr != chosen && len(list) < most && !slices.Contains(list, plain) {
			list = append(list, plain)
		}
	}
	return list
}

// reach connects to the target, once, from a port outside the run's range if
// there is one: inside it would cost the run its tuple.
func reach(ctx context.Context, cfg *loadgen.Config, target netip.AddrPort, patience time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	to := kernel.NewSockaddr(target)
	fd, errno := kernel.StreamSocket(to.Family())
	if errno != 0 {
		return nil, fmt.Errorf("socket: %w", errno)
	}
	file := os.NewFile(uintptr(fd), "consent")
	defer file.Close() //nolint:errcheck // net has a descriptor of its own
	bindOutside(fd, cfg, target)
	for {
		switch errno := kernel.Connect(fd, &to); errno {
		case 0, syscall.EISCONN:
			return net.FileConn(file)
		case syscall.EINPROGRESS, syscall.EALREADY:
			if !pause(ctx, time.Millisecond) {
				return nil, fmt.Errorf("connect: no answer within %v", patience)
			}
		default:
			return nil, fmt.Errorf("connect: %w", errno)
		}
	}
}

// bindOutside binds the socket to a port outside the run's range; where none is to
// be had the kernel chooses.
func bindOutside(fd int, cfg *loadgen.Config, target netip.AddrPort) {
	own := netip.IPv4Unspecified()
	if target.Addr().Is6() {
		own = netip.IPv6Unspecified()
	}
	if len(cfg.Sources) > 0 {
		own = cfg.Sources[0]
	}
	const tries = 64
	left := tries
	for port := uint16(65535); port >= 1024 && left > 0; port-- {
		if cfg.Range.Contains(port) {
			continue
		}
		left--
		sa := kernel.NewSockaddr(netip.AddrPortFrom(own, port))
		if kernel.Bind(fd, &sa) == 0 {
			return
		}
	}
}

// pause sleeps, and says whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// watch ends the run when the server has gone: without consent nothing is opened.
func (f *farEnd) watch(l *lease) {
	<-l.Ended()
	f.mu.Lock()
	first := f.gone == nil
	if first {
		f.gone = fmt.Errorf("the server at %s has ended its consent", l.target)
	}
	f.mu.Unlock()
	if first {
		f.end()
	}
}

// Gone says whether a server has ended its consent.
func (f *farEnd) Gone() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gone
}

// Addrs are the targets.
func (f *farEnd) Addrs() []netip.AddrPort { return slices.Clone(f.targets) }

// CPUTime is not known here.
func (f *farEnd) CPUTime() kernel.CPUTime { return kernel.CPUTime{} }

// Stats asks the servers; of one that does not answer they are its last ones. After
// Drain they are the total.
func (f *farEnd) Stats() result.Server {
	all := f.ask(f.leases[0])
	for _, l := range f.leases[1:] {
		all = bothServers(all, f.ask(l))
	}
	return all
}

// ask asks one server for its numbers.
func (f *farEnd) ask(l *lease) result.Server {
	f.mu.Lock()
	what, patience := consent.AskStatistics, soon
	if l.drained {
		what, patience = consent.AskTotal, later
	}
	f.mu.Unlock()
	numbers, err := l.Ask(what, patience)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		if l.several { // which a server on all of its addresses does not tell apart
			numbers.DistinctTuples = nil
		}
		l.numbers = numbers
	}
	l.numbers.Stale = err != nil
	return l.numbers
}

// Drain has the servers close what they still hold. Of a server that has gone
// nothing is left to close.
func (f *farEnd) Drain() error {
	for _, l := range f.leases {
		if _, err := l.Ask(consent.AskDrain, later); err != nil && !errors.Is(err, consent.ErrEnded) {
			return fmt.Errorf("server at %s: %w", l.target, err)
		}
		f.mu.Lock()
		l.drained = true
		f.mu.Unlock()
	}
	return nil
}

// bothServers adds up what two servers say. Peers that came to both cannot be told
// apart, so they are absent; tuples differ by their targets.
func bothServers(a, b result.Server) result.Server {
	return result.Server{
		Accepted: a.Accepted + b.Accepted, Closed: sum(a.Closed, b.Closed), DistinctTuples: sum(a.DistinctTuples, b.DistinctTuples),
		Requests: a.Requests + b.Requests, OverLimit: a.OverLimit + b.OverLimit, IdleClosed: a.IdleClosed + b.IdleClosed, NoFD: a.NoFD + b.NoFD,
		Overflows: sum(a.Overflows, b.Overflows), Strangers: sum(a.Strangers, b.Strangers), Version: a.Version, Stale: a.Stale || b.Stale, States: bothStates(a.States, b.States),
	}
}

func bothStates(a, b *result.States) *result.States {
	if a == nil || b == nil {
		return nil
	}
	return &result.States{TimeWait: sum(a.TimeWait, b.TimeWait), Established: sum(a.Established, b.Established)}
}

// sum adds what both have.
func sum(a, b *int64) *int64 {
	if a == nil || b == nil {
		return nil
	}
	n := *a + *b
	return &n
}

// Close gives the leases up.
func (f *farEnd) Close() error {
	f.mu.Lock()
	if f.gone == nil {
		f.end = func() {} // it is over anyway
	}
	f.mu.Unlock()
	var first error
	for _, l := range f.leases {
		if err := l.Close(); first == nil {
			first = err
		}
	}
	return first
}
