package main

import (
	"math"
	"strconv"
	"strings"
)

// rateForm, countForm and shareForm say what is taken as such.
const (
	rateForm  = "a number per second, minute or hour, such as 2000, 2,000/s, 50k/s or 3M/m"
	countForm = "a whole number, such as 50000, 50k or 1.5M"
	shareForm = "a share in percent, such as 20%"
)

// parseRate reads a rate as people write it, and returns it per second: a
// number as parseNumber has it, of a second unless a unit says otherwise.
func parseRate(s string) (perSecond float64, ok bool) {
	number, unit, has := strings.Cut(s, "/")
	if !has {
		number, has = strings.CutSuffix(s, "rps")
		unit = "s"
	}
	per := 1.0
	if has {
		switch unit {
		case "s", "sec", "second":
		case "m", "min", "minute":
			per = 60
		case "h", "hour":
			per = 3600
		default:
			return 0, false
		}
	}
	v, ok := parseNumber(number)
	return v / per, ok
}

// asNumber is the number that a text begins with, as it was typed, for a hint
// that says the same in a form that is taken; fallback if there is none.
func asNumber(s, fallback string) string {
	number := s[:len(s)-len(strings.TrimLeft(s, "0123456789.,kKMG"))]
	if v, ok := parseNumber(number); ok && v > 0 {
		return number
	}
	return fallback
}

// parseCount reads a whole number as people write it, to 2^53, up to which every
// whole number is a float64.
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

// parseNumber reads a number, perhaps with commas between groups of three
// digits, or in thousands (k or K), millions (M) or billions (G).
func parseNumber(s string) (float64, bool) {
	factor := 1.0
	if n := len(s); n > 0 {
		switch s[n-1] {
		case 'k', 'K':
			factor, s = 1e3, s[:n-1]
		case 'M':
			factor, s = 1e6, s[:n-1]
		case 'G':
			factor, s = 1e9, s[:n-1]
		}
	}
	s, ok := ungroup(s)
	if !ok {
		return 0, false
	}
	v, ok := parseDecimal(s)
	return v * factor, ok
}

// ungroup takes out commas between groups of three digits; "1,5" has none.
func ungroup(s string) (string, bool) {
	groups := strings.Split(s, ",")
	for i, group := range groups {
		if len(groups) > 1 && (strings.Trim(group, "0123456789") != "" || group == "" || len(group) > 3 || i > 0 && len(group) != 3) {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
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
