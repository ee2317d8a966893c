package picks

import (
	"math"
	"testing"

	"lastport/loadgen/ports"
)

// Percentage points of the chi-square distribution: NIST/SEMATECH e-Handbook of
// Statistical Methods, section 1.3.6.7.4, and Abramowitz and Stegun, table 26.8.
func TestUpperGammaAgainstTables(t *testing.T) {
	for _, c := range []struct {
		p  float64
		df int
		x  float64
	}{
		{0.05, 1, 3.841},
		{0.01, 1, 6.635},
		{0.001, 1, 10.828},
		{0.10, 5, 9.236},
		{0.05, 10, 18.307},
		{0.01, 30, 50.892},
		{0.05, 63, 82.529},
		{0.001, 100, 149.449},
		{0.95, 5, 1.145},
		{0.99, 20, 8.260},
		{0.975, 100, 74.222},
	} {
		// The tables have three decimals: p lies between those of their bounds.
		low := upperGamma(float64(c.df)/2, (c.x+0.0006)/2)
		high := upperGamma(float64(c.df)/2, (c.x-0.0006)/2)
		if !(low <= c.p && c.p <= high) {
			t.Errorf("chi-square %v, %d degrees: p in [%v, %v], want %v", c.x, c.df, low, high, c.p)
		}
	}
}

// Q(1, x) is exp(-x), and Q(1/2, x) is erfc(√x): DLMF 8.4.5 and 8.4.6.
func TestUpperGammaAgainstClosedForms(t *testing.T) {
	for _, x := range []float64{1e-9, 0.01, 0.5, 1, 1.5, 2, 3, 10, 50, 300, 700} {
		for _, c := range []struct{ a, want float64 }{{1, math.Exp(-x)}, {0.5, math.Erfc(math.Sqrt(x))}} {
			if got := upperGamma(c.a, x); math.Abs(got-c.want) > 1e-12*c.want {
				t.Errorf("Q(%v, %v) = %v, want %v", c.a, x, got, c.want)
			}
		}
	}
	if got := upperGamma(31.5, math.Inf(1)); got != 0 {
		t.Errorf("Q(31.5, ∞) = %v", got)
	}
	if got := upperGamma(31.5, 0); got != 1 {
		t.Errorf("Q(31.5, 0) = %v", got)
	}
}

// Q falls from 1 to 0 as x grows, without a step where the series gives way to
// the fraction.
func TestUpperGammaFalls(t *testing.T) {
	for _, a := range []float64{0.5, 1, 4.5, 31.5, 500} {
		last := 1.0
		for i := range 1000 {
			q := upperGamma(a, a*float64(i)/250)
			if !(q >= 0 && q <= last+1e-12) {
				t.Fatalf("Q(%v, %v) = %v after %v", a, a*float64(i)/250, q, last)
			}
			if step := last - q; step > 0.05 && i > 1 {
				t.Fatalf("Q(%v, %v) falls by %v at once", a, a*float64(i)/250, step)
			}
			last = q
		}
	}
}

// A die thrown 60 times, as textbooks have it: 5, 8, 9, 8, 10, 20 is a chi-square
// of 13.4 with 5 degrees of freedom, p = 0.0199.
func TestChiSquareOfADie(t *testing.T) {
	var c []class
	for _, n := range []int{5, 8, 9, 8, 10, 20} {
		c = append(c, class{ports: 1, picked: n})
	}
	got := chiSquare(Released, c, 6)
	if math.Abs(got.ChiSquare-13.4) > 1e-9 || got.DF != 5 || math.Abs(got.P-0.0199) > 0.00005 {
		t.Errorf("%+v", got)
	}
}

// Of held picks half of the ports are gone, so the counts vary half as much.
func TestHeldPicksVaryLess(t *testing.T) {
	c := []class{{ports: 51, picked: 20}, {ports: 50, picked: 30}}
	released, held := chiSquare(Released, c, 101), chiSquare(Held, c, 101)
	if want := released.ChiSquare * 100 / 51; math.Abs(held.ChiSquare-want) > 1e-9 {
		t.Errorf("held %v, want %v", held.ChiSquare, want)
	}
}

