package reports

import (
	"cmp"
	"slices"
	"strings"

	"lastport/reports/result"
)

// set puts several runs side by side: one row a run, what was predicted and
// measured, and what latency did on the way.
func (p *page) set(s *result.Set) {
	p.headline(plural(int64(len(s.Runs)), "run") + " by " + shorten(word(s.Axis), maxNameColumns))
	p.setVerdict(s.Runs)
	if len(s.Runs) == 0 {
		return
	}
	p.line()
	p.table(comparison(s.Axis, s.Runs[:min(len(s.Runs), maxRuns)]))
	if more := len(s.Runs) - maxRuns; more > 0 {
		p.note("… and " + plural(int64(more), "run") + " more in the result file")
	}
	p.note("* the best of the runs over the same range, where they differ by a tenth or more")
	p.expectations(collect(s.Runs, func(r *result.Result) []result.Expected { return expectationsOf(r, s.Axis) }))
	p.warnings(collect(s.Runs, func(r *result.Result) []result.Warning { return r.Warnings }))
}

// Limits of the comparison, which compares each run with each.
const (
	maxNameColumns = 40 // characters of a run's name
	maxRuns        = 200
)

// setVerdict counts the runs that were as predicted and names the others.
func (p *page) setVerdict(runs []*result.Result) {
	var off []*result.Result
	for _, r := range runs {
		if !r.Verdict.OK || r.Run.Interrupted {
			off = append(off, r)
		}
	}
	if len(off) == 0 && len(runs) > 0 {
		p.para(span{good, "OK  "}, "every run came out as predicted")
		return
	}
	list(p, off, func(r *result.Result) {
		state := span{bad, "NOT OK  "}
		if r.Run.Interrupted {
			state = span{caution, "INTERRUPTED  "}
		}
		p.para(state, runName(r, "strategy/range")+": "+word(r.Verdict.Text))
	})
}

// collect merges a list of all runs; what several runs say alike is said once.
func collect[T comparable](runs []*result.Result, of func(*result.Result) []T) []T {
	var all []T
	seen := make(map[T]bool)
	for _, r := range runs {
		for _, v := range of(r) {
			if !seen[v] {
				seen[v] = true
				all = append(all, v)
			}
		}
	}
	return all
}

// expectationsOf is a run's expectations under its name.
func expectationsOf(r *result.Result, axis string) []result.Expected {
	var all []result.Expected
	for _, e := range r.Expect {
		e.Expr = runName(r, axis) + ": " + e.Expr
		all = append(all, e)
	}
	return all
}

// runName names a run by the words of the axis: "strategy/profile" is
// "connect/linux".
func runName(r *result.Result, axis string) string {
	var parts []string
	for _, word := range strings.Split(axis, "/") {
		switch word {
		case "profile":
			parts = append(parts, cmp.Or(r.Config.RangeName, r.Config.Range))
		case "range":
			parts = append(parts, r.Config.Range)
		case "close":
			parts = append(parts, r.Config.Close)
		case "place":
			parts = append(parts, r.Config.Place)
		case "strategy":
			parts = append(parts, r.Config.Strategy)
		default:
			parts = append(parts, r.Run.ID)
		}
	}
	return shorten(strings.Join(parts, " "), maxNameColumns)
}

// column is one column of the comparison.
type column struct {
	head  string
	value func(*result.Result) *int64
	show  func(int64) string
	best  bool // the smallest is the best
}

// comparison is the table of a set.
func comparison(axis string, runs []*result.Result) table {
	cols := []column{
		{"measured", func(r *result.Result) *int64 { return r.Measured.Connections }, count, false},
		{"residual", func(r *result.Result) *int64 { return r.Residual.Connections }, signed, false},
		{"filled in", func(r *result.Result) *int64 { return r.Measured.FillNS }, duration, true},
		{"p50 0-10 %", bandP50(0), duration, true},
		{"50-60 %", bandP50(0.5), duration, true},
		{"90-100 %", bandP50(0.9), duration, true},
		{"failure", failureP50, duration, true},
	}
	t := table{head: []string{axis, "predicted"}}
	for _, c := range cols {
		t.head = append(t.head, c.head)
	}
	for _, r := range runs {
		row := []span{{text: runName(r, axis)}, {text: dash(optional(r.Predicted.Connections, counts))}}
		for _, c := range cols {
			row = append(row, c.cell(r, runs))
		}
		t.add(row...)
	}
	return t
}

// cell is a run's value in the column, marked if it is the best.
func (c column) cell(r *result.Result, runs []*result.Result) span {
	text := span{text: dash(optional(c.value(r), c.show))}
	switch {
	case c.head == "residual" && c.value(r) != nil:
		text.tone = residualTone(text.text, *c.value(r) != 0)
	case c.best && c.isBest(r, runs):
		text = span{good, text.text + " *"}
	case c.best:
		text.text += "  "
	}
	return text
}

// bestBy is how far, as a share of the worst, the best must be from it: less is
// what two runs of the same kind differ by.
const bestBy = 0.1

// isBest says whether a run has the smallest value of those over its range.
func (c column) isBest(r *result.Result, runs []*result.Result) bool {
	var values []int64
	for _, other := range runs {
		if v := c.value(other); v != nil && other.Config.Range == r.Config.Range {
			values = append(values, *v)
		}
	}
	v := c.value(r)
	if v == nil || len(values) < 2 {
		return false
	}
	least, most := slices.Min(values), slices.Max(values)
	return *v == least && float64(least) <= (1-bestBy)*float64(most)
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
	if r.Latency.Failure == nil {
		return nil
	}
	return &r.Latency.Failure.P50NS
}
