package curve

import (
	"testing"
	"time"
)

// A search past ports in TIME_WAIT takes longer, by as many as there are; only
// those that search in vain pay for it.
func TestSearch(t *testing.T) {
	const us = time.Microsecond
	knee := Reading{P50: 640 * us, Empty: 13 * us}
	for _, c := range []struct {
		name           string
		reading        Reading
		closed, inVain float64
		search, mean   time.Duration
	}{
		{"open connections", knee, 0, 0.5, 640 * us, 326500 * time.Nanosecond},
		{"all in TIME_WAIT", knee, 1, 0.5, 1768600 * time.Nanosecond, 890800 * time.Nanosecond},
		{"half of them", knee, 0.5, 0, 1204300 * time.Nanosecond, 640 * us},
		{"each in vain", knee, 1, 1, 1768600 * time.Nanosecond, 1768600 * time.Nanosecond},
		{"no search", Reading{P50: 13 * us, Empty: 13 * us}, 1, 0, 13 * us, 13 * us},
		{"not measured", Reading{}, 1, 0.5, 0, 0},
	} {
		search := c.reading.Search(c.closed)
		if mean := c.reading.Mean(c.inVain, search); search != c.search || mean != c.mean {
			t.Errorf("%s: %v and %v, want %v and %v", c.name, search, mean, c.search, c.mean)
		}
	}
}
