package picks

import (
	"fmt"
	"math"

	"lastport/loadgen/ports"
)

// Pair says whether the picks toward one target, A, tell those toward another, B,
// when connections are opened to A and B in turn: RFC 6056, section 3.1, wants
// that they do not. Shares are of 1.
type Pair struct {
	Pairs int // a pick toward A and the next one toward B
	// SameStep is how often both sequences made the same step, so that the
	// distance between the two stayed as it was; Chance is how often they would if
	// they made the same steps without knowing one another.
	SameStep, Chance float64
	// Correlation is that of the steps of the two (Pearson's); Bound is three of
	// its standard errors: independent sequences are rarely beyond.
	Correlation, Bound float64
	PlusOne, PlusTwo   float64 // how often B's pick was A's + 1, + 2
	Independent        bool
	Text               string // the same in one sentence
}

// Thresholds of Across.
const (
	leastPairs     = 30    // fewer say nothing
	standardErrors = 3     // of a correlation: beyond them chance is no explanation, one case in 370
	unlikely       = 0.001 // likewise so many equal steps
	mostGuessed    = 0.5   // from here on A tells B, whatever chance may explain
)

// Across compares the picks toward A with those toward B, of which the i-th was
// made after the i-th toward A. It returns nil if there are too few to tell.
func Across(a, b []uint16, usable ports.Ranges) *Pair {
	n := min(len(a), len(b))
	at := indexOf(usable)
	if n < leastPairs || at.size == 0 {
		return nil
	}
	a, b = a[:n], b[:n]
	p := &Pair{Pairs: n}
	var one, two int
	for i := range a {
		switch int(b[i]) - int(a[i]) {
		case 1:
			one++
		case 2:
			two++
		}
	}
	p.PlusOne, p.PlusTwo = share(one, n), share(two, n)
	p.SameStep, p.Chance = sameSteps(a, b, at)
	p.Correlation = correlation(differences(a), differences(b))
	// Steps between independent picks have an autocorrelation of -1/2 at lag 1,
	// which by Bartlett's formula makes the variance of r (1 + 2/4) / n.
	p.Bound = standardErrors * math.Sqrt(1.5/float64(n-1))
	p.judge()
	return p
}

// sameSteps counts steps around the range, so that one over its end is like any
// other.
func sameSteps(a, b []uint16, at *index) (same, chance float64) {
	step := func(seq []uint16, i int) int {
		from, _ := at.rank(seq[i-1]) // a port that is not usable counts as the first one
		to, _ := at.rank(seq[i])
		return (to - from + at.size) % at.size
	}
	n, equal := len(a)-1, 0
	ofA, ofB := map[int]int{}, map[int]int{}
	for i := 1; i <= n; i++ {
		x, y := step(a, i), step(b, i)
		ofA[x]++
		ofB[y]++
		if x == y {
			equal++
		}
	}
	for x, k := range ofA {
		chance += share(k, n) * share(ofB[x], n)
	}
	return share(equal, n), chance
}

func differences(seq []uint16) []float64 {
	d := make([]float64, len(seq)-1)
	for i := range d {
		d[i] = float64(seq[i+1]) - float64(seq[i])
	}
	return d
}

// correlation is Pearson's; 0 where one of the two does not vary.
func correlation(x, y []float64) float64 {
	var sx, sy float64
	for i := range x {
		sx += x[i]
		sy += y[i]
	}
	n := float64(len(x))
	var xx, yy, xy float64
	for i := range x {
		dx, dy := x[i]-sx/n, y[i]-sy/n
		xx += dx * dx
		yy += dy * dy
		xy += dx * dy
	}
	if xx == 0 || yy == 0 {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}

// judge decides, and says why.
func (p *Pair) judge() {
	switch {
	case p.PlusOne >= mostGuessed:
		p.Text = fmt.Sprintf("predictable: the pick toward the second target is the one toward the first + 1 in %s", percent(p.PlusOne))
	case p.PlusTwo >= mostGuessed:
		p.Text = fmt.Sprintf("predictable: the pick toward the second target is the one toward the first + 2 in %s", percent(p.PlusTwo))
	case p.SameStep >= mostGuessed:
		p.Text = fmt.Sprintf("predictable: both sequences make the same step in %s, and so keep their distance", percent(p.SameStep))
	case p.byChance() < unlikely:
		p.Text = fmt.Sprintf("not independent: both sequences make the same step in %s, by chance in %s", percent(p.SameStep), percent(p.Chance))
	case math.Abs(p.Correlation) > p.Bound:
		p.Text = fmt.Sprintf("not independent: the steps of both correlate, r = %.2f; by chance at most %.2f", p.Correlation, p.Bound)
	default:
		p.Independent = true
		p.Text = fmt.Sprintf("independent, as far as %d pairs can tell: the same step in %s (by chance in %s), r = %.2f",
			p.Pairs, percent(p.SameStep), percent(p.Chance), p.Correlation)
	}
}

// byChance is the chance of as many equal steps or more, where each is rare: the
// tail of the Poisson distribution, by the incomplete gamma function (Abramowitz
// and Stegun, 26.4.21).
func (p *Pair) byChance() float64 {
	steps := float64(p.Pairs - 1)
	equal := math.Round(p.SameStep * steps)
	if equal == 0 {
		return 1
	}
	return 1 - upperGamma(equal, p.Chance*steps)
}
