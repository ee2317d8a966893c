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
	PlusOne, PlusTwo   float64 // how often B's pick was A's + 1, + 2, around the range
	Independent        bool
	Text               string // the same in one sentence
}

// Thresholds of Across.
const (
	leastPairs     = 30       // fewer say nothing
	standardErrors = 3        // of a correlation: beyond them chance is no explanation, one case in 370
	mostGuessed    = 0.5      // from here on, and beyond chance, A tells B
	certain        = 1 - 1e-9 // a chance that is 1 but for rounding
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
		switch at.step(a[i], b[i]) {
		case at.short(1):
			one++
		case at.short(2):
			two++
		}
	}
	p.PlusOne, p.PlusTwo = share(one, n), share(two, n)
	p.SameStep, p.Chance = sameSteps(a, b, at)
	p.Correlation = correlation(differences(a), differences(b))
	// Steps between independent picks have an autocorrelation of -1/2 at lag 1,
	// which by Bartlett's formula makes the variance of r (1 + 2/4) / n.
	p.Bound = standardErrors * math.Sqrt(1.5/float64(n-1))
	p.judge(share(1, at.size))
	return p
}

// sameSteps counts steps around the range, so that one over its end is like any
// other.
func sameSteps(a, b []uint16, at *index) (same, chance float64) {
	stepsA, stepsB := at.steps(a), at.steps(b)
	n, equal := len(stepsA), 0
	ofA, ofB := map[int]int{}, map[int]int{}
	for i, x := range stepsA {
		y := stepsB[i]
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

// judge decides, and says why. named is the chance to guess a pick by naming any
// usable port.
func (p *Pair) judge(named float64) {
	steps := p.Pairs - 1
	moreEqual := beyond(p.SameStep, steps, p.Chance)
	switch {
	case p.PlusOne >= mostGuessed && beyond(p.PlusOne, p.Pairs, named):
		p.Text = fmt.Sprintf("predictable: the pick toward the second target is the one toward the first + 1 in %s", percent(p.PlusOne))
	case p.PlusTwo >= mostGuessed && beyond(p.PlusTwo, p.Pairs, named):
		p.Text = fmt.Sprintf("predictable: the pick toward the second target is the one toward the first + 2 in %s", percent(p.PlusTwo))
	case p.SameStep >= mostGuessed && moreEqual:
		p.Text = fmt.Sprintf("predictable: both sequences make the same step in %s, by chance in %s, and so keep their distance",
			percent(p.SameStep), percent(p.Chance))
	case moreEqual:
		p.Text = fmt.Sprintf("not independent: both sequences make the same step in %s, by chance in %s", percent(p.SameStep), percent(p.Chance))
	case math.Abs(p.Correlation) > p.Bound:
		p.Text = fmt.Sprintf("not independent: the steps of both correlate, r = %.2f; by chance at most %.2f", p.Correlation, p.Bound)
	case p.Chance >= certain:
		p.Independent = true
		p.Text = fmt.Sprintf("independent, as far as %d pairs can tell: %s guessed by the first + 1, %s by + 2; "+
			"the same step in 100 %% tells nothing, as it is 100 %% by chance: neither ever makes another", p.Pairs, percent(p.PlusOne), percent(p.PlusTwo))
	default:
		p.Independent = true
		p.Text = fmt.Sprintf("independent, as far as %d pairs can tell: the same step in %s (by chance in %s), r = %.2f",
			p.Pairs, percent(p.SameStep), percent(p.Chance), p.Correlation)
	}
}

// TellsMoreThan says whether the first target tells more of this pair's second than of the
// other's: by their verdicts, and of equal ones by the equal steps beyond chance.
func (p *Pair) TellsMoreThan(other *Pair) bool {
	if p.Independent != other.Independent {
		return other.Independent
	}
	return p.SameStep-p.Chance > other.SameStep-other.Chance
}

// beyond says whether a share of n trials is more than chance explains.
func beyond(part float64, n int, chance float64) bool {
	return atLeast(int(math.Round(part*float64(n))), n, chance) < Level
}
