package reports_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// ways is a bench of six ways: two fills, of which rows share the first.
func ways() *result.Set {
	fin, soon := &result.Interval{Min: 60 * second, Max: 62_048_000_000}, &result.Interval{Min: second, Max: second + 2_000_000}
	predicted := func(ports int64, reuse *result.Interval) result.Predicted {
		p := result.Predicted{Connections: &result.Interval{Min: ports, Max: ports}, ReuseNS: reuse}
		if reuse.Max > 0 {
			p.RatePerS = &result.RateInterval{Min: float64(ports) / float64(reuse.Max) * 1e9, Max: float64(ports) / float64(reuse.Min) * 1e9}
		}
		return p
	}
	set := &result.Set{Schema: result.SetSchema, Axis: "scenario", Matrix: "standard"}
	add := func(id string, r *result.Result) string {
		r.Run.ID = id
		set.Runs = append(set.Runs, r)
		return id
	}
	points := func(r *result.Result, p50s ...int64) *result.Result {
		for i, at := range []float64{0, 0.5, 0.9, 0.99, 0.999} {
			r.AtOccupancy = append(r.AtOccupancy, result.Point{
				At: at, From: at, To: at + 0.01, Count: 282, P50NS: p50s[i], P99NS: 2 * p50s[i], MaxNS: 9 * p50s[i],
			})
		}
		return r
	}
	rate := func(rate string, noPort int64) *result.Result {
		r := fastest("client-rst", 445)
		r.Config.Close, r.Config.Rate = "client-fin", rate
		r.Outcomes.NoPort = noPort
		r.Predicted = predicted(28232, fin)
		return r
	}
	connect := points(filled("connect"), 13_000, 628_000, 676_000, 840_000, 868_000)
	window := points(flat(), 13_100, 13_000, 13_900, 18_300, 18_700)
	xp := points(flat(), 12_900, 13_000, 13_100, 14_000, 15_000)
	xp.Config.Range, xp.Measured.Connections, xp.Latency.Failure.P50NS = "1025-5000", ptr(int64(3976)), 402_000
	xp.Predicted.Connections = &result.Interval{Min: 3976, Max: 3976}
	window.Expect, xp.Expect = nil, nil
	early := reused("client-fin", *soon, 300_000, func(i int64) int64 { return second + 9_000*i })
	early.Verdict = result.Verdict{OK: true, Text: "as predicted"}
	early.Config.Sysctls = map[string]string{"net.ipv4.tcp_tw_reuse": "1"}
	fills := []string{add("fill-connect", connect), add("fill-window", window), add("fill-xp", xp)}
	const host = "32768-60999"
	small := rate("15.7", 0)
	small.Config.Range, small.Config.Requests, small.Predicted = "40000-40999", 100, predicted(1000, fin)
	set.Rows = []result.SetRow{
		{
			Name: "default", Strategy: "connect", Range: host, RangeName: "host", Close: "client-fin", Gain: ptr(1.0),
			Predicted: predicted(28232, fin), Runs: []string{fills[0], add("reuse-connect", timeWaited())},
		},
		{
			Name: "tw_reuse=1", Strategy: "connect", Range: host, RangeName: "host", Close: "client-fin", Gain: ptr(61.92),
			Sysctls:   map[string]string{"net.ipv4.tcp_tw_reuse": "1"},
			Predicted: predicted(28232, soon), Runs: []string{fills[0], add("reuse-early", early)},
		},
		{
			Name: "server-fin", Strategy: "connect", Range: host, RangeName: "host", Close: "server-fin",
			Predicted: predicted(28232, &result.Interval{}),
			Runs: []string{
				fills[0], add("max", fastest("server-fin", 42_239)), add("max-2", fastest("server-fin", 12_000)),
				add("max-3", fastest("server-fin", 43_000)), add("at-once", atOnce("server-fin")),
			},
		},
		{
			Name: "socket-range", Strategy: "socket-range", Range: host, RangeName: "host", Close: "client-fin", Gain: ptr(1.0),
			Predicted: predicted(28232, fin), Runs: []string{fills[1], add("held", rate("445", 0)), add("over", rate("480", 100))},
			Expect: []result.RowExpected{{Run: "held", Expr: "no_port==0", Value: "0", Held: true}},
		},
		{
			Name: "100 requests", Strategy: "connect", Range: host, RangeName: "host", Close: "client-fin", Gain: ptr(100.0), Requests: 100,
			StandIn: map[string]string{"churn": "40000-40999"}, Price: "each request waits for the one before it",
			Predicted: predicted(28232, fin), Runs: []string{fills[0], add("small", small)},
		},
		{
			Name: "windows-xp", Strategy: "socket-range", Range: "1025-5000", RangeName: "windows-xp", Close: "client-fin", Gain: ptr(0.14),
			Predicted: predicted(3976, fin), Runs: []string{fills[2], "left out"},
			Expect: []result.RowExpected{{Expr: "no_port==0", Value: "not measured"}},
		},
	}
	set.Planned = len(set.Runs)
	return set
}

