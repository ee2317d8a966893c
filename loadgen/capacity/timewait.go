package capacity

import (
	"math"
	"time"

	"lastport/reports/figures"
)

// boundTimeWait says how many ports may be out of use after a close, if that is
// fewer than there are.
//
// Source: inet_twsk_alloc of net/ipv4/inet_timewait_sock.c gives no socket for
// TIME_WAIT beyond tcp_max_tw_buckets in the network namespace, tcp_time_wait of
// net/ipv4/tcp_minisocks.c then closes the connection altogether, and
// TCPTimeWaitOverflow counts it.
func (a *Answer) boundTimeWait(q Question) {
	most := q.Settings.MaxTimeWait
	if most == nil || q.System != nil || q.Reuse > 0 || a.Reuse.Max == 0 || *most >= a.Connections.Max {
		return
	}
	a.MaxTimeWait = most
	a.why("at most %s sockets are in TIME_WAIT (tcp_max_tw_buckets), fewer than there are ports: a port that is closed beyond that "+
		"is free at once, without the protection of TIME_WAIT, so what is left of the old connection may reach the new one, "+
		"and ports that are too few do not show", figures.Grouped(*most))
}

// waiting is how many ports may be out of use after a close, of all pools: as
// they are when each pool has its share of them, and what it comes to when each
// has to allow for all. +Inf where there is no bound.
func (a *Answer) waiting() Interval[float64] {
	if a.MaxTimeWait == nil {
		return Interval[float64]{math.Inf(1), math.Inf(1)}
	}
	most := float64(*a.MaxTimeWait)
	return Interval[float64]{most, most * float64(max(1, a.Pools))}
}

// overflows says whether, of n attempts, more may be closed than TIME_WAIT takes.
// A socket is in TIME_WAIT to the end of its timer, though tcp_tw_reuse may give
// its port out before.
func (a *Answer) overflows(n int64, s schedule) bool {
	longest := timeWait + late(timeWait, 0) + 2*a.Late
	return a.MaxTimeWait != nil && min(n, a.Connections.Max, s.before(longest)) > *a.MaxTimeWait
}

// overflow allows for ports that are free at once because TIME_WAIT is full.
//
// Each port is taken for some time between the hold alone and what was assumed,
// so there are no more successes than with the first. No more ports are in
// TIME_WAIT than may be; if one pool has them all, its others serve as if it
// had no more than those. (An attempt fails where as many as the others are
// open. Were there ever fewer successes than with the others alone, then before
// the first such attempt more would be open than those have.)
//
// In the first round it is exact: nothing is free again before the ports are
// used up, if those that are closed by then fit into TIME_WAIT.
func (c *Course) overflow(a Answer, s schedule, hold time.Duration) {
	most := *a.MaxTimeWait
	shortest, longest := s.before(hold-a.Late), s.taken(hold+2*a.Late)
	c.Needs = Interval[int64]{min(c.Needs.Min, max(1, shortest+most)), min(c.Needs.Max, longest+most)}
	c.Successes = Interval[int64]{
		Min: max(c.Successes.Min, a.successes(c.Attempts, a.Connections.Min, most, longest)),
		Max: a.successes(c.Attempts, a.Connections.Max, 0, max(1, shortest)),
	}
	if a.Connections.Max < min(c.Needs.Min, c.Attempts) {
		c.Successes.Max = min(c.Successes.Max, c.Attempts-1)
	}
	pools := max(1, a.Pools)
	c.Sustained = c.Sustained || dealt(longest, pools, 0) <= dealt(a.Connections.Min, pools, pools-1)-most
}
