package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"lastport/reports/figures"
	"lastport/reports/result"
)

// count writes a number in groups of three digits: 28,232.
func count(n int64) string { return figures.Grouped(n) }

// magnitude is |n|, which int64 cannot hold for its least value.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// signed is count with a plus sign for positive numbers.
func signed(n int64) string {
	if n > 0 {
		return "+" + count(n)
	}
	return count(n)
}

// duration writes nanoseconds with three digits: 12.6 µs, 4.88 ms, 9.86 s,
// 2 min 3 s.
func duration(ns int64) string {
	switch abs := magnitude(ns); {
	case abs < 1e3:
		return strconv.FormatInt(ns, 10) + " ns"
	case abs < 999_500:
		return digits3(float64(ns)/1e3) + " µs"
	case abs < 999_500_000:
		return digits3(float64(ns)/1e6) + " ms"
	case abs < 99_950_000_000:
		return digits3(float64(ns)/1e9) + " s"
	}
	s := int64(math.Round(float64(ns) / float64(time.Second)))
	if magnitude(s) < 3600 {
		return fmt.Sprintf("%d min %d s", s/60, magnitude(s%60))
	}
	return fmt.Sprintf("%s h %d min", count(s/3600), magnitude(s/60%60))
}

// digits3 writes a number below 1,000 with three digits, and others whole.
func digits3(v float64) string {
	switch abs := math.Abs(v); {
	case abs < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case abs < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case abs < 1e15:
		return count(int64(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// size writes bytes in powers of 1,024.
func size(n int64) string {
	v, unit := float64(n), "B"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if math.Abs(v) < 1000 {
			break
		}
		v, unit = v/1024, next
	}
	if unit == "B" {
		return count(n) + " B"
	}
	return digits3(v) + " " + unit
}

// percent writes a share.
func percent(share float64) string { return digits3(100*share) + " %" }

// signedPercent is percent with a plus sign for positive shares; nothing is 0.
func signedPercent(share float64) string {
	switch {
	case share > 0:
		return "+" + percent(share)
	case share == 0:
		return "0"
	}
	return percent(share)
}

// between writes an interval; its bounds once if they are the same.
func between(low, high string) string {
	if low == high {
		return low
	}
	return low + " to " + high
}

func counts(i result.Interval) string { return between(count(i.Min), count(i.Max)) }

// durations writes an interval of times, and a unit that both have once: 60.0 to
// 62.0 s.
func durations(i result.Interval) string {
	low, high := duration(i.Min), duration(i.Max)
	number, unit, _ := strings.Cut(low, " ")
	if strings.Count(high, " ") == 1 && strings.HasSuffix(high, " "+unit) && low != high {
		return number + " to " + high
	}
	return between(low, high)
}

// plural writes a number and a noun.
func plural(n int64, noun string) string { return figures.Counted(n, noun) }

// pluralOf is as many of a thing as an interval says.
func pluralOf(i result.Interval, noun string) string {
	if i.Max == 1 {
		return counts(i) + " " + noun
	}
	return counts(i) + " " + noun + "s"
}

// phrases joins what there is of the phrases.
func phrases(all ...string) string {
	var have []string
	for _, s := range all {
		if s != "" {
			have = append(have, s)
		}
	}
	return strings.Join(have, " · ")
}
