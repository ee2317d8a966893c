package engine_test

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// kind is a protocol over a family of addresses.
type kind struct{ udp, v6 bool }

var kinds = []kind{{false, false}, {false, true}, {true, false}, {true, true}}

func (k kind) String() string {
	return map[bool]string{false: "tcp", true: "udp"}[k.udp] + map[bool]string{false: "4", true: "6"}[k.v6]
}

// eachKind runs a test for each of them. What it has opened is closed before the
// next.
func eachKind(t *testing.T, test func(*testing.T, kind)) {
	for _, k := range kinds {
		t.Run(k.String(), func(t *testing.T) { test(t, k) })
	}
}

// eachStrategy runs a test for each of them over each kind.
func eachStrategy(t *testing.T, test func(t *testing.T, k kind, name string)) {
	eachKind(t, func(t *testing.T, k kind) {
		for _, name := range strategy.Names() {
			t.Run(name, func(t *testing.T) { test(t, k, name) })
		}
	})
}

// space is a tuple space with a listener on each target.
type space struct {
	kind
	strategy.Space
	listeners []int
	noise     []byte // comes before every answer to a datagram
	owes      byte   // the datagram whose answer never comes; 0: none
	mu        sync.Mutex
	tuples    map[[2]netip.AddrPort]int // accepted, by client and target
}

// taken counts the source ports that tests have had: each has others, because a
// bind finds those taken that an earlier test has left in TIME_WAIT.
var taken atomic.Uint32

// newSpace makes addresses, listeners and a range of so many ports.
func newSpace(t testing.TB, k kind, sources, targets int, ports uint16) *space {
	t.Helper()
	low := 10000 + uint16(taken.Add(uint32(ports))-uint32(ports))%20000
	s := &space{kind: k, tuples: map[[2]netip.AddrPort]int{}}
	s.UDP, s.Seed = k.udp, 1
	s.Ranges = sourcePorts(t, low, low+ports-1)
	addr := k.addr()
	for range sources {
		address(t, addr)
		s.Sources = append(s.Sources, addr)
		addr = addr.Next()
	}
	for range targets {
		s.addTarget(t, netip.AddrPortFrom(k.addr(), unusedAddr().Port()))
	}
	return s
}

// port is one of the range, counted from 0.
func (s *space) port(i uint16) uint16 { return s.Ranges[0].Low + i }

// addr is the first address of the kind.
func (k kind) addr() netip.Addr {
	if k.v6 {
		return netip.MustParseAddr(nstest.Addr6)
	}
	return netip.MustParseAddr(nstest.Addr)
}

// address gives the loopback link one more, until the test process ends.
func address(t testing.TB, addr netip.Addr) {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	made, err := netlink.ParseAddr(netip.PrefixFrom(addr, addr.BitLen()).String())
	if err != nil {
		t.Fatal(err)
	}
	made.Flags = unix.IFA_F_NODAD
	if err := netlink.AddrAdd(lo, made); err != nil && !errors.Is(err, syscall.EEXIST) {
		t.Fatalf("address %v: %v", addr, err)
	}
	// Of an IPv6 address the route comes a little later than the address itself
	// (addrconf_dad_work in net/ipv6/addrconf.c): an answer to it would be lost.
	waitFor(t, "the route to "+addr.String(), func() bool {
		own, err := kernel.SourceFor(netip.AddrPortFrom(addr, 9))
		return err == nil && own == addr
	})
}

// addTarget listens at the address, with a backlog or for datagrams.
func (s *space) addTarget(t testing.TB, at netip.AddrPort) {
	t.Helper()
	s.Targets = append(s.Targets, at)
	s.listeners = append(s.listeners, bound(t, s.udp, at))
}

// bound returns a socket that is bound to the address, and listens if it can. It
// is closed with the test.
func bound(t testing.TB, udp bool, at netip.AddrPort) (fd int) {
	t.Helper()
	sa := kernel.NewSockaddr(at)
	fd = socket(t, udp, sa.Family())
	t.Cleanup(func() { _ = kernel.CloseFD(fd) })
	errno := kernel.Bind(fd, &sa)
	if errno == 0 && !udp {
		errno = kernel.Listen(fd, backlog)
	}
	if errno != 0 {
		t.Fatalf("listen on %v: %v", at, errno)
	}
	return fd
}

// socket opens a socket, which the test is to close.
func socket(t testing.TB, udp bool, family int) int {
	t.Helper()
	open := kernel.StreamSocket
	if udp {
		open = kernel.DatagramSocket
	}
	fd, errno := open(family)
	if errno != 0 {
		t.Fatal(errno)
	}
	return fd
}

// accepted notes a client.
func (s *space) accepted(client netip.AddrPort, target int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tuples == nil { // nobody asks
		return
	}
	s.tuples[[2]netip.AddrPort{client, s.Targets[target]}]++
}

// clients returns how many different tuples were accepted.
func (s *space) clients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.tuples)
}

func (s *space) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tuples)
}

// spaceEnd is the listener's side of one target, ends together.
type spaceEnd struct {
	end
	space  *space
	target int
}

func (e *spaceEnd) Accept() (fd int, port uint16, errno syscall.Errno) {
	fd, errno = kernel.Accept(e.listener, &e.peer)
	if errno == 0 {
		e.space.accepted(e.peer.AddrPort(), e.target)
	}
	return fd, e.peer.Port(), errno
}

func (e *spaceEnd) Serve() { e.space.answer(e.target) }

