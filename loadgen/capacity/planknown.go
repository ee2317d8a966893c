package capacity

import (
	"slices"
	"time"

	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
)

// The names of the ways.
const (
	wayPooling   = "pooling"
	wayTargets   = "targets"
	waySources   = "sources"
	wayAddresses = "outside-addresses"
	wayPerHost   = "ports-per-host"
	wayRange     = "wider-range"
	wayLateBind  = "late-bind"
	wayTWReuse   = "tcp_tw_reuse"
	wayTWDelay   = "tcp_tw_reuse_delay"
	wayOwnPorts  = "own-ports"
	wayServerFIN = "server-fin"
	wayClientRST = "client-rst"
	wayNoKnee    = "socket-range"
)

// knownWays are the words of each way: what it is, what it costs or weakens, and
// where that can be read.
func knownWays() []Way {
	return []Way{
		{
			Name: wayPooling, Change: "10 requests over each connection",
			Risk:   "the program must pool, and a request may meet a connection that the peer has just closed",
			Source: "RFC 9112, sections 9.3 and 9.5",
		},
		{
			Name: wayTargets, Change: "targets",
			Risk:   "the service must listen on more addresses or ports, and the load be spread evenly over them",
			Source: `Cloudflare, "How to stop running out of ephemeral ports and start to love long-lived connections"`,
		},
		{
			Name: waySources, Change: "source addresses",
			Risk:   "the host needs the addresses, and the program binds to each in turn and leaves the port to connect",
			Source: "ip(7), IP_BIND_ADDRESS_NO_PORT",
		},
		{
			Name: wayAddresses, Change: "outside addresses",
			Risk:   "each is paid for, and peers that allow addresses by list must learn of it",
			Source: "the gateway's documentation: AWS VPC user guide, Azure NAT Gateway, Google Cloud NAT",
		},
		{
			Name: wayPerHost, Change: "ports for each machine",
			Risk:   "an address serves fewer machines, and machines that are idle keep theirs",
			Source: "Google Cloud NAT, IP addresses and ports: minimum ports per VM",
		},
		{
			Name: wayRange, Change: "every port from 1024",
			Risk:   "a service that starts later may find its port taken: reserve those in ip_local_reserved_ports",
			Source: "kernel documentation, ip-sysctl: ip_local_port_range, ip_local_reserved_ports",
		},
		{
			Name: wayLateBind, Change: "--strategy late-bind",
			Risk:   "one socket option in the program, Linux 4.2",
			Source: "ip(7), IP_BIND_ADDRESS_NO_PORT",
		},
		{
			Name: wayTWReuse, Change: "net.ipv4.tcp_tw_reuse=1",
			Risk: "for the whole host; segments of the old connection are told from the new one's by timestamps, " +
				"which a middlebox may strip",
			Source: "kernel documentation, ip-sysctl: tcp_tw_reuse; RFC 6191",
		},
		{
			Name: wayTWDelay, Change: "net.ipv4.tcp_tw_reuse_delay=100",
			Risk:   "for the whole host, Linux 6.14; an old segment has less time to die before the port is used again",
			Source: "kernel documentation, ip-sysctl: tcp_tw_reuse_delay; RFC 7323, section 5",
		},
		{
			Name: wayOwnPorts, Change: "ports of the program's own (--strategy random)",
			Risk:   "the program keeps a book of free ports and sets SO_REUSEADDR on every socket; what others hold it must pass over",
			Source: "RFC 6056, section 3.3; RFC 6191",
		},
		{
			Name: wayServerFIN, Change: "the peer closes first (server-fin)",
			Risk:   "TIME_WAIT moves to the peer and takes its memory; the protocol must let it end the connection",
			Source: "RFC 9293, section 3.6",
		},
		{
			Name: wayClientRST, Change: "close by RST (client-rst)",
			Risk:   "what is not yet sent or read is lost, the peer sees an error, and old segments may reach a new connection",
			Source: "RFC 9293, section 3.10.5; RFC 1337",
		},
		{
			Name: wayNoKnee, Change: "--strategy socket-range",
			Risk:   "one socket option in the program, Linux 6.3; it gives no more ports, but finds the last ones sooner",
			Source: `ip(7), IP_LOCAL_PORT_RANGE; Cloudflare, "connect() - why are you so slow?"`,
		},
	}
}

// wayNamed returns the words of a way.
func wayNamed(name string) Way {
	all := knownWays()
	return all[slices.IndexFunc(all, func(w Way) bool { return w.Name == name })]
}

// ofLinux adds what can be changed of a host that runs this kernel.
func (w Wish) ofLinux(add func(way Way, set func(*Wish))) {
	wide := ports.Range{Low: firstUnprivileged, High: ports.Max}
	add(wayNamed(wayRange), func(c *Wish) { c.Range, c.SystemRange = ports.Of(wide), wide }) // what is reserved or held stays lost
	if w.Strategy.Early {
		add(wayNamed(wayLateBind), func(c *Wish) { c.Strategy = traitsOf("late-bind") })
	}
	if w.Rests() && !w.Strategy.Early {
		w.sooner(add)
	}
	if w.Rests() && w.Settings.Timestamps && !w.Strategy.Explicit {
		add(wayNamed(wayOwnPorts), func(c *Wish) { c.Strategy = traitsOf("random") })
	}
	if w.Strategy.Step == 2 && !w.udp() && !w.Strategy.Early {
		add(wayNamed(wayNoKnee), func(c *Wish) { c.Strategy = traitsOf("socket-range") })
	}
}

// sooner adds what gives a port back before TIME_WAIT is over.
func (w Wish) sooner(add func(way Way, set func(*Wish))) {
	s, way := w.Settings, wayNamed(wayTWReuse)
	switch {
	case s.reuses() && s.TWReuseDelay > shortDelay:
		add(wayNamed(wayTWDelay), func(c *Wish) { c.Settings.TWReuseDelay = shortDelay })
	case s.reuses():
	default:
		if !s.Timestamps {
			way.Change += ", net.ipv4.tcp_timestamps=1 (both ends)"
		}
		add(way, func(c *Wish) { c.Settings.TWReuse, c.Settings.Timestamps = 1, true })
	}
}

// shortDelay is the tcp_tw_reuse_delay of the way that shortens it.
const shortDelay = 100 * time.Millisecond

// traitsOf are those of a strategy that chooses without a source, as the wish's
// may. What a way does to the ports does not depend on which they are.
func traitsOf(name string) strategy.Traits {
	s, err := strategy.New(name, strategy.Space{Ranges: ports.Of(ports.Range{Low: firstUnprivileged, High: ports.Max})})
	if err != nil { // none of that name: the arithmetic then finds no gain
		return strategy.Traits{}
	}
	return s.Traits()
}
