// Package watch follows the ports of a host: between which source and which
// target how many of its range are taken, how fast that changes, when none is
// left if it goes on like this, and which processes have them.
//
// It looks at every TCP socket of the network namespace that it runs in, opens
// none, and changes nothing. What belongs to a run's own connections is package
// observe's, and what a host allows package doctor's.
package watch

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// Host is where a watcher looks. ThisHost is the real one.
type Host struct {
	Settings func() (Settings, error)
	// Sockets calls f for every TCP socket that is in one of the states and has a port
	// among those given, at either end. interrupted: the table changed meanwhile.
	Sockets func(states diag.States, among diag.Ports, f func(*diag.Socket)) (interrupted bool, err error)
	// Owners says which process has a socket, by inode.
	Owners func() map[uint32]kernel.Process
	// Opens is how many connections were opened so far; below 0: that is not known.
	Opens func() int64
	Now   func() time.Time     // a monotonic clock
	CPU   func() time.Duration // processor time of this process so far
}

// Settings are those that say which ports a connection can have.
type Settings struct {
	Range    ports.Range  // net.ipv4.ip_local_port_range
	Reserved ports.Ranges // net.ipv4.ip_local_reserved_ports
	TWReuse  int          // net.ipv4.tcp_tw_reuse, 0 where timestamps are off and it has no effect
}

// reuses says whether the kernel gives ports in TIME_WAIT between two addresses
// out again (tcp_twsk_unique, net/ipv4/tcp_ipv4.c).
func (s Settings) reuses(k key) bool {
	return s.TWReuse == 1 || s.TWReuse == 2 && k.source.IsLoopback() && k.target.Addr().IsLoopback()
}

// Watcher looks at a host again and again. It belongs to one goroutine.
type Watcher struct {
	host   Host
	asked  time.Duration
	top    int
	last   *look
	owners owners
	used   time.Duration // processor time at the end of the last look
	next   time.Duration
}

// New makes a watcher that looks every interval, or less often where that costs
// too much, and tells of the top pairs and processes.
func New(host Host, interval time.Duration, top int) *Watcher {
	return &Watcher{host: host, asked: interval, next: interval, top: top, used: host.CPU()}
}

// Interval is how long to wait between the last look and the next.
func (w *Watcher) Interval() time.Duration { return w.next }

// Look looks once. Errors are those of the settings and of the list of sockets;
// a later look may succeed.
func (w *Watcher) Look() (*result.Watch, error) {
	l, err := w.look()
	if err != nil {
		return nil, err
	}
	l.follow(w.last)
	w.last = l
	forProcesses := w.owners.cost
	seen := w.result(l)
	// What was rendered and served since the last look counts too; the search for
	// processes has a budget of its own.
	now := w.host.CPU()
	cost := now - w.used - forProcesses
	w.used = now
	w.next = stretched(w.asked, cost, socketShare)
	seen.CPUNS = int64(cost + forProcesses)
	seen.IntervalNS = int64(w.next)
	return seen, nil
}

// look counts the sockets, and looks for their processes when that is due.
func (w *Watcher) look() (*look, error) {
	s, err := w.host.Settings()
	if err != nil {
		return nil, err
	}
	at := w.host.Now()
	l := newLook(s, at)
	l.collects = w.owners.due(at)
	among := diag.Ports{Low: s.Range.Low, High: s.Range.High}
	for _, pass := range []struct {
		states diag.States
		add    func(*diag.Socket)
	}{{bare, l.hold}, {diag.All &^ bare, l.add}} { // first what is held: what came in to it does not count
		interrupted, err := w.host.Sockets(pass.states, among, pass.add)
		if err != nil {
			return nil, err
		}
		l.interrupted = l.interrupted || interrupted
	}
	l.opens = w.host.Opens()
	w.owners.cost = 0
	if l.collects {
		w.owners.find(l, &w.host)
	}
	return l, nil
}

// result tells of a look.
func (w *Watcher) result(l *look) *result.Watch {
	usable := l.usable()
	seen := &result.Watch{
		Schema: result.WatchSchema, Interrupted: l.interrupted,
		Ports: result.WatchPorts{
			Range: l.Range.String(), Reserved: int64(l.Reserved.Intersect(ports.Of(l.Range)).Size()), Usable: usable,
		},
		Connections: l.connections, TimeWait: l.timeWait, PairsTotal: int64(len(l.pairs)),
		OpenedPerS: l.opened, Processes: w.owners.most(w.top), ProcessNS: int64(l.at.Sub(w.owners.at)), Unattended: w.owners.unattended,
	}
	seen.Ports.Held = int64(l.Range.Size()) - seen.Ports.Reserved - usable
	for _, p := range l.fullest(w.top) {
		seen.Pairs = append(seen.Pairs, p.result(l.at, usable, w.owners.of(p.key)))
	}
	return seen
}

// result tells of a pair as it was at a look.
func (p *pair) result(at time.Time, usable int64, process string) result.WatchPair {
	told := result.WatchPair{
		Source: p.source.String(), Target: p.target.String(), Process: process,
		Used: p.open + p.waiting, TimeWait: p.waiting, Taken: p.taken(),
	}
	if usable > 0 {
		told.Occupancy = float64(told.Taken) / float64(usable)
	}
	var pace *rates
	if p.rates != nil {
		now := p.pace(at, usable)
		pace, told.ClosedPerS, told.GrowthPerS = &now, &now.closed, &now.taken
	}
	if in, ok := p.exhausted(usable, pace); ok {
		ns := int64(in)
		told.ExhaustedInNS = &ns
	}
	return told
}

// fullest are the pairs with most ports taken; of equals the order is that of the
// addresses.
func (l *look) fullest(most int) []*pair {
	list := make([]*pair, 0, len(l.pairs))
	for _, p := range l.pairs {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *pair) int {
		return cmp.Or(cmp.Compare(b.taken(), a.taken()), cmp.Compare(b.waiting, a.waiting), a.target.Compare(b.target), a.source.Compare(b.source))
	})
	return list[:min(len(list), most)]
}

// plain is an address without IPv6's clothes.
func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
