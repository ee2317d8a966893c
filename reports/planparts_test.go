package reports_test

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// shared is a plan of three targets with different shares.
func shared() *result.Plan {
	d := needing()
	d.Asked.Shares, d.Asked.Targets, d.Space.Targets = []float64{0.7, 0.2, 0.1}, 3, 3
	d.Sustain.Connections = result.Interval{Min: 40331, Max: 40331}
	d.Sustain.RatePerS, d.Sustain.SafePerS = &result.RateInterval{Min: 650.003, Max: 672.19}, ptr(650.003)
	d.Binds = "target 1 binds first, with 70 % of the connections, while the others have ports to spare: " + d.Binds
	d.Demand.Occupancy, d.Demand.Needed = result.ShareInterval{Min: 2.975, Max: 3.077}, result.Needed{TupleSets: 6, Sources: 4, Targets: 6}
	d.Targets = []result.Target{
		{Share: 0.7, RatePerS: 1400, Occupancy: &result.ShareInterval{Min: 2.975, Max: 3.077}, Holds: ptr(false), Needed: 4},
		{Share: 0.2, RatePerS: 400, Occupancy: &result.ShareInterval{Min: 0.85, Max: 0.88}, Holds: ptr(true), Needed: 1},
		{Share: 0.1, RatePerS: 200, Occupancy: &result.ShareInterval{Min: 0.43, Max: 0.44}, Holds: ptr(true), Needed: 1},
	}
	d.Ways = []result.PlanWay{
		{
			Name: "tcp_tw_reuse", Change: "net.ipv4.tcp_tw_reuse=1", Gain: ptr(61.924), Holds: ptr(true), TupleSets: 1, Sustain: d.Ways[0].Sustain,
			Risk: "for the whole host", Source: "RFC 6191", Processors: 0.0078,
		},
		{
			Name: "server-fin", Change: "the peer closes first (server-fin)", Holds: ptr(true), TupleSets: 1, Sustain: d.Ways[1].Sustain,
			Risk: "TIME_WAIT moves to the peer", Source: "RFC 9293, section 3.6",
		},
		{
			Name: "socket-range", Change: "--strategy socket-range", Gain: ptr(1.0), Holds: ptr(false), TupleSets: 6, Sustain: d.Sustain,
			Risk: "one socket option", Source: "ip(7)", Latency: &result.PlanCost{Occupancy: 0.77, P50NS: 13_700},
		},
	}
	d.Latency = &result.PlanCost{
		Occupancy: 0.77, Closed: 1, P50NS: 633_000, P99NS: 825_000, EmptyNS: 13_000, FullNS: 1_287_000,
		InVain: 0.35, SearchNS: 1_749_000, MeanNS: 620_600, RatePerS: 600, Processors: 0.372, HostProcessors: 2, From: "connect: a fill of 28,232 ports",
	}
	return d
}

// bursting is a plan of a rate with bursts.
func bursting() *result.Plan {
	const s = 1_000_000_000
	d := planned()
	d.Asked.RatePerS, d.Asked.Burst, d.Ways = 200, &result.AskedBurst{RatePerS: 2000, ForNS: 5 * s, EveryNS: 60 * s}, nil
	d.Demand = &result.Demand{
		Holds: true, Tuples: result.Interval{Min: 21_000, Max: 25_096}, Occupancy: result.ShareInterval{Min: 0.7438, Max: 0.8889},
		Needed: result.Needed{TupleSets: 1, Ports: 25_096, Sources: 1, Targets: 1},
	}
	d.Burst = &result.Burst{
		BeforeTuples: result.Interval{Min: 21_000, Max: 21_410}, LastsNS: ptr(int64(8_790_222_222)), LastsMostNS: ptr(int64(9_017_777_777)),
		BackNS: &result.Interval{Min: 60 * s, Max: 62_048_000_000}, EveryNS: ptr(int64(58_257_777_778)),
	}
	return d
}

