package main

import (
	"fmt"
	"math"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/curve"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// cost says what a connect costs at the planned occupancy, and how many processors
// that takes, as it was measured: in the fill of --from, or else in lastport's own.
func (f *planFlags) cost(p capacity.Plan, d *result.Plan, processors int) error {
	if p.Load == nil {
		if f.parts.from != "" {
			return usagef("leave --from out", "--from with --range %s: a fill measures how Linux looks for a port, not %s", f.ranges, p.Wish.System.Name)
		}
		return nil
	}
	own := p.Wish.Question
	if p.Wish.Fleet != nil {
		own = p.Wish.Fleet.Own
	}
	q := curve.Query{
		Strategy: f.strategy, Proto: p.Wish.Proto, Ports: p.Load.Ports, Occupancy: p.Load.Occupancy,
		Flat: own.Strategy.Explicit,
	}
	if f.parts.from != "" {
		if err := f.saved(q, p, d); err != nil {
			return err
		}
	} else if err := measured(q, p, d); err != nil {
		return err
	}
	if c := d.Latency; c != nil {
		c.TupleSets, c.HostProcessors = p.Load.Sets, processors
		if most := p.Load.Most(float64(processors), seconds(c.EmptyNS), seconds(c.SearchNS)); processors > 0 && c.Processors > 0 && !math.IsInf(most, 1) {
			c.MostPerS = &most
		}
	}
	return nil
}

// seconds are those of nanoseconds.
func seconds(ns int64) float64 { return time.Duration(ns).Seconds() }

// measured reads the cost from lastport's own fills, of the plan and of what would
// give more.
func measured(q curve.Query, p capacity.Plan, d *result.Plan) error {
	all, err := curve.Measured()
	if err != nil {
		return err
	}
	read := func(q curve.Query, l *capacity.Load) *result.PlanCost {
		r, ok := all.Read(q)
		if !ok {
			return nil
		}
		return costOf(r, q, l, fills(r, q)+", "+all.Where())
	}
	d.Latency = read(q, p.Load)
	for i, way := range p.Ways {
		if way.Load == nil {
			continue
		}
		q := ofWay(q, way)
		c := read(q, way.Load)
		if c == nil {
			continue
		}
		d.Ways[i].Processors = c.Processors
		if way.Name == "socket-range" && q.Proto == "tcp" {
			d.Ways[i].Latency = c
		}
	}
	return nil
}

// ofWay is the query for a change of the plan.
func ofWay(q curve.Query, way capacity.Way) curve.Query {
	q.Ports, q.Occupancy = way.Load.Ports, way.Load.Occupancy
	switch way.Name {
	case "socket-range", "late-bind":
		q.Strategy = way.Name
	case "own-ports":
		q.Strategy, q.Flat = "random", true
	}
	return q
}

// saved reads the cost from the document of --from.
func (f *planFlags) saved(q curve.Query, p capacity.Plan, d *result.Plan) error {
	document, err := result.ReadAny(f.parts.from)
	if err != nil {
		return err
	}
	r, err := curve.Saved(document, q)
	if err != nil {
		return named("--from "+f.parts.from, err)
	}
	d.Latency = costOf(r, q, p.Load, fills(r, q)+", "+f.parts.from)
	return nil
}

// costOf is a reading in the form that is rendered, and what it comes to when the
// load is borne.
func costOf(r curve.Reading, q curve.Query, l *capacity.Load, from string) *result.PlanCost {
	c := &result.PlanCost{
		Occupancy: q.Occupancy, Closed: l.Closed, EmptyNS: int64(r.Empty), FullNS: int64(r.NoPort), From: from,
	}
	if q.Occupancy > 1 {
		return c
	}
	search := r.Search(l.Closed)
	mean := r.Mean(l.InVain, search)
	c.P50NS, c.P99NS = int64(r.P50), int64(r.P99)
	c.RatePerS, c.InVain, c.SearchNS, c.MeanNS = l.Rate, l.InVain, int64(search), int64(mean)
	c.Processors = l.Rate * mean.Seconds()
	return c
}

// fills names the fills that a reading is from, and what was done to them.
func fills(r curve.Reading, q curve.Query) string {
	low, top := figures.Grouped(int64(r.Low)), figures.Grouped(int64(r.Top))
	switch {
	case r.Low != r.Top:
		return fmt.Sprintf("%s: between fills of %s and of %s ports", q.Strategy, low, top)
	case r.Low != q.Ports:
		return fmt.Sprintf("%s: a fill of %s ports, as it does not search", q.Strategy, low)
	}
	return fmt.Sprintf("%s: a fill of %s ports", q.Strategy, low)
}
