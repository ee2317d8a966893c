package result

import (
	"errors"
	"fmt"
	"strings"
)

// ChangeExpectation is what a comparison of runs is expected to come to: either
// how much a field may change, such as "connect.p99<=+10%", or what the new runs
// measure, as an Expectation says it.
type ChangeExpectation struct {
	Expectation
	relative bool
}

// ParseExpectChange reads an expression of a comparison. A sign and a percent
// sign make the value a change of the field from old to new: "+10%", "-5%", "+0%".
// Any other value is one that ParseExpect reads, and so is that of a field that is
// a share itself: there "+2%" is a value. Errors are of type *ExpectError.
func ParseExpectChange(expr string) (ChangeExpectation, error) {
	at := strings.IndexAny(expr, "<>=!")
	if at < 0 {
		e, err := ParseExpect(expr)
		return ChangeExpectation{Expectation: e}, changeHint(err)
	}
	op := operatorAt(expr[at:])
	value := strings.TrimSpace(expr[at+len(op):])
	name := strings.TrimSpace(expr[:at])
	f, known := lookupField(name)
	if meant := asChange(value); known && meant != "" && f.kind != share && f.kind != truth {
		return f.changes(expr, op, value, meant)
	}
	e, err := ParseExpect(expr)
	return ChangeExpectation{Expectation: e}, changeHint(err)
}

// changes expects a change of the field by value; meant is how that is written.
func (f field) changes(expr, op, value, meant string) (ChangeExpectation, error) {
	fail := func(problem, op string) (ChangeExpectation, error) {
		return ChangeExpectation{}, &ExpectError{Expr: expr, Problem: problem, hint: "--expect '" + f.name + op + meant + "'"}
	}
	if op == "=" || op == "!" {
		return fail("unknown operator \""+op+"\", want < <= > >= == or !=", "<=")
	}
	if value != meant {
		return fail(fmt.Sprintf("value %q: want %s, or a change as %s", value, f.kind.form(), meant), op)
	}
	by, _ := change(meant)
	return ChangeExpectation{Expectation{expr: expr, field: f, op: op, want: by}, true}, nil
}

// asChange writes the change that a value in percent may have meant: "+10%" of
// "10%" and of "+ 10 %"; "" if it is none.
func asChange(value string) string {
	value = strings.Join(strings.Fields(value), "")
	if !strings.HasPrefix(value, "-") {
		value = "+" + strings.TrimPrefix(value, "+")
	}
	if _, ok := change(value); !ok {
		return ""
	}
	return value
}

// change reads "+10%" as 0.1.
func change(value string) (share float64, ok bool) {
	if !strings.HasPrefix(value, "+") && !strings.HasPrefix(value, "-") {
		return 0, false
	}
	percent, ok := strings.CutSuffix(value, "%")
	if !ok {
		return 0, false
	}
	v, ok := parseNumber(percent)
	return v / 100, ok
}

// changeHint shows the relative form beside a hint that has none.
func changeHint(err error) error {
	var e *ExpectError
	if errors.As(err, &e) && !strings.ContainsAny(e.Expr, "<>=!") {
		e.hint = "--expect 'connect.p99<=+10%'"
	}
	return err
}

// Relative says whether the expectation is of a change, and not of what the new
// runs measure.
func (e ChangeExpectation) Relative() bool { return e.relative }

// Quantity returns the field.
func (e ChangeExpectation) Quantity() Quantity { return Quantity{e.field} }

// Holds says whether a value is as expected: a change as a share of the old
// value if the expectation is relative, else a value of the field.
func (e ChangeExpectation) Holds(v float64) bool { return e.holds(v) }
