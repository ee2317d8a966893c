package reports_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"lastport/reports"
	"lastport/reports/result"
)

const nasty = "\x1b]0;owned\x07\x1b[2J <script>alert(1)</script> \u202egnp.exe \r\n\x9b31m \xff{{.}} " +
	"a-word-that-is-much-longer-than-any-line-of-the-report-could-ever-be-and-that-has-no-blank-in-it-to-break-at"

// hostile has every text nasty and every number at its end.
func hostile() *result.Result {
	r := filled(nasty)
	r.Run.Scenario, r.Host.Kernel, r.Config.Close, r.Config.Range, r.Config.Exclude = nasty, nasty, nasty, nasty, nasty
	r.Config.Targets, r.Config.Place, r.Tool.Version = []string{nasty, nasty}, nasty, nasty
	r.Config.TimeoutNS, r.Config.Workers = math.MinInt64, math.MinInt
	r.Host.Limits.NoFile, r.Host.MemoryBytes = math.MaxUint64, math.MinInt64
	r.Host.Changed = map[string]result.Change{nasty: {Host: nasty, Run: nasty, Why: nasty}}
	r.Space.Taken = make([]result.Holder, 1000)
	r.Predicted.Why = []string{nasty, strings.Repeat("x", 1<<16)}
	r.Predicted.Connections = &result.Interval{Min: math.MinInt64, Max: math.MaxInt64}
	r.Predicted.RatePerS = &result.RateInterval{Min: -math.MaxFloat64, Max: math.Inf(1)}
	r.Measured.RatePerS, r.Residual.Rate = ptr(math.NaN()), ptr(-math.MaxFloat64)
	r.Residual.Connections = ptr(int64(math.MinInt64))
	r.Latency.Bind = &result.Summary{Count: math.MinInt64, Clipped: math.MaxInt64, MinNS: math.MaxInt64, MaxNS: math.MinInt64}
	r.Occupancy = append(r.Occupancy, result.Band{From: -1e308, To: 1e308, Count: math.MaxInt64, P50NS: math.MaxInt64},
		result.Band{From: math.NaN(), Count: 1, P50NS: math.MinInt64})
	r.Kernel[nasty] = math.MinInt64
	r.Kernel["ListenDrops"] = math.MinInt64
	r.Outcomes.Other = math.MaxInt64
	r.Expect = []result.Expected{{Expr: nasty, Value: nasty}}
	r.Config.Rate, r.Config.Mode, r.Config.Requests, r.Config.Concurrency = nasty, nasty, math.MaxInt, math.MinInt
	r.Predicted.NoPort, r.Predicted.FirstNoPort = &result.Interval{Min: 1, Max: -1}, &result.Interval{Max: math.MaxInt64}
	r.Predicted.ReuseNS = &result.Interval{Min: math.MinInt64, Max: 1}
	r.Latency.Response = &result.Summary{P50NS: math.MaxInt64, P99NS: math.MinInt64, MaxNS: math.MaxInt64}
	r.Latency.Request, r.Requests = &result.Summary{P50NS: math.MinInt64}, &result.Requests{Answered: -1, Failed: math.MinInt64}
	r.ScheduleError = &result.ScheduleError{P50NS: -1, MaxNS: math.MaxInt64}
	r.TimeWait = &result.TimeWait{Generator: math.MaxInt64, Listener: math.MinInt64}
	r.Reuse = &result.Reuse{
		Count: math.MaxInt64, MinNS: 1, MaxNS: result.HighestNS, ResolutionNS: math.MaxInt64, Lost: math.MaxInt64,
		HDR: timeWaited().Reuse.HDR,
	}
	r.Host.Sysctls = map[string]string{"net.ipv4.tcp_tw_reuse": nasty}
	for _, t := range []int64{5, 5, -1, math.MaxInt64, math.MinInt64, 0} {
		r.Timeline = append(r.Timeline,
			result.Row{TNS: t, NoPort: math.MaxInt64, Kernel: result.Counters{"ListenDrops": math.MinInt64}},
			result.Row{TNS: t + 1, Opened: -t, P99NS: &t, States: &result.States{TimeWait: &t}})
	}
	r.PortStates = &result.PortStates{States: result.PortStateNames(), EveryNS: math.MinInt64}
	for _, in := range []*result.PortsIn{{Map: nasty}, {Map: "AAAA"}, {}, portsIn(map[result.PortState][2]int{result.PortTimeWait: {0, 65535}}), nil} {
		if in != nil {
			in.Counts = map[string]int64{nasty: 1, "established": math.MinInt64, "time_wait": math.MaxInt64}
		}
		for range 50 {
			r.PortStates.Moments = append(r.PortStates.Moments,
				result.PortMoment{TNS: math.MinInt64, At: nasty, Client: in, Server: in}, result.PortMoment{TNS: math.MaxInt64, Gateway: in})
		}
	}
	r.Warnings = []result.Warning{{Code: nasty, Message: nasty, Hint: nasty}}
	r.Verdict.Text = nasty
	return r
}

