package reports_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// evenThenOdd is a range in the order of the kernel's search in steps of two.
func evenThenOdd(low uint16, n int) []uint16 {
	seq := make([]uint16, n)
	for i := range seq {
		seq[i] = low + uint16(2*i%n+2*i/n)
	}
	return seq
}

// surveyed is a survey of 1,000 ports by connect, toward three targets.
func surveyed() *result.Result {
	r := base("survey", "connect")
	r.Config.Range = "40000-40999"
	r.Config.Targets = []string{"198.18.0.1:1000", "198.18.0.1:1001", "198.18.0.1:1002"}
	r.Space = result.Space{Ports: 1000, PortsUsable: 1000, Sources: 1, Targets: 3, Tuples: 3000}
	r.Predicted.Connections = &result.Interval{Min: 3000, Max: 3000}
	r.Measured.Connections, r.Residual.Connections = ptr(int64(3000)), ptr(int64(0))
	r.Attempts, r.Outcomes.OK = 6000, 6000
	seq := evenThenOdd(40000, 1000)
	uses := new(result.PortMap)
	for i := range 1000 {
		uses.Add(40000 + uint16(2*(i*i%500)))
	}
	r.Survey = &result.Survey{
		Released: &result.Picks{
			Picks: 1000, Ports: 1000, Distinct: 444, Coverage: 0.444, Even: 1000, LongestParity: 1000, MedianStep: 8,
			Parity: &result.ChiSquare{ChiSquare: 1000, DF: 1, P: 1.4e-219}, Uniform: &result.ChiSquare{ChiSquare: 21.3, DF: 63, P: 0.99999},
			Steps:     []result.Step{{Step: 4, Share: 0.147}, {Step: 12, Share: 0.132}, {Step: 2, Share: 0.129}, {Step: 6, Share: 0.124}, {Step: 14, Share: 0.123}},
			RunsOfTwo: result.Runs{Count: 106, Longest: 5},
			Guess:     &result.Guess{PlusTwo: 0.129, LastStep: 0.137, Best: 0.147, By: "last + 4", Chance: 0.001},
			Repeats:   &result.Repeats{Count: 556, First: ptr(int64(130)), MinDistance: ptr(int64(40)), MedianDistance: ptr(int64(222)), Expected: 40.3},
			Text:      "even ports alone; partly predictable: 14.7 % guessed by last + 4",
			Uses:      uses.Encode(),
		},
		Held: &result.Picks{
			Picks: 1000, Ports: 1000, Distinct: 1000, Coverage: 1, Even: 500, Odd: 500, OtherParityAt: ptr(int64(501)), LongestParity: 500,
			MedianStep: 2, Steps: []result.Step{{Step: 2, Share: 0.999}, {Step: -997, Share: 0.001}}, RunsOfTwo: result.Runs{Count: 2, Longest: 500},
			Guess: &result.Guess{PlusTwo: 0.999, LastStep: 0.998, Best: 0.999, By: "last + 2", Chance: 0.001},
			Text:  "one parity first: all 500 even ports, then the odd; sequential: 99.9 % guessed by last + 2",
			Order: result.OrderMap(seq).Encode(),
		},
		Targets: &result.Targets{
			First: "198.18.0.1:1000", Second: "198.18.0.1:1001", Pairs: 1000, SameStep: 0.132, Chance: 0.125, Correlation: -0.01, Bound: 0.12,
			PlusTwo: 0.003, Independent: true, Text: "independent, as far as 1000 pairs can tell: the same step in 13.2 % (by chance in 12.5 %), r = -0.01",
		},
		ReuseAddrTrap: &result.ReuseAddrTrap{
			UDPDuplicates: ptr(int64(1)), TCPDuplicates: ptr(int64(0)), Text: "with SO_REUSEADDR and port 0 the kernel gave two UDP sockets the same 4-tuple",
		},
	}
	r.Verdict = result.Verdict{OK: true, Text: "1,000 picks of 1,000 ports, held: one parity first: all 500 even ports, then the odd"}
	return r
}

// cutShort is a survey that ended before anything was held.
func cutShort() *result.Result {
	r := surveyed()
	r.Survey.Held, r.Survey.Targets, r.Survey.ReuseAddrTrap = nil, nil, nil
	r.Measured, r.Residual = result.Measured{}, result.Residual{}
	r.Run.Interrupted = true
	r.Verdict = result.Verdict{Text: "interrupted after 1,000 picks"}
	return r
}

func surveys() *result.Set {
	flat := surveyed()
	flat.Config.Strategy = "socket-range"
	flat.Survey.Held.OtherParityAt = ptr(int64(3))
	flat.Survey.Released.Uniform.P = 0.31
	return &result.Set{Schema: result.SetSchema, Axis: "strategy", Planned: 3, Runs: []*result.Result{surveyed(), flat, cutShort()}}
}

