package capacity

import (
	"math"
	"time"

	"lastport/reports/figures"
)

// Gateway is what a source-NAT gateway of Linux has for connections: a range of
// ports on each of its outside addresses, once for each target.
type Gateway struct {
	Proto     string // "tcp" or "udp"
	Ports     int64  // of the range
	Addresses int64  // which connections take in turn
	Targets   int64
	// Exact says that attempts reach the addresses evenly: one of them, one
	// target, or one worker, which deals its attempts so.
	Exact bool
	// SYNs is how many a run of failures sends before the gateway is taken to be
	// full.
	SYNs int64
	// Longest is how long connection tracking keeps a closed connection at most,
	// by its timeout.
	Longest time.Duration
	// Entries is how many connections connection tracking has room for, on all
	// ports together, as nf_conntrack_max bounds it; 0: no bound is known.
	Entries int64
	// Hold is for how long connections are open, in a churn.
	Hold time.Duration
	// Wait is how long after its first SYN an attempt sends the last.
	Wait  time.Duration
	Close string // client-fin, client-rst, server-fin or server-rst
	Limit int64  // connections that are wanted at most; 0: as many as there can be
}

// A SYN tries a run of ports from a random start, of 128 and then of half as
// many as before, down to 16: nf_nat_l4proto_unique_tuple of
// net/netfilter/nf_nat_core.c, NF_NAT_MAX_ATTEMPTS. A range of no more than 128
// is tried whole.
const (
	natWhole = 128
	natTries = 128 + 64 + 32 + 16
)

// Through returns the answer for a space whose connections go through a gateway:
// what the smaller of both allows.
func (a Answer) Through(g Gateway) Answer {
	room := g.room()
	switch {
	case room.Min > a.Connections.Max:
		a.why("the gateway has %s translated ports, more than the %s connections that the clients have ports for: theirs run out first",
			figures.Grouped(room.Max), a.Connections)
		a.whyRefused(g)
		a.limit(g.Limit)
		return a
	case room.Max >= a.Connections.Min:
		a.why("the gateway's %s translated ports and the clients' own may run out first, either of them", figures.Grouped(room.Max))
	}
	clients := a.Connections
	b := a
	b.Connections = Interval[int64]{min(room.Min, clients.Min), min(room.Max, clients.Max)}
	b.Pools = max(1, g.Targets)
	b.MaxTimeWait = nil
	b.Reuse = Interval[time.Duration]{0, g.Longest}
	b.Wait = g.Wait
	b.Rate = g.rate(b.Connections, a.Rate)
	b.Why = nil
	for _, why := range a.Why {
		b.why("on the client: %s", why)
	}
	b.whyGateway(g, room)
	b.limit(g.Limit)
	return b
}

// Ends says whether the gateway's ports are what runs out first.
func (g Gateway) Ends(clients Answer) bool { return g.room().Min <= clients.Connections.Max }

// All is how many connections the gateway has room for: on each port of each
// outside address once for each target, and in its table.
func (g Gateway) All() int64 {
	if all := g.ports(); g.Entries == 0 || all <= g.Entries {
		return all
	}
	return g.Entries
}

// ports are those toward all targets.
func (g Gateway) ports() int64 { return g.Ports * g.Addresses * max(1, g.Targets) }

// room is how many connections the gateway translates at once. Up to 128 ports a
// SYN finds the last one for certain. Beyond, it finds one of f free ports with
// a chance of about tries × f / ports; what a run of SYNs misses with a chance
// of one in a billion is left out, twice over because free ports are not spread
// evenly.
func (g Gateway) room() Interval[int64] {
	all := g.ports()
	if g.Ports <= natWhole && g.Exact {
		return Interval[int64]{g.All(), g.All()}
	}
	const doubt = 20.7 // ln of a billion
	missed := int64(math.Ceil(2*doubt*float64(g.Ports)/natTries/float64(max(1, g.SYNs)))) * g.Addresses * max(1, g.Targets)
	return Interval[int64]{min(max(1, all-missed), g.All()), g.All()}
}

// rate is what the gateway and the clients sustain; nil if nothing bounds it.
func (g Gateway) rate(ports Interval[int64], clients *Interval[float64]) *Interval[float64] {
	if g.Longest <= 0 {
		return clients
	}
	least, most := float64(ports.Min)/(g.Longest+g.Hold).Seconds(), math.Inf(1) // a closed entry may make room at once
	if g.Hold > 0 {
		most = float64(ports.Max) / g.Hold.Seconds()
	}
	if clients != nil {
		least, most = min(least, clients.Min), min(most, clients.Max)
	}
	if math.IsInf(most, 1) {
		return nil
	}
	return &Interval[float64]{least, most}
}

// whyGateway explains what the gateway leaves to chance.
func (a *Answer) whyGateway(g Gateway, room Interval[int64]) {
	a.why("the gateway translates to %s %s on %s outside %s toward each target: %s %s",
		figures.Grouped(g.Ports), noun(g.Ports, "port"), figures.Grouped(g.Addresses), natAddresses(g.Addresses), room, noun(room.Max, "connection"))
	if g.Entries > 0 && g.Entries < g.ports() {
		a.why("its connection tracking has room for %s more entries (nf_conntrack_max), fewer than it has ports: what comes beyond is dropped, and times out", figures.Grouped(g.Entries))
	}
	if g.Ports > natWhole {
		a.why("above %d translated ports a SYN tries %d of them from random starts: near the end SYNs are lost while ports are free, and the last ports are found by chance", natWhole, natTries)
	} else if !g.Exact {
		a.why("several workers toward several targets do not reach the gateway's addresses in turn: a SYN may be lost while another address has a port")
	}
	if g.Longest > 0 && g.Proto == "udp" {
		a.why("connection tracking forgets a datagram's tuple after %v at the latest", g.Longest)
	} else if g.Longest > 0 {
		a.why("a full gateway gives the port of a closed connection to a new SYN whose sequence number is ahead of the old one's, which is chance, "+
			"and at the latest when connection tracking forgets it, after %v (closed by %s)", g.Longest, g.Close)
	}
	if g.Wait > 0 {
		a.why("an attempt that finds no port sends its SYN again for %v, and may find one that has come back by then", g.Wait)
	}
	a.whyRefused(g)
}

// whyRefused says what a gateway makes of a listener that closes first.
func (a *Answer) whyRefused(g Gateway) {
	if g.Refuses(0) > 0 {
		a.why("the listener closes first and has the TIME_WAITs: the gateway may give a port of one to another connection, whose timestamps are older, and the listener " +
			"refuses its SYN (PAWS). It is sent again after 1 s, and without that it times out")
	}
}

// Refuses returns for how long after a close the listener may refuse a connection
// that was given the same port, on a kernel with hz timer interrupts a second, 0 if
// that is not known; 0 if it does not. TIME_WAIT takes a new SYN if its timestamp
// is ahead of the last one (tcp_timewait_state_process of
// net/ipv4/tcp_minisocks.c). Clients offset theirs by their own ports
// (secure_tcp_ts_off of net/core/secure_seq.c), so of two connections through one
// port of a gateway either may be ahead.
func (g Gateway) Refuses(hz int) time.Duration {
	if g.Proto == "udp" || g.Close != "server-fin" {
		return 0
	}
	return timeWait + late(timeWait, hz)
}

func natAddresses(n int64) string {
	if n == 1 {
		return "address"
	}
	return "addresses"
}
