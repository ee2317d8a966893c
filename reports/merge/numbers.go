package merge

import (
	"maps"
	"math"
	"slices"

	"lastport/reports/result"
)

// space is all tuples together: those of each shard are its own, from sources
// of its own. Which ports are usable may differ from host to host; then it is
// the fewest.
func (w *whole) space() result.Space {
	all := every(w.runs, func(r *result.Result) *result.Space { return &r.Space })
	s := *all[0]
	s.Taken = nil
	s.Sources = int(sum(&w.tally, "space.sources", all, func(s *result.Space) int64 { return int64(s.Sources) }))
	s.Tuples = sum(&w.tally, "space.tuples", all, func(s *result.Space) int64 { return s.Tuples })
	s.Widened, _ = shared(all, func(s *result.Space) string { return s.Widened })
	s.Reserved, _ = shared(all, func(s *result.Space) string { return s.Reserved })
	for _, one := range all {
		s.Ports, s.PortsUsable, s.Targets = min(s.Ports, one.Ports), min(s.PortsUsable, one.PortsUsable), min(s.Targets, one.Targets)
		for _, holder := range one.Taken {
			if !slices.Contains(s.Taken, holder) {
				s.Taken = append(s.Taken, holder)
			}
		}
	}
	return s
}

// predicted is what arithmetic says of all spaces together: what they hold and
// what they sustain is the sum. When a port comes back is predicted for each, and
// holds for all between the least and the most. Which attempt is the first to
// find no port, and when, is each shard's own: it is absent.
func (w *whole) predicted() (p result.Predicted) {
	predictions := every(w.runs, func(r *result.Result) *result.Predicted { return &r.Predicted })
	p.Connections = w.intervals("predicted.connections", predictions, func(p *result.Predicted) *result.Interval { return p.Connections })
	p.NoPort = w.intervals("predicted.no_port", predictions, func(p *result.Predicted) *result.Interval { return p.NoPort })
	if rates := every(w.runs, func(r *result.Result) *result.RateInterval { return r.Predicted.RatePerS }); rates != nil {
		p.RatePerS = &result.RateInterval{}
		for _, r := range rates {
			p.RatePerS.Min += r.Min
			p.RatePerS.Max += r.Max
		}
	}
	for i, reuse := range every(w.runs, func(r *result.Result) *result.Interval { return r.Predicted.ReuseNS }) {
		if i == 0 {
			p.ReuseNS = &result.Interval{Min: reuse.Min, Max: reuse.Max}
		}
		p.ReuseNS.Min, p.ReuseNS.Max = min(p.ReuseNS.Min, reuse.Min), max(p.ReuseNS.Max, reuse.Max)
	}
	const most = 20
	for _, one := range predictions {
		for _, why := range one.Why {
			if len(p.Why) < most && !slices.Contains(p.Why, why) {
				p.Why = append(p.Why, why)
			}
		}
	}
	return p
}

// intervals adds intervals up.
func (w *whole) intervals(what string, of []*result.Predicted, get func(*result.Predicted) *result.Interval) *result.Interval {
	low := sumAll(&w.tally, what, of, func(p *result.Predicted) *int64 {
		return bound(get(p), func(i *result.Interval) *int64 { return &i.Min })
	})
	high := sumAll(&w.tally, what, of, func(p *result.Predicted) *int64 {
		return bound(get(p), func(i *result.Interval) *int64 { return &i.Max })
	})
	if low == nil || high == nil {
		return nil
	}
	return &result.Interval{Min: *low, Max: *high}
}

func bound(i *result.Interval, end func(*result.Interval) *int64) *int64 {
	if i == nil {
		return nil
	}
	return end(i)
}

// measured is what all kernels did. Connections are those of each shard's own
// fullest moment; rates add up only where the shards ran at one time.
func (w *whole) measured() (m result.Measured) {
	all := every(w.runs, func(r *result.Result) *result.Measured { return &r.Measured })
	m.Connections = sumAll(&w.tally, "measured.connections", all, func(m *result.Measured) *int64 { return m.Connections })
	if rates := every(w.runs, func(r *result.Result) *float64 { return r.Measured.RatePerS }); rates != nil && w.together() {
		m.RatePerS = new(float64)
		for _, r := range rates {
			*m.RatePerS += *r
		}
	}
	for _, recovered := range every(w.runs, func(r *result.Result) *bool { return r.Measured.Recovered }) {
		if m.Recovered == nil {
			m.Recovered = new(bool)
			*m.Recovered = true
		}
		*m.Recovered = *m.Recovered && *recovered
	}
	return m
}