// behind is a plan of a fleet behind a gateway.
func behind() *result.Plan {
	d := needing()
	d.Asked.RangeName, d.Asked.System, d.Asked.RatePerS, d.Space.Sources = "gcp-nat", "Google Cloud NAT", 20, 1
	d.Asked.Gateway = &result.AskedGateway{Name: "gcp-nat", Hosts: 10, PortsPerHost: 64, HostRange: "32768-60999", HostPorts: 28232}
	d.Sustain = result.Sustained{Connections: result.Interval{Min: 640, Max: 640}, RatePerS: &result.RateInterval{Min: 5.333, Max: 5.333}, SafePerS: ptr(5.333), ReuseNS: &result.Interval{Min: 120e9, Max: 120e9}}
	each := d.Sustain
	each.Connections, each.RatePerS, each.SafePerS = result.Interval{Min: 64, Max: 64}, &result.RateInterval{Min: 0.5333, Max: 0.5333}, ptr(0.5333)
	d.Fleet = &result.Fleet{
		Gateway: d.Sustain, Hosts: planned().Sustain, Each: each, Limit: "gateway",
		GatewayHeld: ptr(false), HostsHeld: ptr(true), Addresses: 1, Ports: 240, Machines: 1,
	}
	d.Demand = &result.Demand{
		Tuples: result.Interval{Min: 2400, Max: 2400}, Occupancy: result.ShareInterval{Min: 3.75, Max: 3.75},
		Needed: result.Needed{TupleSets: 4, Targets: 4},
	}
	d.Ways = nil
	return d
}

func TestPlanPartsGolden(t *testing.T) {
	for _, test := range []struct {
		name  string
		doc   result.Document
		style reports.Style
	}{
		{"plan-shares", shared(), reports.Style{}},
		{"plan-shares-narrow", shared(), reports.Style{Width: 40, ASCII: true}},
		{"plan-burst", bursting(), reports.Style{}},
		{"plan-fleet", behind(), reports.Style{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := reports.Text(&out, test.doc, test.style); err != nil {
				t.Fatal(err)
			}
			width := cmp.Or(test.style.Width, 80)
			for line := range strings.Lines(out.String()) {
				if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
					t.Errorf("%d columns: %q", n, line)
				}
			}
			golden(t, test.name+".txt", out.Bytes())
		})
	}
}

// What a burst comes to, in words.
func TestPlanBurstWords(t *testing.T) {
	for _, c := range []struct {
		set  func(*result.Burst)
		want string
	}{
		{func(b *result.Burst) { b.LastsNS, b.LastsMostNS = nil, nil }, "for ever, as far as ports go"},
		{func(b *result.Burst) { b.LastsMostNS = nil }, "for 8.79 s for sure, and with luck for ever"},
		{func(b *result.Burst) { b.LastsNS, b.LastsMostNS = ptr(int64(0)), ptr(int64(0)) }, "not at all: no port is left when it begins"},
		{func(b *result.Burst) { b.LastsNS, b.BackNS = nil, nil }, "for 9.02 s at most until ports run out"},
		{func(b *result.Burst) { b.EveryNS = nil }, "not even one is held"},
	} {
		d := bursting()
		c.set(d.Burst)
		var out strings.Builder
		if err := reports.Text(&out, d, reports.Style{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%s\nwant %s", out.String(), c.want)
		}
	}
}

// Whatever numbers the parts of a plan hold become a report.
func TestPlanPartsOfHostileNumbers(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, math.MaxFloat64} {
		for _, n := range []int64{math.MinInt64, -1, 0, math.MaxInt64} {
			i := result.Interval{Min: n, Max: n}
			for _, d := range []*result.Plan{shared(), bursting(), behind()} {
				d.Asked.Requests, d.Asked.Burst = int(n), &result.AskedBurst{RatePerS: v, ForNS: n, EveryNS: n}
				d.Burst = &result.Burst{BeforeTuples: i, LastsNS: &n, LastsMostNS: &n, BackNS: &i, EveryNS: &n}
				d.Targets = []result.Target{{Share: v, RatePerS: v, Occupancy: &result.ShareInterval{Min: v, Max: v}, Needed: int(n)}}
				d.Latency = &result.PlanCost{
					Occupancy: v, Closed: v, TupleSets: n, P50NS: n, P99NS: n, EmptyNS: n, FullNS: n,
					InVain: v, SearchNS: n, MeanNS: n, RatePerS: v, Processors: v, HostProcessors: int(n), MostPerS: &v,
				}
				if d.Fleet != nil {
					d.Fleet.Ports, d.Fleet.Machines, d.Fleet.Addresses = int(n), int(n), int(n)
				}
				for j := range d.Ways {
					d.Ways[j].Gain, d.Ways[j].Processors = &v, v
				}
				if err := reports.Text(io.Discard, d, reports.Style{}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	half := behind() // what belongs together may be torn apart
	half.Asked.Gateway = nil
	if err := reports.Text(io.Discard, half, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	half = shared()
	half.Demand, half.Fleet = nil, &result.Fleet{}
	if err := reports.Text(io.Discard, half, reports.Style{}); err != nil {
		t.Fatal(err)
	}
}
