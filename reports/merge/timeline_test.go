package merge_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lastport/reports/merge"
	"lastport/reports/result"
)

// TestTimelineIsByWallClock: the second shard began 50 ms after the first, so that
// each of its rows ends half an interval later.
func TestTimelineIsByWallClock(t *testing.T) {
	states := func(established, timeWait *int64) *result.States {
		return &result.States{Established: established, TimeWait: timeWait}
	}
	n := func(v int64) *int64 { return &v }
	want := []result.Row{
		{TNS: 100e6, Opened: 90, Open: 90, P99NS: n(1000), States: states(n(90), nil)},
		{TNS: 200e6, Opened: 110, NoPort: 3, Open: 200, P99NS: n(2000), States: states(n(190), nil), Kernel: result.Counters{"ActiveOpens": 100}},
		{TNS: 300e6, Opened: 10, Closed: 100, NoPort: 3, Open: 110, States: states(n(100), n(0)), Kernel: result.Counters{"ActiveOpens": 110}},
		{TNS: 400e6, Closed: 110, States: states(n(0), n(0))},
	}
	if diff := cmp.Diff(want, merged(t, shards(2)).Timeline); diff != "" {
		t.Error(diff)
	}
}

// TestTimelineKeepsSums: however the shards lie in time and however long their
// intervals are, nothing is lost or counted twice.
func TestTimelineKeepsSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := bareShards(rapid.IntRange(1, 4).Draw(t, "shards"))
		total := int64(0)
		for _, p := range parts {
			p.Run.Run.Started = begun().Add(time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "started")))
			p.Run.Run.Ended = time.Time{}
			p.Run.Timeline = nil
			at, long := int64(0), int64(1e8)<<rapid.IntRange(0, 3).Draw(t, "doubled")
			for range rapid.SampledFrom([]int{0, 1, 2, 30, 1200}).Draw(t, "rows") {
				at += long
				p.Run.Timeline = append(p.Run.Timeline, result.Row{TNS: at, Opened: 1, Open: 1})
				total++
			}
		}
		r, err := merge.Shards(parts, false)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Timeline) > result.MaxRows {
			t.Errorf("%d rows", len(r.Timeline))
		}
		last := int64(0)
		for _, row := range r.Timeline {
			total -= row.Opened
			if row.TNS <= last || row.Open < 1 || row.Open > int64(len(parts)) {
				t.Errorf("%+v after %d", row, last)
			}
			last = row.TNS
		}
		if total != 0 {
			t.Errorf("%d connections are lost", total)
		}
	})
}

// TestShardsApart: of shards that did not run at one time the rates do not add up,
// and between them nothing was measured.
func TestShardsApart(t *testing.T) {
	parts := shards(2)
	parts[1].Run.Run.Started = begun().Add(time.Minute)
	parts[1].Run.Run.Ended = begun().Add(time.Minute + time.Second)
	r := merged(t, parts)
	if r.Measured.RatePerS != nil || r.Merged.Together || r.Merged.SkewNS != int64(time.Minute) || *r.Measured.Connections != 210 {
		t.Errorf("measured %+v, merged %+v", r.Measured, r.Merged)
	}
	if len(r.Timeline) != 6 || r.Timeline[3].TNS != int64(time.Minute+100*time.Millisecond) {
		t.Errorf("timeline %+v", r.Timeline)
	}
	want := "by their hosts' clocks all shards ran at one time for 0s, and the longest took 2s: rates are not added up, and what each had open at once was not open at once in all"
	if len(r.Warnings) != 1 || r.Warnings[0].Message != want {
		t.Errorf("warnings %+v", r.Warnings)
	}
}
