package reports_test

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// planned is a plan of Linux's range that asks for nothing.
func planned() *result.Plan {
	const s = 1_000_000_000
	each := result.Sustained{
		Connections: result.Interval{Min: 28232, Max: 28232}, RatePerS: &result.RateInterval{Min: 455.0026, Max: 470.5333},
		SafePerS: ptr(455.0026), ReuseNS: &result.Interval{Min: 60 * s, Max: 62_048_000_000},
	}
	return &result.Plan{
		Schema: result.PlanSchema,
		Asked: result.Asked{
			Range: "32768-60999", RangeName: "linux", System: "Linux", Proto: "tcp", Strategy: "connect", Close: "client-fin",
			Settings: map[string]string{"net.ipv4.tcp_tw_reuse": "2", "net.ipv4.tcp_timestamps": "1"}, SettingsFrom: "this host", HZ: 250,
		},
		Space:   result.Space{Ports: 28232, PortsUsable: 28232, Sources: 1, Targets: 1, Tuples: 28232},
		Sustain: each, Each: each,
		Binds: "closed ports bind first: each connection takes one out of use for 1m0s to 1m2.05s after it",
		Why:   []string{"a closed port is in TIME_WAIT for 60 s, and at 250 Hz its timer ends up to 2.05s late"},
		Ways: []result.PlanWay{
			{Change: "net.ipv4.tcp_tw_reuse=1", Sustain: result.Sustained{Connections: each.Connections, RatePerS: &result.RateInterval{Min: 28175.6, Max: 28232}, SafePerS: ptr(28175.6), ReuseNS: &result.Interval{Min: s, Max: 1_002_000_000}}},
			{Change: "the peer closes first (server-fin)", Sustain: result.Sustained{Connections: each.Connections, ReuseNS: &result.Interval{}}},
		},
		Notes: []string{"ports alone are counted: descriptors, memory and processors have limits of their own"},
	}
}

// needing is a plan for 2,000 per second, which five tuple sets sustain.
func needing() *result.Plan {
	d := planned()
	d.Asked.RatePerS = 2000
	d.Demand = &result.Demand{
		Tuples: result.Interval{Min: 120_000, Max: 124_096}, Occupancy: result.ShareInterval{Min: 4.2505, Max: 4.3956},
		Needed: result.Needed{TupleSets: 5, Sources: 5, Targets: 5},
	}
	d.Ways[0].Holds, d.Ways[0].TupleSets = ptr(true), 1
	d.Ways[1].Holds, d.Ways[1].TupleSets = ptr(false), 2
	return d
}

// failing has all numbers given, and they are too small.
func failing() *result.Plan {
	d := needing()
	d.Asked.Sources, d.Asked.Targets, d.Asked.HoldNS, d.Asked.Headroom = 2, 1, 200_000_000, 0.2
	d.Space.Sources, d.Space.Tuples = 2, 2*28232
	d.Sustain.Connections = result.Interval{Min: 56464, Max: 56464}
	d.Sustain.RatePerS, d.Sustain.SafePerS = &result.RateInterval{Min: 907.08, Max: 937.94}, ptr(725.66)
	d.Sustain.Open = &result.Interval{Min: 181, Max: 187}
	d.Demand.Needed = result.Needed{TupleSets: 6, Sources: 6, Targets: 3}
	return d
}

func TestPlanGolden(t *testing.T) {
	holding := needing()
	holding.Asked.RatePerS, holding.Ways = 300, nil
	holding.Demand = &result.Demand{
		Holds: true, Tuples: result.Interval{Min: 18000, Max: 18615}, Occupancy: result.ShareInterval{Min: 0.6376, Max: 0.6594},
		Needed: result.Needed{TupleSets: 1, Ports: 18616, Sources: 1, Targets: 1},
	}
	unstated := planned()
	unstated.Asked.RangeName, unstated.Asked.System, unstated.Sustain = "aws-nat", "AWS NAT gateways", result.Sustained{Connections: result.Interval{Min: 55000, Max: 55000}}
	unstated.Each, unstated.Ways, unstated.Asked.Settings = unstated.Sustain, nil, nil
	free := planned()
	free.Sustain.RatePerS, free.Sustain.SafePerS, free.Sustain.ReuseNS = nil, nil, &result.Interval{}
	free.Each, free.Ways = free.Sustain, nil
	for _, test := range []struct {
		name  string
		doc   result.Document
		style reports.Style
	}{
		{"plan-sustains", planned(), reports.Style{}},
		{"plan-needs", needing(), reports.Style{}},
		{"plan-fails", failing(), reports.Style{}},
		{"plan-narrow", failing(), reports.Style{Width: 40, ASCII: true}},
		{"plan-holds", holding, reports.Style{}},
		{"plan-unstated", unstated, reports.Style{}},
		{"plan-free", free, reports.Style{}},
		{"plan-empty", &result.Plan{Schema: result.PlanSchema}, reports.Style{}},
		{"plan-ranges", &result.Ranges{Schema: result.RangesSchema, Ranges: []result.NamedRange{
			{Name: "linux", System: "Linux 4.2 and later", Ports: "32768-60999", Size: 28232, ReuseNS: 60e9, Source: "kernel documentation"},
			{Name: "aws-nat", Aliases: []string{"aws-elb"}, System: "AWS NAT gateways", Ports: "1024-65535", Size: 64512, PerTarget: 55000, Note: "idle 350 s"},
		}}, reports.Style{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := reports.Text(&out, test.doc, test.style); err != nil {
				t.Fatal(err)
			}
			width := test.style.Width
			if width == 0 {
				width = 80
			}
			for line := range strings.Lines(out.String()) {
				if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
					t.Errorf("%d columns: %q", n, line)
				}
			}
			golden(t, test.name+".txt", out.Bytes())
		})
	}
}

