package reports

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"lastport/reports/result"
)

func TestDivideLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := make([]result.Row, rapid.IntRange(0, 300).Draw(t, "rows"))
		var opened int64
		for i := range rows {
			rows[i] = result.Row{TNS: int64(i+1) * 100, Opened: int64(i % 7)}
			opened += rows[i].Opened
		}
		room := rapid.IntRange(0, 80).Draw(t, "room")
		slots := divide(rows, room)
		if len(slots) > room || len(rows) > 0 && room > 0 && len(slots) == 0 {
			t.Fatalf("%d slots of %d rows, room for %d", len(slots), len(rows), room)
		}
		var sum float64
		var end int64
		for _, s := range slots {
			if s.from != end || s.ns() <= 0 {
				t.Errorf("slot from %d to %d after one that ends at %d", s.from, s.to, end)
			}
			sum, end = sum+s.opened, s.to
		}
		if len(slots) > 0 && (sum != float64(opened) || end != rows[len(rows)-1].TNS) {
			t.Errorf("%v opened up to %d, want %d up to %d", sum, end, opened, rows[len(rows)-1].TNS)
		}
	})
}

func TestBars(t *testing.T) {
	s := series{values: []float64{0, 0.1, 1, 4, 7.9, 8, -1}, full: 8}
	if got, want := s.bars(), " ▁▁▄██ "; got != want {
		t.Errorf("bars %q, want %q", got, want)
	}
	s.full = 0
	if got, want := s.bars(), "       "; got != want {
		t.Errorf("without a scale: bars %q, want %q", got, want)
	}
}

func TestLongestDry(t *testing.T) {
	// One letter a row of 100: o opened, n no port, b both, . nothing.
	rows := func(letters string) (all []result.Row) {
		for i, c := range letters {
			row := result.Row{TNS: int64(i+1) * 100}
			if c == 'o' || c == 'b' {
				row.Opened = 1
			}
			if c == 'n' || c == 'b' {
				row.NoPort = 1
			}
			all = append(all, row)
		}
		return all
	}
	tests := []struct {
		rows string
		want dry
	}{
		{"", dry{}},
		{"oo..oo", dry{}}, // nothing was due
		{"obbo", dry{}},
		{"oonno", dry{200, 400, true}},
		{"oo.n.o", dry{300, 500, true}},
		{"onoonnno", dry{400, 700, true}},
		{"onnnoonn", dry{100, 400, true}},
		{"onnonnn", dry{400, 700, false}},
		{"nnn", dry{0, 300, false}},
	}
	for _, test := range tests {
		if got := longestDry(rows(test.rows)); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.rows, got, test.want)
		}
	}
}

func TestFindLag(t *testing.T) {
	const ms = 1_000_000
	tests := []struct {
		name              string
		service, response result.Summary
		at                string
	}{
		{"none", result.Summary{P50NS: 10, P99NS: 20, MaxNS: 30}, result.Summary{P50NS: 50, P99NS: 60, MaxNS: 70}, ""},
		{"both slow", result.Summary{P99NS: 900 * ms, MaxNS: 990 * ms}, result.Summary{P99NS: 950 * ms, MaxNS: 999 * ms}, ""},
		{"usual", result.Summary{P99NS: 20}, result.Summary{P99NS: 2 * ms}, "p99"},
		{"all", result.Summary{P50NS: 20}, result.Summary{P50NS: 2 * ms, P99NS: 3 * ms}, "p50"},
		{"pause", result.Summary{MaxNS: 20 * ms}, result.Summary{MaxNS: 500 * ms}, "max"},
		{"hiccup", result.Summary{P999NS: 20}, result.Summary{P999NS: 7 * ms, MaxNS: 40 * ms}, ""},
	}
	for _, test := range tests {
		got, found := findLag(&test.service, &test.response)
		if got.at != test.at || found != (test.at != "") {
			t.Errorf("%s: lag at %q, want %q", test.name, got.at, test.at)
		}
	}
}

// The three causes of late starts are told apart.
func TestLagNamesItsCause(t *testing.T) {
	run := func(service int64, counters result.Counters) *result.Result {
		return &result.Result{
			Latency:       result.Latency{Connect: &result.Summary{MaxNS: service}},
			ScheduleError: &result.ScheduleError{MaxNS: 500_000_000}, Kernel: counters,
		}
	}
	hints := []string{}
	for _, r := range []*result.Result{
		run(20_000, nil), run(400_000_000, nil), run(400_000_000, result.Counters{"ListenOverflows": 1}),
	} {
		_, todo := lag{at: "max"}.words(r)
		hints = append(hints, todo)
	}
	if len(slices.Compact(hints)) != 3 {
		t.Errorf("hints %q, want three", hints)
	}
}

func TestRoundUp(t *testing.T) {
	for ns, want := range map[int64]int64{0: 1, 1: 1, 2: 2, 3: 5, 6: 10, 10: 10, 11: 20, 164_000: 200_000, result.HighestNS: 20_000_000_000_000} {
		if got := roundUp(ns); got != want {
			t.Errorf("roundUp(%d) = %d, want %d", ns, got, want)
		}
	}
}

// Bars that are a digit apart have labels that differ.
func TestLastDigitIsSeen(t *testing.T) {
	for _, ns := range []int64{1, 7, 99, 1_000, 12_345, 1_002_000_000, 9_990_000_000, 62_000_000_000} {
		if d := lastDigit(ns); duration(ns+d) == duration(ns) {
			t.Errorf("%d ns more than %s look the same", d, duration(ns))
		}
	}
}
