package reports

import (
	"fmt"
	"slices"

	"lastport/reports/result"
)

// proof is what became of a plan when it was put to the test.
func (p *page) proof(s *result.Set) {
	proof := s.Proof
	p.width = min(p.width, defaultWidth)
	if proof.Plan != nil {
		p.plan(proof.Plan)
	}
	p.heading("Proof")
	state := span{bad, "NOT PROVEN  "}
	switch {
	case s.Interrupted:
		state = span{caution, "INTERRUPTED  "}
	case proof.Verdict.OK:
		state = span{good, "PROVEN  "}
	case proof.Partly:
		state = span{caution, "PARTLY PROVEN  "}
	}
	p.para(state, word(proof.Verdict.Text))
	scale := ""
	if proof.Scale > 0 && proof.Scale < 1 {
		scale = fmt.Sprintf("%s of the plan's ports: rates and connections are %s of the plan's", percent(proof.Scale), percent(proof.Scale))
	}
	p.fact("place", phrases(plural(int64(proof.Ports), "port"), proof.Range, "the same settings", scale))
	list(p, proof.Sides, func(side result.ProofSide) {
		held := span{good, "  yes  "}
		switch {
		case !side.Tested:
			held = span{caution, "  not tested  "}
		case !side.Held:
			held = span{bad, "  no   "}
		}
		p.para(held, word(side.Claim)+": "+word(side.Text))
	})
	list(p, proof.Unproven, func(what string) { p.para(span{caution, "  not tested  "}, word(what)) })
	p.warnings(quieter(benchWarnings(s.Runs), func(w result.Warning) bool { return w.Code == "generator_limit" && allTested(proof) }))
}

// allTested says whether each side was put to the test: lateness was then within
// what each allows for, and limited nothing.
func allTested(p *result.Proof) bool {
	return !slices.ContainsFunc(p.Sides, func(side result.ProofSide) bool { return !side.Tested })
}

// quieter are warnings of runs whose rate follows from something else, so that a
// lower one is no way out; without those that say nothing new.
func quieter(list []result.Warning, old func(result.Warning) bool) []result.Warning {
	list = slices.DeleteFunc(list, old)
	for i := range list {
		if list[i].Code == "generator_limit" || list[i].Code == "schedule_late" {
			list[i].Hint = "a quieter machine"
		}
	}
	return list
}
