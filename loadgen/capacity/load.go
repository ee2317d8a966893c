package capacity

import "math"

// Load is what the wish asks of the search for a free port, on one machine, when
// all goes as planned. What a search costs is measured: see package curve.
type Load struct {
	Rate      float64 // connects per second; 0: none come and go, or ports set no limit to them
	Ports     int     // usable ones, toward one target
	Occupancy float64 // share of those that are taken at most, toward the busiest target
	Sets      int64   // tuple sets that the plan adds for that; 0: none
	Closed    float64 // share of those taken that are closed and in TIME_WAIT
	InVain    float64 // share of connects that search one parity in vain: see InVain
}

// parity is the share of a range that a search in steps of two tries first.
const parity = 0.5

// InVain is the share of connects that search all ports of the parity that the
// kernel prefers, and find none free, when so much of a range is taken by
// connections that come and go at an even rate.
//
// A connect takes a port of that parity whenever one is free, and begins to look
// for it where the last search ended, at the port that has rested longest. So
// those ports serve parity ÷ (hold + reuse) connections per second, cheaply, and
// what comes on top goes to the others, each after a search in vain. Source:
// __inet_hash_connect of net/ipv4/inet_hashtables.c. It is the least: where ports
// do not come back in the order in which they were taken, more is searched.
func InVain(occupancy float64) float64 {
	if !(occupancy > parity) {
		return 0
	}
	return 1 - parity/occupancy
}

// Most is the highest rate at which so many processors find a free port, if they
// do nothing else: those of the preferred parity take the first cost each, in
// seconds, and what is beyond takes the second. +Inf: the load asks less of them.
func (l Load) Most(processors, first, second float64) float64 {
	cheap := l.Rate * (1 - l.InVain)
	switch {
	case l.Rate*first*(1-l.InVain)+l.Rate*second*l.InVain <= processors:
		return math.Inf(1)
	case cheap*first >= processors:
		return processors / first
	}
	return cheap + (processors-cheap*first)/second
}

// load is what a solved wish asks of a machine's search; nil where it is no
// search of Linux.
func (w Wish) load(s solution) *Load {
	own, answer, machines := w, s.answer, 1.0
	if w.Fleet != nil {
		own, answer, machines = w.host(), s.fleet.Hosts.Answer, float64(w.Fleet.Hosts)
	}
	if own.System != nil {
		return nil
	}
	l := &Load{Ports: own.each().Usable.Size(), Closed: own.closed(answer)}
	l.Occupancy, l.Sets = w.planned(s)
	l.Rate = max(w.Rate, w.Burst.Rate) / machines
	if !w.demands() && !math.IsInf(s.safe, 1) {
		l.Rate = s.safe / machines
	}
	if own.Strategy.Step != 2 || own.udp() || l.Rate == 0 {
		return l
	}
	l.InVain = own.inVain(l.Occupancy, answer)
	if len(s.targets) > 0 && w.Fleet == nil {
		l.InVain = w.inVainByTarget(s, l.Occupancy)
	}
	return l
}

// inVain is the share of connects for this wish. At the end of a burst no more ports
// of the preferred parity come back than at the wish's own rate; where any number of
// others is free at once (tcp_max_tw_buckets), next to none.
func (w Wish) inVain(occupancy float64, a Answer) float64 {
	switch {
	case !(occupancy > parity):
		return 0
	case a.MaxTimeWait != nil:
		return 1
	case w.Burst.Rate > 0:
		return 1 - w.Rate/w.Burst.Rate
	}
	return InVain(occupancy)
}

// inVainByTarget adds up targets with different shares, each of which has ports of
// its own; the busiest has so many of them taken.
func (w Wish) inVainByTarget(s solution, busiest float64) (share float64) {
	for _, t := range s.targets {
		occupancy := busiest * t.Share / w.Shares[w.busiest()]
		if s.demand != nil {
			occupancy = t.Occupancy.Max
			if !s.demand.Holds {
				occupancy /= float64(max(t.Needed, 1))
			}
		}
		share += t.Share * w.inVain(occupancy, s.answer)
	}
	return share
}

// planned is the share of the ports toward the busiest target that are taken when
// all goes as planned, and on how many tuple sets if the plan adds some. Without a
// demand it is that of the rate to count on.
func (w Wish) planned(s solution) (occupancy float64, sets int64) {
	d := s.demand
	switch {
	case d == nil && w.Fleet != nil && s.fleet.GatewayBinds: // the machines' own have ports to spare
		one := w.host()
		one.Rate = s.safe / float64(w.Fleet.Hosts)
		a := Predict(one.Question)
		return min(1-w.Headroom, one.most(a)/float64(max(a.Connections.Min, 1))), 0
	case d == nil:
		return 1 - w.Headroom, 0
	case w.Fleet != nil:
		return s.fleet.Hosts.Demand.Occupancy.Max, 0
	case d.Holds || w.Sources > 0 && w.Targets > 0 && len(s.targets) == 0:
		return d.Occupancy.Max, 0
	case len(s.targets) > 0: // the busiest one as several
		return d.Occupancy.Max / float64(max(s.targets[w.busiest()].Needed, 1)), 0
	}
	here := float64(s.answer.Connections.Min) / float64(w.each().Connections.Min)
	return d.Occupancy.Max * here / float64(max(d.Needed.Sets, 1)), d.Needed.Sets
}

// closed is how much of what is taken is closed and in TIME_WAIT, for strategies of
// which it is known what that means to a search: connect's.
func (w Wish) closed(a Answer) float64 {
	stays := w.demands() && !w.flows()
	if stays || w.udp() || w.Strategy.Early || a.Reuse.Max == 0 || a.MaxTimeWait != nil {
		return 0
	}
	return a.Reuse.Max.Seconds() / (w.Hold + a.Reuse.Max).Seconds()
}
