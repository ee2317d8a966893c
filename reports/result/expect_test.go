package result

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func p[T any](v T) *T { return &v }

// measured is a run that measured some of everything.
func measured() *Result {
	return &Result{
		Predicted: Predicted{Connections: &Interval{28231, 28232}, RatePerS: &RateInterval{455, 470.5}, ReuseNS: &Interval{60e9, 62e9}, FirstNoPort: &Interval{28232, 28233}, NoPort: &Interval{90, 110}},
		Measured: Measured{
			Connections: p(int64(28232)), RatePerS: p(460.25), Recovered: p(true), FillNS: p(int64(612e6)),
			FirstNoPort: &NoPort{TNS: 613e6, Attempt: 28233},
		},
		Residual: Residual{Connections: p(int64(-2)), Rate: p(0.0125)},
		Attempts: 28332,
		Outcomes: Outcomes{OK: 28232, NoPort: 100},
		Latency:  Latency{Connect: &Summary{Count: 28232, MinNS: 11_000, MeanNS: 12_900, P50NS: 12_600, P90NS: 13_000, P99NS: 18_300, P999NS: 44_100, MaxNS: 402_000}},
		Occupancy: []Band{
			{From: 0, To: 0.1, Count: 2823, P50NS: 12_600},
			{From: 0.3, To: 0.4},
			{From: 0.5, To: 0.6, Count: 2823, P50NS: 647_000, P99NS: 809_000, MaxNS: 1_384_000},
			{From: 1, To: 1, Count: 100, P50NS: 4_882_000},
		},
		Server:   &Server{Accepted: 28233, DistinctPeers: new(int64(28232))},
		Witness:  &Witness{Agree: false},
		Recovery: &Recovery{Attempts: 1, AfterNS: 140_000},
		Ports:    &Ports{Even: 14116, Odd: 14116, Distinct: 28232},
		Reuse:    &Reuse{Count: 97, MinNS: 60.2e9, P50NS: 61e9, MaxNS: 62e9, ResolutionNS: 1.2e6, AtOnce: 1, Lost: 3, Probes: 2_400},

		ScheduleError: &ScheduleError{P50NS: 2_000, P99NS: 90_000, MaxNS: 1.5e6},
		Requests:      &Requests{Answered: 990, Failed: 10},
		TimeWait:      &TimeWait{Generator: 400, Listener: 0},
		Kernel:        Counters{"ListenOverflows": 0, "TWRecycled": 7},
		Cost:          &Cost{UserCPUNSPerConn: p(int64(2_900)), SysCPUNSPerConn: p(int64(0)), KernelBytesPerConn: p(int64(7_790))},
		Observer:      &Observer{Share: 0.0062},
		Warnings:      []Warning{{Code: "x"}},
	}
}

