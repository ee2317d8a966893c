package reports

import (
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