// answer answers the datagrams that have come at a target: what opens is noted.
func (s *space) answer(target int) {
	var data [4]byte
	var from kernel.Sockaddr
	for {
		n, errno := kernel.ReceiveFrom(s.listeners[target], data[:], &from)
		if errno != 0 {
			return
		}
		if n == 1 && data[0] == 2 {
			s.accepted(from.AddrPort(), target)
		}
		for _, b := range s.noise {
			_ = kernel.SendTo(s.listeners[target], []byte{b}, &from)
		}
		if data[0] != s.owes {
			data[0] |= 0x80
			_ = kernel.SendTo(s.listeners[target], data[:n], &from)
		}
	}
}

// setup returns what a rig of the space needs, with both ends on one thread. The
// run is a worker's of several if there is a tally.
func (s *space) setup(run strategy.Run, worker int, tally *engine.Tally) setup {
	pools := s.pools(run)
	if tally == nil {
		tally = engine.NewTally(1, pools.Count())
	}
	return setup{
		target: s.Targets[0], sources: s.Ranges, mode: step.ClientRST, connections: 1000, tally: tally, worker: worker,
		change: func(o *engine.Options) {
			o.UDP, o.Strategy, o.Traits, o.Pools = s.udp, run.Worker(worker), run.Traits(), pools
			if run.Traits().Source {
				for _, addr := range s.Sources {
					o.Sources = append(o.Sources, kernel.NewSockaddr(netip.AddrPortFrom(addr, 0)))
				}
			}
			o.Targets = nil
			for _, at := range s.Targets {
				o.Targets = append(o.Targets, kernel.NewSockaddr(at))
			}
			o.Ends = func(target int) engine.End {
				return &spaceEnd{end: end{listener: s.listeners[target]}, space: s, target: target}
			}
		},
	}
}

// with makes the named strategy over the space.
func (s *space) with(t testing.TB, name string) strategy.Run {
	t.Helper()
	of := s.Space
	if name == "connect" {
		of.Sources = nil
	}
	if name == "window" {
		of.WindowSize, of.WindowMoves = s.Ranges.Size()/3, 2
	}
	run, err := strategy.New(name, of)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// pools are those of the strategy; without sources of its own there is one.
func (s *space) pools(run strategy.Run) strategy.Pools {
	pools := s.Pools(run.Traits())
	if !run.Traits().Source {
		pools.Sources = 1
	}
	return pools
}

// spread deals attempts over the pairs that the strategy distinguishes.
func (s *space) spread(run strategy.Run) scenario.Spread {
	return scenario.Spread{Sources: s.pools(run).Sources, Targets: len(s.Targets)}
}

// capacity is what the pools hold.
func (s *space) capacity(run strategy.Run) int { return s.pools(run).Count() * s.Ranges.Size() }

// Every strategy holds exactly what the table says, over every protocol and
// family, and each pair of source and target then finds no port.
func TestCapacity(t *testing.T) {
	eachStrategy(t, func(t *testing.T, k kind, name string) {
		s := newSpace(t, k, 3, 2, 10)
		run := s.with(t, name)
		want := 60
		switch {
		case name == "connect" && k.udp:
			want = 10
		case name == "connect":
			want = 20
		case name == "bind" || k.udp:
			want = 30
		}
		if got := s.capacity(run); got != want {
			t.Fatalf("the pools hold %d, want %d", got, want)
		}
		r := newRig(t, s.setup(run, 0, nil))
		for range 2 { // the second time proves that every port came back
			s.forget()
			checkFill(t, s, run, r, want)
		}
	})
}

// checkFill fills the space and releases it.
func checkFill(t *testing.T, s *space, run strategy.Run, r *rig, want int) {
	t.Helper()
	spread, pools := s.spread(run), s.pools(run)
	pairs := spread.Sources * spread.Targets
	fill := scenario.NewOpening(scenario.Opening{Spread: spread, Expected: want, Timeout: patience})
	done := r.do(t, fill)
	if got := outcomes(done); got[outcome.OK] != want || got[outcome.NoPort] != pairs || len(done) != want+pairs {
		t.Errorf("outcomes %v, want %d ok and %d no_port", got, want, pairs)
	}
	open := make([]uint32, pools.Count())
	for _, c := range done {
		pool := pools.Of(c.Source, c.Target)
		if c.Open != open[pool] || c.Start > c.End || c.Passed != 0 && !run.Traits().Windowed {
			t.Errorf("with %d open in pool %d: %+v", open[pool], pool, c)
		}
		binds := run.Traits().Explicit || run.Traits().Early || run.Traits().Late
		if c.Outcome == outcome.OK {
			open[pool]++
			if (c.BindNS > 0) != binds || !s.Ranges.Contains(c.Port) {
				t.Errorf("bound: %v: %+v", binds, c)
			}
		}
	}
	if got := s.clients(); got != want || r.tally.Open() != int64(want) {
		t.Errorf("%d distinct tuples accepted, %d open by the tally, want %d", got, r.tally.Open(), want)
	}
	closes := r.do(t, scenario.NewRelease(fill.Conns()))
	if len(closes) != want || r.tally.Open() != 0 {
		t.Errorf("%d closed, %d open", len(closes), r.tally.Open())
	}
	for i, c := range closes {
		if o := done[i]; o.Outcome == outcome.OK && (c.Source != o.Source || c.Target != o.Target || c.Port != o.Port) {
			t.Errorf("close %d is of %d→%d port %d, opened was %d→%d port %d", i, c.Source, c.Target, c.Port, o.Source, o.Target, o.Port)
		}
	}
}
