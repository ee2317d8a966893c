package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"lastport/reports/result"
	"lastport/reports/stats"
)

// comparison puts what changed from old to new on the page.
func (p *page) comparison(c *result.Comparison) {
	word, text := claimed(c)
	p.para(span{word.tone, word.text + "  "}, text)
	p.comparisonBody(c)
}

// comparisonBody is all of it below the verdict.
func (p *page) comparisonBody(c *result.Comparison) {
	p.missed(c)
	p.fact("old", sideWords(&c.Old))
	p.fact("new", sideWords(&c.New))
	for i := range c.Pairs[:min(len(c.Pairs), maxRuns)] {
		p.compared(&c.Pairs[i], c.Alpha)
	}
	p.heading("How to read it")
	p.readingNotes(c)
	p.heading("Only in old")
	list(p, c.OnlyOld, p.note)
	p.heading("Only in new")
	list(p, c.OnlyNew, p.note)
	p.expectations(comparedExpectations(c))
	p.warnings(c.Warnings)
}

// tally counts what is claimed of the quantities of all pairs.
func tally(c *result.Comparison) map[string]int64 {
	n := map[string]int64{}
	for _, pair := range c.Pairs {
		for _, change := range pair.Changes {
			n[change.Claim]++
		}
	}
	return n
}

// claimed is what a comparison comes to, as a word and in numbers.
func claimed(c *result.Comparison) (word span, text string) {
	n := tally(c)
	var parts []string
	for _, part := range []struct{ claim, words string }{
		{result.ClaimWorse, "worse"},
		{result.ClaimBetter, "better"},
		{result.ClaimChanged, "changed"},
		{result.ClaimNone, "without a change that could be told from chance"},
		{result.ClaimTooFew, "of which too few runs measured"},
	} {
		if n[part.claim] > 0 {
			parts = append(parts, count(n[part.claim])+" "+part.words)
		}
	}
	switch {
	case n[result.ClaimTooFew] > 0 && !slices.ContainsFunc(c.Pairs, func(r result.ComparedRuns) bool { return r.Enough }):
		return span{caution, "TOO FEW"}, tooFew(c)
	case n[result.ClaimWorse] > 0:
		word = span{bad, "WORSE"}
	case n[result.ClaimBetter] > 0:
		word = span{good, "BETTER"}
	case n[result.ClaimChanged] > 0:
		word = span{caution, "CHANGED"}
	default:
		word = span{good, "NO CHANGE"}
	}
	return word, strings.Join(parts, ", ")
}

// missed counts the expectations that did not hold.
func (p *page) missed(c *result.Comparison) {
	missed := slices.DeleteFunc(slices.Clone(c.Expect), func(e result.ComparedExpect) bool { return e.Held })
	if len(missed) > 0 {
		p.line(span{bad, fmt.Sprintf("  %d of %s did not hold", len(missed), plural(int64(len(c.Expect)), "expectation"))})
	}
}

// tooFew says why nothing is claimed, and how many runs it takes.
func tooFew(c *result.Comparison) string {
	old, now := 0, 0
	for _, r := range c.Pairs {
		old, now = max(old, r.Old), max(now, r.New)
	}
	have := fmt.Sprintf("%s and %d", plural(int64(old), "run"), now)
	if old == 1 && now == 1 {
		have = "one run each"
	}
	return fmt.Sprintf("%s: no claim, as two runs differ by chance; it takes %d of each at alpha %s, --repeat %d of fill, churn, reuse or survey",
		have, stats.Enough(c.Alpha), plainNumber(c.Alpha), stats.Enough(c.Alpha))
}

func sideWords(s *result.ComparedSide) string {
	text := plural(int64(s.Runs), "run") + " of " + shorten(s.From, 3*maxNameColumns)
	if len(s.Kernels) > 0 {
		text += ", kernel " + strings.Join(s.Kernels[:min(len(s.Kernels), maxItems)], " and ")
	}
	if len(s.Tools) > 0 {
		text += ", lastport " + strings.Join(s.Tools[:min(len(s.Tools), maxItems)], " and ")
	}
	return text
}

// compared is the table of one pair.
func (p *page) compared(r *result.ComparedRuns, alpha float64) {
	p.heading(fmt.Sprintf("%s, %s and %d", shorten(word(r.Name), 2*maxNameColumns), plural(int64(r.Old), "run"), r.New))
	list(p, r.Differs, func(d result.Difference) {
		p.fact(shorten(d.Field, maxNameColumns), shorten(d.Old, 2*maxNameColumns)+" → "+shorten(d.New, 2*maxNameColumns))
	})
	if len(r.Differs) > 0 {
		p.line()
	}
	t := table{head: []string{"", "old", "new", "change", "p"}, gap: 1}
	for i := range r.Changes[:min(len(r.Changes), maxRuns)] {
		c := &r.Changes[i]
		t.add(span{text: c.Field}, span{text: typicalWords(c.Old, c.Unit)}, span{text: typicalWords(c.New, c.Unit)}, changeWords(c), span{dim, pWords(c, r)})
	}
	p.table(t)
}

// typicalWords is a median and how far its interval goes: "712 µs ±2.7%".
func typicalWords(v *result.Typed, unit string) string {
	if v == nil {
		return "-"
	}
	text := valueWords(v.Median, unit)
	off := max(v.High-v.Median, v.Median-v.Low)
	switch {
	case v.N < 2 || off == 0:
	case v.Median == 0:
		text += " ±" + valueWords(off, unit)
	default:
		text += " ±" + percent2(off/math.Abs(v.Median))
	}
	return text
}

