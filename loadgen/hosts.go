package loadgen

import (
	"net/netip"
	"time"

	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// Hosts are how a run reaches the hosts of its place that are not the one it
// is made on. A field that is nil is that host itself.
type Hosts struct {
	// Server and Gateway call a function on a thread that is on that host
	// meanwhile: sockets that it opens are that host's, and so are the settings,
	// counters and sockets that it reads.
	Server, Gateway func(func() error) error
	// Client is like them for the i-th client.
	Client func(i int, f func() error) error
	// Enter moves the calling thread, which is locked and ends with its goroutine,
	// to the i-th client for good.
	Enter func(client int) error
}

// inServer calls f on the listener's host.
func (h *Hosts) inServer(f func() error) error { return on(h.Server, f) }

// inGateway calls f on the gateway.
func (h *Hosts) inGateway(f func() error) error { return on(h.Gateway, f) }

func on(host func(func() error) error, f func() error) error {
	if host == nil {
		return f()
	}
	return host(f)
}

// NAT is the gateway between the clients of a run and its listener: it gives
// every connection one of its own addresses and a port of its range.
type NAT struct {
	RangeName string // the range's name, if it has one
	Range     ports.Range
	Addresses []netip.Addr             // its own, which connections take in turn
	Random    bool                     // it chooses ports at random, whatever the client's own is
	Timeouts  map[string]time.Duration // of connection tracking, where they are set, by state
}

// Room is how many connections it can translate at once toward so many targets.
func (n *NAT) Room(targets int) int64 {
	return int64(n.Range.Size()) * int64(len(n.Addresses)) * int64(targets)
}

// echo writes the gateway as it was asked for.
func (n *NAT) echo(to *result.Config) {
	if n == nil {
		return
	}
	to.NATRange, to.NATRangeName, to.NATRandom = n.Range.String(), n.RangeName, n.Random
	for _, a := range n.Addresses {
		to.NATAddresses = append(to.NATAddresses, a.String())
	}
	for state, t := range n.Timeouts {
		if to.NATTimeoutsNS == nil {
			to.NATTimeoutsNS = make(map[string]int64)
		}
		to.NATTimeoutsNS[state] = int64(t)
	}
}
