package reports

import (
	"strings"
	"testing"

	"lastport/reports/result"
)

func TestCommandNamesEachTargetButTheUsual(t *testing.T) {
	for _, test := range []struct{ ranges, target, want string }{
		{"40000-40399", "198.18.0.1:1000", ""},
		{"40000-40399", "[2001:2::1]:1000", "-6"},
		{"40000-40399", "198.18.0.1:40050", "--target 198.18.0.1:40050"},
		{"40000-40399", "198.18.0.1:2000", "--target 198.18.0.1:2000"},
		{"40000-40399", "[2001:2::1]:999", "--target '[2001:2::1]:999'"},
		{"80,900-1100", "198.18.0.1:1000", "--target 198.18.0.1:1000"}, // without a flag it is 899
		{"80,1000", "198.18.0.1:1000", "--target 198.18.0.1:1000"},
		{"80,1001-1100", "198.18.0.1:1000", ""},
		{"not-known", "198.18.0.1:1000", ""},
	} {
		var c command
		c.target([]string{test.target}, test.ranges)
		if got := c.String(); got != test.want {
			t.Errorf("%s of %s: %q, want %q", test.target, test.ranges, got, test.want)
		}
	}
}

func TestCommandHasTheNumbersOfAStrategy(t *testing.T) {
	none := 0
	r := &result.Result{Run: result.Run{Scenario: "fill"}}
	r.Config = result.Config{Strategy: "window", WindowSize: 100, WindowMoves: &none, Tradeoff: 77}
	want := " --strategy window --window-size 100 --window-moves 0 --tradeoff 77"
	if got := commandOf(r); !strings.Contains(got, want) {
		t.Errorf("%s, want%s", got, want)
	}
}

// A hint of a file that somebody has written is no command to copy where a shell
// would do more than lastport.
func TestHostileHintsAreNoCommands(t *testing.T) {
	for _, hint := range []string{
		"lastport fill; touch here", "lastport fill `touch here`", "lastport fill $(touch here)", "lastport fill | sh", "lastport fill >here",
		"lastport fill\ntouch here\n", "see 'lastport fill & touch here'", "see 'lastport fill --out \u202ehere'",
	} {
		if got := commandsIn(hint); len(got) > 0 {
			t.Errorf("%q is to be copied as %q", hint, got)
		}
	}
}