func TestExpect(t *testing.T) {
	tests := []struct {
		expr, value string
		held        bool
	}{
		{"connections>=28232", "28232", true},
		{"connections>28232", "28232", false},
		{"connections<28232", "28232", false},
		{"connections<=28232", "28232", true},
		{"connections==28232", "28232", true},
		{"connections!=28232", "28232", false},
		{" connections  >= 28232 ", "28232", true},
		{"attempts==28332", "28332", true},
		{"no_port==100", "100", true},
		{"refused==0", "0", true},
		{"measured.connections==28232", "28232", true},
		{"measured.fill<1s", "612ms", true},
		{"measured.first_no_port.t<613ms", "613ms", false},
		{"measured.first_no_port.attempt==28233", "28233", true},
		{"measured.recovered!=false", "true", true},
		{"recovered==true", "true", true},
		{"rate>=400", "460.25", true},
		{"measured.rate>=460.26", "460.25", false},
		{"predicted.connections.min==28231", "28231", true},
		{"predicted.connections.max==28232", "28232", true},
		{"predicted.rate.max<=470.5", "470.5", true},
		{"predicted.reuse.min>=1m", "1m0s", true},
		{"predicted.first_no_port.min==28232", "28232", true},
		{"predicted.first_no_port.max==28233", "28233", true},
		{"predicted.first_no_port.t.max<1s", notMeasured, false},
		{"predicted.no_port.min==90", "90", true},
		{"predicted.no_port.max<110", "110", false},
		{"residual.connections==-2", "-2", true},
		{"residual.rate<=2%", "0.0125", true},
		{"residual.rate<=0.01", "0.0125", false},
		{"residual.reuse==0", notMeasured, false},
		{"connect.p99<1ms", "18.3µs", true},
		{"connect.p999<44us", "44.1µs", false},
		{"connect.count==28232", "28232", true},
		{"failure.p50<10ms", notMeasured, false},
		{"occupancy.0-10.p50<13us", "12.6µs", true},
		{"occupancy.50-60.p99<1ms", "809µs", true},
		{"occupancy.full.p50>4ms", "4.882ms", true},
		{"occupancy.30-40.p50<1h", notMeasured, false}, // the band has no attempt
		{"occupancy.60-70.p50<1h", notMeasured, false},
		{"server.accepted==28233", "28233", true},
		{"witness.agree==true", "false", false},
		{"recovery.after<1ms", "140µs", true},
		{"ports.odd==14116", "14116", true},
		{"kernel.ListenOverflows==0", "0", true},
		{"kernel.TWRecycled<7", "7", false},
		{"kernel.NoSuchCounter==0", notMeasured, false},
		{"cost.user_cpu_per_conn<3us", "2.9µs", true},
		{"cost.sys_cpu_per_conn==0s", "0s", true}, // that no tick found it was measured
		{"cost.kernel_bytes_per_conn<8192", "7790", true},
		{"cost.user_bytes_per_conn<64", notMeasured, false},
		{"observer.share<1%", "0.0062", true},
		{"warnings==0", "1", false},
		{"schedule_error.p50<1us", "2µs", false},
		{"schedule_error.p99<1ms", "90µs", true},
		{"schedule_error.max<=1.5ms", "1.5ms", true},
		{"requests.answered==990", "990", true},
		{"requests.failed==0", "10", false},
		{"request.p99<1ms", notMeasured, false},
		{"response.p99<1ms", notMeasured, false},
		{"time_wait.generator>0", "400", true},
		{"time_wait.listener==0", "0", true},
		{"reuse.count==97", "97", true},
		{"reuse.min>=60s", "1m0.2s", true},
		{"reuse.p50==61s", "1m1s", true},
		{"reuse.max<62s", "1m2s", false},
		{"reuse.resolution<2ms", "1.2ms", true},
		{"reuse.at_once==1", "1", true},
		{"reuse.lost==0", "3", false},
		{"reuse.probes<=2400", "2400", true},
		{"server.requests==0", "0", true},
		{"server.over_limit==0", "0", true},
		{"server.idle_closed==0", "0", true},
	}
	for _, test := range tests {
		e, err := ParseExpect(test.expr)
		if err != nil {
			t.Errorf("%s: %v", test.expr, err)
			continue
		}
		want := Expected{Expr: test.expr, Value: test.value, Held: test.held}
		if diff := cmp.Diff(want, e.Eval(measured())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.expr, diff)
		}
	}
}

