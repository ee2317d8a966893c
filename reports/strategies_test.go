package reports_test

import (
	"regexp"
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// strategyFill is a fill with points at every occupancy but one.
func strategyFill(strategy, proto string, p50 int64) *result.Result {
	r := filled(strategy)
	r.Config.Proto, r.Expect = proto, nil
	r.AtOccupancy = nil
	for _, at := range []float64{0, 0.5, 0.9, 0.999} {
		r.AtOccupancy = append(r.AtOccupancy, result.Point{At: at, From: at, To: at + 0.01, Count: 100, P50NS: p50, P99NS: 2 * p50})
	}
	return r
}

// Fills that differ in their strategy alone are set side by side; what was not
// measured is not 0, and a failure that costs next to nothing is seen.
func TestStrategiesSideBySide(t *testing.T) {
	random := strategyFill("random", "tcp", 13_500)
	random.Config.Sources = []string{"198.18.0.1"} // the only one that there is
	random.Latency.Failure.P50NS = 42
	off := strategyFill("window", "tcp", 14_500)
	off.Residual.Connections = ptr(int64(-2))
	set := &result.Set{Schema: result.SetSchema, Axis: "strategy", Planned: 5, Runs: []*result.Result{
		strategyFill("connect", "tcp", 628_000), random, off, strategyFill("bind", "udp", 1_000), strategyFill("connect", "tcp", 7_000),
	}}
	_, text, found := strings.Cut(textOf(t, set, reports.Style{}), "\nStrategies over linux: ")
	if !found {
		t.Fatalf("no table of strategies:\n%s", text)
	}
	for _, row := range []string{
		` connect +28,232 +9\.86 +628 +628 +628 +– +628 +4,882`,
		`   p99 +1,256 +1,256 +1,256 +– +1,256 +\d`,
		` random +28,232 +9\.86 +13\.5 .* 0\.04`,
		` window +28,232! `,
	} {
		if !regexp.MustCompile("(?m)^" + row).MatchString(text) {
			t.Errorf("no line %q in\n%s", row, text)
		}
	}
	if strings.Contains(text, "\n bind ") || strings.Count(text, "\n connect ") != 1 {
		t.Errorf("another protocol, or a strategy twice:\n%s", text)
	}

	set.Runs = []*result.Result{strategyFill("connect", "tcp", 628_000), strategyFill("bind", "udp", 1_000)}
	if text := textOf(t, set, reports.Style{}); strings.Contains(text, "Strategies over") {
		t.Errorf("two fills that differ in more than the strategy:\n%s", text)
	}
}
