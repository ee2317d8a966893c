package reports

import (
	"slices"
	"testing"

	"lastport/reports/result"
)

func TestRunsAreNamedByWhatDiffers(t *testing.T) {
	run := func(scenario string, c result.Config) *result.Result {
		c.Range, c.RangeName, c.Place = "32768-60999", "linux", "private"
		return &result.Result{Run: result.Run{ID: "7f3a", Scenario: scenario}, Config: c}
	}
	fin, rst := result.Config{Strategy: "connect", Close: "client-fin", Mode: "close"}, result.Config{Strategy: "connect", Close: "client-rst"}
	slow, fast := result.Config{Close: "client-fin", Rate: "80"}, result.Config{Close: "client-fin", Rate: "max"}
	syn, idle := result.Config{Mode: "syn"}, result.Config{Mode: "keepalive"}
	tests := []struct {
		axis  string
		runs  []*result.Result
		names []string
	}{
		{"close", []*result.Result{run("reuse", fin), run("reuse", rst)}, []string{"client-fin", "client-rst"}},
		{"mode", []*result.Result{run("reuse", syn), run("reuse", fin)}, []string{"syn", "client-fin"}},
		{"rate/close", []*result.Result{run("churn", slow)}, []string{"80 client-fin"}},
		{"strategy/profile/place", []*result.Result{run("fill", fin)}, []string{"connect linux private"}},
		{"repeat", []*result.Result{run("fill", fin)}, []string{"7f3a"}},
		{
			"scenario",
			[]*result.Result{run("fill", fin), run("churn", slow), run("churn", fast), run("reuse", syn), run("reuse", idle)},
			[]string{"fill connect linux", "churn 80", "churn max", "reuse syn", "reuse keepalive"},
		},
		{
			"scenario",
			[]*result.Result{run("reuse", fin), run("fill", fin), run("reuse", rst)},
			[]string{"reuse client-fin", "fill connect linux", "reuse client-rst"},
		},
	}
	for _, test := range tests {
		a := axesOf(&result.Set{Axis: test.axis, Runs: test.runs}, byScenario(test.runs))
		var names []string
		for _, r := range test.runs {
			names = append(names, a.fullName(r))
		}
		if !slices.Equal(names, test.names) {
			t.Errorf("by %s: %q, want %q", test.axis, names, test.names)
		}
	}
}
