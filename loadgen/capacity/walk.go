package capacity

import "lastport/loadgen/ports"

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
// The offset is a hash of the addresses plus what earlier successes added, and
// a failure adds nothing, so a port that was left out stays out: one port for
// each pair of source and target, and only if the lowest or the highest is
// usable at all. With three ports n is 2, the only even offset below it is 0,
// and it is always the highest.
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
func (a *Answer) whyUnreached(system ports.Range, searches int64) {
	least, most := unreached(system, a.Usable)
	if most == 0 {
		return
	}
	each := ""
	if searches > 1 {
		each = " for each source and target"
	}
	if least == most {
		a.why("the kernel searches %s in steps of two and never reaches the last of the three ports, %d%s",
			system, system.High, each)
		return
	}
	a.why("the kernel searches %s in steps of two and rounds its odd size of %d down, "+
		"so it may leave out one port%s, the lowest or the highest", system, system.Size(), each)
}