// A rate is a promise, so it is rounded down: what stands in the report is
// sustained.
func TestPlanRoundsRatesDown(t *testing.T) {
	for _, c := range []struct {
		rate float64
		want string
	}{
		{470.5333, "470"}, {999.9, "999"}, {28231.99, "28,231"}, {99.99, "99.9"}, {2, "2"}, {0.129, "0.12"}, {300, "300"},
	} {
		d := planned()
		d.Sustain.RatePerS = &result.RateInterval{Min: c.rate, Max: c.rate}
		var out strings.Builder
		if err := reports.Text(&out, d, reports.Style{}); err != nil {
			t.Fatal(err)
		}
		if first, _, _ := strings.Cut(out.String(), "\n"); !strings.HasPrefix(first, "SUSTAINS  "+c.want+" new connections per second ") {
			t.Errorf("%v: %q, want %s", c.rate, first, c.want)
		}
	}
}

// Where a port may be back at once, or only after a second, there is no most,
// but there is a least.
func TestPlanOfARateWithoutAMost(t *testing.T) {
	d := planned()
	d.Sustain.RatePerS, d.Sustain.ReuseNS = nil, &result.Interval{Max: 1_002_000_000}
	d.Sustain.SafePerS = ptr(28175.6)
	var out strings.Builder
	if err := reports.Text(&out, d, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	if want := "SUSTAINS  at least 28,175 new connections per second toward one target"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("%s\nwant %s", out.String(), want)
	}
}

// Whatever numbers a document holds become a report.
func TestPlanOfHostileNumbers(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, math.MaxFloat64, 1e15} {
		for _, n := range []int64{math.MinInt64, -1, 0, math.MaxInt64} {
			d := failing()
			d.Asked.RatePerS, d.Asked.Headroom, d.Asked.HoldNS, d.Asked.Concurrency = v, v, n, n
			d.Sustain = result.Sustained{
				Connections: result.Interval{Min: n, Max: n}, RatePerS: &result.RateInterval{Min: v, Max: v}, SafePerS: &v,
				Open: &result.Interval{Min: n, Max: n}, ReuseNS: &result.Interval{Min: n, Max: n},
			}
			d.Demand.Occupancy = result.ShareInterval{Min: v, Max: v}
			d.Demand.Needed = result.Needed{TupleSets: n, Ports: int(n), Sources: int(n), Targets: int(n)}
			if err := reports.Text(io.Discard, d, reports.Style{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Where ports allow more than processors find, the answer says so, and is not
// that all is well.
func TestPlanOfMoreThanIsFound(t *testing.T) {
	d := needing()
	d.Asked.RatePerS, d.Ways = 20_000, nil
	d.Demand = &result.Demand{
		Holds: true, Tuples: result.Interval{Min: 20_000, Max: 20_040}, Occupancy: result.ShareInterval{Min: 0.708, Max: 0.71},
		Needed: result.Needed{TupleSets: 1},
	}
	d.Latency = &result.PlanCost{
		Occupancy: 0.71, Closed: 1, P50NS: 632_000, EmptyNS: 13_000, InVain: 0.295, SearchNS: 1_747_000, MeanNS: 525_000,
		RatePerS: 20_000, Processors: 10.5, HostProcessors: 2, MostPerS: ptr(15_127.5),
	}
	text := func() string {
		var out strings.Builder
		if err := reports.Text(&out, d, reports.Style{Width: 1000}); err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(out.String()), " ")
	}
	for _, want := range []string{
		"PORTS HOLD 20,000/s toward one target", "takes 10.5 processors or more, and this host has 2, which find 15,127/s at the most",
		"at 71 % of the ports: 1.75 ms, 134 times", "measured with open connections: 632 µs",
	} {
		if !strings.Contains(text(), want) {
			t.Errorf("%s\nwant %s", text(), want)
		}
	}
	d.Latency.MostPerS = nil
	if got := text(); !strings.HasPrefix(got, "HOLDS ") || strings.Contains(got, "at the most") {
		t.Error(got)
	}
}

// A rate that is above 0 is never written as 0, and what is one is not many.
func TestPlanOfLittle(t *testing.T) {
	d := planned()
	d.Sustain.RatePerS = &result.RateInterval{Min: 0.00123, Max: 0.00129}
	d.Sustain.Connections = result.Interval{Min: 1, Max: 1}
	d.Asked.Burst, d.Asked.HoldNS = &result.AskedBurst{RatePerS: 2, ForNS: 1e9, EveryNS: 3600e9}, 600e9
	var out strings.Builder
	if err := reports.Text(&out, d, reports.Style{Width: 1000}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SUSTAINS 0.0012 new connections per second", "or 1 connection that stays open", "wish bursts of 2/s for 1.00 s every 1 h 0 min, held for 10 min 0 s"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) {
			t.Errorf("%s\nwant %s", out.String(), want)
		}
	}
}

// A gateway whose ports are dealt out has as many addresses as that takes.
func TestPlanOfAFleetOverSeveralAddresses(t *testing.T) {
	d := behind()
	d.Asked.Gateway.Hosts, d.Fleet.Addresses, d.Demand.Holds = 2000, 2, true
	var out strings.Builder
	if err := reports.Text(&out, d, reports.Style{Width: 1000}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"through 2 outside addresses of gcp-nat", "which takes 2 outside addresses ", "of what the gateway has for each machine"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) {
			t.Errorf("%s\nwant %s", out.String(), want)
		}
	}
}