func textOf(t *testing.T, doc result.Document, style reports.Style) string {
	t.Helper()
	var out bytes.Buffer
	if err := reports.Text(&out, doc, style); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// rowsOf are the lines of a way in the table: measured, then predicted.
func rowsOf(t *testing.T, text, name string) (measured, predicted string) {
	t.Helper()
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimLeft(line, " "), name+" ") && strings.Contains(lines[i+1], "predicted") {
			return line, lines[i+1]
		}
	}
	t.Fatalf("no row %s in\n%s", name, text)
	return "", ""
}

func TestBenchIsOneTableAndTheRestIsDetails(t *testing.T) {
	short, long := textOf(t, ways(), reports.Style{}), textOf(t, ways(), reports.Style{Details: true})
	if strings.Contains(short, "filled in") || !strings.Contains(long, "filled in") {
		t.Errorf("the table of fills belongs to the details alone:\n%s", short)
	}
	old := bench()
	if textOf(t, old, reports.Style{}) != textOf(t, old, reports.Style{Details: true}) {
		t.Error("of a set without rows the details are all there is")
	}
}

// Whatever is not as predicted has its mark in the row that it belongs to, and
// the set is not OK.
func TestBenchMarksWhatIsNotAsPredicted(t *testing.T) {
	for name, test := range map[string]struct {
		row    string
		spoil  func(map[string]*result.Result)
		marked string
	}{
		"connections": {"socket-range", func(r map[string]*result.Result) {
			r["fill-window"].Measured.Connections, r["fill-window"].Residual.Connections = ptr(int64(28230)), ptr(int64(-2))
			r["fill-window"].Verdict = result.Verdict{Text: "2 fewer than predicted"}
		}, "28,230!"},
		"rate": {"socket-range", func(r map[string]*result.Result) {
			r["held"].Outcomes.NoPort, r["held"].Verdict = 7, result.Verdict{Text: "7 fewer than predicted"}
		}, "<445!"},
		"reuse": {"default", func(r map[string]*result.Result) {
			r["reuse-connect"].Residual.Reuse, r["reuse-connect"].Verdict = ptr(0.1), result.Verdict{Text: "too late"}
		}, "61.8!"},
	} {
		set := ways()
		if text := textOf(t, set, reports.Style{}); strings.Contains(text, "NOT OK") || strings.Count(text, "!") != 1 { // the note's
			t.Fatalf("not OK before it is spoilt:\n%s", text)
		}
		byID := map[string]*result.Result{}
		for _, r := range set.Runs {
			byID[r.Run.ID] = r
		}
		test.spoil(byID)
		text := textOf(t, set, reports.Style{})
		measured, _ := rowsOf(t, text, test.row)
		if !strings.Contains(text, "NOT OK") || !strings.Contains(measured, test.marked) {
			t.Errorf("%s: want NOT OK and %q in\n%s", name, test.marked, text)
		}
	}
}

// A generator that was late held less than it was told to.
func TestBenchSaysWhatWasHeld(t *testing.T) {
	set := ways()
	for _, r := range set.Runs {
		if r.Config.Rate == "445" {
			r.Measured.RatePerS = ptr(431.2)
		}
	}
	text := textOf(t, set, reports.Style{})
	if measured, _ := rowsOf(t, text, "socket-range"); !strings.Contains(measured, " 431-480 ") {
		t.Errorf("445 was asked for, 431 was made: %s", measured)
	}
}

