package curve

import (
	"fmt"
	"strings"

	"lastport/reports/result"
)

// Saved reads a document for what is to be known: a fill, or the fill of a set
// that was made by the strategy. One that tells nothing about it, because its
// scenario, strategy, protocol or range is another, is an error: wrong usage,
// with a hint how to measure what is missing.
func Saved(d result.Document, q Query) (Reading, error) {
	r, err := fillOf(d, q)
	if err != nil {
		return Reading{}, err
	}
	hint := q.fill()
	c, err := Of(r)
	if err != nil { // of a run whose range may be another than the plan's
		return Reading{}, &mismatch{err.Error(), hint + " with --range as in the plan"}
	}
	switch {
	case c.Proto != q.Proto:
		return Reading{}, &mismatch{fmt.Sprintf("it is over %s, and the plan over %s", c.Proto, q.Proto), hint}
	case c.Strategy != q.Strategy:
		return Reading{}, &mismatch{fmt.Sprintf("it is by strategy %s, and the plan by %s", c.Strategy, q.Strategy), hint}
	case c.Ports != q.Ports && !q.Flat:
		return Reading{}, &mismatch{
			fmt.Sprintf("it is of range %s with %d usable ports, and the plan has %d: the kernel's search through them takes another time",
				c.Range, c.Ports, q.Ports),
			hint + " with --range as in the plan, or --range " + c.Range + " here",
		}
	case q.Occupancy > c.Until && q.Occupancy <= 1:
		return Reading{}, &mismatch{
			fmt.Sprintf("it ends at %.0f %% of the ports, and the plan takes %.0f %%", 100*c.Until, 100*q.Occupancy), hint,
		}
	}
	return c.read(q), nil
}

// fillOf finds the run that is to be read.
func fillOf(d result.Document, q Query) (*result.Result, error) {
	switch d := d.(type) {
	case *result.Result:
		return d, nil
	case *result.Set:
		var others []string
		for _, r := range d.Runs {
			if r.Run.Scenario != "fill" {
				continue
			}
			if r.Config.Strategy == q.Strategy && r.Config.Proto == q.Proto && (q.Flat || r.Space.PortsUsable == q.Ports) {
				return r, nil
			}
			others = append(others, r.Config.Strategy)
		}
		text := fmt.Sprintf("none of its %d runs is a fill by %s over %s with %d usable ports", len(d.Runs), q.Strategy, q.Proto, q.Ports)
		if len(others) > 0 {
			text += " (fills by " + some(others) + ")"
		}
		return nil, &mismatch{text: text, hint: q.fill() + " with --range as in the plan"}
	}
	return nil, &mismatch{text: "it is no run and no set of runs", hint: "lastport fill, and --from with its folder"}
}

// fill is the command that measures what is to be known, over the ports of a plan.
func (q Query) fill() string {
	hint := "lastport fill --strategy " + q.Strategy
	if q.Proto != "tcp" {
		hint += " --proto " + q.Proto
	}
	return hint
}

// some joins a few words.
func some(words []string) string {
	const few = 10
	if len(words) > few {
		words = append(words[:few:few], "…")
	}
	return strings.Join(words, ", ")
}

// mismatch is a document that tells nothing about what is to be known. It is
// wrong usage.
type mismatch struct{ text, hint string }

func (e *mismatch) Error() string { return e.text }
func (e *mismatch) Hint() string  { return e.hint }
func (e *mismatch) Usage() bool   { return true }