func TestClasses(t *testing.T) {
	seq := func(n int) []uint16 {
		s := make([]uint16, n)
		for i := range s {
			s[i] = uint16(1000 + i%1000)
		}
		return s
	}
	for _, c := range []struct {
		phase       Phase
		picks, size int
		df          int // -1: no test
	}{
		{Released, 0, 1000, -1},
		{Released, 9, 1000, -1}, // two classes would want ten
		{Released, 10, 1000, 1},
		{Released, 100, 1000, 19},
		{Released, 1000, 1000, 63},
		{Released, 100_000, 1000, 63},
		{Released, 1000, 1, -1},
		{Released, 1000, 10, 4}, // each part is a pair
		{Released, 1000, 11, 5}, // the last is not
		{Released, 1000, 2, -1},
		{Held, 500, 1000, 63},
		{Held, 900, 1000, 19}, // as many as are left allow
		{Held, 999, 1000, -1},
		{Held, 1000, 1000, -1},
	} {
		df := -1
		usable := ports.Of(ports.Range{Low: 1000, High: uint16(1000 + c.size - 1)})
		if test := uniform(c.phase, seq(c.picks), indexOf(usable)); test != nil {
			df = test.DF
		}
		if df != c.df {
			t.Errorf("%d picks of %d ports, phase %d: %d degrees of freedom, want %d", c.picks, c.size, c.phase, df, c.df)
		}
	}
}

// Picks of one parity are judged by the test of parities alone.
func TestOneParityIsUniform(t *testing.T) {
	at := indexOf(ports.Of(ports.Range{Low: 1000, High: 1999}))
	var seq []uint16
	for i := range 65_000 {
		seq = append(seq, uint16(1000+i*2%1000))
	}
	if test := uniform(Released, seq, at); test.P < 0.999999 {
		t.Errorf("even ports in turn: %+v", test)
	}
	if test := parityTest(Released, seq, at); test.P > 1e-300 || test.DF != 1 || test.ChiSquare != 65_000 {
		t.Errorf("even ports alone: %+v", test)
	}
}

// Picks that are none of the usable ports are no data.
func TestPicksOutside(t *testing.T) {
	at := indexOf(ports.Of(ports.Range{Low: 1000, High: 1099}))
	if test := uniform(Released, make([]uint16, 500), at); test != nil {
		t.Errorf("%+v", test)
	}
}

func TestBirthday(t *testing.T) {
	for _, c := range []struct {
		n    int
		want float64
	}{{0, 0}, {1, 2}, {2, 2.5}, {365, 24.616585894}} { // the last: Knuth, section 6.4, of birthdays
		if got := Birthday(c.n); math.Abs(got-c.want) > 1e-8 {
			t.Errorf("%d ports: %v, want %v", c.n, got, c.want)
		}
	}
}

// The place of a port is that among all usable ones, whatever lies between.
func TestIndexOfRangesWithGaps(t *testing.T) {
	usable, err := ports.Parse("7,100-103,2001-2003,65535")
	if err != nil {
		t.Fatal(err)
	}
	at := indexOf(usable)
	i, even := 0, 0
	for p := range usable.All() {
		if rank, ok := at.rank(p); !ok || rank != i {
			t.Errorf("port %d: %d, %v, want %d", p, rank, ok, i)
		}
		if i++; p%2 == 0 {
			even++
		}
	}
	if at.size != i || at.even != even || at.ofParity(7) != i-even {
		t.Errorf("%d ports, %d even; want %d and %d", at.size, at.even, i, even)
	}
	for _, p := range []uint16{0, 6, 8, 99, 104, 2000, 65534} {
		if rank, ok := at.rank(p); ok {
			t.Errorf("port %d has place %d", p, rank)
		}
	}
}
