package loadgen

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/capacity"
	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/conntrack"
	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/reports/result"
)

// gateway is the gateway of a run as it can be seen on the gateway itself: what
// proves that an attempt that had no answer found no port there.
type gateway struct {
	cfg     *Config
	longest time.Duration // how long a closed connection is tracked
	entries int64         // for which there was room before the run; 0: not known

	mu     sync.Mutex
	before conntrack.Stats
	since  conntrack.Stats // at the last look
	known  int64           // lost SYNs that belong to attempts that have ended
	short  int64           // SYNs that such attempts lost before they came to the gateway
}

// newGateway begins to watch the gateway of cfg; nil if there is none.
func newGateway(cfg *Config) (*gateway, error) {
	if cfg.NAT == nil {
		return nil, nil
	}
	g := &gateway{cfg: cfg}
	err := cfg.Hosts.inGateway(func() (err error) {
		if g.longest, err = closedFor(cfg); err != nil {
			return err
		}
		count, most, err := conntrack.Entries()
		if err != nil {
			return err
		}
		if most > 0 {
			g.entries = max(1, most-count)
		}
		g.before, err = conntrack.ReadStats()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the gateway: %w", err)
	}
	return g, nil
}

// closedFor reads how long connection tracking keeps a connection that was closed
// by the run's close mode.
func closedFor(cfg *Config) (time.Duration, error) {
	key := "tcp_timeout_time_wait"
	switch {
	case cfg.UDP:
		key = "udp_timeout_stream" // the longer one of two
	case cfg.Close.RST():
		key = "tcp_timeout_close"
	}
	return trackedFor(key)
}

// trackedFor reads one of the timeouts of connection tracking.
func trackedFor(key string) (time.Duration, error) {
	text, err := kernel.ReadSysctl("net.netfilter.nf_conntrack_" + key)
	if err != nil {
		return 0, err
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is %q: %w", key, text, err)
	}
	return time.Duration(seconds) * time.Second, nil
}

// capacity is the gateway as arithmetic sees it.
func (g *gateway) capacity() capacity.Gateway {
	nat := g.cfg.NAT
	return capacity.Gateway{
		Proto: g.cfg.proto(), Ports: int64(nat.Range.Size()), Addresses: int64(len(nat.Addresses)), Targets: int64(len(g.cfg.Targets)),
		Exact:   len(nat.Addresses) == 1 || len(g.cfg.Targets) == 1 || g.cfg.Workers == 1,
		SYNs:    scenario.ThroughRun * g.syns(),
		Longest: g.longest, Entries: g.entries, Hold: g.cfg.Hold, Wait: scenario.SYNAfter(int(g.syns())-1, number(synLinear)), Close: g.cfg.Close.String(), Limit: g.cfg.Connections,
	}
}

// synLinear is the setting that says how often a SYN is sent again after a second.
const synLinear = "net.ipv4.tcp_syn_linear_timeouts"

// syns is how many SYNs, or datagrams, an attempt sends within its timeout.
func (g *gateway) syns() int64 {
	n := 1
	for !g.cfg.UDP && scenario.SYNAfter(n, number(synLinear)) < g.cfg.Timeout {
		n++
	}
	return int64(n)
}

// Delayed implements engine.Path.
func (g *gateway) Delayed(lost int) (here int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cfg.Hosts.inGateway(g.look) != nil {
		return 0 // nothing is proven
	}
	return int(g.explain(lost))
}

// explain books the SYNs of one attempt that were lost, and returns how many of
// them the gateway has counted. The others never came to it.
func (g *gateway) explain(sent int) (counted int64) {
	counted = max(0, min(int64(sent), g.since.InsertFailed-g.known))
	g.known += counted
	g.short += int64(sent) - counted
	return counted
}

// Failed implements engine.Path. It takes two proofs: the gateway has dropped
// packets for want of a tuple that no other attempt has lost, and it tracks no
// connection from there to there, as it would if a SYN had gone on to a peer that
// does not answer. That all SYNs are among those that it counted is not asked:
// on a busy machine a link drops some before they come there.
func (g *gateway) Failed(from, to netip.AddrPort, sent int) outcome.Code {
	g.mu.Lock()
	defer g.mu.Unlock()
	proto := uint8(unix.IPPROTO_TCP)
	if g.cfg.UDP {
		proto = unix.IPPROTO_UDP
	}
	tracked := true
	err := g.cfg.Hosts.inGateway(func() (err error) {
		if err = g.look(); err == nil {
			tracked, err = conntrack.Tracked(proto, conntrack.Path{Src: from, Dst: to})
		}
		return err
	})
	if err != nil || tracked || g.explain(sent) == 0 {
		return outcome.TimedOut // nothing is proven
	}
	return outcome.NATNoPort
}

// look reads the counters. It is called on the gateway, with the lock held.
func (g *gateway) look() error {
	now, err := conntrack.ReadStats()
	if err == nil {
		g.since = now.Since(g.before)
	}
	return err
}

// seen writes down what the gateway has counted so far.
func (g *gateway) seen() *result.NAT {
	g.mu.Lock()
	defer g.mu.Unlock()
	nat := g.cfg.NAT
	out := &result.NAT{
		Range: nat.Range.String(), Ports: nat.Range.Size(), Random: nat.Random, Clients: max(1, g.cfg.Clients),
		TimeoutNS: int64(g.longest),
	}
	var count, most int64
	err := g.cfg.Hosts.inGateway(func() (err error) {
		if err = g.look(); err == nil {
			count, most, err = conntrack.Entries()
		}
		return err
	})
	for _, a := range nat.Addresses {
		out.Addresses = append(out.Addresses, result.NATAddress{Address: a.String()})
	}
	if err != nil {
		return out
	}
	s := g.since
	out.Tracked, out.MaxTracked = &count, &most
	known, short := g.known, g.short
	out.SYNsLost, out.SYNsExplained, out.SYNsUncounted = &s.InsertFailed, &known, &short
	out.Conntrack = counters(s)
	return out
}

// full says whether its connection tracking had no room for another connection.
func (g *gateway) full() bool { return g != nil && g.seen().Full() }

// counters lists the counters that have counted.
func counters(s conntrack.Stats) result.Counters {
	list := result.Counters{
		"found": s.Found, "invalid": s.Invalid, "insert": s.Insert, "insert_failed": s.InsertFailed, "drop": s.Drop,
		"early_drop": s.EarlyDrop, "error": s.Error, "search_restart": s.SearchRestart, "clash_resolve": s.ClashResolve,
		"chain_toolong": s.ChainTooLong,
	}
	for name, n := range list {
		if n == 0 {
			delete(list, name)
		}
	}
	return list
}

// translated reads which ports the gateway gives to connections toward the
// targets.
func (g *gateway) translated(out *result.NAT) error {
	family := uint8(unix.AF_INET)
	if g.cfg.Targets[0].Addr().Is6() {
		family = unix.AF_INET6
	}
	ports := make(map[netip.Addr]*result.PortMap)
	open := make(map[netip.Addr]int64)
	strange := int64(0)
	err := g.cfg.Hosts.inGateway(func() error {
		return conntrack.Tuples(family, func(t *conntrack.Tuple) {
			at := t.Reply.Dst
			switch {
			case !g.stands(t):
				return
			case !slices.Contains(g.cfg.NAT.Addresses, at.Addr()) || !g.cfg.NAT.Range.Contains(at.Port()):
				strange++
				return
			case ports[at.Addr()] == nil:
				ports[at.Addr()] = &result.PortMap{}
			}
			ports[at.Addr()].Add(at.Port())
			open[at.Addr()]++
		})
	})
	if err != nil && !errors.Is(err, conntrack.ErrInterrupted) {
		return err
	}
	out.Untranslated = &strange
	for i, a := range g.cfg.NAT.Addresses {
		out.Addresses[i].Connections, out.Addresses[i].Ports = new(int64), new(int64)
		if m := ports[a]; m != nil {
			n, distinct := open[a], m.Ports(nil).Distinct
			out.Addresses[i].Connections, out.Addresses[i].Ports = &n, &distinct
		}
	}
	return nil
}

// forgetsReset is how long a connection is tracked that an RST has closed.
func (g *gateway) forgetsReset() (d time.Duration, err error) {
	err = g.cfg.Hosts.inGateway(func() (err error) {
		d, err = trackedFor("tcp_timeout_close")
		return err
	})
	return d, err
}

// taken returns how many of its ports the gateway cannot give to another connection
// toward the target, and how many of these are those of connections that are closed.
func (g *gateway) taken() (all, closed int64, err error) {
	family := uint8(unix.AF_INET)
	if g.cfg.Targets[0].Addr().Is6() {
		family = unix.AF_INET6
	}
	err = g.cfg.Hosts.inGateway(func() error {
		return conntrack.Tuples(family, func(t *conntrack.Tuple) {
			if t.Proto != unix.IPPROTO_TCP || t.Original.Dst != g.cfg.Targets[0] {
				return
			}
			all++
			if t.State == conntrack.TimeWait || t.State == conntrack.Close {
				closed++
			}
		})
	})
	if errors.Is(err, conntrack.ErrInterrupted) {
		err = nil
	}
	return all, closed, err
}

// stands says whether an entry is an open connection of the run.
func (g *gateway) stands(t *conntrack.Tuple) bool {
	if !slices.Contains(g.cfg.Targets, t.Original.Dst) {
		return false
	}
	if g.cfg.UDP {
		return t.Proto == unix.IPPROTO_UDP
	}
	return t.Proto == unix.IPPROTO_TCP && t.State == conntrack.Established
}