// A reuse whose ports are all lost has no delay: its zeros must pass no gate.
func TestExpectOfAReuseWithoutAReturn(t *testing.T) {
	lost := &Result{Reuse: &Reuse{Lost: 100, Probes: 2_400}}
	for expr, held := range map[string]bool{
		"reuse.max<1s": false, "reuse.min==0s": false, "reuse.p50<1s": false, "reuse.resolution<1s": false,
		"reuse.count==0": true, "reuse.lost==100": true,
	} {
		e, err := ParseExpect(expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Eval(lost); got.Held != held {
			t.Errorf("%s: held %v with value %s", expr, got.Held, got.Value)
		}
	}
}

func TestExpectOfNothingHoldsNothing(t *testing.T) {
	for _, name := range ExpectFields() {
		e, err := parseAny(name)
		if err != nil {
			t.Fatal(err)
		}
		got := e.Eval(&Result{})
		if zero := name == "attempts" || name == "warnings"; zero == (got.Value == notMeasured) {
			t.Errorf("%s of an empty run is %q", e, got.Value)
		}
	}
}

// parseAny parses some expression of the field.
func parseAny(name string) (Expectation, error) {
	for _, rest := range []string{"==1", "==true"} {
		if e, err := ParseExpect(name + rest); err == nil {
			return e, nil
		}
	}
	return ParseExpect(name + "==1s")
}

func TestParseExpectErrors(t *testing.T) {
	tests := []struct{ expr, problem, hint string }{
		{"", "no operator", "connections>=28232"},
		{"connections", "no operator", "connections>=28232"},
		{"conections>=5", `unknown field "conections"`, "--expect 'connections>=5'"},
		{"connect.p9<1ms", `unknown field "connect.p9"`, "--expect 'connect.p90<1ms'"},
		{"occupancy.50-70.p99<1ms", "unknown field", "--expect 'occupancy.50-60.p99<1ms'"},
		{"kernel.==0", "unknown field", ""},
		{"kernel.a b==0", "unknown field", ""},
		{"colour==blue", "unknown field", "a field is one of"},
		{">=5", "unknown field", "a field is one of"},
		{"connections=5", `unknown operator "="`, "--expect 'connections==5'"},
		{"connections!5", `unknown operator "!"`, "--expect 'connections==5'"},
		{"connections=>5", `unknown operator "="`, "--expect 'connections==5'"},
		{"connections>=many", "want a number", "--expect 'connections>=1000'"},
		{"connections>=NaN", "want a number", ""},
		{"connections>=+Inf", "want a number", ""},
		{"connections>=28,232", "want a number", ""},
		{"connections>=", "want a number", ""},
		{"connections>=5%", "want a number", ""},
		{"connect.p99<1", "want a time with its unit", "--expect 'connect.p99<1ms'"},
		{"recovered==yes", "want true or false", "--expect 'recovered==true'"},
		{"recovered>true", "true or false, so the operator is == or !=", "--expect 'recovered==true'"},
		{"residual.rate<x%", "percent", "--expect 'residual.rate<2%'"},
	}
	for _, test := range tests {
		_, err := ParseExpect(test.expr)
		var bad *ExpectError
		if !errors.As(err, &bad) {
			t.Errorf("%q: error %v, want an ExpectError", test.expr, err)
			continue
		}
		if !strings.Contains(bad.Error(), test.problem) || !strings.Contains(bad.Hint(), test.hint) || bad.Hint() == "" || !bad.Usage() {
			t.Errorf("%q: error %q with hint %q, want %q with %q", test.expr, bad, bad.Hint(), test.problem, test.hint)
		}
	}
}

func TestExpectFieldsAreDistinct(t *testing.T) {
	names := ExpectFields()
	slices.Sort(names)
	if short := slices.Compact(slices.Clone(names)); len(short) != len(names) {
		t.Errorf("%d fields, %d of them distinct", len(names), len(short))
	}
}

func TestEditDistance(t *testing.T) {
	word := rapid.StringMatching(`[abc]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := word.Draw(t, "a"), word.Draw(t, "b"), word.Draw(t, "c")
		ab := editDistance(a, b)
		switch {
		case ab != editDistance(b, a):
			t.Errorf("not symmetric: %q %q", a, b)
		case (ab == 0) != (a == b):
			t.Errorf("distance %d of %q and %q", ab, a, b)
		case editDistance(a, c) > ab+editDistance(b, c):
			t.Errorf("triangle %q %q %q", a, b, c)
		case ab < max(len(a), len(b))-min(len(a), len(b)) || ab > max(len(a), len(b)):
			t.Errorf("distance %d of %q and %q", ab, a, b)
		}
	})
	if got := editDistance("kitten", "sitting"); got != 3 {
		t.Errorf("distance of kitten and sitting: %d, want 3", got)
	}
}

func FuzzParseExpect(f *testing.F) {
	for _, s := range []string{"connections>=28232", "connect.p99<1ms", "recovered==true", "residual.rate<=2%", "kernel.TW!=0", "x", "=", "<="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseExpect(s)
		var bad *ExpectError
		switch {
		case err == nil && e.Eval(measured()).Expr != s:
			t.Errorf("expression %q became %q", s, e)
		case err != nil && (!errors.As(err, &bad) || bad.Hint() == "" || !bad.Usage()):
			t.Errorf("error %v without a hint", err)
		}
	})
}
