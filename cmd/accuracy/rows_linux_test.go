package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lastport/reports/result"
)

// overloaded is a churn's result: ports, each back after the reuse delay, met by
// attempts at a rate, seen in rows of 100 ms.
func overloaded(ports int, rate float64, reuse, long time.Duration) *result.Result {
	r := &result.Result{}
	var back []time.Duration // of used ports, in order
	for i := range int(rate * long.Seconds()) {
		at := time.Duration(float64(i) / rate * float64(time.Second))
		for len(r.Timeline) <= int(at/(100*time.Millisecond)) {
			r.Timeline = append(r.Timeline, result.Row{TNS: int64(len(r.Timeline)+1) * int64(100*time.Millisecond)})
		}
		row := &r.Timeline[len(r.Timeline)-1]
		switch {
		case ports > 0:
			ports--
		case len(back) > 0 && back[0] <= at:
			back = back[1:]
		default:
			row.NoPort++
			if r.Measured.FirstNoPort == nil {
				r.Measured.FirstNoPort = &result.NoPort{Attempt: int64(i) + 1, TNS: int64(at)}
			}
			continue
		}
		row.Opened++
		back = append(back, at+reuse)
	}
	return r
}

// What is measured in overload is the ports by the time that they are out of use,
// within the rows' grain and the time between two attempts.
func TestSustained(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := rapid.IntRange(1, 300).Draw(t, "ports")
		reuse := time.Duration(rapid.IntRange(5000, 70_000).Draw(t, "reuse")) * time.Millisecond
		want := float64(ports) / reuse.Seconds()
		rate := max(overload*want, often/reuse.Seconds())
		got := sustained(overloaded(ports, rate, reuse, 2*reuse+3*time.Second))
		if off := got/want - 1; math.Abs(off) > 0.03 {
			t.Fatalf("%v per second, want %v: %.2f %%", got, want, 100*off)
		}
	})
	if got := sustained(overloaded(100, 10, time.Minute, 5*time.Second)); !math.IsNaN(got) {
		t.Errorf("%v per second of ports that were never used up", got)
	}
	if got := sustained(overloaded(100, 10, time.Minute, 20*time.Second)); !math.IsNaN(got) {
		t.Errorf("%v per second of no whole round", got)
	}
}

func predicted(rate *result.RateInterval, reuseMax time.Duration) *result.Result {
	return &result.Result{
		Space:     result.Space{Tuples: 200},
		Predicted: result.Predicted{RatePerS: rate, ReuseNS: &result.Interval{Max: int64(reuseMax)}},
	}
}

// The churn below outlasts a round, that above two; where ports set no limit there
// is one.
func TestChurns(t *testing.T) {
	asked := predicted(&result.RateInterval{Min: 3.2, Max: 3.4}, 62*time.Second)
	list := churns(asked)
	if len(list) != 2 || list[0].flags() != "--rate 3.136000 --duration 1m17.5s" || list[1].flags() != "--rate 3.570000 --duration 2m7s" {
		t.Errorf("%+v", list)
	}
	var m runs
	*list[0].into(&m), *list[1].into(&m) = asked, asked
	if m.below == nil || m.above == nil || brisk(asked) {
		t.Errorf("%+v", m)
	}
	if list := churns(predicted(nil, 0)); len(list) != 1 || list[0].rate != 2000 {
		t.Errorf("%+v", list)
	}
	if !brisk(predicted(&result.RateInterval{Min: 200, Max: 200}, time.Second)) {
		t.Error("a round of a second is not brisk")
	}
}

func TestLate(t *testing.T) {
	r := predicted(&result.RateInterval{Min: 1, Max: 1}, 10*time.Second)
	for ms, want := range map[int64]bool{0: false, 199: false, 201: true} {
		r.ScheduleError = &result.ScheduleError{MaxNS: ms * int64(time.Millisecond)}
		if late(r) != want {
			t.Errorf("%d ms late: %v", ms, !want)
		}
	}
	r.ScheduleError.MaxNS = 201e6
	r.Kernel = result.Counters{"TCPTimeWaitOverflow": 1} // a round is the hold alone
	r.Config.HoldNS = int64(time.Second)
	if !late(r) {
		t.Error("201 ms of a second are not late")
	}
}

func ptr[T any](v T) *T { return &v }

