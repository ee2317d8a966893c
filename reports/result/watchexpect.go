package result

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// WatchExpectation is what a look at a host's ports is expected to find, such as
// "occupancy<80%".
type WatchExpectation struct {
	Expectation
	watched watchField
}

// watchField is a field of a Watch that an expectation can name.
type watchField struct {
	name  string
	kind  kind
	rated bool // it rests on an earlier look
	get   func(*Watch) (float64, bool)
}

// watchFields lists them. Those of a pair are the fullest one's.
func watchFields() []watchField {
	pair := func(get func(*WatchPair) (float64, bool), none bool) func(*Watch) (float64, bool) {
		return func(w *Watch) (float64, bool) {
			if p := w.Fullest(); p != nil {
				return get(p)
			}
			return 0, none
		}
	}
	return []watchField{
		{"occupancy", share, false, pair(func(p *WatchPair) (float64, bool) { return p.Occupancy, true }, true)},
		{"taken", count, false, pair(func(p *WatchPair) (float64, bool) { return float64(p.Taken), true }, true)},
		{"used", count, false, pair(func(p *WatchPair) (float64, bool) { return float64(p.Used), true }, true)},
		{"usable", count, false, func(w *Watch) (float64, bool) { return float64(w.Ports.Usable), true }},
		{"connections", count, false, func(w *Watch) (float64, bool) { return float64(w.Connections), true }},
		{"time_wait", count, false, func(w *Watch) (float64, bool) { return float64(w.TimeWait), true }},
		{"opened", number, true, func(w *Watch) (float64, bool) { return read(w.OpenedPerS) }},
		{"growth", number, true, pair(func(p *WatchPair) (float64, bool) { return read(p.GrowthPerS) }, false)},
		{"closed", number, true, pair(func(p *WatchPair) (float64, bool) { return read(p.ClosedPerS) }, false)},
		{"exhausted_in", duration, true, func(w *Watch) (float64, bool) {
			if ns, ok := w.Soonest(); ok {
				return float64(ns), true
			}
			return math.Inf(1), w.OpenedPerS != nil
		}},
	}
}

// ParseExpectWatch reads an expression about a look at a host's ports. Errors are
// of type *ExpectError.
func ParseExpectWatch(expr string) (WatchExpectation, error) {
	fail := func(problem, hint string) (WatchExpectation, error) {
		return WatchExpectation{}, &ExpectError{Expr: expr, Problem: problem, hint: hint}
	}
	at := strings.IndexAny(expr, "<>=!")
	if at < 0 {
		return fail("no operator, want FIELD OPERATOR VALUE", "--expect 'occupancy<80%'")
	}
	name, op := strings.TrimSpace(expr[:at]), operatorAt(expr[at:])
	text := strings.TrimSpace(expr[at+len(op):])
	var names []string
	for _, f := range watchFields() {
		names = append(names, f.name)
		if f.name != name {
			continue
		}
		if op == "=" || op == "!" {
			return fail(fmt.Sprintf("unknown operator %q, want < <= > >= == or !=", op), "--expect '"+name+"<="+text+"'")
		}
		want, ok := f.kind.parse(text)
		if !ok {
			return fail(fmt.Sprintf("value %q: want %s", text, f.kind.form()), "--expect '"+name+op+f.kind.sample()+"'")
		}
		if problem, meant := checkShare(name, f.kind, text, want); problem != "" {
			return fail(problem, "--expect '"+name+op+meant+"'")
		}
		return WatchExpectation{Expectation{expr: expr, op: op, want: want}, f}, nil
	}
	hint := "a field is one of " + strings.Join(names, ", ")
	if near, ok := nearest(name, names); ok {
		hint = "--expect '" + near + expr[at:] + "'"
	}
	return fail(fmt.Sprintf("unknown field %q", name), hint)
}

// Rated says whether the field rests on an earlier look.
func (e WatchExpectation) Rated() bool { return e.watched.rated }

// Eval says whether a look found what was expected. What is not known is not as
// expected; ports that last are exhausted in longer than any time.
func (e WatchExpectation) Eval(w *Watch) Expected {
	got, ok := e.watched.get(w)
	if !ok {
		return Expected{Expr: e.expr, Value: notMeasured}
	}
	value := "not within a day"
	if !math.IsInf(got, 1) {
		value = e.watched.kind.print(got)
		if e.watched.kind == duration {
			value = time.Duration(got).Round(time.Second).String()
		}
	}
	return Expected{Expr: e.expr, Value: value, Held: e.holds(got)}
}
