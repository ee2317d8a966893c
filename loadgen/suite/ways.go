package suite

import (
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// Way is one way of using ports, by what sets it apart from the usual: plain
// connect over the host's range with its settings, by TCP over IPv4 from one
// source to one target, and the client closes first.
type Way struct {
	Name     string // with Strategy, the row's name
	Strategy string
	Profile  string // a named range; "": the host's
	Close    step.CloseMode
	TWReuse  bool // tcp_tw_reuse=1
	UDP      bool
	IPv6     bool
	Sources  int // addresses; 0: one, the kernel's choice
	Targets  int // addresses; 0: one
	// Unfilled says that the range is not filled: its search would take more than
	// a minute over the ports of a usual host.
	Unfilled bool
	// Derived says that its rate is not bracketed by churns: ports and reuse delay
	// must do.
	Derived bool
}

// KeyTWReuse is the setting of Way.TWReuse.
const KeyTWReuse = "net.ipv4.tcp_tw_reuse"

// ways are the rows of the bench. Each but the first of its strategy differs
// from that in one thing, so that a difference has one cause. The best of
// several that are as good is the one that comes first. Plain connect takes
// minutes on 64,512 ports, so the ranges are filled by socket-range, and so is
// what differs in protocol or addresses. Of the strategies that choose the port
// themselves one stands for all, and late-bind is searched for as connect is:
// they differ in what strategies shows.
func ways() []Way {
	return []Way{
		{Name: "connect", Strategy: "connect"},
		{Name: "tcp_tw_reuse=1", Strategy: "connect", TWReuse: true},
		{Name: "server-fin", Strategy: "connect", Close: step.ServerFIN},
		{Name: "client-rst", Strategy: "connect", Close: step.ClientRST},
		{Name: "server-rst", Strategy: "connect", Close: step.ServerRST},
		{Name: "bind", Strategy: "bind", Unfilled: true},
		{Name: "tcp_tw_reuse=1", Strategy: "bind", TWReuse: true, Unfilled: true},
		{Name: "random", Strategy: "random"},
		{Name: "window", Strategy: "window", Derived: true},
		{Name: "socket-range", Strategy: "socket-range"},
		{Name: "tcp_tw_reuse=1", Strategy: "socket-range", TWReuse: true},
		{Name: "2 targets", Strategy: "socket-range", Targets: 2, Derived: true},
		{Name: "2 sources", Strategy: "socket-range", Sources: 2, Derived: true},
		{Name: "ipv6", Strategy: "socket-range", IPv6: true, Derived: true},
		{Name: "udp", Strategy: "socket-range", UDP: true},
		{Name: "windows-xp", Strategy: "socket-range", Profile: "windows-xp"},
		{Name: "iana", Strategy: "socket-range", Profile: "iana"},
		{Name: "freebsd", Strategy: "socket-range", Profile: "freebsd"},
		{Name: "all", Strategy: "socket-range", Profile: "all"},
	}
}

// The ranges that every strategy fills, to compare them: bind takes the square
// of the size, and needs 20 s for the first one.
const (
	strategyProfile      = "iana"
	strategyProfileQuick = "windows-xp"
)

// strategies are the fills that set all strategies side by side.
func strategies(quick bool) []Way {
	profile := strategyProfile
	if quick {
		profile = strategyProfileQuick
	}
	var all []Way
	for _, name := range strategy.Names() {
		all = append(all, Way{Strategy: name, Profile: profile})
	}
	return all
}
