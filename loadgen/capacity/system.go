package capacity

import (
	"time"

	"lastport/reports/figures"
)

// System is a system other than this kernel, for plans: what its makers state
// takes the place of the kernel's search and of its settings.
type System struct {
	Name  string
	Reuse time.Duration // from close until the port can be used again toward the same target; 0: none is stated
	// PerTarget is how many connections it allows for one of its addresses and
	// one target; 0: as many as it has ports.
	PerTarget int64
	// PerMachine says that PerTarget is of each machine behind it, and not of each
	// address.
	PerMachine bool
	// Gateway says that it translates the connections of others. It watches them
	// go by, so a port rests whoever closes first; a host's own port rests only
	// if the host does.
	Gateway bool
}

// bound cuts what one search finds to what the system allows toward one target.
func (s *System) bound(found int64) int64 {
	if s == nil || s.PerTarget == 0 {
		return found
	}
	return min(found, s.PerTarget)
}

// whyBound tells the reader where the system allows less than it has ports.
func (a *Answer) whyBound(s *System) {
	if s != nil && s.bound(int64(a.Usable.Size())) < int64(a.Usable.Size()) {
		whose := "each of its addresses"
		if s.PerMachine {
			whose = "each machine"
		}
		a.why("%s allows %s connections for %s and target, fewer than its %s", s.Name, figures.Grouped(s.PerTarget), whose, count(a.Usable))
	}
}

// Rests says whether a port is out of use for a time after its close.
func (q Question) Rests() bool {
	q = defaults(q)
	switch {
	case q.System != nil && q.System.Gateway:
		return true
	case q.Proto == "udp":
		return false
	}
	return q.Close == "client-fin" // TIME_WAIT is at the end that closes first by FIN (RFC 9293, section 3.6)
}

// statedReuse is the time that a system's makers state, and says so if they
// state none: what follows from 0 is then a bound and no prediction.
func (a *Answer) statedReuse(s *System) Interval[time.Duration] {
	if s.Reuse == 0 {
		a.Unstated = true
		a.why("no time is stated for %s until a closed port can be used again: whatever it is, it lowers the rate (--reuse plans with one)", s.Name)
		return Interval[time.Duration]{}
	}
	a.why("a port closed on %s is out of use for %v", s.Name, s.Reuse)
	return Interval[time.Duration]{Min: s.Reuse, Max: s.Reuse}
}
