package main

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func Example() {
	r := report{rounds: 3, rows: []row{
		{name: "churn", ours: "54,000/s", theirs: "56,000/s  churn split", judged: []float64{0.97, 0.9, 0.96}, want: bound{least: 0.93}},
		{name: "hold", ours: "18.5 s", theirs: "3.20 s  fill of 250000", judged: []float64{5.78, 5.78}, want: bound{most: 5}},
		{name: "peer", absent: "wrk: not installed: wrk"},
	}}
	_ = r.printMeasured(os.Stdout)
	// Output:
	// row    lastport  beside                  ratio  least … most  required  met
	// churn  54,000/s  56,000/s  churn split   0.96   0.90 … 0.97   ≥ 0.93    yes
	// hold   18.5 s    3.20 s  fill of 250000  5.78   5.78 … 5.78   ≤ 5.00    no
}

// A single pair has no spread, and so meets nothing and misses nothing.
func TestPrintOnePair(t *testing.T) {
	recording := bound{least: 0.98, most: 1.02, around: 1}
	for pairs, want := range map[int]string{1: "", 2: "yes"} {
		var out strings.Builder
		r := report{rounds: pairs}
		for _, b := range []bound{{least: 0.93}, {most: 5}, recording} {
			r.rows = append(r.rows, row{name: "churn", ours: "60,000/s", judged: slices.Repeat([]float64{1}, pairs), want: b})
		}
		if err := r.printMeasured(&out); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n")[1:] {
			if met := strings.HasSuffix(line, "yes"); met != (want == "yes") || strings.HasSuffix(line, "no") {
				t.Errorf("%d pairs: %q, want met %q", pairs, line, want)
			}
		}
	}
}

func TestPrintAbsent(t *testing.T) {
	var out strings.Builder
	r := report{rounds: 1, rows: []row{{name: "peer", absent: "wrk: not installed: wrk"}}}
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	if r.measured() || !strings.HasSuffix(out.String(), "1 pair run in turn\n\npeer is absent: wrk: not installed: wrk\n") {
		t.Errorf("%q", out.String())
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		list []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 3, 2, 1}, 2.5}} {
		before := slices.Clone(c.list)
		if got := median(c.list); got != c.want || !slices.Equal(before, c.list) {
			t.Errorf("%v: %v, want %v", before, got, c.want)
		}
	}
}

// As many values lie above the median as below, whatever their order.
func TestMedianSplits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 30).Draw(t, "list")
		m, below, above := median(list), 0, 0
		for _, v := range list {
			if v < m {
				below++
			}
			if v > m {
				above++
			}
		}
		if 2*below > len(list) || 2*above > len(list) {
			t.Fatalf("%d below and %d above %v", below, above, m)
		}
	})
}

func TestBound(t *testing.T) {
	for _, c := range []struct {
		b        bound
		text     string
		low, mid string // whether 0.5 and 1 are within
		high     string // and 2
	}{
		{bound{}, "–", "", "", ""},
		{bound{least: 0.93}, "≥ 0.93", "no", "yes", "yes"},
		{bound{most: 1}, "≤ 1.00", "yes", "yes", "no"},
		{bound{least: 0.85, most: 1.15}, "0.85 to 1.15", "no", "yes", "no"},
	} {
		if got := c.b.String(); got != c.text {
			t.Errorf("%q, want %q", got, c.text)
		}
		for v, want := range map[float64]string{0.5: c.low, 1: c.mid, 2: c.high} {
			if got := c.b.met(v); got != want {
				t.Errorf("%v, %v: %q, want %q", c.b, v, got, want)
			}
		}
	}
	if (bound{least: 1}).met(math.NaN()) == "yes" {
		t.Error("no number is within a bound")
	}
}

// The interval of 20 values: their mean, give or take 2.093 times their standard
// deviation by the root of 20 (Student's t with 19 degrees of freedom).
func TestInterval(t *testing.T) {
	var list []float64
	for i := range 20 {
		list = append(list, 1+0.01*float64(i%2*2-1)) // 0.99 and 1.01: s = 0.01 × √(20/19)
	}
	low, high := interval(list)
	if want := 2.093 * 0.01 * math.Sqrt(1.0/19); math.Abs(1-low-want) > 1e-5 || math.Abs(high-1-want) > 1e-5 {
		t.Errorf("%v to %v, want 1 ± %v", low, high, want)
	}
	if low, high := interval([]float64{0.5}); low > 0.5 || high < 0.5 {
		t.Errorf("of one value: %v to %v", low, high)
	}
	b := bound{least: 0.98, most: 1.02, around: 1}
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0.99, 1.01, "yes"}, {1, 1, "yes"}, {1.001, 1.01, "no"}, {0.98, 0.999, "no"}, {0.97, 1.01, "no"}, {0.99, 1.021, "no"}, {math.NaN(), 1, "no"},
	} {
		if got := b.holds(c.low, c.high); got != c.want {
			t.Errorf("%v to %v: %q, want %q", c.low, c.high, got, c.want)
		}
	}
	if b.digits(1.0042) != "1.004" || (bound{}).digits(1.0042) != "1.00" {
		t.Errorf("%s and %s", b.digits(1.0042), bound{}.digits(1.0042))
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{short(0.934), "0.93"},
		{short(9.999), "10.00"},
		{short(12.34), "12.3"},
		{short(123.4), "123"},
		{short(12345.6), "12346"},
		{count(0), "0"},
		{count(999), "999"},
		{count(1000), "1,000"},
		{count(1234567.8), "1,234,568"},
		{perSecond(54321), "54,321/s"},
		{micros(12345), "12.3 µs"},
		{plural(2, "pair"), "2 pairs"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
