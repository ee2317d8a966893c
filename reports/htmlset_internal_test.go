package reports

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"lastport/reports/result"
)

// timedRun is a fill whose connects took from, from+step, … nanoseconds.
func timedRun(strategy string, n int, from, step int64) *result.Result {
	h := result.NewHistogram()
	for i := range int64(n) {
		h.Record(from + i*step)
	}
	r := &result.Result{Schema: result.Schema, Run: result.Run{Scenario: "fill"}}
	r.Config.Strategy, r.Config.Range = strategy, "40000-40999"
	r.Latency.Connect = h.Summary()
	return r
}

// The table below the picture has the summary's own numbers: those of a knee at half
// of the range differ by a factor from one place of the axis to the next.
func TestTableOfPercentilesIsTheSummarys(t *testing.T) {
	knee := timedRun("connect", 1500, 1000, 0)
	h, err := result.DecodeHistogram(knee.Latency.Connect.HDR)
	if err != nil {
		t.Fatal(err)
	}
	for range 1400 {
		h.Record(600_000)
	}
	knee.Latency.Connect = h.Summary()
	runs := []*result.Result{knee, timedRun("bind", 1000, 5000, 10)}
	c, table := overlaidPercentiles(runs)
	if c == nil || table == nil {
		t.Fatal("no picture or no table")
	}
	for i, r := range runs {
		s := r.Latency.Connect
		for _, want := range []struct {
			head  string
			value int64
		}{{"p50", s.P50NS}, {"p90", s.P90NS}, {"p99", s.P99NS}, {"p99.9", s.P999NS}, {"max", s.MaxNS}} {
			at := slices.Index(table.Head, want.head)
			if at < 0 {
				t.Fatalf("no column %s in %q", want.head, table.Head)
			}
			if got := table.Rows[i].Cells[at].Text; got != duration(want.value) {
				t.Errorf("%s of run %d: %s, want %s", want.head, i, got, duration(want.value))
			}
		}
	}
	if p50 := knee.Latency.Connect.P50NS; p50 > 2000 {
		t.Fatalf("p50 is %d: the run shows nothing", p50)
	}
}

// A line passes through the summary's percentiles, also through the last that so many
// values have, and ends in the slowest.
func TestLineOfPercentilesPassesThroughTheSummary(t *testing.T) {
	for _, n := range []int{1, 2, 7, 100, 1000, 2823, 10000} {
		s := timedRun("connect", n, 1000, 1000).Latency.Connect
		c := percentileChart([]result.Timed{{Name: "connect", Summary: s}})
		values := c.Panels[0].Lines[0].Values
		known := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) })
		if last := known[len(known)-1]; last != float64(s.MaxNS) {
			t.Errorf("%d values: the line ends at %v, want %d", n, last, s.MaxNS)
		}
		for nines, want := range map[float64]int64{1: s.P90NS, 2: s.P99NS, 3: s.P999NS} {
			at := slices.Index(c.X.Values, nines)
			if enough := float64(n) >= math.Pow(10, nines); !enough {
				continue
			}
			if at < 0 || values[at] != float64(want) {
				t.Errorf("%d values: no %d at %v nines", n, want, nines)
			} else if n > 1 && values[at] == float64(s.MaxNS) {
				t.Errorf("%d values: the slowest stands at %v nines, which it is above", n, nines)
			}
		}
	}
}

