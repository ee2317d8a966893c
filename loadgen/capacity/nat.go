package capacity

import (
	"math"
	"time"
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
	Close   string // client-fin, client-rst, server-fin or server-rst
	Limit   int64  // connections that are wanted at most; 0: as many as there can be
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
			grouped(room.Max), a.Connections)
		a.limit(g.Limit)
		return a
	case room.Max >= a.Connections.Min:
		a.why("the gateway's %s translated ports and the clients' own may run out first, either of them", grouped(room.Max))
	}
	clients := a.Connections
	b := a
	b.Connections = Interval[int64]{min(room.Min, clients.Min), min(room.Max, clients.Max)}
	b.Pools = max(1, g.Targets)
	b.MaxTimeWait = nil
	b.Reuse = Interval[time.Duration]{0, g.Longest}
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

// room is how many connections the gateway translates at once. Up to 128 ports a
// SYN finds the last one for certain. Beyond, it finds one of f free ports with
// a chance of about tries × f / ports; what a run of SYNs misses with a chance
// of one in a billion is left out, twice over because free ports are not spread
// evenly.
func (g Gateway) room() Interval[int64] {
	all := g.Ports * g.Addresses * max(1, g.Targets)
	if g.Ports <= natWhole && g.Exact {
		return Interval[int64]{all, all}
	}
	const doubt = 20.7 // ln of a billion
	missed := int64(math.Ceil(2*doubt*float64(g.Ports)/natTries/float64(max(1, g.SYNs)))) * g.Addresses * max(1, g.Targets)
	return Interval[int64]{max(1, all-missed), all}
}

// rate is what the gateway and the clients sustain; nil if nothing bounds it.
func (g Gateway) rate(ports Interval[int64], clients *Interval[float64]) *Interval[float64] {
	if g.Longest <= 0 {
		return clients
	}
	least := float64(ports.Min) / g.Longest.Seconds()
	if clients == nil { // a closed entry may make room at once
		return nil
	}
	return &Interval[float64]{min(least, clients.Min), clients.Max}
}

// whyGateway explains what the gateway leaves to chance.
func (a *Answer) whyGateway(g Gateway, room Interval[int64]) {
	a.why("the gateway translates to %s %s on %s outside %s toward each target: %s connections",
		grouped(g.Ports), noun(g.Ports, "port"), grouped(g.Addresses), natAddresses(g.Addresses), room)
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
}

func natAddresses(n int64) string {
	if n == 1 {
		return "address"
	}
	return "addresses"
}
