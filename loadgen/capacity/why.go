package capacity

import (
	"fmt"
	"math"
	"time"

	"lastport/loadgen/ports"
	"lastport/reports/figures"
)

func (a *Answer) why(format string, args ...any) { a.Why = append(a.Why, fmt.Sprintf(format, args...)) }

// String writes "1,000", or "1,000 to 1,001" if the interval is not exact.
func (i Interval[T]) String() string {
	text := func(v T) string {
		if n, ok := any(v).(int64); ok {
			return figures.Grouped(n)
		}
		return fmt.Sprint(v)
	}
	if i.Exact() {
		return text(i.Min)
	}
	return text(i.Min) + " to " + text(i.Max)
}

// perSecond writes a rate: a whole one as a count.
func perSecond(rate float64) string {
	if rate == math.Trunc(rate) && math.Abs(rate) < 1<<53 {
		return figures.Grouped(int64(rate))
	}
	return fmt.Sprint(rate)
}

// noun is the singular or the plural of a word.
func noun(n int64, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// count writes "1 port" or "28 ports".
func count(s ports.Ranges) string {
	n := int64(s.Size())
	return figures.Grouped(n) + " " + noun(n, "port")
}

// list names the ports, the first few ranges if they are many.
func list(s ports.Ranges) string {
	const few = 6
	if len(s) <= few {
		return s.String()
	}
	return fmt.Sprintf("%s and %d more", s[:few], s[few:].Size())
}

// sums lists when the timers end, each set when the one before ends: the first,
// and the next few that end before the given time.
func sums(timer func(n int) time.Duration, before time.Duration) string {
	const few = 10
	at := timer(1)
	text := at.String()
	for n := 2; ; n++ {
		at += timer(n)
		switch {
		case at >= before:
			return text
		case n > few:
			return text + " and so on"
		}
		text += ", " + at.String()
	}
}

// round keeps two decimals of a second, as many as a reader of a minute wants.
func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
