package result

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Expectation is what a run is expected to measure: a field, an operator and a
// value, such as "connections>=28232" or "connect.p99<1ms".
type Expectation struct {
	expr  string
	field field
	op    string
	want  float64
}

// notMeasured is the value of a field that the run did not measure.
const notMeasured = "not measured"

// ParseExpect reads an expression: FIELD OPERATOR VALUE, blanks allowed between
// them. ExpectFields lists the fields. Operators are < <= > >= == and !=. A
// time takes a unit (1ms), a share a number or percent (2%) that the field can
// have, yes-or-no fields true or false, everything else a number. It needs no result, so that what is
// wrong is known before a run; errors are of type *ExpectError.
func ParseExpect(expr string) (Expectation, error) {
	fail := func(problem, hint string) (Expectation, error) {
		return Expectation{}, &ExpectError{Expr: expr, Problem: problem, hint: hint}
	}
	at := strings.IndexAny(expr, "<>=!")
	if at < 0 {
		return fail("no operator, want FIELD OPERATOR VALUE", "--expect 'connections>=28232'")
	}
	name := strings.TrimSpace(expr[:at])
	op := operatorAt(expr[at:])
	value := strings.TrimSpace(expr[at+len(op):])
	f, ok := lookupField(name)
	if !ok {
		return fail(fmt.Sprintf("unknown field %q", name), fieldHint(name, expr[at:]))
	}
	switch {
	case op == "=" || op == "!":
		return fail(fmt.Sprintf("unknown operator %q, want < <= > >= == or !=", op), "--expect '"+name+"=="+strings.TrimLeft(value, "<>=! ")+"'")
	case f.kind == truth && op != "==" && op != "!=":
		return fail(fmt.Sprintf("%s is true or false, so the operator is == or !=, not %s", name, op), "--expect '"+name+"==true'")
	}
	want, ok := f.kind.parse(value)
	if !ok {
		return fail(fmt.Sprintf("value %q: want %s", value, f.kind.form()), "--expect '"+name+op+f.kind.sample()+"'")
	}
	if problem, meant := checkShare(name, f.kind, value, want); problem != "" {
		return fail(problem, "--expect '"+name+op+meant+"'")
	}
	return Expectation{expr: expr, field: f, op: op, want: want}, nil
}

// operatorAt returns the operator that s, which starts with one of "<>=!",
// starts with.
func operatorAt(s string) string {
	if len(s) > 1 && s[1] == '=' {
		return s[:2]
	}
	return s[:1]
}

// String returns the expression as it was given.
func (e Expectation) String() string { return e.expr }

// Field returns the name of the field.
func (e Expectation) Field() string { return e.field.name }

// AtLeast says whether the expectation wants its field to be large.
func (e Expectation) AtLeast() bool { return strings.HasPrefix(e.op, ">") }

// Eval says whether a run measured what was expected. What was not measured was
// not as expected.
func (e Expectation) Eval(r *Result) Expected {
	got, ok := e.field.get(r)
	if !ok {
		return Expected{Expr: e.expr, Value: notMeasured}
	}
	return Expected{Expr: e.expr, Value: e.field.kind.print(got), Held: e.holds(got)}
}

func (e Expectation) holds(got float64) bool {
	switch e.op {
	case "<":
		return got < e.want
	case "<=":
		return got <= e.want
	case ">":
		return got > e.want
	case ">=":
		return got >= e.want
	case "==":
		return got == e.want
	}
	return got != e.want
}

// ExpectError is an expression that cannot be understood: wrong usage.
type ExpectError struct {
	Expr    string
	Problem string
	hint    string
}

// Error names the expression and what is wrong with it.
func (e *ExpectError) Error() string { return fmt.Sprintf("--expect %q: %s", e.Expr, e.Problem) }

// Hint shows the nearest accepted form.
func (e *ExpectError) Hint() string { return e.hint }

// Usage is true: the exit status is that of wrong usage.
func (e *ExpectError) Usage() bool { return true }

// kind is what a field's numbers mean.
type kind uint8

const (
	count    kind = iota // a whole number
	number               // a number with a fraction
	duration             // nanoseconds
	share                // 1 is all
	truth                // 0 is false, 1 is true
)

// parse reads a value of the kind.
func (k kind) parse(s string) (float64, bool) {
	switch k {
	case duration:
		d, err := time.ParseDuration(s)
		return float64(d), err == nil
	case truth:
		return map[string]float64{"true": 1}[s], s == "true" || s == "false"
	case share:
		if percent, ok := strings.CutSuffix(s, "%"); ok {
			v, ok := parseNumber(percent)
			return v / 100, ok
		}
	}
	return parseNumber(s)
}

func parseNumber(s string) (float64, bool) {
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && !math.IsInf(v, 0) && !math.IsNaN(v)
}

// print writes a value of the kind as it is kept in the file.
func (k kind) print(v float64) string {
	switch k {
	case duration:
		return time.Duration(v).String()
	case truth:
		return strconv.FormatBool(v != 0)
	case count:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// form describes the values of the kind.
func (k kind) form() string {
	switch k {
	case duration:
		return "a time with its unit (ns, us, ms, s, m, h)"
	case truth:
		return "true or false"
	case share:
		return "a share (0.02) or percent (2%)"
	}
	return "a number"
}

// sample is a value of the kind.
func (k kind) sample() string {
	switch k {
	case duration:
		return "1ms"
	case truth:
		return "true"
	case share:
		return "2%"
	}
	return "1000"
}
