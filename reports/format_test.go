package reports

import (
	"math"
	"testing"

	"lastport/reports/result"
)

func TestFormats(t *testing.T) {
	tests := []struct{ got, want string }{
		{count(0), "0"},
		{count(999), "999"},
		{count(1000), "1,000"},
		{count(-28232), "-28,232"},
		{count(math.MinInt64), "-9,223,372,036,854,775,808"},
		{signed(3), "+3"},
		{signed(-3), "-3"},
		{duration(0), "0 ns"},
		{duration(999), "999 ns"},
		{duration(1000), "1.00 µs"},
		{duration(12_649), "12.6 µs"},
		{duration(999_499), "999 µs"},
		{duration(999_500), "1.00 ms"},
		{duration(4_882_000), "4.88 ms"},
		{duration(999_500_000), "1.00 s"},
		{duration(9_995_000_000), "10.0 s"},
		{duration(61_000_000_000), "61.0 s"},
		{duration(99_950_000_000), "1 min 40 s"},
		{duration(3_599_600_000_000), "1 h 0 min"},
		{duration(7_380_000_000_000), "2 h 3 min"},
		{duration(-1500), "-1.50 µs"},
		{duration(math.MinInt64), "-2,562,047 h 47 min"},
		{size(0), "0 B"},
		{size(999), "999 B"},
		{size(7_790), "7.61 KiB"},
		{size(24 << 30), "24.0 GiB"},
		{percent(0.0062), "0.62 %"},
		{signedPercent(0.5), "+50.0 %"},
		{rate(math.Inf(1)), "+Inf/s"},
		{rates(result.RateInterval{Min: 455.04, Max: 470.5}), "455 to 471/s"},
		{counts(result.Interval{Min: 7, Max: 7}), "7"},
		{reuseTime(result.Interval{}), "at once"},
		{reuseTime(result.Interval{Min: 60e9, Max: 62e9}), "60.0 to 62.0 s"},
		{plural(1, "port"), "1 port"},
		{plural(2, "port"), "2 ports"},
		{setting(90e9), "1m30s"},
		{shorten("µµµµ", 3), "µµ…"},
		{shorten("µµµ", 3), "µµµ"},
		{clean("a\x1b[31m\u202e\n\u009b\xffb"), "a\ufffd[31m\ufffd\ufffd\ufffd\ufffdb"},
		{ascii("12 µs × 3 · ∞"), "12 us x 3 | ?"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestBar(t *testing.T) {
	tests := []struct {
		v, most int64
		want    string
	}{
		{0, 100, "▌"},
		{1, 100, "▌"},
		{50, 100, "█████"},
		{55, 100, "█████▌"},
		{100, 100, "██████████"},
		{101, 100, "█████████▶"},
		{math.MinInt64, 100, "▌"},
		{math.MaxInt64, math.MaxInt64, "██████████"},
	}
	for _, test := range tests {
		if got := bar(test.v, test.most, 10); got != test.want {
			t.Errorf("bar(%d, %d, 10) = %q, want %q", test.v, test.most, got, test.want)
		}
	}
}

// band is one tenth of the range.
func band(tenth int, count, p50 int64) result.Band {
	return result.Band{From: float64(tenth) / 10, To: float64(tenth+1) / 10, Count: count, P50NS: p50}
}

func TestFindKnee(t *testing.T) {
	tests := []struct {
		name  string
		bands []result.Band
		from  float64 // negative: none
	}{
		{"none at all", nil, -1},
		{"flat", []result.Band{band(0, 100, 12), band(1, 100, 13), band(2, 100, 35)}, -1},
		{"three times the median", []result.Band{band(0, 100, 12), band(1, 100, 12), band(2, 100, 36)}, 0.2},
		{"half way", []result.Band{band(0, 100, 10), band(4, 100, 11), band(5, 100, 600), band(6, 100, 2000)}, 0.5},
		{"one slow band does not hide it", []result.Band{band(0, 100, 90), band(1, 100, 10), band(2, 100, 10), band(3, 100, 40)}, 0.3},
		{"too few attempts", []result.Band{band(0, 100, 10), band(1, 9, 600)}, -1},
		{"the full range is no knee", []result.Band{band(0, 100, 10), band(10, 100, 5000)}, -1},
		{"no time at all", []result.Band{band(0, 100, 0), band(1, 100, 500)}, -1},
		{"largest numbers", []result.Band{band(0, 100, math.MaxInt64/2), band(1, 100, math.MaxInt64)}, -1},
	}
	for _, test := range tests {
		k, found := findKnee(test.bands)
		if !found {
			k.from = -1
		}
		if k.from != test.from {
			t.Errorf("%s: knee from %v, want %v", test.name, k.from, test.from)
		}
	}
}

func TestKneeIsExplainedAtHalfTheRangeOfConnectOnly(t *testing.T) {
	for _, test := range []struct {
		from     float64
		strategy string
		explain  bool
	}{
		{0.5, "connect", true},
		{0.5, "late-bind", true},
		{0.5, "socket-range", false},
		{0.9, "connect", false},
	} {
		if _, todo := (knee{from: test.from}).words(&result.Result{Config: result.Config{Strategy: test.strategy}}); (todo != "") != test.explain {
			t.Errorf("knee from %v by %s: hint %q, want one: %v", test.from, test.strategy, todo, test.explain)
		}
	}
}

// Every outcome and every counter has words, so that none shows without a
// meaning.
func TestEveryOutcomeHasWords(t *testing.T) {
	other, _ := outcomeWords("no such outcome", &result.Result{})
	for _, o := range (result.Outcomes{}).All() {
		means, todo := outcomeWords(o.Name, &result.Result{})
		if means == other && o.Name != "other" {
			t.Errorf("%s has no meaning of its own", o.Name)
		}
		if todo == "" && o.Name != "ok" && o.Name != "canceled" {
			t.Errorf("%s has no way out", o.Name)
		}
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		text  string
		width int
		want  []string
	}{
		{"", 5, []string{""}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two", 3, []string{"one", "two"}},
		{"abcdefg hi", 3, []string{"abc", "def", "g", "hi"}},
		{"µµµµ", 3, []string{"µµµ", "µ"}},
	}
	for _, test := range tests {
		got := wrap(test.text, test.width)
		if len(got) != len(test.want) {
			t.Errorf("wrap(%q, %d) = %q, want %q", test.text, test.width, got, test.want)
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("wrap(%q, %d) = %q, want %q", test.text, test.width, got, test.want)
			}
		}
	}
}
