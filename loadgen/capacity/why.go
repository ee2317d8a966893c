package capacity

import (
	"fmt"
	"time"

	"lastport/loadgen/ports"
)

func (a *Answer) why(format string, args ...any) { a.Why = append(a.Why, fmt.Sprintf(format, args...)) }

// String writes "1000", or "1000 to 1001" if the interval is not exact.
func (i Interval[T]) String() string {
	if i.Exact() {
		return fmt.Sprint(i.Min)
	}
	return fmt.Sprintf("%v to %v", i.Min, i.Max)
}

// count writes "1 port" or "28 ports".
func count(s ports.Ranges) string {
	if s.Size() == 1 {
		return "1 port"
	}
	return fmt.Sprintf("%d ports", s.Size())
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