// Results that were made alike are told apart by their folders, repeats by their
// numbers, wherever a page names them.
func TestJoinedRunsHaveNamesOfTheirOwn(t *testing.T) {
	repeats := func(strategy string, n int) (runs []*result.Result) {
		for i := range n {
			r := timedRun(strategy, 100, 1000, 10)
			r.Run.Repeat = i + 1
			runs = append(runs, r)
		}
		return runs
	}
	for name, test := range map[string]struct {
		sides []Side
		axis  string
		first string
	}{
		"like runs": {
			[]Side{{"results/before", []*result.Result{timedRun("connect", 10, 1, 1)}}, {"results/after/result.json", []*result.Result{timedRun("connect", 10, 1, 1)}}},
			"folder", "before",
		},
		"one name in two places": {
			[]Side{{"a/x", []*result.Result{timedRun("connect", 10, 1, 1)}}, {"b/x", []*result.Result{timedRun("connect", 10, 1, 1)}}},
			"folder", "a/x",
		},
		"strategies": {
			[]Side{{"a", []*result.Result{timedRun("connect", 10, 1, 1)}}, {"b", []*result.Result{timedRun("bind", 10, 1, 1)}}},
			"strategy", "connect",
		},
		"repeats of two strategies":    {[]Side{{"a", repeats("connect", 3)}, {"b", repeats("bind", 3)}}, "folder/strategy/repeat", "a connect run 1"},
		"repeats of one":               {[]Side{{"a", repeats("connect", 3)}, {"b", repeats("connect", 3)}}, "folder/repeat", "a run 1"},
		"the same file named twice":    {[]Side{{"a", repeats("connect", 1)}, {"a", repeats("connect", 1)}}, "strategy/profile", "connect 40000-40999"},
		"a set of repeats in one file": {[]Side{{"a", append(repeats("connect", 2), repeats("bind", 2)...)}}, "strategy/repeat", "connect run 1"},
	} {
		set := Join(test.sides...)
		if set.Axis != test.axis {
			t.Errorf("%s: by %q, want %q", name, set.Axis, test.axis)
		}
		for what, names := range map[string][]string{"lines": lineNames(set.Runs), "headings": titles(set.Runs)} {
			if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) < len(names) {
				t.Errorf("%s: %s of one name: %q", name, what, names)
			}
		}
		if got := lineNames(set.Runs)[0]; got != test.first {
			t.Errorf("%s: the first is %q, want %q", name, got, test.first)
		}
		for _, side := range test.sides {
			if side.Runs[0].Run.Folder != "" {
				t.Errorf("%s: the run itself was changed", name)
			}
		}
	}
}

// Medians are of one folder, no single repeat is the best, and a picture that leaves
// repeats out says so.
func TestRepeatsOfSeveralFolders(t *testing.T) {
	var sides []Side
	for _, strategy := range []string{"connect", "bind"} {
		side := Side{From: "of-" + strategy}
		for i := range 3 {
			r := timedRun(strategy, 100, int64(1000*(i+1)), 10)
			r.Run.Repeat = i + 1
			r.AtOccupancy = []result.Point{{At: 0, Count: 10, P50NS: 1}}
			r.Measured.FillNS = new(int64)
			*r.Measured.FillNS = int64(i+1) * 1e9
			side.Runs = append(side.Runs, r)
		}
		sides = append(sides, side)
	}
	set := Join(sides...)
	var text bytes.Buffer
	if err := Text(&text, set, Style{Width: 120}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Medians of 3 runs: of-connect", "Medians of 3 runs: of-bind", "… and 4 runs made alike: the table has the first of each strategy"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), " *") {
		t.Errorf("a single repeat is the best:\n%s", text.String())
	}
	pics := &pictures{Charts: map[string]*chart{}, Maps: map[string]*mapView{}}
	if page := fmt.Sprint(readings(setSections(set, pics))); !strings.Contains(page, "Of 6 runs the picture has 2: those that differ in the strategy alone, of each strategy the first.") {
		t.Errorf("nothing tells what is not drawn: %s", page)
	}
}

// readings are the sentences below the pictures.
func readings(sections []section) (all []string) {
	for _, s := range sections {
		for _, b := range s.Blocks {
			if b.Figure != nil {
				all = append(all, b.Figure.Reading)
			}
		}
	}
	return all
}

// What a page does not carry is not encoded to find that out; what is small, and
// what packs well, is carried.
func TestPageCarriesTheFileWithinBounds(t *testing.T) {
	small := timedRun("connect", 100, 1000, 10)
	if f := savedFile(small); f.Data == "" || f.Size == "" {
		t.Error("a small result is not carried")
	}
	large := timedRun("connect", 100, 1000, 10)
	for range 1 + mostUnpacked/1000 {
		large.Occupancy = append(large.Occupancy, result.Band{HDR: strings.Repeat("A", 1000)})
	}
	if allocated := testing.AllocsPerRun(1, func() {
		if f := savedFile(large); f.Data != "" {
			t.Error("a large result is carried")
		}
	}); allocated > 100 {
		t.Errorf("%v allocations for a file that is not carried", allocated)
	}
	small.Timeline, small.Occupancy = make([]result.Row, 1000), make([]result.Band, 1000)
	small.AtOccupancy, small.Warnings = make([]result.Point, 1000), make([]result.Warning, 1000)
	if n, file := leastSize(small), new(bytes.Buffer); result.Encode(file, small) != nil || n > file.Len() {
		t.Errorf("%d bytes at least, and the file has %d", n, file.Len())
	}
}
