package reports

import (
	"cmp"
	"slices"
	"strings"

	"lastport/reports/result"
)

// set puts several runs side by side, in one table for each scenario: one row a
// run, what was predicted and measured, and what latency did on the way.
func (p *page) set(s *result.Set) {
	p.headline(plural(int64(len(s.Runs)), "run") + " by " + shorten(word(s.Axis), maxNameColumns))
	p.setVerdict(s)
	if len(s.Runs) == 0 {
		return
	}
	groups := byScenario(s.Runs[:min(len(s.Runs), maxRuns)])
	ranked := false
	for _, runs := range groups {
		axis := s.Axis
		if len(groups) > 1 {
			p.heading(shorten(word(runs[0].Run.Scenario), maxNameColumns))
			axis = ownAxis(axis, runs)
		} else {
			p.line()
		}
		t, best := comparison(axis, runs)
		p.table(t)
		ranked = ranked || best
	}
	if more := len(s.Runs) - maxRuns; more > 0 {
		p.note("… and " + plural(int64(more), "run") + " more in the result file")
	}
	if ranked {
		p.note("* the best of the runs over the same range, where they differ by a tenth or more")
	}
	p.expectations(collect(s.Runs, func(r *result.Result) []result.Expected { return expectationsOf(r, s.Axis) }))
	p.warnings(collect(s.Runs, func(r *result.Result) []result.Warning { return r.Warnings }))
}

// byScenario groups runs in the order in which their scenarios come first.
func byScenario(runs []*result.Result) (groups [][]*result.Result) {
	for _, r := range runs {
		i := slices.IndexFunc(groups, func(g []*result.Result) bool { return g[0].Run.Scenario == r.Run.Scenario })
		if i < 0 {
			groups = append(groups, []*result.Result{r})
			continue
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}

// ownAxis leaves out of an axis the words in which the runs do not differ,
// unless they differ in none.
func ownAxis(axis string, runs []*result.Result) string {
	var words []string
	for _, word := range strings.Split(axis, "/") {
		if slices.ContainsFunc(runs, func(r *result.Result) bool { return runName(r, word) != runName(runs[0], word) }) {
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		return axis
	}
	return strings.Join(words, "/")
}

// Limits of the comparison, which compares each run with each.
const (
	maxNameColumns = 40 // characters of a run's name
	maxRuns        = 200
)

// setVerdict counts the runs that were as predicted and names the others.
func (p *page) setVerdict(s *result.Set) {
	var off []*result.Result
	for _, r := range s.Runs {
		if !r.Verdict.OK || r.Run.Interrupted {
			off = append(off, r)
		}
	}
	if len(off) == 0 && len(s.Runs) > 0 {
		p.para(span{good, "OK  "}, "every run came out as predicted")
		return
	}
	list(p, off, func(r *result.Result) {
		state := span{bad, "NOT OK  "}
		if r.Run.Interrupted {
			state = span{caution, "INTERRUPTED  "}
		}
		p.para(state, runName(r, s.Axis)+": "+word(r.Verdict.Text))
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
		case "mode":
			parts = append(parts, cmp.Or(r.Config.Mode, r.Config.Close))
		case "rate":
			parts = append(parts, r.Config.Rate)
		case "scenario":
			parts = append(parts, r.Run.Scenario)
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
