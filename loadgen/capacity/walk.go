package capacity

import (
	"lastport/loadgen/ports"

	"lastport/reports/figures"
)

// unreached returns how many of the usable ports a search in steps of two
// leaves out, at least and at most, when it walks the system's range and finds
// every other port taken.
//
// Source: __inet_hash_connect of net/ipv4/inet_hashtables.c. The search rounds
// the size of ip_local_port_range down to an even number n, unless it is 1.
// From an even offset below n it takes n/2 steps of two, and wraps around by
// subtracting n where the range ends; then the same from the next odd offset.
// On a range of odd size, n+1, there are n/2 odd offsets, and all are tried,
// but n/2+1 even ones, 0 to n, so one is left out:
//
//   - from offset 0, the walk ends before offset n: the highest port;
//   - from another offset, it wraps from n to 2: offset 0, the lowest port.
//
// For connect the offset is a hash of the addresses plus what earlier successes
// added, and a failure adds nothing, so a port that was left out stays out: one
// port of each pool, and only if the lowest or the highest is usable at all. With
// three ports n is 2, the only even offset below it is 0, and it is always the
// highest.
//
// bind to port 0 walks likewise, the odd offsets first (inet_csk_find_open_port of
// net/ipv4/inet_connection_sock.c), and leaves out the same ports. Its offset is
// drawn anew for each search, so a later attempt may find what one has missed.
func unreached(system ports.Range, usable ports.Ranges) (least, most int) {
	size := system.Size()
	low, high := usable.Contains(system.Low), usable.Contains(system.High)
	switch {
	case size <= 1 || size%2 == 0:
		return 0, 0
	case size == 3 && high:
		return 1, 1
	case size == 3:
		return 0, 0
	case low || high:
		return 0, 1
	}
	return 0, 0
}

// whyUnreached tells the reader what the search leaves out, if it does.
func (a *Answer) whyUnreached(q Question) {
	system := q.SystemRange
	least, most := unreached(system, a.Usable)
	if most == 0 {
		return
	}
	each := ""
	switch {
	case a.Pools == 1:
	case q.Strategy.Early:
		each = " for each source"
	default:
		each = " for each source and target"
	}
	if least == most {
		a.why("the kernel searches %s in steps of two and never reaches the last of the three ports, %d%s",
			system, system.High, each)
		return
	}
	a.why("the kernel searches %s in steps of two and rounds its odd size of %s down, "+
		"so it may leave out one port%s, the lowest or the highest", system, figures.Grouped(int64(system.Size())), each)
}

// whyPools says what several targets do not bring.
func (a *Answer) whyPools(q Question) {
	switch {
	case q.Targets <= 1 || q.Strategy.ByTarget(q.udp()):
	case q.udp():
		a.why("a UDP socket has its port for itself, whatever the target: %d targets bring no more than one", q.Targets)
	default:
		a.why("bind takes a port before the target is known, for all of them: %d targets bring no more than one", q.Targets)
	}
}
