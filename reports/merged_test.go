package reports

import (
	"bytes"
	"strings"
	"testing"

	"lastport/reports/result"
)

// TestShardsAreNamed: a part of a run says which, and a whole of how many.
func TestShardsAreNamed(t *testing.T) {
	part := &result.Result{Run: result.Run{Shard: &result.Shard{Index: 1, Count: 3}}}
	if got := shardsOf(part); got != "1/3: a part of a run" {
		t.Error(got)
	}
	whole := &result.Result{Merged: &result.Merged{Count: 3, SkewNS: 33e6, Shards: make([]result.MergedShard, 2)}}
	if got := shardsOf(whole); got != "2 of 3, each with what follows · begun within 33.0 ms of each other" {
		t.Error(got)
	}
	if got := shardsOf(&result.Result{}); got != "" {
		t.Error(got)
	}
}

// TestHowLateOfShards: that attempts of merged shards began "up to 0 ns" late would be a
// number that nobody has measured.
func TestHowLateOfShards(t *testing.T) {
	r := &result.Result{Latency: result.Latency{Connect: &result.Summary{MaxNS: 5}}}
	means, todo := lag{}.words(r)
	if !strings.Contains(means, "began late, and") || !strings.Contains(todo, "each shard") {
		t.Errorf("%s: %s", means, todo)
	}
	r.ScheduleError = &result.ScheduleError{MaxNS: 7e6}
	if means, _ = (lag{}).words(r); !strings.Contains(means, "up to 7.00 ms after they were due") {
		t.Error(means)
	}
}

// TestDemandOfShards: what is asked is asked of each shard, and compared with what the ports of
// all sustain: three that are too fast are not safe together.
func TestDemandOfShards(t *testing.T) {
	one := func(rate string, sustained float64, shards int) string {
		r := &result.Result{Run: result.Run{Scenario: "churn"}, Config: result.Config{Rate: rate}}
		r.Predicted.RatePerS = &result.RateInterval{Min: sustained, Max: sustained}
		if shards > 0 {
			r.Merged = &result.Merged{Count: 3, Shards: make([]result.MergedShard, shards)}
		}
		var out bytes.Buffer
		if err := Text(&out, r, Style{}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, c := range []struct{ got, want string }{
		{one("40", 16, 0), "40.0/s asked for are 2.50 × what the ports sustain for long"},
		{one("40", 3*16, 3), "40.0/s asked for in each of 3 shards are 2.50 × what the ports sustain for long"},
		{one("40", 2*16, 2), "40.0/s asked for in each of 2 shards are 2.50 × what the ports sustain for long"},
		{one("40", 3*80, 3), "40.0/s asked for in each of 3 shards are 50.0 % of what the ports sustain"},
		{one("40", 3*40, 3), "40.0/s asked for in each of 3 shards are as much as the ports may just sustain"},
	} {
		if !strings.Contains(strings.Join(strings.Fields(c.got), " "), c.want) {
			t.Errorf("want %s in\n%s", c.want, c.got)
		}
	}
}
