package reports

import (
	"fmt"

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
	}
	p.para(state, word(proof.Verdict.Text))
	scale := ""
	if proof.Scale > 0 && proof.Scale < 1 {
		scale = fmt.Sprintf("%s of the plan's ports: rates and connections are %s of the plan's", percent(proof.Scale), percent(proof.Scale))
	}
	p.fact("place", phrases(plural(int64(proof.Ports), "port"), proof.Range, "the same settings", scale))
	list(p, proof.Sides, func(side result.ProofSide) {
		held := span{good, "  yes  "}
		if !side.Held {
			held = span{bad, "  no   "}
		}
		p.para(held, word(side.Claim)+": "+word(side.Text))
	})
	list(p, proof.Unproven, p.note)
	p.warnings(collect(s.Runs, func(r *result.Result) []result.Warning { return r.Warnings }))
}
