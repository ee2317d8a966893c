// Package reports renders results: as text for a person and as JSON for
// programs. It reads what package result holds and measures, predicts and
// stores nothing; where a result is kept is the caller's business.
//
// A renderer is total: whatever a file holds (absent parts, huge numbers,
// escape sequences) becomes a report, never a panic and never a command to the
// terminal.
package reports

import (
	"fmt"
	"io"

	"lastport/reports/result"
)

// JSON writes a document exactly as it is kept in a file.
func JSON(w io.Writer, d result.Document) error { return result.Encode(w, d) }

// Text writes the report that is made for a person: of a run, or the comparison
// of a set of runs. Errors are those of w.
func Text(w io.Writer, d result.Document, style Style) error {
	p := &page{style: style}
	switch d := d.(type) {
	case *result.Result:
		p.width = style.width(defaultWidth)
		p.run(d)
	case *result.Set:
		p.width = style.width(maxSetWidth)
		p.set(d)
	default:
		return fmt.Errorf("render %T: not a run and not a set", d)
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

// run puts the whole report of one run on the page. A section without data puts
// nothing.
func (p *page) run(r *result.Result) {
	p.verdict(r)
	p.asked(r)
	p.prediction(r)
	p.exhaustion(r)
	p.occupancy(r)
	p.latency(r)
	p.outcomes(r)
	p.witnesses(r)
	p.kernel(r.Kernel)
	p.cost(r)
	p.settings(r.Host)
	p.expectations(r.Expect)
	p.warnings(r.Warnings)
}

// verdict is the run in one line, and what stands above every other number: an
// early end, expectations that did not hold.
func (p *page) verdict(r *result.Result) {
	text := r.Verdict.Text
	switch {
	case r.Run.Interrupted && text == "":
		p.para(span{caution, "INTERRUPTED  "}, plural(r.Attempts, "attempt")+" of "+word(r.Run.Scenario)+lastRow(r.Timeline)+", no verdict")
	case r.Run.Interrupted:
		p.para(span{caution, "INTERRUPTED  "}, text)
	case r.Verdict.OK:
		p.para(span{good, "OK  "}, text)
	case text == "":
		p.para(span{bad, "NOT OK  "}, "no verdict")
	default:
		p.para(span{bad, "NOT OK  "}, text)
	}
	if r.Run.Interrupted {
		p.note("the run did not come to its own end: the numbers are those it had until then")
	}
	var missed int64
	for _, e := range r.Expect {
		if !e.Held {
			missed++
		}
	}
	if missed > 0 {
		p.line(span{bad, fmt.Sprintf("  %d of %s did not hold", missed, plural(int64(len(r.Expect)), "expectation"))})
	}
}

// lastRow says how far the timeline goes.
func lastRow(rows []result.Row) string {
	if len(rows) == 0 {
		return ""
	}
	return " in " + duration(rows[len(rows)-1].TNS)
}

// word is a word of the file, or a stand-in for an absent one.
func word(s string) string {
	if s == "" {
		return "a run"
	}
	return s
}

// prediction sets predicted, measured and residual side by side.
func (p *page) prediction(r *result.Result) {
	t := table{head: []string{"", "predicted", "measured", "residual"}}
	row := func(name, predicted, measured, residual string, off bool) {
		if predicted == "" && measured == "" {
			return
		}
		t.add(span{text: name}, span{text: dash(predicted)}, span{text: dash(measured)}, span{residualTone(residual, off), dash(residual)})
	}
	pr, m, res := r.Predicted, r.Measured, r.Residual
	row("connections", optional(pr.Connections, counts), optional(m.Connections, count),
		optional(res.Connections, signed), res.Connections != nil && *res.Connections != 0)
	row("rate", optional(pr.RatePerS, rates), optional(m.RatePerS, rate),
		optional(res.Rate, signedPercent), res.Rate != nil && *res.Rate != 0)
	row("reuse of a port", optional(pr.ReuseNS, reuse), "",
		optional(res.Reuse, signedPercent), res.Reuse != nil && *res.Reuse != 0)
	if pr.FirstNoPortNS != nil {
		row("first no_port", durations(*pr.FirstNoPortNS), noPortTime(m.FirstNoPort), "", false)
	}
	p.heading("Predicted and measured")
	if len(t.rows) > 0 {
		p.table(t)
	}
	list(p, pr.Why, func(why string) { p.para(span{dim, "  why: "}, why) })
}

func residualTone(residual string, off bool) tone {
	switch {
	case residual == "":
		return plain
	case off:
		return bad
	}
	return good
}

func noPortTime(n *result.NoPort) string {
	if n == nil {
		return ""
	}
	return duration(n.TNS)
}

// reuse is when a closed port can be used again.
func reuse(i result.Interval) string {
	if i == (result.Interval{}) {
		return "at once"
	}
	return durations(i)
}

func rate(v float64) string { return digits3(v) + "/s" }

func rates(i result.RateInterval) string { return between(digits3(i.Min), digits3(i.Max)) + "/s" }

// optional formats what may be absent.
func optional[T any](v *T, format func(T) string) string {
	if v == nil {
		return ""
	}
	return format(*v)
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// exhaustion tells when the ports ran out and when they were back.
func (p *page) exhaustion(r *result.Result) {
	m := r.Measured
	p.heading("Exhaustion")
	if n := m.FirstNoPort; n != nil {
		p.fact("no port", "first at "+duration(n.TNS)+", attempt "+count(n.Attempt))
	}
	if m.FillNS != nil {
		p.fact("filling", "the last connection was open after "+duration(*m.FillNS))
	}
	switch rec := r.Recovery; {
	case rec != nil && rec.Outcome == "ok":
		p.fact("recovery", phrases("a new connection was open "+duration(rec.AfterNS)+" after the release",
			plural(rec.Attempts, "attempt"), nonZero(rec.ConnectNS, func(ns int64) string { return "connect took " + duration(ns) })))
	case rec != nil:
		p.fact("recovery", fmt.Sprintf("none: %s after %s and %s", word(rec.Outcome), plural(rec.Attempts, "attempt"), duration(rec.AfterNS)))
	case m.Recovered != nil && *m.Recovered:
		p.fact("recovery", "ports were back after the release")
	case m.Recovered != nil:
		p.fact("recovery", "none: no port was back after the release")
	}
}

// nonZero formats a number that is absent when it is 0.
func nonZero(n int64, format func(int64) string) string {
	if n == 0 {
		return ""
	}
	return format(n)
}