// hostileAs is the same, of a scenario that has sections of its own.
func hostileAs(scenario string) *result.Result {
	r := hostile()
	r.Run.Scenario = scenario
	return r
}

func TestHostileResultsRenderAndStayInTheirLines(t *testing.T) {
	churn, reuse := hostileAs("churn"), hostileAs("reuse")
	docs := []result.Document{
		hostile(), churn, reuse, exhausted(), stalled(), timeWaited(), mixed(), closes(),
		&result.Set{Axis: nasty, Planned: math.MinInt, Skipped: []string{nasty}, Runs: []*result.Result{hostile(), churn, reuse, interrupted()}},
		ways(), hostileWays(),
		&result.Set{Axis: strings.Repeat("strategy/", 1<<12), Runs: []*result.Result{hostile()}},
	}
	for _, width := range []int{-1, 1, 40, 63, 80, 1 << 40} {
		for _, doc := range docs {
			checkText(t, doc, reports.Style{Width: width})
		}
	}
	for _, doc := range docs {
		checkText(t, doc, reports.Style{ASCII: true})
	}
}

// checkText renders without colour: the text must hold no control character,
// and no line wider than the style has.
func checkText(t *testing.T, doc result.Document, style reports.Style) {
	t.Helper()
	var out bytes.Buffer
	if err := reports.Text(&out, doc, style); err != nil {
		t.Fatal(err)
	}
	most := 80
	if _, set := doc.(*result.Set); set && style.Width > 80 {
		most = 120
	}
	if style.Width > 0 && style.Width < most {
		most = max(style.Width, 40)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if n := utf8.RuneCountInString(line); n > most {
			t.Errorf("width %d: %d columns: %q", style.Width, n, line)
		}
		for _, c := range line {
			if !unicode.IsPrint(c) && c != unicode.ReplacementChar || style.ASCII && c > unicode.MaxASCII {
				t.Errorf("character %q in %q", c, line)
			}
		}
	}
}

// hostileWays is a bench whose rows, and the runs that they name, are nasty.
func hostileWays() *result.Set {
	set := &result.Set{Axis: nasty, Runs: []*result.Result{hostileAs("fill"), hostileAs("churn"), hostileAs("reuse")}}
	for _, r := range set.Runs {
		r.Run.ID = nasty + r.Run.Scenario
		r.AtOccupancy = []result.Point{{At: math.NaN(), Count: 1}, {At: 0.99, Count: math.MaxInt64, P50NS: math.MinInt64}, {Count: 1, P50NS: math.MaxInt64}}
	}
	runs := []string{nasty + "fill", nasty + "churn", nasty + "reuse", nasty}
	set.Rows = []result.SetRow{
		{Name: nasty, Strategy: nasty, Range: nasty, Close: nasty, Sysctls: map[string]string{nasty: nasty}, Runs: runs},
		{Predicted: set.Runs[0].Predicted, Runs: runs},
		{Predicted: result.Predicted{RatePerS: &result.RateInterval{Min: math.NaN(), Max: math.Inf(-1)}, ReuseNS: &result.Interval{}}},
	}
	return set
}

func TestColourAddsNothingButColour(t *testing.T) {
	var plain, coloured bytes.Buffer
	if err := errors.Join(reports.Text(&plain, hostile(), reports.Style{}), reports.Text(&coloured, hostile(), reports.Style{Color: true})); err != nil {
		t.Fatal(err)
	}
	var stripped []string
	for i, part := range strings.Split(coloured.String(), "\x1b[") {
		if i > 0 {
			code, rest, ok := strings.Cut(part, "m")
			if !ok || strings.Trim(code, "0123456789;") != "" {
				t.Fatalf("escape sequence %.20q", part)
			}
			part = rest
		}
		stripped = append(stripped, part)
	}
	if got := strings.Join(stripped, ""); got != plain.String() {
		t.Errorf("without its colours the text is\n%s\nwant\n%s", got, plain.String())
	}
}

func TestTextSaysWhatItCannotRender(t *testing.T) {
	if err := reports.Text(&bytes.Buffer{}, nil, reports.Style{}); err == nil {
		t.Error("no error for a document that is none")
	}
	want := errors.New("closed pipe")
	if err := reports.Text(brokenWriter{want}, filled("connect"), reports.Style{}); !errors.Is(err, want) {
		t.Errorf("error %v, want that of the writer", err)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func FuzzText(f *testing.F) {
	for _, doc := range []result.Document{
		filled("connect"), interrupted(), refused(), bench(), exhausted(), stalled(), timeWaited(), mixed(), ways(),
	} {
		var text bytes.Buffer
		if err := result.Encode(&text, doc); err != nil {
			f.Fatal(err)
		}
		f.Add(text.Bytes(), 80)
	}
	f.Fuzz(func(t *testing.T, text []byte, width int) {
		doc, err := result.Decode(bytes.NewReader(text))
		if err != nil {
			return
		}
		checkText(t, doc, reports.Style{Width: width})
	})
}
