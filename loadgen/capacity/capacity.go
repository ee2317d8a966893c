// Package capacity is the arithmetic that predicts: how many connections a
// tuple space holds, how soon a closed port comes back, what rate follows and
// what any rate comes to, and how long a silent peer keeps a port taken. A plan
// solves the same arithmetic for what is wanted.
//
// It answers in intervals and says why, because the kernel leaves some things
// to chance. It is pure: settings and ports in use are handed in. What the
// kernel then did, and how far that is from here, is a run's business.
package capacity

import (
	"math"
	"slices"
	"time"

	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
	"lastport/reports/figures"
)

// Question is a tuple space and the settings that it is used under. The zero
// values of Proto, Close, Sources and Targets stand for tcp, client-fin, one
// and one.
type Question struct {
	Proto    string // "tcp" or "udp"
	Strategy strategy.Traits

	Range     ports.Ranges // the ports asked for, less those excluded
	Reserved  ports.Ranges // ports in ip_local_reserved_ports
	Held      ports.Ranges // ports that no strategy gets, such as those of listeners on the sources or on all addresses
	Uncertain ports.Ranges // ports in use of which it is not known whether they can be shared
	// Elsewhere are likewise ports of sockets of the same protocol that are bound
	// to other addresses than the sources. They matter to some strategies alone: see
	// anyAddress.
	HeldElsewhere, UncertainElsewhere ports.Ranges

	// SystemRange is ip_local_port_range in force; empty: the hull of Range. The
	// kernel chooses from all of it, so ports of it outside Range must be
	// reserved, or a window set on the socket.
	SystemRange ports.Range

	Sources int           // source addresses in use
	Targets int           // target addresses and ports
	Limit   int64         // connections that are wanted at most; 0: as many as there can be
	Hold    time.Duration // how long each connection stays open

	Close    string // client-fin, client-rst, server-fin or server-rst
	Settings Settings
	System   *System       // whose ports they are, if not this kernel's: instead of Strategy and Settings
	Linger   time.Duration // how late the listener closes its end
	// Reuse is the time that a port is out of use after its close, where it is
	// given and not found by Settings or System; 0: it is found.
	Reuse time.Duration
}

// Settings are the kernel's settings that decide when a closed port comes back.
type Settings struct {
	TWReuse      int           // tcp_tw_reuse: 0, 1, or 2 for loopback addresses alone
	TWReuseDelay time.Duration // tcp_tw_reuse_delay; 0: the kernel has no such setting (before Linux 6.14)
	Timestamps   bool          // tcp_timestamps is not 0
	HZ           int           // timer interrupts per second; 0: not known
	MaxTimeWait  *int64        // tcp_max_tw_buckets; nil: not known, and taken to be enough
	Loopback     bool          // both ends are in 127.0.0.0/8, or are ::1
}

// Answer is what the arithmetic says.
type Answer struct {
	Usable ports.Ranges // the ports of the range that can be had, the uncertain ones among them
	Tuples int64        // 4-tuples that the usable ports make; local ends, where a port is taken for all targets
	// Pools is how many times the usable ports can be had: see strategy.Pools. All
	// are alike, and attempts are dealt to them in turn.
	Pools int64

	Connections Interval[int64]         // open at once, at most
	Reuse       Interval[time.Duration] // from close until the same tuple can connect again
	Unstated    bool                    // the System states no reuse time: Reuse is 0, and Rate at most what there can be
	// MaxTimeWait is how many sockets may be in TIME_WAIT, if that is fewer than
	// the ports: a port that is closed beyond it is free at once. Nil if all may.
	MaxTimeWait *int64
	// Rate is what can be sustained, connections per second, if ports are the
	// only limit; nil if a port may be free again at once, and so sets none.
	Rate *Interval[float64]

	// PassedOver is how many attempts of a pool in a row may find no port though one
	// is back: see passOver.
	PassedOver int64

	// Late is how long after its time the generator may begin an attempt, or a
	// close, at most. Predict takes it to be never late; who knows better says so
	// before asking for a Course. One stall counts: it delays what follows in every
	// cycle to come.
	Late time.Duration

	// Wait is how long an attempt that finds no port goes on to look for one, by
	// Course: behind a gateway, until its last SYN. On a host of its own it does not.
	Wait time.Duration

	// Why explains, in plain sentences, which ports were lost and to what, why an
	// interval is not a single number, and what else is the limit.
	Why []string
}

// Interval is an inclusive interval.
type Interval[T ~int64 | ~float64] struct{ Min, Max T }

// Exact says whether the interval is a single value.
func (i Interval[T]) Exact() bool { return i.Min == i.Max }

// Distance returns 0 for a value in the interval, else the value less the bound
// that it missed: below 0 it fell short, above 0 it went beyond.
func (i Interval[T]) Distance(value T) T {
	switch {
	case value < i.Min:
		return value - i.Min
	case value > i.Max:
		return value - i.Max
	}
	return 0
}

// Predict answers the question.
func Predict(q Question) Answer {
	q = defaults(q)
	a := q.room()
	a.Reuse = a.reuse(q)
	a.boundTimeWait(q)
	a.passOver(q)
	a.linger(q)
	a.Rate = a.rate(q.Hold)
	a.limit(q.Limit)
	return a
}

