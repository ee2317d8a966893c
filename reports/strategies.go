package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"lastport/reports/result"
)

// strategies puts the strategies of a set side by side: what a connect costs
// while so many of the ports are taken, and when none is left. It takes fills
// that differ in their strategy alone; of several such groups the largest.
func (p *page) strategies(runs []*result.Result) {
	fills := byStrategy(runs)
	if len(fills) < 2 {
		return
	}
	t := table{head: []string{"", "at once", "filled"}, gap: 1}
	units := []span{{}, {dim, "ports"}, {dim, "in s"}}
	for _, at := range strategyPoints() {
		t.head = append(t.head, pointName(at))
		units = append(units, span{dim, "µs"})
	}
	t.head = append(t.head, "none left")
	t.add(append(units, span{dim, "µs"})...)
	for _, r := range fills {
		head := []span{{text: shorten(r.Config.Strategy, maxNameColumns)}, openedPorts(r), {text: dash(optional(r.Measured.FillNS, seconds))}}
		t.add(append(head, latencies(r, p50Of, summaryP50)...)...)
		t.add(append([]span{{dim, "  p99"}, {}, {}}, latencies(r, p99Of, summaryP99)...)...)
	}
	p.heading("Strategies over " + shorten(runName(fills[0], "profile"), maxNameColumns) + ": connect by how many of the ports are taken")
	p.table(t)
	p.note("p50, and below it p99, of a connect and of the bind before it; none left: of an attempt that finds no port")
	if more := furtherOf(fills, runs); more > 0 {
		p.note("… and " + plural(more, "run") + " made alike: the table has the first of each strategy")
	}
}

// byStrategy returns the fills of the largest group that differ in their
// strategy alone, each strategy once.
func byStrategy(runs []*result.Result) (largest []*result.Result) {
	groups := map[string][]*result.Result{}
	for _, r := range runs[:min(len(runs), maxRuns)] {
		if r.Run.Scenario != "fill" || len(r.AtOccupancy) == 0 {
			continue
		}
		key := sameButStrategy(r.Config)
		if slices.ContainsFunc(groups[key], func(o *result.Result) bool { return o.Config.Strategy == r.Config.Strategy }) {
			continue
		}
		groups[key] = append(groups[key], r)
		if len(groups[key]) > len(largest) {
			largest = groups[key]
		}
	}
	return largest
}

// furtherOf counts the runs that were made as one of the fills was.
func furtherOf(fills, runs []*result.Result) (more int64) {
	for _, r := range runs[:min(len(runs), maxRuns)] {
		alike := func(f *result.Result) bool {
			return f != r && r.Run.Scenario == f.Run.Scenario && len(r.AtOccupancy) > 0 &&
				r.Config.Strategy == f.Config.Strategy && sameButStrategy(r.Config) == sameButStrategy(f.Config)
		}
		if slices.ContainsFunc(fills, alike) && !slices.Contains(fills, r) {
			more++
		}
	}
	return more
}

// sameButStrategy is what fills that differ in their strategy alone have in
// common.
func sameButStrategy(c result.Config) string {
	return fmt.Sprint(c.Range, c.Exclude, c.Proto, max(1, len(c.Sources)), c.Targets, c.Close, sysctlsOf(c.Sysctls), c.Workers, c.Ends, c.Connections)
}

// strategyPoints are the occupancies of the columns.
func strategyPoints() []float64 { return []float64{0, 0.5, 0.9, 0.99, 0.999} }

func pointName(at float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", 100*at), ".0") + " %"
}

// openedPorts is how many connections were open at once.
func openedPorts(r *result.Result) span {
	text := dash(optional(r.Measured.Connections, count))
	if r.Residual.Connections != nil && *r.Residual.Connections != 0 {
		return span{bad, text + markOff}
	}
	return span{text: text}
}

// latencies are one quantile of a fill, at each of the points and of a failure.
func latencies(r *result.Result, at func(*result.Point) int64, failing func(*result.Summary) *int64) (row []span) {
	for _, occupancy := range strategyPoints() {
		text := ""
		if p := pointAt(r, occupancy); p != nil {
			text = micros(at(p))
		}
		row = append(row, span{text: dash(text)})
	}
	return append(row, span{text: dash(optional(of(r.Latency.Failure, failing), micros))})
}

func p50Of(p *result.Point) int64 { return p.P50NS }
func p99Of(p *result.Point) int64 { return p.P99NS }

func summaryP50(s *result.Summary) *int64 { return &s.P50NS }
func summaryP99(s *result.Summary) *int64 { return &s.P99NS }

// pointAt is the fill's point at an occupancy; nil if there is none.
func pointAt(r *result.Result, occupancy float64) *result.Point {
	for i := range r.AtOccupancy {
		if p := &r.AtOccupancy[i]; p.Count > 0 && math.Abs(p.At-occupancy) < 1e-6 {
			return p
		}
	}
	return nil
}