// valueWords writes a value of a unit.
func valueWords(v float64, unit string) string {
	switch {
	case math.Abs(v) >= 1<<62:
		return plainNumber(v)
	case unit == result.UnitNS:
		return duration(int64(math.Round(v)))
	case unit == result.UnitShare:
		return percent(v)
	case unit == result.UnitTruth:
		return plainNumber(v)
	case v == math.Trunc(v):
		return count(int64(v))
	}
	return digits3(v)
}

// plainNumber writes a number as it is: 0.05.
func plainNumber(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// level writes a probability in percent, to a tenth: 95 %, 93.8 %.
func level(p float64) string { return plainNumber(math.Round(1000*p)/10) + " %" }

// percent2 writes a share of an uncertainty, of which two digits say all.
func percent2(share float64) string {
	if share < 0.0995 {
		return fmt.Sprintf("%.1f%%", 100*share)
	}
	return fmt.Sprintf("%.0f%%", min(100*share, 999_999))
}

// changeWords is what is claimed of a change, and how large it is. A change that
// nothing is claimed of stands in parentheses.
func changeWords(c *result.Compared) span {
	by := ""
	if c.Change != nil {
		by = signedPercent(*c.Change)
		if *c.Change == 0 {
			by = "0 %"
		}
	} else if c.Old != nil && c.New != nil {
		by = valueWords(c.Old.Median, c.Unit) + " → " + valueWords(c.New.Median, c.Unit)
	}
	switch c.Claim {
	case result.ClaimBetter:
		return span{good, by + " better"}
	case result.ClaimWorse:
		return span{bad, by + " worse"}
	case result.ClaimChanged:
		return span{caution, by + " changed"}
	case result.ClaimNone:
		return span{dim, "~"}
	}
	if by == "" {
		return span{}
	}
	return span{dim, "(" + by + ")"}
}

// pWords is the p-value, and how many runs measured the quantity if not all did.
func pWords(c *result.Compared, r *result.ComparedRuns) string {
	text := ""
	if c.P != nil {
		text = fmt.Sprintf("%.3f", *c.P)
	}
	old, now := numberOf(c.Old), numberOf(c.New)
	if old != r.Old || now != r.New {
		text += fmt.Sprintf(" n=%d+%d", old, now)
	}
	return text
}

// numberOf is how many runs measured a value.
func numberOf(v *result.Typed) int {
	if v == nil {
		return 0
	}
	return v.N
}

// readingNotes say what the signs mean, and what they are worth.
func (p *page) readingNotes(c *result.Comparison) {
	n := tally(c)
	tested := n[result.ClaimBetter] + n[result.ClaimWorse] + n[result.ClaimChanged] + n[result.ClaimNone]
	if len(c.Pairs) == 0 {
		return
	}
	p.note("old and new are medians of the runs; " + intervalNote(c))
	if tested > 0 {
		note := fmt.Sprintf("a change is claimed where the Mann-Whitney U test gives p ≤ %s; ~ is one that cannot be told from chance", plainNumber(c.Alpha))
		if expected := float64(tested) * c.Alpha; expected >= 0.5 && expected < 1e6 {
			note += fmt.Sprintf("; of the %s that were tested about %.0f would be so if nothing had changed", count(tested), expected)
		}
		p.note(note)
	}
	if n[result.ClaimTooFew] > 0 {
		p.note("what stands in parentheses is no claim: there are too few runs to tell it from chance")
	}
}

// intervalNote says what ± is.
func intervalNote(c *result.Comparison) string {
	least, most := 1.0, 0
	for _, r := range c.Pairs {
		for _, change := range r.Changes {
			for _, v := range []*result.Typed{change.Old, change.New} {
				if v != nil && v.N > 1 {
					least, most = min(least, v.Level), max(most, v.N)
				}
			}
		}
	}
	switch {
	case most == 0:
		return "of one run there is no interval"
	case least >= c.Level:
		return fmt.Sprintf("± is the interval that holds the median with %s", level(c.Level))
	}
	return fmt.Sprintf("± is all that was measured, where there are too few runs for the interval that holds the median with %s: at worst it does with %s",
		level(c.Level), level(least))
}

// comparedExpectations are the expectations, under the names of the pairs where
// there are several.
func comparedExpectations(c *result.Comparison) (all []result.Expected) {
	for _, e := range c.Expect {
		expr := e.Expr
		if len(c.Pairs) > 1 {
			expr = e.Runs + ": " + expr
		}
		all = append(all, result.Expected{Expr: expr, Value: e.Value, Held: e.Held})
	}
	return all
}

// comparisonWarnings say what a reader must know to trust a comparison.
func comparisonWarnings(c *result.Comparison) (all []result.Warning) {
	warn := func(code, hint, format string, args ...any) {
		all = append(all, result.Warning{Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if !slices.Equal(c.Old.Kernels, c.New.Kernels) {
		warn("other_kernel", "", "old is from kernel %s and new from %s: what changed may be the kernel's doing",
			strings.Join(c.Old.Kernels, " and "), strings.Join(c.New.Kernels, " and "))
	}
	for _, side := range []struct {
		name string
		*result.ComparedSide
	}{{"old", &c.Old}, {"new", &c.New}} {
		if side.LeftOut > 0 {
			warn("left_out", "", "%s of %s did not come to an end, and are left out", plural(int64(side.LeftOut), "run"), side.name)
		}
		if len(side.Kernels) > 1 {
			warn("mixed_kernels", "", "the runs of %s are from %d kernels", side.name, len(side.Kernels))
		}
	}
	for _, r := range c.Pairs {
		if slices.ContainsFunc(r.Differs, func(d result.Difference) bool { return d.Field == "cpus" || d.Field == "memory_bytes" }) {
			warn("other_machine", "", "%s: old and new are from machines of another size", r.Name)
		}
	}
	return all
}
