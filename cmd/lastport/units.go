package main

import (
	"math"
	"strconv"
	"strings"
)

// rateForm, countForm and shareForm say what is taken as such.
const (
	rateForm  = "a number per second, minute or hour, such as 2000, 1.5k/s, 50k/s or 3M/m"
	countForm = "a whole number, such as 50000, 50k or 1.5M"
	shareForm = "a share in percent, such as 20%"
)

// parseRate reads a rate as people write it, and returns it per second: a
// number, perhaps in thousands (k) or millions (M), of a second unless /s, /m or
// /h says otherwise.
func parseRate(s string) (perSecond float64, ok bool) {
	number, unit, has := strings.Cut(s, "/")
	per := 1.0
	if has {
		switch unit {
		case "s":
		case "m":
			per = 60
		case "h":
			per = 3600
		default:
			return 0, false
		}
	}
	v, ok := parseNumber(number)
	return v / per, ok
}

// parseCount reads a whole number as people write it, perhaps in thousands (k)
// or millions (M), to 2^53, up to which every whole number is a float64.
func parseCount(s string) (int64, bool) {
	v, ok := parseNumber(s)
	if !ok || v != math.Trunc(v) || math.Abs(v) > 1<<53 {
		return 0, false
	}
	return int64(v), true
}

// parseShare reads percent, and returns 0.2 for 20%.
func parseShare(s string) (float64, bool) {
	number, found := strings.CutSuffix(s, "%")
	v, ok := parseDecimal(strings.TrimSpace(number))
	return v / 100, ok && found
}

func parseNumber(s string) (float64, bool) {
	factor := 1.0
	if n := len(s); n > 0 {
		switch s[n-1] {
		case 'k':
			factor, s = 1e3, s[:n-1]
		case 'M':
			factor, s = 1e6, s[:n-1]
		}
	}
	v, ok := parseDecimal(s)
	return v * factor, ok
}

// parseDecimal takes digits and a point, and what a wrong sign says of itself;
// strconv alone would take hexadecimal, underscores and words as well.
func parseDecimal(s string) (float64, bool) {
	if strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// grouped writes a number with commas between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
