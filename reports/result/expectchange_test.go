package result

import (
	"errors"
	"strings"
	"testing"
)

func TestParseExpectChange(t *testing.T) {
	tests := []struct {
		expr     string
		relative bool
		holds    map[float64]bool
	}{
		{"connect.p99<=+10%", true, map[float64]bool{0.1: true, 0.11: false, -0.5: true}},
		{" connections >= -0% ", true, map[float64]bool{0: true, -0.001: false, 2: true}},
		{"rate>=+5.5%", true, map[float64]bool{0.055: true, 0.05: false}},
		{"kernel.ListenDrops==+0%", true, map[float64]bool{0: true, 0.1: false}},
		{"connect.p99<1ms", false, map[float64]bool{999_999: true, 1e6: false}},
		{"connections>=28232", false, map[float64]bool{28232: true, 28231: false}},
		{"residual.connections>=-2", false, map[float64]bool{-2: true, -3: false}},
		{"residual.rate>=-2%", false, map[float64]bool{-0.02: true, -0.03: false}}, // a share, and so a value
		{"recovered==true", false, map[float64]bool{1: true, 0: false}},
	}
	for _, test := range tests {
		e, err := ParseExpectChange(test.expr)
		if err != nil {
			t.Errorf("%s: %v", test.expr, err)
			continue
		}
		if e.Relative() != test.relative || e.String() != test.expr || e.Quantity().Name() != e.Field() {
			t.Errorf("%s: relative %v, %q of %s", test.expr, e.Relative(), e, e.Field())
		}
		for v, want := range test.holds {
			if e.Holds(v) != want {
				t.Errorf("%s of %v: %v, want %v", test.expr, v, !want, want)
			}
		}
	}
}

func TestParseExpectChangeSaysWhatIsWrong(t *testing.T) {
	tests := []struct{ expr, says, hint string }{
		{"", "no operator", "+10%"},
		{"connect.p99", "no operator", "--expect 'connect.p99<=+10%'"},
		{"connect.p98<=+10%", "unknown field", "connect.p90<=+10%"},
		{"connect.p99=+10%", `unknown operator "="`, "connect.p99<=+10%"},
		{"connect.p99!+10%", `unknown operator "!"`, "connect.p99<=+10%"},
		{"connect.p99<=10%", "want a time with its unit (ns, us, ms, s, m, h), or a change as +10%", "--expect 'connect.p99<=+10%'"},
		{"connect.p99<=+10 %", "or a change as +10%", "--expect 'connect.p99<=+10%'"},
		{"rate >= - 5 %", "or a change as -5%", "--expect 'rate>=-5%'"},
		{"connect.p99=10%", `unknown operator "="`, "--expect 'connect.p99<=+10%'"},
		{"connections>=5%", "want a number, or a change as +5%", "--expect 'connections>=+5%'"},
		{"connect.p99<=+10", "want a time with its unit", "1ms"},
		{"connect.p99<=+NaN%", "want a time with its unit", "1ms"},
		{"connections<=+Inf%", "want a number", "1000"},
		{"recovered==+10%", "want true or false", "true"},
	}
	for _, test := range tests {
		_, err := ParseExpectChange(test.expr)
		var wrong *ExpectError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.says) || !strings.Contains(wrong.Hint(), test.hint) || !wrong.Usage() {
			t.Errorf("%q: %v (hint %q), want %q with hint %q", test.expr, err, wrong.Hint(), test.says, test.hint)
		}
	}
}

func FuzzParseExpectChange(f *testing.F) {
	for _, expr := range []string{"connect.p99<=+10%", "rate>=-5%", "connections==1", "residual.rate>=-2%", "a<+%", "<=+1%"} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		e, err := ParseExpectChange(expr)
		if err != nil {
			var wrong *ExpectError
			if !errors.As(err, &wrong) {
				t.Fatalf("%q: %T", expr, err)
			}
			return
		}
		if _, ok := LookupQuantity(e.Field()); !ok || e.String() != expr {
			t.Fatalf("%q became %q of %q", expr, e, e.Field())
		}
	})
}

func TestEveryExpectFieldIsAQuantity(t *testing.T) {
	units := map[string]bool{UnitCount: true, UnitNumber: true, UnitNS: true, UnitShare: true, UnitTruth: true}
	for _, name := range ExpectFields() {
		q, ok := LookupQuantity(name)
		if !ok || q.Name() != name || !units[q.Unit()] {
			t.Errorf("%s: %v, %s", name, ok, q.Unit())
		}
	}
	q, _ := LookupQuantity("connect.p99")
	if _, ok := q.Of(&Result{}); ok || q.Unit() != UnitNS {
		t.Errorf("connect.p99 of nothing was measured, in %s", q.Unit())
	}
	if v, ok := q.Of(&Result{Latency: Latency{Connect: &Summary{P99NS: 18_300}}}); !ok || v != 18_300 || q.Print(v) != "18.3µs" {
		t.Errorf("%v, %v, %s", v, ok, q.Print(v))
	}
	if _, ok := LookupQuantity("connect.p98"); ok {
		t.Error("connect.p98 is a quantity")
	}
}
