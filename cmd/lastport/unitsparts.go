package main

import (
	"math"
	"strings"
	"time"

	"lastport/loadgen/capacity"
)

// sharesForm and burstForm say what is taken as such.
const (
	sharesForm = "a share for each target, all in percent that add up to 100 %, or all as weights: 70%,20%,10% or 7,2,1"
	burstForm  = "RATE:TIME or RATE:TIME:EVERY, such as 2000/s:5s or 2000/s:5s:1m"
)

// parseShares reads percent or weights, and returns shares that add up to 1:
// percent may be rounded, with a hundredth too much or too little. By more they
// stay as they are, for the plan to refuse.
func parseShares(s string) ([]float64, bool) {
	words := strings.Split(s, ",")
	percent := strings.Contains(s, "%")
	var shares []float64
	sum := 0.0
	for _, word := range words {
		number, has := strings.CutSuffix(strings.TrimSpace(word), "%")
		v, ok := parseDecimal(strings.TrimSpace(number))
		if !ok || has != percent || !(v > 0) || math.IsInf(v, 0) {
			return nil, false
		}
		shares = append(shares, v)
		sum += v
	}
	if math.IsInf(sum, 0) {
		return nil, false
	}
	if percent && math.Abs(sum-100) > 1 {
		sum = 100
	}
	for i := range shares {
		if shares[i] /= sum; shares[i] == 0 {
			return nil, false
		}
	}
	return shares, true
}

// parseBurst reads a rate, how long it lasts, and perhaps how often it comes.
func parseBurst(s string) (b capacity.Burst, ok bool) {
	words := strings.Split(s, ":")
	if len(words) != 2 && len(words) != 3 {
		return b, false
	}
	if b.Rate, ok = parseRate(words[0]); !ok || !(b.Rate > 0) {
		return b, false
	}
	if b.Time, ok = parseTime(words[1]); !ok {
		return b, false
	}
	if len(words) == 3 {
		b.Every, ok = parseTime(words[2])
	}
	return b, ok
}

// parseTime reads a time with its unit, above 0.
func parseTime(s string) (time.Duration, bool) {
	d, err := time.ParseDuration(s)
	return d, err == nil && d > 0
}
