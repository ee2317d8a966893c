package stats

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestDescribe(t *testing.T) {
	tests := []struct {
		sample []float64
		level  float64
		want   Spread
	}{
		{nil, 0.95, Spread{}},
		{[]float64{7}, 0.95, Spread{1, 7, 7, 7, 0, 7, 7}},
		{[]float64{9, 7}, 0.95, Spread{2, 8, 7, 9, 0.5, 7, 9}},
		{[]float64{5, 1, 4, 2, 3}, 0.95, Spread{5, 3, 1, 5, 1 - 2.0/32, 1, 5}}, // too few for 0.95
		{[]float64{6, 5, 1, 4, 2, 3}, 0.95, Spread{6, 3.5, 1, 6, 1 - 2.0/64, 1, 6}},
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, 0.95, Spread{9, 5, 2, 8, 1 - 2*10.0/512, 1, 9}},
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, 0.99, Spread{9, 5, 1, 9, 1 - 2.0/512, 1, 9}},
		{[]float64{math.MaxFloat64, math.MaxFloat64}, 0.95, Spread{2, math.MaxFloat64, math.MaxFloat64, math.MaxFloat64, 0.5, math.MaxFloat64, math.MaxFloat64}},
	}
	for _, test := range tests {
		before := slices.Clone(test.sample)
		got := Describe(test.sample, test.level)
		if !near(got.Level, test.want.Level) {
			t.Errorf("%v: level %v, want %v", test.sample, got.Level, test.want.Level)
		}
		got.Level = test.want.Level
		if got != test.want {
			t.Errorf("%v: %+v, want %+v", test.sample, got, test.want)
		}
		if !slices.Equal(before, test.sample) {
			t.Errorf("the sample became %v", test.sample)
		}
	}
}

// The values without ties are those of the tables of Mann and Whitney (1947):
// P(U ≤ u) for samples of 4 and 4, and of 3 and 5, times two.
func TestMannWhitneyByTheTables(t *testing.T) {
	tests := []struct {
		name string
		a, b []float64
		want float64
	}{
		{"nothing", nil, []float64{1}, 1},
		{"one each", []float64{1}, []float64{2}, 1},
		{"three each, apart", []float64{1, 2, 3}, []float64{4, 5, 6}, 0.1},
		{"four each, U=0", []float64{1, 2, 3, 4}, []float64{5, 6, 7, 8}, 2.0 / 70},
		{"four each, U=1", []float64{1, 2, 3, 5}, []float64{4, 6, 7, 8}, 4.0 / 70},
		{"four each, U=3", []float64{1, 2, 4, 6}, []float64{3, 5, 7, 8}, 2 * 7.0 / 70}, // P(U ≤ 3) = 0.100
		{"three and five, U=2", []float64{1, 2, 5}, []float64{3, 4, 6, 7, 8}, 2 * 4.0 / 56},
		{"all the same", []float64{3, 3, 3, 3}, []float64{3, 3, 3, 3, 3}, 1},
		// By hand: of the six ways to choose two of {1, 2, 2, 3} none is further from
		// the middle than 1 and 2, or 3 and 2: two ways each.
		{"ties", []float64{1, 2}, []float64{2, 3}, 4.0 / 6},
	}
	for _, test := range tests {
		if got := Test(test.a, test.b); !near(got, test.want) {
			t.Errorf("%s: p=%v, want %v", test.name, got, test.want)
		}
	}
}

func TestEnough(t *testing.T) {
	for alpha, want := range map[float64]int{0.05: 4, 0.01: 5, 0.001: 7, 0.1: 3, 1: 1, 0: 0, -1: 0} {
		if got := Enough(alpha); got != want {
			t.Errorf("alpha %v: %d runs, want %d", alpha, got, want)
		}
	}
	if got := Enough(math.NaN()); got != 0 {
		t.Errorf("alpha NaN: %d runs, want 0", got)
	}
	if LeastP(0, 3) != 1 || !near(LeastP(4, 4), 2.0/70) || !near(LeastP(1, 5), 2.0/6) {
		t.Error("least p of 0 and 3, 4 and 4, or 1 and 5 is wrong")
	}
}

// bruteForce deals the ranks in every way.
func bruteForce(a, b []float64) float64 {
	ranks, _ := doubledRanks(a, b)
	sum := 0
	for _, r := range ranks[:len(a)] {
		sum += r
	}
	var least, most, all float64
	for set := range 1 << len(ranks) {
		chosen, s := 0, 0
		for i, r := range ranks {
			if set>>i&1 == 1 {
				chosen++
				s += r
			}
		}
		if chosen != len(a) {
			continue
		}
		all++
		if s <= sum {
			least++
		}
		if s >= sum {
			most++
		}
	}
	return min(1, 2*min(least, most)/all)
}

func samples(t *rapid.T, most int) (a, b []float64) {
	few := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 6), func(i int) float64 { return float64(i) }), 1, most)
	return few.Draw(t, "a"), few.Draw(t, "b")
}

func TestExactIsWhatAllWaysCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := samples(t, 6)
		if got, want := Test(a, b), bruteForce(a, b); !near(got, want) {
			t.Fatalf("p=%v, want %v", got, want)
		}
	})
}

func TestPIsSymmetricBoundedAndBlindToScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := samples(t, 70) // beyond 60 together it is approximate
		p := Test(a, b)
		if p < 0 || p > 1 || len(a)+len(b) <= mostExact && p < LeastP(len(a), len(b))-1e-9 {
			t.Fatalf("p=%v of %d and %d", p, len(a), len(b))
		}
		if q := Test(b, a); math.Abs(p-q) > 1e-9 {
			t.Fatalf("p=%v one way, %v the other", p, q)
		}
		scale := func(s []float64) (all []float64) {
			for _, v := range s {
				all = append(all, 1000*v-7)
			}
			return all
		}
		if q := Test(scale(a), scale(b)); !near(p, q) {
			t.Fatalf("p=%v, scaled %v", p, q)
		}
	})
}

func TestApproximationMeetsTheExactTest(t *testing.T) {
	var a, b []float64
	for i := range 30 {
		a = append(a, float64(i%17))
		b = append(b, float64(i%13)+3)
	}
	ranks, ties := doubledRanks(a, b)
	sum := 0
	for _, r := range ranks[:30] {
		sum += r
	}
	got, want := approximate(sum, 30, 30, ties), exact(ranks, 30, sum)
	if math.Abs(got-want) > 1e-3 {
		t.Errorf("approximate p=%v, exact %v", got, want)
	}
	if p := approximate(2*50*101/2, 50, 50, 1e6-1e2); p != 1 {
		t.Errorf("all 100 values tied: p=%v, want 1", p)
	}
}

func TestTheIntervalHoldsItsLevel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(rapid.Float64Range(-1e9, 1e9), 1, 60).Draw(t, "sample")
		s := Describe(sample, 0.95)
		if s.Low > s.Median || s.High < s.Median || s.Min > s.Low || s.Max < s.High {
			t.Fatalf("%+v", s)
		}
		if s.N >= 6 && s.Level < 0.95 || s.Level >= 1 {
			t.Fatalf("level %v of %d values", s.Level, s.N)
		}
	})
}