// done are runs that came out as predicted.
func done() runs {
	r := &result.Result{
		Predicted: result.Predicted{
			Connections: &result.Interval{Min: 200, Max: 200}, RatePerS: &result.RateInterval{Min: 39, Max: 40},
			ReuseNS: &result.Interval{Min: 5e9, Max: 5.002e9},
		},
		Measured: result.Measured{Connections: ptr(int64(200))},
		Residual: result.Residual{Connections: ptr(int64(0)), Reuse: ptr(0.0)},
		Reuse:    &result.Reuse{Count: 20, MinNS: 5e9, MaxNS: 5.001e9},
		Config:   result.Config{Rate: "38.22", DurationNS: 10e9},
		Outcomes: result.Outcomes{OK: 382},
	}
	return runs{fill: r, asked: r, reuse: r, below: r, above: overloaded(200, 42, 5*time.Second, 20*time.Second)}
}

func TestRowOf(t *testing.T) {
	for _, c := range []struct {
		why    string
		change func(*runs)
		brief  string
		off    [3]string // connections, rate, reuse
	}{
		{"as predicted", func(*runs) {}, "f: 200 of 200, 40 of 39–40/s, 5.000–5.001 of 5.000–5.002 s", [3]string{"0", "0", "0"}},
		{"a connection is missing", func(m *runs) {
			m.fill.Measured.Connections, m.fill.Residual.Connections = ptr(int64(199)), ptr(int64(-1))
		}, "f: 199 of 200", [3]string{"-1", "0", "0"}},
		{"the churn below ran out", func(m *runs) { m.below.Outcomes.NoPort = 1 }, "ran out at 38.22 of 39–40/s", [3]string{"0", "out", "0"}},
		{"its generator was late", func(m *runs) {
			m.below.Outcomes.NoPort, m.below.ScheduleError = 1, &result.ScheduleError{MaxNS: 1e9}
		}, "40 of 39–40/s", [3]string{"0", "0", "0"}},
		{"ports came back late", func(m *runs) { m.above = overloaded(200, 42, 5500*time.Millisecond, 20*time.Second) }, "of 39–40/s", [3]string{"0", "-6", "0"}},
		{"nothing ran out", func(m *runs) { m.above = &result.Result{} }, "– of 39–40/s", [3]string{"0", "–", "0"}},
		{"no limit", func(m *runs) { m.asked.Predicted.RatePerS = nil }, "≥ 38.2 of no limit/s", [3]string{"0", "0", "0"}},
		{"no limit, and one was met", func(m *runs) { m.asked.Predicted.RatePerS, m.below.Outcomes.NoPort = nil, 1 }, "ran out", [3]string{"0", "out", "0"}},
		{"a port was lost", func(m *runs) { m.reuse.Reuse.Lost = 2 }, "2 of 22 not back", [3]string{"0", "0", "100"}},
		{"at once", func(m *runs) {
			m.reuse.Predicted.ReuseNS, m.reuse.Reuse.AtOnce = &result.Interval{}, 20
		}, "at once of at once s", [3]string{"0", "0", "0"}},
		{"no reuse", func(m *runs) { m.reuse.Reuse = nil }, " of 5.000–5.002 s", [3]string{"0", "0", "–"}},
	} {
		m := done()
		c.change(&m)
		r := rowOf(setup{flags: "f"}, m)
		if !strings.Contains(r.brief(), c.brief) {
			t.Errorf("%s: %q does not say %q", c.why, r.brief(), c.brief)
		}
		for i, got := range []string{signed(r.connections.off), percent(r.rate.off), percent(r.reuse.off)} {
			if !strings.HasPrefix(got, c.off[i]) || c.off[i] == "0" && got != "0" {
				t.Errorf("%s: off %q, want %q", c.why, got, c.off[i])
			}
		}
		exact := c.off == [3]string{"0", "0", "0"}
		if accurate := count([]row{r}).accurate(); accurate != exact {
			t.Errorf("%s: accurate %v", c.why, accurate)
		}
	}
}

// A deviation is never written as none.
func TestWordsOfDeviations(t *testing.T) {
	for off, want := range map[float64]string{0: "0", 0.00001: "< 0.01 %", -0.0123: "-1.23 %", math.Inf(-1): "out"} {
		if got := percent(off); got != want {
			t.Errorf("%v: %q, want %q", off, got, want)
		}
	}
	if got := span(60, 62.048, short); got != "60.00–62.05" {
		t.Error(got)
	}
	if got := span(200, 200, grouped) + span(1234567, 1234568, grouped); got != "2001,234,567–1,234,568" {
		t.Error(got)
	}
}
