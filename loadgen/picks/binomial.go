package picks

import "math"

// atLeast returns the chance of k and more successes in n trials of chance p each:
// the upper tail of the binomial distribution. Where k is no more than are expected
// it is 1, as no question here is about those.
func atLeast(k, n int, p float64) float64 {
	switch {
	case float64(k) <= float64(n)*p:
		return 1
	case p <= 0 || k > n:
		return 0
	}
	logChoices := logFactorial(n) - logFactorial(k) - logFactorial(n-k)
	term := math.Exp(logChoices + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	sum := term
	// Above the expected number each term is less than the one before.
	for j := k; j < n && term > precision*sum; j++ {
		term *= share(n-j, j+1) * p / (1 - p)
		sum += term
	}
	return min(1, sum)
}

func logFactorial(n int) float64 {
	v, _ := math.Lgamma(float64(n) + 1)
	return v
}
