package main

import (
	"math"
	"testing"
)

func TestUnits(t *testing.T) {
	const no = -1 // is not taken
	for _, c := range []struct {
		text               string
		rate, count, share float64
	}{
		{"2000", 2000, 2000, no},
		{"50k", 50_000, 50_000, no},
		{"1.5k", 1500, 1500, no},
		{"1.5M", 1_500_000, 1_500_000, no},
		{"50k/s", 50_000, no, no},
		{"3M/m", 50_000, no, no},
		{"7200/h", 2, no, no},
		{"0.5", 0.5, no, no},
		{"1e3", 1000, 1000, no},
		{"20%", no, no, 0.2},
		{"0%", no, no, 0},
		{"12.5%", no, no, 0.125},
		{"", no, no, no},
		{"k", no, no, no},
		{"%", no, no, no},
		{"/s", no, no, no},
		{"50k/", no, no, no},
		{"120/min", 2, no, no},
		{"50/s/s", no, no, no},
		{"50K", 50_000, 50_000, no},
		{"50K/s", 50_000, no, no},
		{"1G/s", 1e9, no, no},
		{"2,000/s", 2000, no, no},
		{"1,234,567", 1_234_567, 1_234_567, no},
		{"2,00", no, no, no},
		{"1,5", no, no, no},
		{",000", no, no, no},
		{"1,0000", no, no, no},
		{"2000rps", 2000, no, no},
		{"2k/sec", 2000, no, no},
		{"rps", no, no, no},
		{"5rps/s", no, no, no},
		{"50kk", no, no, no},
		{"5 0", no, no, no},
		{"nan", no, no, no},
		{"inf", no, no, no},
		{"0x10", no, no, no},
		{"1_000", no, no, no},
		{"1e400", no, no, no},
		{"9007199254740993", 9007199254740992, 9007199254740992, no},
		{"99999M", 99_999_000_000, 99_999_000_000, no},
		{"1e17", 1e17, no, no},
	} {
		for _, reader := range []struct {
			name string
			read func(string) (float64, bool)
			want float64
		}{
			{"rate", parseRate, c.rate},
			{"count", func(s string) (float64, bool) { n, ok := parseCount(s); return float64(n), ok }, c.count},
			{"share", parseShare, c.share},
		} {
			if got, ok := reader.read(c.text); ok != (reader.want != no) || ok && got != reader.want {
				t.Errorf("%s %q: %v, %v; want %v", reader.name, c.text, got, ok, reader.want)
			}
		}
	}
}

func TestHintRepeatsTheNumber(t *testing.T) {
	for typed, want := range map[string]string{
		"2000/d": "2000", "50k/day": "50k", "2,000 per second": "2,000", "banana": "7", "": "7", "-5": "7", "2,00": "7", "0/d": "7",
	} {
		if got := asNumber(typed, "7"); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

// Whatever is typed, what is taken is a number, and a count is the rate of the
// same text.
func FuzzUnits(f *testing.F) {
	for _, s := range []string{"50k/s", "1.5M", "20%", "-1", "1e400", "0x1p-2/h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rate, isRate := parseRate(s)
		n, isCount := parseCount(s)
		share, isShare := parseShare(s)
		for _, v := range []float64{rate, share} {
			if (isRate || isShare) && (math.IsNaN(v) || math.IsInf(v, 0)) {
				t.Errorf("%q: %v", s, v)
			}
		}
		if isCount && (!isRate || float64(n) != rate) {
			t.Errorf("%q: count %d, rate %v, %v", s, n, rate, isRate)
		}
		if isRate && isShare {
			t.Errorf("%q is a rate and a share", s)
		}
	})
}
