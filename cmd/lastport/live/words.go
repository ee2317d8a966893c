package live

import (
	"math"
	"strconv"
	"strings"
	"time"

	"lastport/reports/figures"
)

// count writes a number in groups of three digits: 28,232.
func count(n int64) string { return figures.Grouped(n) }

// perSecond writes a rate.
func perSecond(v float64) string { return count(int64(math.Round(min(v, 1e15)))) + "/s" }

// latency writes nanoseconds with three digits.
func latency(ns int64) string {
	v, unit := float64(ns), "ns"
	for _, next := range []string{"µs", "ms", "s"} {
		if v < 999.5 {
			break
		}
		v, unit = v/1000, next
	}
	if v >= 999.5 {
		return count(int64(v)) + " " + unit
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'g', 3, 64), ".") + " " + unit
}

// elapsed writes a time to the second: 7 s, 2 min 3 s, 4 h 0 min.
func elapsed(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return count(s) + " s"
	case s < 3600:
		return count(s/60) + " min " + count(s%60) + " s"
	}
	return count(s/3600) + " h " + count(s/60%60) + " min"
}

// percent writes a share, rounded down: what is not full is not 100 %.
func percent(share float64) string {
	return strconv.FormatFloat(math.Floor(share*1000+1e-9)/10, 'f', 1, 64) + " %"
}
