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
// each of its rows counts by halves in two intervals.
func TestTimelineIsByWallClock(t *testing.T) {
	states := func(established, timeWait *int64) *result.States {
		return &result.States{Established: established, TimeWait: timeWait}
	}
	n := func(v int64) *int64 { return &v }
	want := []result.Row{
		{TNS: 100e6, Opened: 90 + 50, Open: 90, P99NS: n(2000), States: states(n(90), nil)},
		{TNS: 200e6, Opened: 10 + 50 + 5, NoPort: 3 + 1, Open: 200, P99NS: n(2000), States: states(n(190), nil), Kernel: result.Counters{"ActiveOpens": 100 + 55}},
		{TNS: 300e6, Opened: 5, Closed: 100 + 55, NoPort: 2, Open: 110, States: states(n(100), n(0)), Kernel: result.Counters{"ActiveOpens": 55}},
		{TNS: 350e6, Closed: 55, States: states(n(0), n(0))},
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
			if row.TNS <= last || row.Open < 0 || row.Open > int64(len(parts)) {
				t.Errorf("%+v after %d", row, last)
			}
			last = row.TNS
		}
		if total != 0 {
			t.Errorf("%d connections are lost", total)
		}
	})
}

// TestNoRateIsAboveThatOfTheShards: however far apart shards of equal rates begin, the
// whole is never faster than all of them together, in its last row neither. A count is
// rounded, so that each shard may count one more in a row.
func TestNoRateIsAboveThatOfTheShards(t *testing.T) {
	const long, each = int64(1e8), int64(1000)
	rapid.Check(t, func(t *rapid.T) {
		parts := bareShards(rapid.IntRange(1, 4).Draw(t, "shards"))
		for _, p := range parts {
			p.Run.Run.Started = begun().Add(time.Duration(rapid.Int64Range(0, 5e8).Draw(t, "started")))
			p.Run.Run.Ended = time.Time{}
			p.Run.Timeline = nil
			for i := range rapid.Int64Range(5, 20).Draw(t, "rows") {
				p.Run.Timeline = append(p.Run.Timeline, result.Row{TNS: (i + 1) * long, Opened: each})
			}
		}
		r, err := merge.Shards(parts, false)
		if err != nil {
			t.Fatal(err)
		}
		last, n := int64(0), int64(len(parts))
		for i, row := range r.Timeline {
			took := row.TNS - last
			if most := n * (each*took/long + 2); row.Opened > most {
				t.Errorf("row %d: %d opened in %v, and all shards do %d", i, row.Opened, time.Duration(took), most)
			}
			if took < long/2 {
				t.Errorf("row %d is %v long", i, time.Duration(took))
			}
			last = row.TNS
		}
	})
}

// TestEndOfShardsNearlyTogether: the last row has what all shards came to, though some were
// over before it began.
func TestEndOfShardsNearlyTogether(t *testing.T) {
	for _, skew := range []time.Duration{0, 200 * time.Microsecond, 9 * time.Millisecond, 70 * time.Millisecond, 140 * time.Millisecond} {
		parts := bareShards(3)
		for i, p := range parts {
			p.Run.Run.Started = begun().Add(time.Duration(i) * skew)
			p.Run.Run.Ended = p.Run.Run.Started.Add(3 * time.Second)
			p.Run.Timeline = nil
			for n := range int64(30) {
				p.Run.Timeline = append(p.Run.Timeline, result.Row{TNS: (n + 1) * 1e8, Open: 5, States: &result.States{TimeWait: ptr(20 * (n + 1))}})
			}
		}
		r := merged(t, parts)
		last := r.Timeline[len(r.Timeline)-1]
		if want := int64(3e9) + int64(2*skew); last.TNS != want || last.Open != 15 || *last.States.TimeWait != 3*600 {
			t.Errorf("skew %v: at %d, want %d: %d open, %d in TIME_WAIT", skew, last.TNS, want, last.Open, *last.States.TimeWait)
		}
	}
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
	var ends []int64
	for _, row := range r.Timeline {
		ends = append(ends, row.TNS/1e6)
	}
	if want := []int64{100, 200, 300, 60_000, 60_100, 60_200, 60_300}; !cmp.Equal(ends, want) {
		t.Errorf("rows end at %v ms, want %v", ends, want)
	}
	if pause := r.Timeline[3]; !cmp.Equal(pause, result.Row{TNS: 60e9}) {
		t.Errorf("between the shards: %+v", pause)
	}
	want := "by their hosts' clocks all shards ran at one time for 0s, and the longest took 2s: rates are not added up, and what each had open at once was not open at once in all"
	if len(r.Warnings) != 1 || r.Warnings[0].Message != want {
		t.Errorf("warnings %+v", r.Warnings)
	}
}