// residual is the distance of what was measured from what was predicted, of the
// whole; it is absent where a shard has none. Of a reuse it is that of the port
// which was farthest off, of all shards.
func (w *whole) residual(res *result.Result) (off result.Residual) {
	has := func(get func(*result.Residual) bool) bool {
		return !slices.ContainsFunc(w.runs, func(r *result.Result) bool { return !get(&r.Residual) })
	}
	m, p := res.Measured, res.Predicted
	if m.Connections != nil && p.Connections != nil && has(func(r *result.Residual) bool { return r.Connections != nil }) {
		d := w.tally.plus("residual.connections", *m.Connections, -nearest(*m.Connections, p.Connections.Min, p.Connections.Max))
		off.Connections = &d
	}
	if m.RatePerS != nil && p.RatePerS != nil && has(func(r *result.Residual) bool { return r.Rate != nil }) {
		near := nearest(*m.RatePerS, p.RatePerS.Min, p.RatePerS.Max)
		if d := (*m.RatePerS - near) / near; *m.RatePerS == near {
			off.Rate = new(float64)
		} else if near != 0 && !math.IsInf(d, 0) && !math.IsNaN(d) {
			off.Rate = &d
		}
	}
	for _, d := range every(w.runs, func(r *result.Result) *float64 { return r.Residual.Reuse }) {
		if off.Reuse == nil || math.Abs(*d) > math.Abs(*off.Reuse) {
			off.Reuse = d
		}
	}
	return off
}

// nearest is the value of an interval that is nearest to v.
func nearest[N int64 | float64](v, low, high N) N { return max(low, min(v, high)) }

// outcomes adds attempts up by what came of them.
func (w *whole) outcomes() (o result.Outcomes) {
	into := []*int64{
		&o.OK, &o.NoPort, &o.PortBusy, &o.TupleBusy, &o.Refused, &o.Reset, &o.TimedOut, &o.NATNoPort,
		&o.NoFD, &o.NoMemory, &o.Unreachable, &o.Denied, &o.Canceled, &o.Other,
	}
	for _, r := range w.runs {
		for i, c := range r.Outcomes.All() { // in the order of the file, which is that above
			*into[i] = w.tally.plus("outcomes."+c.Name, *into[i], c.N)
		}
	}
	return o
}

// counters adds the kernels' counters up. One that a shard does not name did not
// move there.
func (w *whole) counters(what string, get func(*result.Result) result.Counters) result.Counters {
	var all []result.Counters
	for _, r := range w.runs {
		all = append(all, get(r))
	}
	return w.plus(what, all...)
}

func (w *whole) plus(what string, of ...result.Counters) (total result.Counters) {
	for _, c := range of {
		for _, name := range slices.Sorted(maps.Keys(c)) { // so that it is always the same sum that does not fit
			if total == nil {
				total = result.Counters{}
			}
			total[name] = w.tally.plus(what+"."+name, total[name], c[name])
		}
	}
	return total
}

// states adds up sockets by state; a state that one of them has not read is
// absent.
func (w *whole) states(of []*result.States) *result.States {
	if len(of) == 0 {
		return nil
	}
	add := func(get func(*result.States) *int64) *int64 { return sumAll(&w.tally, "states", of, get) }
	return &result.States{
		SynSent:     add(func(s *result.States) *int64 { return s.SynSent }),
		Established: add(func(s *result.States) *int64 { return s.Established }),
		FinWait1:    add(func(s *result.States) *int64 { return s.FinWait1 }),
		FinWait2:    add(func(s *result.States) *int64 { return s.FinWait2 }),
		CloseWait:   add(func(s *result.States) *int64 { return s.CloseWait }),
		LastAck:     add(func(s *result.States) *int64 { return s.LastAck }),
		Closing:     add(func(s *result.States) *int64 { return s.Closing }),
		TimeWait:    add(func(s *result.States) *int64 { return s.TimeWait }),
	}
}
