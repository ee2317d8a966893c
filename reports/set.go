package reports

import (
	"fmt"
	"slices"

	"lastport/reports/result"
)

// set puts several runs side by side. A bench has one table, of ways to use
// ports; other sets one for each scenario.
func (p *page) set(s *result.Set) {
	switch {
	case s.Search != nil:
		p.rateSearch(s)
		return
	case s.Proof != nil:
		p.proof(s)
		return
	}
	groups := byScenario(s.Runs[:min(len(s.Runs), maxRuns)])
	a := axesOf(s, groups)
	ways := waysOf(s)
	if len(ways) > 0 {
		p.headline(plural(int64(len(s.Rows)), "way") + " of using ports, from " + plural(int64(len(s.Runs)), "run"))
	} else {
		p.headline(plural(int64(len(s.Runs)), "run") + " by " + shorten(word(s.Axis), maxNameColumns))
	}
	p.setVerdict(s, a)
	if len(ways) > 0 {
		p.unmet(s)
		weigh(ways)
		p.bench(ways)
		p.advice(ways)
	}
	if len(ways) == 0 || p.style.Details {
		p.scenarios(s, groups, a)
	}
	p.strategies(s.Runs)
	p.heading("Left out")
	list(p, s.Skipped, p.note)
	p.expectations(collect(s.Runs, func(r *result.Result) []result.Expected { return expectationsOf(r, a) }))
	if len(ways) > 0 {
		p.rowExpectations(s)
		p.warnings(benchWarnings(s.Runs))
		return
	}
	p.warnings(collect(s.Runs, func(r *result.Result) []result.Warning { return r.Warnings }))
}

// scenarios is one table for each scenario: one row a run, what was predicted
// and measured, and what latency did on the way.
func (p *page) scenarios(s *result.Set, groups [][]*result.Result, a axes) {
	ranked := false
	for _, runs := range groups {
		p.line()
		if len(groups) > 1 {
			p.line(span{strong, shorten(word(runs[0].Run.Scenario), maxNameColumns)})
		}
		t, best := comparison(a.of(runs[0]), runs)
		p.table(t)
		switch runs[0].Run.Scenario {
		case "churn":
			name, _ := timed(runs)
			p.note("p50 and p99 are of " + name + "; CPU is of one connection, both ends, failed attempts included")
		case "survey":
			p.note("distinct, even and the pick at which the other parity begins are of held picks; best guess and p of released ones")
		}
		ranked = ranked || best
	}
	if more := len(s.Runs) - maxRuns; more > 0 {
		p.note("… and " + plural(int64(more), "run") + " more in the result file")
	}
	if ranked {
		p.note("* the best of the runs over the same range, where they differ by a tenth or more")
	}
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

// Limits of the comparison, which compares each run with each.
const (
	maxNameColumns = 40 // characters of a run's name
	maxRuns        = 200
)

// setVerdict counts the runs that were as predicted and names the others.
func (p *page) setVerdict(s *result.Set, a axes) {
	switch missing := s.Planned - len(s.Runs); {
	case s.Interrupted:
		p.para(span{caution, "INTERRUPTED  "}, fmt.Sprintf("%s of %s", count(int64(len(s.Runs))), plural(int64(max(s.Planned, len(s.Runs))), "run")))
	case missing > 0:
		p.para(span{bad, "NOT OK  "}, fmt.Sprintf("%s of %s could not be made", count(int64(missing)), plural(int64(s.Planned), "run")))
	}
	var off []*result.Result
	for _, r := range s.Runs {
		if !r.Verdict.OK || r.Run.Interrupted {
			off = append(off, r)
		}
	}
	if len(off) == 0 && len(s.Runs) > 0 && !s.Interrupted && len(s.Runs) >= s.Planned {
		p.para(span{good, "OK  "}, "every run came out as predicted")
		return
	}
	list(p, off, func(r *result.Result) {
		state := span{bad, "NOT OK  "}
		if r.Run.Interrupted {
			state = span{caution, "INTERRUPTED  "}
		}
		p.para(state, a.fullName(r)+": "+word(r.Verdict.Text))
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
func expectationsOf(r *result.Result, a axes) []result.Expected {
	var all []result.Expected
	for _, e := range r.Expect {
		e.Expr = a.fullName(r) + ": " + e.Expr
		all = append(all, e)
	}
	return all
}
