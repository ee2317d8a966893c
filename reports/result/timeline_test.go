package result

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// total adds up what rows count.
func total(rows []Row) Row {
	var sum Row
	for _, r := range rows {
		sum.Opened += r.Opened
		sum.Closed += r.Closed
		sum.NoPort += r.NoPort
		sum.Failed += r.Failed
		sum.Kernel = sum.Kernel.Plus(r.Kernel)
		sum.UserCPUNS += r.UserCPUNS
		sum.SysCPUNS += r.SysCPUNS
	}
	return sum
}

func TestTimelineKeepsItsSumsAndItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 5*MaxRows).Draw(t, "samples")
		var line Timeline
		var all []Row
		for i := range n {
			k := int64(i)
			row := Row{TNS: (k + 1) * 100, Opened: k % 7, Closed: k % 5, NoPort: k % 3, Failed: k % 2, Open: k, UserCPUNS: k, SysCPUNS: 2 * k}
			if k%3 == 0 {
				row.Kernel = Counters{"TW": k, "TWRecycled": 1}
			}
			all = append(all, row)
			line.Add(row)
		}
		rows := line.Rows()
		if len(rows) > MaxRows {
			t.Fatalf("%d rows of %d samples, at most %d", len(rows), n, MaxRows)
		}
		if diff := cmp.Diff(total(all), total(rows)); diff != "" {
			t.Errorf("sums differ: %s", diff)
		}
		per := line.SamplesPerRow()
		if want := (n + per - 1) / per; len(rows) != want {
			t.Errorf("%d rows of %d samples each for %d samples, want %d", len(rows), per, n, want)
		}
		if per > 1 && len(rows) < MaxRows/2 {
			t.Errorf("only %d rows of %d samples each", len(rows), per)
		}
		for i, row := range rows {
			last := min((i+1)*per, n) - 1
			if row.TNS != all[last].TNS || row.Open != all[last].Open {
				t.Fatalf("row %d ends at %d with %d open, want %d and %d", i, row.TNS, row.Open, all[last].TNS, all[last].Open)
			}
		}
	})
}

func TestJoinTakesTheLaterMomentAndTheLargerP99(t *testing.T) {
	p := func(n int64) *int64 { return &n }
	early, late := &States{TimeWait: p(1)}, &States{TimeWait: p(2)}
	tests := []struct {
		a, b   Row
		p99    *int64
		states *States
	}{
		{Row{}, Row{}, nil, nil},
		{Row{P99NS: p(5), States: early}, Row{}, p(5), early},
		{Row{}, Row{P99NS: p(5), States: late}, p(5), late},
		{Row{P99NS: p(5), States: early}, Row{P99NS: p(7), States: late}, p(7), late},
		{Row{P99NS: p(7)}, Row{P99NS: p(5)}, p(7), nil},
	}
	for i, test := range tests {
		got := join(test.a, test.b)
		if diff := cmp.Diff(Row{P99NS: test.p99, States: test.states}, got); diff != "" {
			t.Errorf("%d: %s", i, diff)
		}
	}
}

func TestRowsIsACopy(t *testing.T) {
	var line Timeline
	line.Add(Row{TNS: 1, Opened: 1})
	line.Rows()[0].Opened = 99
	if got := line.Rows()[0].Opened; got != 1 {
		t.Errorf("opened %d after a change to a copy, want 1", got)
	}
}
