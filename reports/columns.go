package reports

import (
	"math"
	"slices"

	"lastport/reports/result"
)

// column is one column of a set's comparison.
type column struct {
	head string
	text func(*result.Result) string // "": there is none
	tone func(*result.Result) tone   // nil: plain
	rank func(*result.Result) *int64 // what the best run is known by: the least; nil: none is better
}

// number is a column of numbers that are neither better nor worse.
func number(head string, value func(*result.Result) *int64, show func(int64) string) column {
	return column{head: head, text: func(r *result.Result) string { return optional(value(r), show) }}
}

// ranked is a column in which the least is the best.
func ranked(head string, value func(*result.Result) *int64, show func(int64) string) column {
	c := number(head, value, show)
	c.rank = value
	return c
}

// columnsOf are those that fit the runs of one scenario.
func columnsOf(runs []*result.Result) []column {
	switch runs[0].Run.Scenario {
	case "churn":
		return churnColumns(runs)
	case "reuse":
		return reuseColumns()
	case "survey":
		return surveyColumns()
	}
	if len(runs) > 1 && len(byStrategy(runs)) == len(runs) {
		return capacityColumns() // the table of strategies has the others
	}
	return fillColumns()
}

// capacityColumns are how many connections there were to be, and were.
func capacityColumns() []column {
	residual := number("residual", func(r *result.Result) *int64 { return r.Residual.Connections }, signed)
	residual.tone = func(r *result.Result) tone {
		return residualTone(residual.text(r), r.Residual.Connections != nil && *r.Residual.Connections != 0)
	}
	return []column{
		{head: "predicted", text: func(r *result.Result) string { return optional(r.Predicted.Connections, counts) }},
		number("measured", func(r *result.Result) *int64 { return r.Measured.Connections }, count),
		residual,
	}
}

func fillColumns() []column {
	return append(capacityColumns(),
		ranked("filled in", func(r *result.Result) *int64 { return r.Measured.FillNS }, duration),
		ranked("p50 0-10 %", bandP50(0), duration),
		ranked("50-60 %", bandP50(0.5), duration),
		ranked("90-100 %", bandP50(0.9), duration),
		ranked("failure", failureP50, duration))
}

// timed is what the times of a churn's runs are: response time, or where no
// attempt had a due time, that of connect.
func timed(runs []*result.Result) (name string, of func(*result.Result) *result.Summary) {
	if slices.ContainsFunc(runs, func(r *result.Result) bool { return r.Latency.Response != nil }) {
		return "response", func(r *result.Result) *result.Summary { return r.Latency.Response }
	}
	return "connect", func(r *result.Result) *result.Summary { return r.Latency.Connect }
}

func churnColumns(runs []*result.Result) []column {
	_, summary := timed(runs)
	quantile := func(get func(*result.Summary) *int64) func(*result.Result) *int64 {
		return func(r *result.Result) *int64 { return of(summary(r), get) }
	}
	perSecond := column{
		head: "ok/s",
		text: func(r *result.Result) string { return optional(r.Measured.RatePerS, digits3) },
		rank: func(r *result.Result) *int64 {
			if r.Measured.RatePerS == nil || !(math.Abs(*r.Measured.RatePerS) < 1e15) {
				return nil
			}
			slow := -int64(*r.Measured.RatePerS) // the most is the best
			return &slow
		},
	}
	return []column{
		{head: "rate", text: func(r *result.Result) string { return shorten(r.Config.Rate, 12) }},
		number("ok", func(r *result.Result) *int64 { return &r.Outcomes.OK }, count),
		number("no_port", func(r *result.Result) *int64 { return &r.Outcomes.NoPort }, count),
		perSecond,
		ranked("p50", quantile(func(s *result.Summary) *int64 { return &s.P50NS }), duration),
		ranked("p99", quantile(func(s *result.Summary) *int64 { return &s.P99NS }), duration),
		ranked("CPU", cpuEach, duration),
	}
}

