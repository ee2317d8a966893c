package reports

import (
	"fmt"

	"lastport/reports/result"
)

// unmet names what was expected of a bench's rows and did not hold.
func (p *page) unmet(s *result.Set) {
	var all []string
	for _, row := range s.Rows {
		for _, e := range row.Expect {
			if !e.Held {
				all = append(all, shorten(row.Name, maxNameColumns)+": "+e.Expr+", "+measuredAs(e.Value))
			}
		}
	}
	list(p, all, func(text string) { p.para(span{bad, "NOT HELD  "}, text) })
}

func measuredAs(value string) string {
	if value == result.NotMeasured {
		return value
	}
	return "measured " + value
}

// rowExpectations says which expectations of a bench held, and how often; those
// that did not are named above the table.
func (p *page) rowExpectations(s *result.Set) {
	type tally struct {
		expr       string
		held, runs int64
	}
	var all []*tally
	at := map[string]*tally{}
	for _, row := range s.Rows {
		for _, e := range row.Expect {
			t := at[e.Expr]
			if t == nil {
				t = &tally{expr: e.Expr}
				at[e.Expr] = t
				all = append(all, t)
			}
			if t.runs++; e.Held {
				t.held++
			}
		}
	}
	p.heading("Expectations")
	list(p, all, func(t *tally) {
		label := span{good, "  held      "}
		if t.held < t.runs {
			label = span{bad, "  NOT HELD  "}
		}
		p.para(label, fmt.Sprintf("%s: %s of %s", t.expr, count(t.held), count(t.runs)))
	})
}

// benchWarnings merges those of one code: runs that are alike warn alike. That
// the machine was the limit of what goes as fast as it can is no news.
func benchWarnings(runs []*result.Result) (all []result.Warning) {
	at := map[string]int{}
	times := map[string]int64{}
	for _, r := range runs {
		for _, w := range r.Warnings {
			if w.Code == "generator_limit" && r.Config.Rate == "max" {
				continue
			}
			if times[w.Code]++; times[w.Code] == 1 {
				at[w.Code] = len(all)
				all = append(all, w)
			}
		}
	}
	for code, i := range at {
		if n := times[code] - 1; n > 0 {
			all[i].Message += "; and so in " + plural(n, "more run")
		}
	}
	return all
}
