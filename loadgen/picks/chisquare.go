package picks

import "math"

// Test is a chi-square test of counts against what was expected.
type Test struct {
	ChiSquare float64
	DF        int     // degrees of freedom: one less than there are classes
	P         float64 // chance of so large a statistic, or a larger one, if picks were as expected
}

// Level is the significance that the sentences use: a test with a smaller P says
// that picks are not as expected, and one with P above 1 - Level that they are
// spread more evenly than independent picks are. It is low as one survey makes
// several tests.
const Level = 0.001

// Bounds of the classes of a test.
const (
	leastExpected = 5  // in each class: the usual rule for the statistic to be distributed as chi-square
	mostClasses   = 64 // parts of the range
)

// uniform tests picks over equal parts of the range: as many parts as there are
// picks for. Each is pairs of neighbours, so that picks of one parity alone, which
// the other test is for, are no reason to fail this one.
func uniform(phase Phase, seq []uint16, at *index) *Test {
	pairs := (at.size + 1) / 2
	classes := min(mostClasses, pairs)
	smallest := func() int { return 2*(pairs/classes) - at.size%2 }
	for classes > 1 && !enough(phase, len(seq), at.size, smallest()) {
		classes--
	}
	if classes < 2 {
		return nil
	}
	part := func(rank int) int { return rank / 2 * classes / pairs }
	c := make([]class, classes)
	for rank := range at.size {
		c[part(rank)].ports++
	}
	count(c, seq, at, func(_ uint16, rank int) int { return part(rank) })
	return chiSquare(phase, c, at.size)
}

// parityTest tests whether even and odd ports are picked alike.
func parityTest(phase Phase, seq []uint16, at *index) *Test {
	c := []class{{ports: at.even}, {ports: at.size - at.even}}
	if !enough(phase, len(seq), at.size, min(c[0].ports, c[1].ports)) {
		return nil
	}
	count(c, seq, at, func(p uint16, _ int) int { return int(p % 2) })
	return chiSquare(phase, c, at.size)
}

// enough says whether a class of so many ports can be expected to get enough
// picks; and of held picks, which leave ports over, to leave enough.
func enough(phase Phase, picks, size, ports int) bool {
	if size == 0 || picks*ports < leastExpected*size {
		return false
	}
	return phase == Released || (size-picks)*ports >= leastExpected*size
}

// class is one class of a test.
type class struct{ ports, picked int }

func count(c []class, seq []uint16, at *index, of func(port uint16, rank int) int) {
	for _, p := range seq {
		if rank, ok := at.rank(p); ok {
			c[of(p, rank)].picked++
		}
	}
}

// chiSquare is Pearson's statistic. Held picks are drawn without replacement:
// their counts vary less, by (size - picks) / (size - 1), the variance of the
// multivariate hypergeometric distribution over that of the multinomial. It is nil
// if no pick is among the classes.
func chiSquare(phase Phase, c []class, size int) *Test {
	picks := 0
	for _, k := range c {
		picks += k.picked
	}
	if picks == 0 {
		return nil
	}
	x := 0.0
	for _, k := range c {
		expected := float64(picks) * share(k.ports, size)
		d := float64(k.picked) - expected
		x += d * d / expected
	}
	if phase == Held {
		x *= share(size-1, size-picks)
	}
	df := len(c) - 1
	return &Test{x, df, upperGamma(float64(df)/2, x/2)}
}

// upperGamma returns the regularised incomplete gamma function Q(a, x), for a > 0
// and x >= 0: by its series (DLMF 8.11.4) below a + 1, and by its continued
// fraction (DLMF 8.9.2) above, where each converges fast.
func upperGamma(a, x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x <= 0:
		return 1
	case math.IsInf(x, 1):
		return 0
	}
	logGamma, _ := math.Lgamma(a)
	front := math.Exp(a*math.Log(x) - x - logGamma)
	if x < a+1 {
		return 1 - front*gammaSeries(a, x)
	}
	return front * gammaFraction(a, x)
}

// Both stop when a term changes nothing. They need about √a terms; the bound is
// never met.
const (
	precision = 1e-15
	mostTerms = 100_000
)

func gammaSeries(a, x float64) float64 {
	term := 1 / a
	sum := term
	for n := 1.0; n < mostTerms && term > precision*sum; n++ {
		term *= x / (a + n)
		sum += term
	}
	return sum
}

// gammaFraction goes by the modified Lentz method (Thompson and Barnett, Journal
// of Computational Physics 64, 1986).
func gammaFraction(a, x float64) float64 {
	const tiny = 1e-300
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for n := 1.0; n < mostTerms; n++ {
		an := n * (a - n)
		b += 2
		d = 1 / nonZero(b+an*d, tiny)
		c = nonZero(b+an/c, tiny)
		h *= c * d
		if math.Abs(c*d-1) < precision {
			break
		}
	}
	return h
}

func nonZero(v, tiny float64) float64 {
	if math.Abs(v) < tiny {
		return tiny
	}
	return v
}