func reuseColumns() []column {
	delay := func(get func(*result.Reuse) *int64) func(*result.Result) *int64 {
		return func(r *result.Result) *int64 {
			if r.Reuse == nil || r.Reuse.Count == 0 {
				return nil
			}
			return get(r.Reuse)
		}
	}
	residual := column{head: "residual", text: func(r *result.Result) string { return optional(r.Residual.Reuse, signedPercent) }}
	residual.tone = func(r *result.Result) tone {
		return residualTone(residual.text(r), r.Residual.Reuse != nil && *r.Residual.Reuse != 0)
	}
	lost := number("lost", func(r *result.Result) *int64 { return of(r.Reuse, func(u *result.Reuse) *int64 { return &u.Lost }) }, count)
	lost.tone = func(r *result.Result) tone {
		if r.Reuse != nil && r.Reuse.Lost > 0 {
			return bad
		}
		return plain
	}
	return []column{
		{head: "predicted", text: func(r *result.Result) string { return optional(r.Predicted.ReuseNS, reuseTime) }},
		number("min", delay(func(u *result.Reuse) *int64 { return &u.MinNS }), duration),
		number("p50", delay(func(u *result.Reuse) *int64 { return &u.P50NS }), duration),
		number("max", delay(func(u *result.Reuse) *int64 { return &u.MaxNS }), duration),
		residual,
		number("at once", func(r *result.Result) *int64 { return of(r.Reuse, func(u *result.Reuse) *int64 { return &u.AtOnce }) }, count),
		lost,
	}
}

// of reads a value of a part that may be absent.
func of[T any](part *T, get func(*T) *int64) *int64 {
	if part == nil {
		return nil
	}
	return get(part)
}

// comparison is the table of runs of one scenario. ranked says whether a best
// one is marked in it.
func comparison(axis string, runs []*result.Result) (t table, ranked bool) {
	t = table{head: []string{axis}}
	cols := columnsOf(runs)
	for _, c := range cols {
		t.head = append(t.head, c.head)
	}
	for _, r := range runs {
		row := []span{{text: runName(r, axis)}}
		for _, c := range cols {
			if byChance(axis) {
				c.rank = nil // what repeats differ by is chance
			}
			cell, best := c.cell(r, runs)
			row = append(row, cell)
			ranked = ranked || best
		}
		t.add(row...)
	}
	return t, ranked
}

// cell is a run's value in the column, marked if it is the best.
func (c column) cell(r *result.Result, runs []*result.Result) (cell span, best bool) {
	cell = span{text: dash(c.text(r))}
	if c.tone != nil {
		cell.tone = c.tone(r)
	}
	switch {
	case c.rank == nil:
	case c.isBest(r, runs):
		return span{good, cell.text + " *"}, true
	default:
		cell.text += "  "
	}
	return cell, false
}

// bestBy is how far, as a share of the worst, the best must be from it: less is
// what two runs of the same kind differ by.
const bestBy = 0.1

// isBest says whether a run has the smallest value of those over its range.
func (c column) isBest(r *result.Result, runs []*result.Result) bool {
	var values []int64
	for _, other := range runs {
		if v := c.rank(other); v != nil && other.Config.Range == r.Config.Range {
			values = append(values, *v)
		}
	}
	v := c.rank(r)
	if v == nil || len(values) < 2 {
		return false
	}
	least, most := float64(slices.Min(values)), float64(slices.Max(values))
	return float64(*v) == least && most-least >= bestBy*max(math.Abs(least), math.Abs(most))
}

// bandP50 reads p50 of the band that begins at a share.
func bandP50(from float64) func(*result.Result) *int64 {
	return func(r *result.Result) *int64 {
		for i, b := range r.Occupancy {
			if b.Count > 0 && b.From > from-1e-6 && b.From < from+1e-6 {
				return &r.Occupancy[i].P50NS
			}
		}
		return nil
	}
}

func failureP50(r *result.Result) *int64 {
	return of(r.Latency.Failure, func(s *result.Summary) *int64 { return &s.P50NS })
}

// cpuEach is the processor time of one connection.
func cpuEach(r *result.Result) *int64 {
	if r.Cost == nil {
		return nil
	}
	return &r.Cost.CPUNSPerConn
}