func TestBenchDerivesTheRateWithoutAChurn(t *testing.T) {
	text := textOf(t, ways(), reports.Style{})
	if measured, _ := rowsOf(t, text, "default"); !strings.Contains(measured, "~457-467") { // 28,232 / 61.8 s and 60.4 s
		t.Errorf("no rate is derived: %s", measured)
	}
}

// The ranking is by gain, and what gains as much for the same price is one place.
func TestBenchRanks(t *testing.T) {
	set := ways()
	again := set.Rows[1]
	again.Name = "the same again"
	set.Rows = append(set.Rows, again)
	_, text, _ := strings.Cut(textOf(t, set, reports.Style{}), "\nRanked by ")
	text, _, _ = strings.Cut(text, "\nStrategies")
	last := 0
	for _, want := range []string{
		"  no limit   server-fin (42.2k/s)\n", // the median of three
		"\n       100   100 requests: 455 to 470 connections per second, and 45,500 to",
		"measured over 40000-40999\n             price  each request waits for the one before it\n",
		"\n      61.9   tw_reuse=1 · the same again: 28,175 to 28,232 connections per\n             second · as far as ports go: to find them takes 12.0 processors or\n             more\n             price  a setting of the whole host",
		"\n         1   socket-range: no gain in rate",
		"\n     below   windows-xp (0.14)",
	} {
		at := strings.Index(text, want)
		if at < last {
			t.Errorf("%q is at %d, want it after %d in\n%s", want, at, last, text)
		}
		last = max(at, last)
	}
}

// A first row for which ports set no limit leaves nothing to gain.
func TestBenchWithNothingToGain(t *testing.T) {
	set := ways()
	set.Rows[0], set.Rows[2] = set.Rows[2], set.Rows[0]
	if text := textOf(t, set, reports.Style{}); strings.Contains(text, "Ranked") || !strings.Contains(text, "as it is   server-fin: ports set no limit") {
		t.Errorf("a ranking over no limit:\n%s", text)
	}
}

// What does not hold is named with its row, above the table.
func TestBenchNamesWhatDidNotHold(t *testing.T) {
	set := ways()
	set.Rows[0].Expect = []result.RowExpected{{Run: "fill-connect", Expr: "connections>=30000", Value: "28232"}}
	text := textOf(t, set, reports.Style{})
	table := strings.Index(text, "at once")
	for _, want := range []string{"NOT HELD  default: connections>=30000, measured 28232\n", "NOT HELD  windows-xp: no_port==0, not measured\n"} {
		if at := strings.Index(text, want); at < 0 || at > table {
			t.Errorf("%q is not above the table:\n%s", want, text)
		}
	}
	if !strings.Contains(text, "  NOT HELD  connections>=30000: 0 of 1\n") || !strings.Contains(text, "  NOT HELD  no_port==0: 1 of 2\n") {
		t.Errorf("no tally of the expectations:\n%s", text)
	}
}

// Runs that warn alike warn once; that the machine is the limit of what goes as
// fast as it can is no news.
func TestBenchMergesWarnings(t *testing.T) {
	set := ways()
	for _, r := range set.Runs {
		r.Warnings = []result.Warning{{Code: "generator_limit", Message: "late by " + r.Run.ID}, {Code: "other", Message: r.Run.ID}}
	}
	text := textOf(t, set, reports.Style{})
	for want, times := range map[string]int{
		"(generator_limit)": 1, "(other)": 1, "late by fill-connect; and so in 8 more runs": 1, "fill-connect; and so in 11 more runs": 1,
	} {
		if got := strings.Count(strings.Join(strings.Fields(text), " "), want); got != times {
			t.Errorf("%q is there %d times, want %d:\n%s", want, got, times, text)
		}
	}
}

// Where no churn was made nothing is in brackets, and nothing says so.
func TestBenchRanksWithoutChurns(t *testing.T) {
	set := ways()
	set.Runs = slices.DeleteFunc(set.Runs, func(r *result.Result) bool { return r.Run.Scenario == "churn" })
	for i := range set.Rows {
		set.Rows[i].Runs = nil
	}
	text := textOf(t, set, reports.Style{})
	if strings.Contains(text, "in brackets") || !strings.Contains(text, "no limit: ports set none\n") {
		t.Error(text)
	}
}
