package reports_test

import (
	"strings"
	"testing"

	"lastport/reports/result"
)

// A number that is old, or short of what is still to come, is said to be.
func TestNumbersOfTheOtherEnd(t *testing.T) {
	r := filled("connect")
	r.Server = &result.Server{Accepted: 75}
	r.TimeWait = &result.TimeWait{Generator: 153}
	r.Reuse = &result.Reuse{Count: 20, MinNS: 1000, MaxNS: 3_000_000, P50NS: 2_000_000}
	r.Run.Scenario = "churn"
	before := told(t, r)
	r.Server.Stale, r.TimeWait.Closing = true, ptr(int64(47))
	after := told(t, r)
	for text, want := range map[string]string{before: "listener 75 accepted in all", after: "listener 75 accepted when it was last heard"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	const more = "generator 153 · 47 more when the other end has closed"
	if strings.Contains(before, "47") || !strings.Contains(after, more) {
		t.Errorf("no %q in %s", more, after)
	}
	r.Run.Scenario, r.Config.Close = "reuse", "client-fin"
	r.Reuse.PeerCloseNS = ptr(int64(2_500_000))
	if text, want := told(t, r), "other end closed up to 2.50 ms later"; !strings.Contains(text, want) {
		t.Errorf("no %q in %s", want, text)
	}
}
