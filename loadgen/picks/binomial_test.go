package picks

import (
	"math"
	"testing"
)

func TestAtLeast(t *testing.T) {
	for _, c := range []struct {
		k, n int
		p    float64
		want float64
	}{
		{9, 10, 0.5, 11. / 1024},
		{10, 10, 0.5, 1. / 1024},
		{2, 3, 0.1, 0.028},
		{1, 100, 0.001, 1 - math.Pow(0.999, 100)},
		{30, 30, 0.001, 1e-90},
		{5, 10, 0.5, 1}, // no more than expected
		{0, 10, 0, 1},
		{1, 10, 0, 0},
		{10, 10, 1, 1},
		{11, 10, 0.5, 0},
	} {
		if got := atLeast(c.k, c.n, c.p); math.Abs(got-c.want) > 1e-9*c.want {
			t.Errorf("%d of %d at %v: %v, want %v", c.k, c.n, c.p, got, c.want)
		}
	}
	// Rare events are as Poisson's, whose tail is an incomplete gamma function.
	if got, want := atLeast(12, 1_000_000, 3e-6), 1-upperGamma(12, 3); math.Abs(got-want) > 1e-3*want {
		t.Errorf("%v, by Poisson %v", got, want)
	}
}
