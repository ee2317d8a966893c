// Package stats has the statistics by which repeated runs are compared: the
// median with its confidence interval, and the Mann-Whitney U test. They assume
// nothing of how values are distributed, and are exact for few of them, which is
// how golang.org/x/perf/benchmath, and so benchstat, treats benchmarks.
//
// It is pure and knows numbers alone. What they measure, which change is worth
// a word and how it is put (package reports) do not belong here.
package stats

import (
	"math"
	"slices"
)

// Spread is what a sample tells of the median of all runs that there could be.
type Spread struct {
	N      int
	Median float64
	// Low to High, two values of the sample, holds the median of all runs with the
	// probability Level. Where the sample is too small for the level that was asked
	// for, they are its least and its greatest value, and Level says what that is
	// worth: 0 for one value.
	Low, High, Level float64
	Min, Max         float64
}

// Describe returns the spread of a sample, with the narrowest interval whose
// level is at least the one asked for (0 to 1). An empty sample has the zero
// Spread. The sample stays as it is.
//
// The interval is that of the sign test: of n values an even share lies on each
// side of the median, so that the k-th from either end enclose it with the
// probability 1 - 2·P(X < k), X binomial of n and 1/2 (David and Nagaraja, Order
// Statistics, 3rd edition, 7.1).
func Describe(sample []float64, level float64) Spread {
	n := len(sample)
	if n == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(sample))
	s := Spread{N: n, Min: sorted[0], Max: sorted[n-1], Low: sorted[0], High: sorted[n-1]}
	s.Median = sorted[n/2]
	if n%2 == 0 {
		s.Median = sorted[n/2-1]/2 + sorted[n/2]/2 // halved before they are added: no overflow
	}
	term, below := math.Pow(0.5, float64(n)), 0.0 // P(X = k) and P(X < k), of the next k
	for k := 1; k <= (n+1)/2; k++ {
		below += term
		term *= float64(n-k+1) / float64(k)
		covers := max(0, 1-2*below)
		if k > 1 && covers < level {
			break
		}
		s.Low, s.High, s.Level = sorted[k-1], sorted[n-k], covers
	}
	return s
}

// mostExact is up to how many values of both samples together the test is exact.
// Beyond, the normal approximation is off by less than a thousandth.
const mostExact = 60

// Test returns the p-value of the two-sided Mann-Whitney U test: how often two
// samples of one and the same distribution are at least as far apart as these. It
// is 1 where a sample is empty, and where all values are equal.
//
// Ties get the mean of their ranks. Up to 60 values it counts all the ways to
// deal these ranks to the samples; beyond, it takes the normal approximation,
// with the correction for ties and for continuity (Lehmann, Nonparametrics, 1.2
// and 1.4).
func Test(a, b []float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 1
	}
	ranks, ties := doubledRanks(a, b)
	sum := 0
	for _, r := range ranks[:len(a)] {
		sum += r
	}
	if len(ranks) > mostExact {
		return approximate(sum, len(a), len(b), ties)
	}
	return exact(ranks, len(a), sum)
}

// LeastP returns the smallest p-value that samples of so many values can have:
// that of samples that do not overlap. What it is above alpha for can prove
// nothing at alpha.
func LeastP(n, m int) float64 {
	if n < 1 || m < 1 {
		return 1
	}
	ways := 1.0 // n+m over n
	for i := 1; i <= n; i++ {
		ways *= float64(m+i) / float64(i)
	}
	return min(1, 2/ways)
}

// Enough returns how many runs each of two samples needs so that a difference
// can be told from chance at alpha; 0 if alpha is not above 0.
func Enough(alpha float64) int {
	if !(alpha > 0) {
		return 0
	}
	n := 1
	for LeastP(n, n) > alpha {
		n++
	}
	return n
}

// doubledRanks returns the ranks of the values of a and then of b among all of
// them, times two, so that the mean rank of ties is a whole number; and of each
// group of ties t the sum of t³-t.
func doubledRanks(a, b []float64) (ranks []int, ties float64) {
	all := slices.Concat(a, b)
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		switch {
		case all[i] < all[j]:
			return -1
		case all[i] > all[j]:
			return 1
		}
		return 0
	})
	ranks = make([]int, len(all))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && all[order[to]] == all[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			ranks[i] = from + 1 + to
		}
		t := float64(to - from)
		ties += t*t*t - t
		from = to
	}
	return ranks, ties
}

// exact counts, of the ways to choose n of the ranks, those whose sum is no
// larger, and those whose sum is no smaller.
func exact(ranks []int, n, sum int) float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	ways := make([][]float64, n+1) // by how many are chosen, and their sum
	for i := range ways {
		ways[i] = make([]float64, total+1)
	}
	ways[0][0] = 1
	for _, r := range ranks {
		for chosen := n; chosen > 0; chosen-- {
			for s := total; s >= r; s-- {
				ways[chosen][s] += ways[chosen-1][s-r]
			}
		}
	}
	var least, most, all float64
	for s, w := range ways[n] {
		all += w
		if s <= sum {
			least += w
		}
		if s >= sum {
			most += w
		}
	}
	return min(1, 2*min(least, most)/all)
}

// approximate is the normal approximation for the doubled rank sum of n of n+m
// values.
func approximate(doubled, n, m int, ties float64) float64 {
	a, b := float64(n), float64(m)
	all := a + b
	u := float64(doubled)/2 - a*(a+1)/2
	variance := a * b / 12 * (all + 1 - ties/(all*(all-1)))
	if variance <= 0 {
		return 1
	}
	z := max(0, math.Abs(u-a*b/2)-0.5) / math.Sqrt(variance)
	return math.Erfc(z / math.Sqrt2)
}
