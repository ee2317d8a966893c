package reports

import (
	"math"
	"strconv"

	"lastport/reports/result"
)

// rateSearch is the answer of a search for the highest rate, and the rates that
// were tried.
func (p *page) rateSearch(s *result.Set) {
	found := s.Search
	byID := map[string]*result.Result{}
	for _, r := range s.Runs {
		byID[r.Run.ID] = r
	}
	p.headline("the highest rate that holds, from " + plural(int64(len(found.Steps)), "step"))
	p.searchVerdict(s)
	if len(s.Runs) > 0 {
		p.searchAsked(s.Runs[0])
	}
	p.heading("Predicted and found")
	p.fact("predicted", predictedRate(found))
	p.fact("found", foundRate(found))
	if found.Residual != nil {
		p.fact("residual", signedPercent(*found.Residual))
	}
	for _, why := range found.Why[:min(len(found.Why), maxItems)] {
		p.para(span{dim, "  why: "}, why)
	}
	p.steps(found, byID)
	p.expectations(found.Expect)
	p.warnings(nearest(found, byID))
}

// searchVerdict is the answer in one line.
func (p *page) searchVerdict(s *result.Set) {
	state := span{bad, "NOT OK  "}
	switch {
	case s.Interrupted:
		state = span{caution, "INTERRUPTED  "}
	case s.Search.Verdict.OK:
		state = span{good, "OK  "}
	}
	p.para(state, word(s.Search.Verdict.Text))
	if s.Interrupted {
		p.note("the search did not come to its own end: the steps are those that it had until then")
	}
}

// searchAsked is what all steps have in common.
func (p *page) searchAsked(r *result.Result) {
	c := r.Config
	p.heading("Asked")
	p.fact("range", rangeOf(r))
	p.fact("stranger", named("holds ", c.Held))
	p.fact("strategy", phrases(c.Strategy, named("close by ", c.Close), c.Proto))
	p.fact("limits", phrases(
		nonZero(c.HoldNS, func(ns int64) string { return "hold " + setting(ns) }),
		nonZero(c.LingerNS, func(ns int64) string { return "the listener closes " + setting(ns) + " late" }),
		nonZero(int64(c.Requests), func(n int64) string { return plural(n, "request") + " over each" })))
	p.fact("place", c.Place)
	list(p, sortedKeys(c.Sysctls), func(key string) { p.fact("set", key+"="+c.Sysctls[key]) })
	p.fact("host", hostOf(r.Host))
}

// predictedRate is the interval of the arithmetic.
func predictedRate(s *result.RateSearch) string {
	reuse := optional(s.ReuseNS, func(i result.Interval) string {
		if i.Max == 0 {
			return "a port is back at once"
		}
		return "a port is back after " + reuseTime(i)
	})
	if s.Predicted == nil {
		return phrases("ports set no limit", reuse)
	}
	return phrases(between(digits4(s.Predicted.Min), digits4(s.Predicted.Max))+" per second", reuse)
}

// foundRate is the interval of the steps.
func foundRate(s *result.RateSearch) string {
	held, failed := "no rate held", ""
	if s.RatePerS != nil {
		held = digits4(*s.RatePerS) + " per second held"
	}
	if s.FailedPerS != nil {
		failed = digits4(*s.FailedPerS) + " did not"
	}
	return phrases(held, failed, named("limit: ", s.Limit))
}

// steps is a row for each rate that was tried.
func (p *page) steps(s *result.RateSearch, byID map[string]*result.Result) {
	t := table{head: []string{"rate", "made", "predicted", "no_port", "first at", "late p99", "held"}}
	for _, step := range s.Steps[:min(len(s.Steps), maxRuns)] {
		r := byID[step.Run]
		if r == nil {
			continue
		}
		verdict := span{good, "yes"}
		switch {
		case step.Limit == "behind":
			verdict = span{caution, "not tested"}
		case !step.Held:
			verdict = span{bad, "no: " + shorten(step.Limit, maxNameColumns)}
		}
		t.add(span{text: digits4(step.RatePerS) + "/s"}, span{text: dash(optional(r.Measured.RatePerS, digits4))},
			span{text: dash(optional(r.Predicted.NoPort, counts))}, span{text: count(r.Outcomes.NoPort)},
			span{text: dash(optional(r.Measured.FirstNoPort, func(n result.NoPort) string { return duration(n.TNS) }))},
			span{text: dash(optional(r.ScheduleError, func(e result.ScheduleError) string { return duration(e.P99NS) }))}, verdict)
	}
	if len(t.rows) == 0 {
		return
	}
	p.heading("Steps: attempts that found no port, predicted and measured")
	p.table(t)
	if s.AtOnce {
		p.note("steps were made side by side, as they mostly wait for ports; each outlives the reuse delay")
	} else {
		p.note("steps were made in turn, as the processor is a limit as well")
	}
	p.note("made are the connections per second that came of it; a rate that decides is tried more than once")
}

// nearest are the warnings of the steps next to the answer: what they say alike is
// said once. Whether the generator was the limit of a step the search has judged.
func nearest(s *result.RateSearch, byID map[string]*result.Result) (all []result.Warning) {
	seen := map[string]bool{}
	for _, step := range s.Steps {
		r := byID[step.Run]
		if r == nil || !is(s.RatePerS, step.RatePerS) && !is(s.FailedPerS, step.RatePerS) {
			continue
		}
		for _, w := range r.Warnings {
			if !seen[w.Code] {
				seen[w.Code] = true
				all = append(all, w)
			}
		}
	}
	return quieter(all, func(w result.Warning) bool {
		return w.Code == "generator_limit" && s.Limit != "generator" && s.Limit != "behind"
	})
}

func is(v *float64, of float64) bool { return v != nil && *v == of }

// digits4 writes a rate with four digits, and one of 1,000 and more whole.
func digits4(v float64) string {
	if math.Abs(v) >= 1000 {
		return digits3(v)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
