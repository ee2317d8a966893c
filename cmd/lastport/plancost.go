package main

import (
	"cmp"
	"fmt"
	"slices"

	"lastport/loadgen/capacity"
	"lastport/loadgen/curve"
	"lastport/reports/result"
)

// cost says what a connect costs at the planned occupancy, as it was measured: in
// the fill of --from, or else in lastport's own.
func (f *planFlags) cost(p capacity.Plan, d *result.Plan) error {
	w := p.Wish
	own, usable := w.Question, p.Each.Usable.Size()
	if w.Fleet != nil {
		own, usable = w.Fleet.Own, p.Fleet.Hosts.Answer.Usable.Size()
	}
	if own.System != nil {
		if f.parts.from != "" {
			return usagef("leave --from out", "--from with --range %s: a fill measures how Linux looks for a port, not %s", f.ranges, own.System.Name)
		}
		return nil
	}
	occupancy, sets := plannedOccupancy(p)
	q := curve.Query{
		Strategy: f.strategy, Proto: w.Proto, Ports: usable, Occupancy: occupancy,
		Flat: own.Strategy.Explicit,
	}
	if f.parts.from != "" {
		if err := f.saved(q, d); err != nil {
			return err
		}
	} else if err := measured(q, d, own.Strategy.Step == 2); err != nil {
		return err
	}
	if d.Latency != nil {
		d.Latency.TupleSets, d.Latency.Closed = sets, closedShare(p, own)
	}
	return nil
}

// measured reads the cost from lastport's own fills, and what it would be without
// the knee, if there is one.
func measured(q curve.Query, d *result.Plan, knee bool) error {
	all, err := curve.Measured()
	if err != nil {
		return err
	}
	read := func(q curve.Query) *result.PlanCost {
		r, ok := all.Read(q)
		if !ok {
			return nil
		}
		return costOf(r, q, fills(r, q)+", "+all.Where())
	}
	d.Latency = read(q)
	for i := range d.Ways {
		if knee && d.Ways[i].Name == "socket-range" {
			q.Strategy = d.Ways[i].Name
			d.Ways[i].Latency = read(q)
		}
	}
	return nil
}

// saved reads the cost from the document of --from.
func (f *planFlags) saved(q curve.Query, d *result.Plan) error {
	document, err := result.ReadAny(f.parts.from)
	if err != nil {
		return err
	}
	r, err := curve.Saved(document, q)
	if err != nil {
		return named("--from "+f.parts.from, err)
	}
	d.Latency = costOf(r, q, fills(r, q)+", "+f.parts.from)
	return nil
}

// plannedOccupancy is the share of the ports toward the busiest target that are taken when
// all goes as planned, and on how many tuple sets if the plan adds some. Without a
// demand it is that of the rate to count on.
func plannedOccupancy(p capacity.Plan) (occupancy float64, sets int64) {
	d, w := p.Demand, p.Wish
	if d == nil {
		return 1 - w.Headroom, 0
	}
	occupancy = d.Occupancy.Max
	if p.Fleet != nil {
		return p.Fleet.Hosts.Demand.Occupancy.Max, 0
	}
	switch {
	case d.Holds || w.Sources > 0 && w.Targets > 0 && len(p.Targets) == 0:
		return occupancy, 0
	case len(p.Targets) > 0: // the busiest one as several
		busiest := slices.MaxFunc(p.Targets, func(a, b capacity.TargetPlan) int { return cmp.Compare(a.Share, b.Share) })
		return occupancy / float64(max(busiest.Needed, 1)), 0
	}
	here := float64(p.Answer.Connections.Min) / float64(p.Each.Connections.Min)
	return occupancy * here / float64(max(d.Needed.Sets, 1)), d.Needed.Sets
}

// closedShare is how much of what is taken is closed and in TIME_WAIT, for
// strategies of which it is known what that means: connect's search.
func closedShare(p capacity.Plan, own capacity.Question) float64 {
	a := p.Answer
	if p.Fleet != nil {
		a = p.Fleet.Hosts.Answer
	}
	stays := p.Demand != nil && p.Wish.Rate == 0 && p.Wish.Burst.Rate == 0
	if stays || own.Proto == "udp" || own.Strategy.Early || a.Reuse.Max == 0 || a.MaxTimeWait != nil {
		return 0
	}
	return a.Reuse.Max.Seconds() / (p.Wish.Hold + a.Reuse.Max).Seconds()
}

// costOf is a reading in the form that is rendered.
func costOf(r curve.Reading, q curve.Query, from string) *result.PlanCost {
	c := &result.PlanCost{
		Occupancy: q.Occupancy, EmptyNS: int64(r.Empty), FullNS: int64(r.NoPort), From: from,
	}
	if q.Occupancy <= 1 {
		c.P50NS, c.P99NS = int64(r.P50), int64(r.P99)
	}
	return c
}

// fills names the fills that a reading is from, and what was done to them.
func fills(r curve.Reading, q curve.Query) string {
	low, top := grouped(int64(r.Low)), grouped(int64(r.Top))
	switch {
	case r.Low != r.Top:
		return fmt.Sprintf("%s: between fills of %s and of %s ports", q.Strategy, low, top)
	case r.Low != q.Ports:
		return fmt.Sprintf("%s: a fill of %s ports, as it does not search", q.Strategy, low)
	}
	return fmt.Sprintf("%s: a fill of %s ports", q.Strategy, low)
}
