package reports

import (
	"fmt"
	"math"

	"lastport/reports/result"
)

// survey says which ports were picked and in what order.
func (p *page) survey(r *result.Result) {
	s := r.Survey
	if s == nil {
		return
	}
	if s.Released != nil || s.Held != nil {
		p.picks(s)
	}
	p.acrossTargets(s.Targets)
	if t := s.ReuseAddrTrap; t != nil {
		p.heading("SO_REUSEADDR, a trap")
		p.note(t.Text)
	}
}

// picks says of both parts what there is to say of each.
func (p *page) picks(s *result.Survey) {
	p.heading("How ports are picked")
	for _, part := range parts(s) {
		if part.picks != nil {
			p.fact(part.name, part.picks.Text)
		}
	}
	p.pickNumbers(s)
	p.note("released: each connection is closed before the next pick; held: all are kept")
	p.line()
	p.note("the most frequent steps from a pick to the next")
	for _, part := range parts(s) {
		if part.picks != nil {
			p.fact(part.name, dash(stepWords(part.picks.Steps)))
		}
	}
	if p.blocks == nil { // else it has a picture
		p.portMaps(s)
	}
}

// part is a part of a survey, nil if it was not made.
type part struct {
	name  string
	picks *result.Picks
}

func parts(s *result.Survey) []part { return []part{{"released", s.Released}, {"held", s.Held}} }

// pickNumbers sets the parts side by side.
func (p *page) pickNumbers(s *result.Survey) {
	t := table{head: []string{""}}
	for _, part := range parts(s) {
		t.head = append(t.head, part.name)
	}
	for _, row := range pickRows() {
		cells := []span{{text: row.name}}
		there := false
		for _, part := range parts(s) {
			text := optional(part.picks, row.text)
			there = there || text != ""
			cells = append(cells, span{text: dash(text)})
		}
		if there {
			t.add(cells...)
		}
	}
	if len(t.rows) > 0 {
		p.line()
		p.table(t)
	}
}

// pickRow is one thing that is said of every part; "" is absent.
type pickRow struct {
	name string
	text func(result.Picks) string
}

func pickRows() []pickRow {
	guess := func(share func(result.Guess) float64) func(result.Picks) string {
		return func(k result.Picks) string {
			return optional(k.Guess, func(g result.Guess) string { return percent(share(g)) })
		}
	}
	return []pickRow{
		{"picks", func(k result.Picks) string { return count(k.Picks) }},
		{"distinct ports", func(k result.Picks) string { return count(k.Distinct) + " of " + count(k.Ports) }},
		{"share of the range", func(k result.Picks) string { return percent(k.Coverage) }},
		{"even and odd", func(k result.Picks) string { return count(k.Even) + " : " + count(k.Odd) }},
		{"other parity from pick", func(k result.Picks) string { return optional(k.OtherParityAt, count) }},
		{"most of one parity in a row", func(k result.Picks) string { return count(k.LongestParity) }},
		{"parities alike, p", func(k result.Picks) string { return optional(k.Parity, pValue) }},
		{"uniform, p", func(k result.Picks) string { return optional(k.Uniform, pValue) }},
		{"median step", func(k result.Picks) string { return count(k.MedianStep) }},
		{"runs of +1", func(k result.Picks) string { return runWords(k.RunsOfOne) }},
		{"runs of +2", func(k result.Picks) string { return runWords(k.RunsOfTwo) }},
		{"guessed by last + 1", guess(func(g result.Guess) float64 { return g.PlusOne })},
		{"guessed by last + 2", guess(func(g result.Guess) float64 { return g.PlusTwo })},
		{"guessed by last + last step", guess(func(g result.Guess) float64 { return g.LastStep })},
		{"best guess", func(k result.Picks) string {
			return bestGuess(k, func(g result.Guess) string { return shorten(g.By, 20) + ", " + percent(g.Best) })
		}},
		{"a port again at pick", func(k result.Picks) string {
			return optional(k.Repeats, func(v result.Repeats) string { return dash(optional(v.First, count)) })
		}},
		{"if uniform, at about", func(k result.Picks) string {
			return optional(k.Repeats, func(v result.Repeats) string { return digits3(v.Expected) })
		}},
		{"picks between, least and median", func(k result.Picks) string {
			return optional(k.Repeats, func(v result.Repeats) string {
				if v.MinDistance == nil || v.MedianDistance == nil {
					return ""
				}
				return count(*v.MinDistance) + " and " + count(*v.MedianDistance)
			})
		}},
	}
}

// fewestGuessed is how many picks it takes for a best guess, which is known in
// hindsight, to say something: 30 steps, as for the sentence.
const fewestGuessed = 31

func bestGuess(k result.Picks, text func(result.Guess) string) string {
	if k.Picks < fewestGuessed {
		return ""
	}
	return optional(k.Guess, text)
}

// pValue writes a chance; one that is as good as none as its bound.
func pValue(c result.ChiSquare) string {
	const least = 1e-6
	if c.P >= 0 && c.P < least {
		return "below 1e-6"
	}
	if math.Abs(c.P) < 0.01 {
		return fmt.Sprintf("%.1e", c.P)
	}
	return digits3(c.P)
}

func runWords(r result.Runs) string {
	if r.Count == 0 {
		return "none"
	}
	return count(r.Count) + ", up to " + count(r.Longest)
}

func stepWords(steps []result.Step) string {
	var all []string
	for _, s := range steps[:min(len(steps), maxItems)] {
		all = append(all, signed(s.Step)+" "+percent(s.Share))
	}
	return phrases(all...)
}

// acrossTargets says whether the ports toward one target tell those toward
// another.
func (p *page) acrossTargets(t *result.Targets) {
	if t == nil {
		return
	}
	p.heading("Toward several targets")
	p.note(t.Text)
	p.fact("first", shorten(t.First, maxNameColumns))
	p.fact("second", shorten(t.Second, maxNameColumns)+", of all others the one whose picks it tells most")
	p.fact("same step", phrases(percent(t.SameStep), percent(t.Chance)+" by chance", plural(t.Pairs, "pair")))
	p.fact("steps", fmt.Sprintf("correlate by %s; independent ones stay below %s", digits3(t.Correlation), digits3(t.Bound)))
	p.fact("guessed", percent(t.PlusOne)+" by the first's + 1 · "+percent(t.PlusTwo)+" by + 2")
}

// surveyColumns set surveys side by side.
func surveyColumns() []column {
	of := func(part func(*result.Survey) *result.Picks, text func(result.Picks) string) func(*result.Result) string {
		return func(r *result.Result) string {
			if r.Survey == nil {
				return ""
			}
			return optional(part(r.Survey), text)
		}
	}
	held := func(s *result.Survey) *result.Picks { return s.Held }
	released := func(s *result.Survey) *result.Picks { return s.Released }
	return []column{
		{head: "distinct", text: of(held, func(k result.Picks) string { return count(k.Distinct) })},
		{head: "even", text: of(held, func(k result.Picks) string { return count(k.Even) })},
		{head: "other parity at", text: of(held, func(k result.Picks) string { return optional(k.OtherParityAt, count) })},
		{head: "best guess", text: of(released, func(k result.Picks) string {
			return bestGuess(k, func(g result.Guess) string { return percent(g.Best) })
		})},
		{head: "uniform, p", text: of(released, func(k result.Picks) string { return optional(k.Uniform, pValue) })},
	}
}