// room answers what can be open at once, and nothing of what closes.
func (q Question) room() (a Answer) {
	a.losePorts(q)
	pools := strategy.Pools{Sources: q.Sources, Targets: q.Targets, ByTarget: q.Strategy.ByTarget(q.udp())}
	a.Pools = int64(pools.Count())
	a.Tuples = a.Pools * int64(a.Usable.Size())
	a.Connections = a.connections(q)
	a.whyPools(q)
	return a
}

func defaults(q Question) Question {
	if q.Proto == "" {
		q.Proto = "tcp"
	}
	if q.Close == "" {
		q.Close = "client-fin"
	}
	if q.SystemRange.Size() == 0 {
		q.SystemRange = q.Range.Hull()
	}
	return q
}

func (q Question) udp() bool { return q.Proto == "udp" }

// anyAddress says whether the kernel's search passes over a port that is bound
// on any address, not the source's alone. Over TCP connect shares ports with
// connect, and with no port that was bound explicitly (tb->fastreuse of
// __inet_hash_connect, net/ipv4/inet_hashtables.c), while bind looks at addresses
// (inet_csk_bind_conflict, net/ipv4/inet_connection_sock.c). A UDP socket that is
// not bound to a source gets its port for all addresses (inet_autobind,
// net/ipv4/af_inet.c).
func (q Question) anyAddress() bool {
	if q.udp() {
		return !q.Strategy.Source
	}
	return !q.Strategy.Early && !q.Strategy.Explicit
}

// losePorts finds the usable ports and says what took the others.
func (a *Answer) losePorts(q Question) {
	a.Usable = slices.Clone(q.Range)
	lose := func(taken ports.Ranges, to string) {
		if lost := a.Usable.Intersect(taken); lost.Size() > 0 {
			a.why("%s lost to %s: %s", count(lost), to, list(lost))
			a.Usable = a.Usable.Minus(lost)
		}
	}
	if !q.Strategy.Explicit { // whose bind may name any port
		lose(q.Range.Minus(ports.Of(q.SystemRange)), "ip_local_port_range, which leaves them out")
	}
	lose(q.Reserved, "ip_local_reserved_ports")
	lose(q.Held, "sockets that hold them")
	if q.anyAddress() {
		lose(q.HeldElsewhere, "sockets that hold them on other addresses, which the kernel's search passes over too")
	}
	if unsure := a.Usable.Intersect(q.unsure()); unsure.Size() > 0 {
		a.why("%s in use by other sockets, which may or may not share them: %s", count(unsure), list(unsure))
	}
}

// unsure returns the ports that the strategy may or may not get.
func (q Question) unsure() ports.Ranges {
	if q.anyAddress() {
		return q.Uncertain.Union(q.UncertainElsewhere)
	}
	return q.Uncertain
}

// connections counts what the searches reach among the usable ports, one of
// each pool.
func (a *Answer) connections(q Question) Interval[int64] {
	certain := a.Usable.Minus(q.unsure())
	var missed, missedAtBest int
	if !q.udp() && q.Strategy.Step == 2 && q.System == nil {
		_, missed = unreached(q.SystemRange, certain)
		missedAtBest, _ = unreached(q.SystemRange, a.Usable)
		a.whyUnreached(q)
	}
	a.whyBound(q.System)
	return Interval[int64]{
		Min: a.Pools * q.System.bound(int64(certain.Size()-missed)),
		Max: a.Pools * q.System.bound(int64(a.Usable.Size()-missedAtBest)),
	}
}

// rate is what the ports sustain; nil if they set no limit.
func (a *Answer) rate(hold time.Duration) *Interval[float64] {
	waiting := a.waiting()
	most := sustains(float64(a.Connections.Max), waiting.Min, hold, a.Reuse.Min)
	if math.IsInf(most, 1) {
		return nil
	}
	return &Interval[float64]{Min: sustains(float64(a.Connections.Min-a.passedOver()), waiting.Max, hold, a.Reuse.Max), Max: most}
}

// sustains is Little's law: each port serves one connection, and then again once
// the connection was held and the port has come back. Where no more than so many
// ports wait to come back, the others serve one in every hold. It is +Inf where
// that takes no time.
func sustains(ports, waiting float64, hold, reuse time.Duration) float64 {
	over := func(ports float64, taken time.Duration) float64 {
		if taken <= 0 {
			return math.Inf(1)
		}
		return ports / taken.Seconds()
	}
	rate := over(ports, hold+reuse)
	if others := ports - waiting; others > 0 {
		rate = max(rate, over(others, hold))
	}
	return rate
}

// limit bounds what is opened by what was asked for. It bounds no rate: that is
// what the whole space sustains.
func (a *Answer) limit(limit int64) {
	if limit <= 0 || limit >= a.Connections.Max {
		return
	}
	a.why("the limit of %s connections is below the capacity of %s", figures.Grouped(limit), a.Connections)
	a.Connections.Min = min(a.Connections.Min, limit)
	a.Connections.Max = limit
}
