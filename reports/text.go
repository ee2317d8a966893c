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
	p := &page{style: style, width: style.width(widest(d))}
	if err := p.document(d); err != nil {
		return err
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

// widest is how many columns a document takes at most: those that put things side
// by side take more.
func widest(d result.Document) int {
	switch d.(type) {
	case *result.Set, *result.Comparison, *result.Ranges, *result.Watch:
		return maxSetWidth
	}
	return defaultWidth
}

// document puts a document on the page.
func (p *page) document(d result.Document) error {
	switch d := d.(type) {
	case *result.Result:
		p.run(d)
	case *result.Set:
		p.set(d)
	case *result.Comparison:
		p.comparison(d)
	case *result.Plan:
		p.plan(d)
	case *result.Ranges:
		p.ranges(d)
	case *result.Checkup:
		p.checkup(d)
	case *result.Watch:
		p.watched(d)
	default:
		return fmt.Errorf("render %T: not a run and not a set", d)
	}
	return nil
}

// run puts the whole report of one run on the page. A section without data puts
// nothing.
func (p *page) run(r *result.Result) {
	p.verdict(r)
	p.asked(r)
	p.prediction(r)
	switch r.Run.Scenario {
	case "churn":
		p.course(r.Timeline)
		p.latency(r)
		p.response(r)
		p.requests(r)
		p.timeWait(r)
	case "reuse":
		p.reuse(r)
		p.latency(r)
	case "survey":
		p.survey(r)
		p.latency(r)
	case "reach":
		p.reach(r)
		p.latency(r)
	default:
		p.exhaustion(r)
		p.occupancy(r)
		p.latency(r)
	}
	p.outcomes(r)
	p.command(r)
	p.onHost(r.OnHost)
	p.gateway(r)
	p.portStates(r.PortStates)
	p.witnesses(r)
	p.kernel("Kernel counters", r.Kernel)
	p.kernel("Kernel counters of the listener's host", r.KernelPeer)
	p.cost(r)
	p.settings(r.Host)
	p.expectations(r.Expect)
	p.warnings(r.Warnings)
	p.rules(r.Reach)
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
