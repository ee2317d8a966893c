package pace

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestConstantDue(t *testing.T) {
	const year = 365 * 24 * 3600
	for _, c := range []struct {
		perSecond float64
		n, due    int64
	}{
		{100, 0, 0},
		{100, 1, 10_000_000},
		{100, 1000, 10_000_000_000},
		{3, 1, 333_333_333},
		{3, 2, 666_666_666},
		{3, 3, 1_000_000_000}, // the roundings do not add up
		{0.5, 1, 2_000_000_000},
		{40_000, 40_000 * year, year * 1e9},
		{3, 3 * year, year * 1e9},
		{1e9, 1, 1},
		{1e-6, 1, 1e15},
		{1e-6, 9223, 9_223e15},
		{1e-6, 9224, math.MaxInt64},
		{1e-6, math.MaxInt64, math.MaxInt64},
		{1, math.MaxInt64, math.MaxInt64},
		{1e9, math.MaxInt64, math.MaxInt64},
		{100, -1, 0},
	} {
		p, err := NewConstant(c.perSecond)
		if err != nil {
			t.Errorf("rate %v: %v", c.perSecond, err)
			continue
		}
		if got := p.Due(c.n); got != c.due {
			t.Errorf("rate %v: attempt %d is due at %d, want %d", c.perSecond, c.n, got, c.due)
		}
		if p.Rate(c.due) != c.perSecond {
			t.Errorf("rate %v: says %v", c.perSecond, p.Rate(c.due))
		}
	}
}

func TestConstantIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perMegasecond := rapid.Int64Range(1, MaxPerSecond*micros).Draw(t, "rate")
		n := rapid.Int64Range(0, math.MaxInt64-1).Draw(t, "n")
		p := Constant{perMegasecond: uint64(perMegasecond)}
		want := new(big.Int).Mul(big.NewInt(n), big.NewInt(1e9*micros))
		want.Quo(want, big.NewInt(perMegasecond))
		if limit := big.NewInt(math.MaxInt64); want.Cmp(limit) > 0 {
			want = limit
		}
		if got := p.Due(n); got != want.Int64() {
			t.Fatalf("attempt %d at %d per megasecond: %d, want %v", n, perMegasecond, got, want)
		}
		if p.Due(n) > p.Due(n+1) {
			t.Fatalf("attempt %d is due after attempt %d", n, n+1)
		}
	})
}

func FuzzConstant(f *testing.F) {
	f.Add(100.0, int64(1))
	f.Add(0.000001, int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, perSecond float64, n int64) {
		p, err := NewConstant(perSecond)
		if err != nil {
			return
		}
		if due := p.Due(n); due < 0 || n > 0 && p.Due(n-1) > due {
			t.Fatalf("rate %v: attempt %d is due at %d, the one before at %d", perSecond, n, due, p.Due(n-1))
		}
	})
}

func TestRatesThatCannotBe(t *testing.T) {
	for _, rate := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1.1e9, 9e-7} {
		_, err := NewConstant(rate)
		var usage interface {
			Hint() string
			Usage() bool
		}
		if !errors.As(err, &usage) || !usage.Usage() || usage.Hint() != "--rate 100" {
			t.Errorf("rate %v: %v; want wrong usage", rate, err)
		}
	}
	_, err := NewConstant(-1)
	if want := "rate -1: not between 0.000001 and 1000000000 attempts per second"; err == nil || err.Error() != want {
		t.Errorf("rate -1: %v; want %s", err, want)
	}
}

func TestClosed(t *testing.T) {
	var p Pacer = Closed{}
	if p.Due(1_000_000) != 0 || p.Rate(5) != 0 {
		t.Error("the closed loop has a schedule")
	}
}

func TestBackoff(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		b    Backoff
		want []time.Duration
	}{
		{Backoff{Min: 10 * ms, Max: 100 * ms}, []time.Duration{10 * ms, 20 * ms, 40 * ms, 80 * ms, 100 * ms, 100 * ms}},
		{Backoff{Min: 10 * ms, Max: 10 * ms}, []time.Duration{10 * ms, 10 * ms}},
		{Backoff{Min: 10 * ms, Max: 40 * ms}, []time.Duration{10 * ms, 20 * ms, 40 * ms, 40 * ms}},
		{Backoff{Min: 10 * ms}, []time.Duration{10 * ms, 10 * ms}},
		{Backoff{}, []time.Duration{1, 1}}, // never 0: that would spin
		{Backoff{Min: math.MaxInt64 - 1, Max: math.MaxInt64}, []time.Duration{math.MaxInt64 - 1, math.MaxInt64, math.MaxInt64}},
	} {
		b := c.b
		for round := range 2 {
			for i, want := range c.want {
				if got := b.Next(); got != want {
					t.Errorf("%+v, round %d: delay %d is %v, want %v", c.b, round, i, got, want)
				}
			}
			b.Reset()
		}
	}
}
