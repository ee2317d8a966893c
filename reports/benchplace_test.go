package reports_test

import (
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// throughGateways is a bench of a default and rows behind gateways with as many
// ports.
func throughGateways() *result.Set {
	set := ways()
	set.Rows = set.Rows[:1]
	behind := func(connections int64, reuse int64, least float64) result.Predicted {
		return result.Predicted{
			Connections: &result.Interval{Min: connections, Max: connections},
			ReuseNS:     &result.Interval{Max: reuse}, RatePerS: &result.RateInterval{Min: least, Max: 1039},
		}
	}
	fill := filled("connect")
	fill.Run.ID = "fill-nat"
	fill.Config.Range, fill.Measured.Connections = "40000-40299", ptr(int64(100))
	fill.Predicted.Connections, fill.Residual.Connections = &result.Interval{Min: 100, Max: 100}, ptr(int64(0))
	fill.Outcomes.NATNoPort, fill.Latency.Failure.P50NS = 8, 801_000_000
	again := reused("client-fin", result.Interval{Max: 120 * second}, 300_000, func(i int64) int64 { return 2_000_000 * i })
	again.Run.ID, again.Verdict = "reuse-nat", result.Verdict{OK: true}
	set.Runs = append(set.Runs, fill, again)
	row := func(name string, gain float64, g result.RowGateway, p result.Predicted) {
		g.Range, g.StandIn = "host", "2000-2099"
		set.Rows = append(set.Rows, result.SetRow{
			Name: name, Strategy: "connect", Range: "1024-65535", RangeName: "all", Close: "client-fin", Gain: &gain, Place: "nat", Gateway: &g,
			StandIn: map[string]string{"fill": "40000-40299", "reuse": "2000-2019"}, Predicted: p, Runs: []string{"fill-nat", "reuse-nat"},
		})
	}
	row("gateway", 0.52, result.RowGateway{}, behind(28232, 120*second, 235))
	row("sooner", 2.07, result.RowGateway{Timeouts: map[string]string{"time_wait": "30s"}}, behind(28232, 30*second, 940))
	row("more", 1.55, result.RowGateway{Addresses: 3, Random: true}, behind(84696, 120*second, 705))
	set.Planned = len(set.Runs)
	return set
}

func TestRowsBehindAGateway(t *testing.T) {
	text := textOf(t, throughGateways(), reports.Style{})
	measured, predicted := rowsOf(t, text, "gateway")
	if !strings.HasSuffix(strings.TrimSpace(measured), "≥801°") || !strings.Contains(measured, " 100° ") || !strings.Contains(predicted, "235-1,039") {
		t.Errorf("the row is\n%s\n%s", measured, predicted)
	}
	if strings.Contains(measured, "~") {
		t.Errorf("a rate is derived from a delay that was luck:\n%s", measured)
	}
	fields := strings.Fields(measured)
	if reuse := fields[len(fields)-2]; !strings.HasSuffix(reuse, "°") {
		t.Errorf("a reuse through another gateway than the row's has no mark: %q in\n%s", reuse, measured)
	}
	flat := strings.Join(strings.Fields(text), " ")
	for _, want := range []string{
		"a connect that finds none is a timeout, after as long as the program waits",
		"in gateway after 2 min 0 s",
		"; of a reuse: by one client through a gateway with fewer ports than that of the row: 2000-2019",
		"below gateway (0.52)",
		"2.07 sooner: 940 to 1,039 connections per second",
		"price all that is behind the gateway shares its ports, and it needs memory and time for each connection · what comes late for",
		"more outside addresses, and peers see a client come from each of them · clients do not keep their own ports",
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(textOf(t, ways(), reports.Style{}), "gateway    one") {
		t.Error("a bench without a gateway speaks of one")
	}
}

// How long to wait for an answer is the program's choice: no row is the best or
// the worst by it.
func TestATimeoutIsNoRank(t *testing.T) {
	set := throughGateways()
	for i := range set.Rows[1:] {
		set.Rows[1+i].StandIn = nil // whose values have marks of their own
	}
	measured, _ := rowsOf(t, textOf(t, set, reports.Style{}), "gateway")
	if fields := strings.Fields(measured); fields[len(fields)-1] != "≥801" {
		t.Errorf("%s", measured)
	}
	if strings.Contains(measured, "~") {
		t.Errorf("a rate is derived from a delay that was luck:\n%s", measured)
	}
}
