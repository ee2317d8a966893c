// Package strategy says how the source port of a connection comes to be: which
// window of ports the kernel is asked to choose from, when it is to choose, or
// which port we choose ourselves.
//
// It makes choices and does no more: setting socket options, binding and
// connecting are an engine's work, and what a strategy sustains is package
// capacity's. A strategy is one small file and one line in known.
package strategy

import (
	"net/netip"

	"lastport/loadgen/ports"
)

// Strategy chooses for one worker. It is not safe for concurrent use: each
// worker has its own, made by Run.Worker. None of its methods allocates.
type Strategy interface {
	// Choose returns what to ask the kernel for in the attempt's next try; false
	// says that there is nothing to try, or nothing more: no port is left.
	Choose(a Attempt) (Choice, bool)
	// Failed tells that a try came to nothing because what was chosen is taken: by
	// a stranger, or still by an earlier connection. It says whether another try
	// is worth its calls; if so, Choose is asked again with the next try, before any
	// other attempt. A port that has failed is not told of by Freed.
	Failed(a Attempt, c Choice) (again bool)
	// Freed tells that a connection of the pool with this source port is closed,
	// or never came to be: a port that Choose gave out may be chosen again.
	Freed(pool int, port uint16)
}

// Attempt is what a choice is made for.
type Attempt struct {
	Pool   int    // which pool of ports it draws on: see Pools
	Source uint16 // index of the source address
	Target uint16 // index of the target
	Try    int    // 0 for the first try of an attempt, then 1 and so on
}

// Choice is what one try asks the kernel for. The zero value asks for nothing:
// the kernel chooses source address and port at connect.
type Choice struct {
	Bind   Bind
	Window ports.Range // IP_LOCAL_PORT_RANGE to set on the socket; empty: none
	Port   uint16      // source port to bind to, with BindNow; 0: the kernel chooses it at bind
	// ReuseAddr asks for SO_REUSEADDR, with which sockets toward different targets
	// may have the same source address and port. Never for UDP, nor without a port:
	// there the kernel lets two sockets have the same 4-tuple.
	ReuseAddr bool
}

// Bind says whether the socket is bound to its source address before connect.
type Bind uint8

// The ways to bind.
const (
	NoBind   Bind = iota // not at all: the kernel takes the source address from the route
	BindNow              // the port is taken at bind
	BindLate             // the address alone (IP_BIND_ADDRESS_NO_PORT): the port is taken at connect
)

// Traits are the facts about a strategy that do not change from one choice to
// the next: what the arithmetic and the command line must know of it.
type Traits struct {
	// Explicit says that the source port is chosen by us, not by the kernel. The
	// same error number means different things then: see package outcome.
	Explicit bool
	// Step is the distance between the ports that the kernel's search tries one
	// after the other, for TCP: 2 where it takes one parity first and then the
	// other, and rounds a range of odd size down for that; else 1. UDP searches are
	// exact on every size. Sources: __inet_hash_connect of
	// net/ipv4/inet_hashtables.c, inet_csk_find_open_port of
	// net/ipv4/inet_connection_sock.c.
	Step int
	// Source says that it binds to a source address: without it there is one
	// source, the kernel's.
	Source bool
	// Early says that the kernel chooses the port at bind, before it knows the
	// target: a port is taken for all targets, and TIME_WAIT keeps it taken
	// whatever tcp_tw_reuse says.
	Early bool
	// Windowed says that it needs IP_LOCAL_PORT_RANGE (Linux 6.3), Late that it
	// needs IP_BIND_ADDRESS_NO_PORT (Linux 4.2).
	Windowed, Late bool
	// Tries says that one attempt may take several tries, one after the other and
	// no other attempt's between them: see Strategy.
	Tries bool
	// Again is how many of the ports that were found taken an attempt tries again
	// when there is no other, by turns; 0: the kernel's search tries all. What it
	// does not come to is for the attempts that follow.
	Again int
}

// ByTarget says whether toward each target every port can be used once more:
// over TCP, unless the port was taken before the target was known. A UDP socket
// has its port for its local address, whatever the target.
func (t Traits) ByTarget(udp bool) bool { return !udp && !t.Early }

// Pools says how a tuple space falls into pools: attempts of a pool draw on the
// same ports, and attempts of different pools share none. Without sources there
// is the kernel's one.
type Pools struct {
	Sources, Targets int
	ByTarget         bool
	Shared           bool // behind a gateway: all sources draw on its ports
}

// Count returns how many pools there are.
func (p Pools) Count() int {
	n := max(1, p.Sources)
	if p.Shared {
		n = 1
	}
	if p.ByTarget {
		n *= max(1, p.Targets)
	}
	return n
}

// Of returns the pool of a source and a target.
func (p Pools) Of(source, target uint16) int {
	if p.Shared {
		source = 0
	}
	if p.ByTarget {
		return int(source)*max(1, p.Targets) + int(target)
	}
	return int(source)
}

// Space is what a strategy chooses from.
type Space struct {
	Ranges  ports.Ranges     // source ports, not empty
	Sources []netip.Addr     // source addresses; empty: the kernel's choice
	Targets []netip.AddrPort // at least one
	UDP     bool
	Workers int // workers that choose; 0 is one

	Seed        uint64 // of what is chosen at random
	WindowSize  int    // of window: ports in a window; 0: DefaultWindow
	WindowMoves int    // of window: windows tried at random before they are tried in turn
	Tradeoff    int    // of random-increment: the RFC's N; 0: DefaultTradeoff
}

// Run is a strategy over a space, for all workers of a run.
type Run interface {
	Traits() Traits
	// Worker returns the strategy of a worker, counted from 0.
	Worker(i int) Strategy
}

// Pools returns the pools of the space under a strategy.
func (s Space) Pools(t Traits) Pools {
	return Pools{Sources: len(s.Sources), Targets: len(s.Targets), ByTarget: t.ByTarget(s.UDP)}
}
