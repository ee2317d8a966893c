package loadgen

import (
	"testing"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/scenario"
)

// A return is off only if it cannot have been inside: whatever of the calls was
// held up, the port came back between AtLeast and AtMost.
func TestOff(t *testing.T) {
	const ms = int64(time.Millisecond)
	second := capacity.Interval[time.Duration]{Min: time.Second, Max: 1100 * time.Millisecond}
	for name, test := range map[string]struct {
		p    scenario.Return
		want float64
	}{
		"inside":               {scenario.Return{Closed: ms, Ended: 2 * ms, Taken: 1000 * ms, Free: 1010 * ms, Found: 1011 * ms}, 0},
		"a close held up":      {scenario.Return{Closed: 50 * ms, Ended: 51 * ms, Taken: 900 * ms, Free: 1000 * ms, Found: 1001 * ms}, 0},
		"a probe held up":      {scenario.Return{Closed: ms, Ended: ms, Taken: 900 * ms, Free: 990 * ms, Found: 1000 * ms}, 0},
		"too early":            {scenario.Return{Closed: ms, Ended: ms, Taken: 800 * ms, Free: 899 * ms, Found: 900 * ms}, -0.1},
		"a probe came late":    {scenario.Return{Closed: ms, Ended: 2 * ms, Taken: 1090 * ms, Free: 2000 * ms, Found: 2001 * ms}, 0},
		"too late":             {scenario.Return{Closed: ms, Ended: 2 * ms, Taken: 1212 * ms, Free: 1220 * ms, Found: 1221 * ms}, 0.1},
		"the other end closed": {scenario.Return{Closed: ms, Ended: 200 * ms, Taken: 1212 * ms, Free: 1220 * ms, Found: 1221 * ms}, 0},
	} {
		if got := off(&test.p, second); got < test.want-1e-9 || got > test.want+1e-9 {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
