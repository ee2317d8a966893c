package main

import (
	"math"
	"slices"
	"testing"
	"time"

	"lastport/loadgen/capacity"
)

func TestParseShares(t *testing.T) {
	for _, c := range []struct {
		text string
		want []float64
	}{
		{"70%,20%,10%", []float64{0.7, 0.2, 0.1}},
		{"7,2,1", []float64{0.7, 0.2, 0.1}},
		{" 3 , 1 ", []float64{0.75, 0.25}},
		{"1", []float64{1}},
		{"33.5%,33.5%,33.5%", []float64{1.0 / 3, 1.0 / 3, 1.0 / 3}},
		{"70%,20%", []float64{0.7, 0.2}}, // refused by the plan, which says what is wrong
		{"70%,20,10", nil},
		{"", nil},
		{"1,,2", nil},
		{"1,0", nil},
		{"1,-1", nil},
		{"nan,1", nil},
		{"1e308,1e308", nil},
		{"1e300,1e-300", nil},
	} {
		got, ok := parseShares(c.text)
		near := func(a, b float64) bool { return math.Abs(a-b) < 1e-3 }
		if ok != (c.want != nil) || !slices.EqualFunc(got, c.want, near) {
			t.Errorf("%q: %v, %v; want %v", c.text, got, ok, c.want)
		}
	}
}

func TestParseBurst(t *testing.T) {
	for _, c := range []struct {
		text string
		want capacity.Burst
	}{
		{"2000/s:5s", capacity.Burst{Rate: 2000, Time: 5 * time.Second}},
		{"3M/m:1m30s:1h", capacity.Burst{Rate: 50_000, Time: 90 * time.Second, Every: time.Hour}},
		{"2k:500ms", capacity.Burst{Rate: 2000, Time: 500 * time.Millisecond}},
		{"2000", capacity.Burst{}},
		{"2000:5", capacity.Burst{}},
		{"0:5s", capacity.Burst{}},
		{"2000:-5s", capacity.Burst{}},
		{"2000:5s:0s", capacity.Burst{}},
		{"2000:5s:1m:1h", capacity.Burst{}},
		{":5s", capacity.Burst{}},
	} {
		got, ok := parseBurst(c.text)
		if ok != (c.want.Rate > 0) || ok && got != c.want {
			t.Errorf("%q: %+v, %v; want %+v", c.text, got, ok, c.want)
		}
	}
}

// Whatever is typed is either refused or something that a plan can be made of.
func FuzzPlanParts(f *testing.F) {
	for _, s := range []string{"70%,20%,10%", "7,2,1", "2000/s:5s:1m", "1e400", "%,%", "::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if shares, ok := parseShares(s); ok {
			for _, share := range shares {
				if !(share > 0) || math.IsInf(share, 0) {
					t.Fatalf("%q: %v", s, shares)
				}
			}
		}
		if b, ok := parseBurst(s); ok && (!(b.Rate > 0) || b.Time <= 0 || b.Every < 0) {
			t.Fatalf("%q: %+v", s, b)
		}
	})
}