func TestGoldenSurveys(t *testing.T) {
	for name, test := range map[string]struct {
		doc   result.Document
		style reports.Style
	}{
		"survey":             {surveyed(), reports.Style{}},
		"survey-ascii":       {surveyed(), reports.Style{ASCII: true}},
		"survey-narrow":      {surveyed(), reports.Style{Width: 40}},
		"survey-interrupted": {cutShort(), reports.Style{}},
		"set-survey":         {surveys(), reports.Style{}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := reports.Text(&out, test.doc, test.style); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", out.Bytes())
		})
	}
}

// The map shows one parity first: every bar of the even strip is lower than every
// bar of the odd one.
func TestPortMapShowsParity(t *testing.T) {
	var out bytes.Buffer
	if err := reports.Text(&out, surveyed(), reports.Style{}); err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(out.String(), "Port map\n")
	held, _, _ := strings.Cut(section, "released:")
	even, odd, ok := strings.Cut(held[strings.Index(held, "  even "):], "  odd ")
	if !ok {
		t.Fatalf("no two strips in %q", held)
	}
	for strip, bars := range map[string]string{even: "▁▂▃▄", odd: "▅▆▇█"} {
		if got := strings.Trim(strip, "even 0123456789\n"+bars); got != "" {
			t.Errorf("bars other than %s: %q", bars, got)
		}
		for _, bar := range bars {
			if n := strings.Count(strip, string(bar)); n < 50 {
				t.Errorf("%d bars %c: each height is a quarter of the strip's 250 cells", n, bar)
			}
		}
	}
}

// What a file can hold that no survey writes.
func TestHostileSurveysRenderAndStayInTheirLines(t *testing.T) {
	r := hostileAs("survey")
	broken := &result.Picks{
		Picks: math.MinInt64, Ports: math.MaxInt64, Distinct: -1, Coverage: math.NaN(), Even: math.MinInt64, Odd: math.MaxInt64,
		OtherParityAt: ptr(int64(math.MinInt64)), LongestParity: -1, MedianStep: math.MinInt64,
		Parity: &result.ChiSquare{P: math.NaN()}, Uniform: &result.ChiSquare{P: math.Inf(-1)},
		Steps:     make([]result.Step, 1000),
		RunsOfOne: result.Runs{Count: math.MinInt64, Longest: math.MaxInt64},
		Guess:     &result.Guess{PlusOne: math.Inf(1), Best: -math.MaxFloat64, By: nasty},
		Repeats:   &result.Repeats{First: ptr(int64(-1)), MinDistance: ptr(int64(math.MaxInt64)), Expected: math.NaN()},
		Text:      nasty, Uses: nasty, Order: nasty,
	}
	last := new(result.PortMap)
	last.Add(65535)
	last.Add(0)
	edges := *broken
	edges.Order, edges.Uses = last.Encode(), last.Encode()
	r.Survey = &result.Survey{
		Released: broken, Held: &edges, Targets: &result.Targets{First: nasty, Second: nasty, Text: nasty, Correlation: math.NaN(), Pairs: -1},
		ReuseAddrTrap: &result.ReuseAddrTrap{Text: nasty},
	}
	empty := hostileAs("survey")
	empty.Survey = &result.Survey{Released: &result.Picks{}}
	set := &result.Set{Axis: nasty, Runs: []*result.Result{r, empty, cutShort()}}
	for _, doc := range []result.Document{r, empty, set} {
		for _, width := range []int{-1, 40, 63, 80} {
			checkText(t, doc, reports.Style{Width: width})
		}
		checkText(t, doc, reports.Style{ASCII: true})
	}
}

// Of a few picks some step is always frequent: the best guess is known in hindsight.
func TestFewPicksHaveNoBestGuess(t *testing.T) {
	for picks, want := range map[int64]bool{30: false, 31: true} {
		r := surveyed()
		r.Survey.Held = nil
		r.Survey.Released.Picks = picks
		var one, set bytes.Buffer
		if err := reports.Text(&one, r, reports.Style{}); err != nil {
			t.Fatal(err)
		}
		runs := []*result.Result{r, cutShort()}
		runs[1].Survey.Released = nil
		if err := reports.Text(&set, &result.Set{Schema: result.SetSchema, Axis: "strategy", Planned: 2, Runs: runs}, reports.Style{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(one.String(), "best guess"); got != want {
			t.Errorf("%d picks: a best guess is told: %v, want %v", picks, got, want)
		}
		if got := strings.Contains(set.String(), "14.7 %"); got != want {
			t.Errorf("%d picks: the set tells a best guess: %v, want %v", picks, got, want)
		}
	}
}
