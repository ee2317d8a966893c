package capacity

import (
	"fmt"
	"testing"
	"time"
)

// A listener that closes late keeps a port as long, but for an RST that waits for
// nobody.
func TestLinger(t *testing.T) {
	const late = 200 * time.Millisecond
	for _, test := range []struct {
		proto, close string
		want         Interval[time.Duration]
		rate         *Interval[float64] // of 100 ports
	}{
		{"tcp", "server-fin", Interval[time.Duration]{late, late + listenerWakes}, &Interval[float64]{100 / 0.202, 500}},
		{"tcp", "server-rst", Interval[time.Duration]{late, late + listenerWakes}, &Interval[float64]{100 / 0.202, 500}},
		{"tcp", "client-rst", Interval[time.Duration]{}, nil},
		{"tcp", "client-fin", Interval[time.Duration]{timeWait + late, timeWait + 2048*time.Millisecond + late + listenerWakes}, &Interval[float64]{100 / 62.25, 100 / 60.2}},
		{"udp", "client-fin", Interval[time.Duration]{}, nil},
	} {
		a := Predict(Question{
			Proto: test.proto, Strategy: traits(t, "socket-range"), Range: set(t, "40000-40099"), Sources: 1, Targets: 1,
			Close: test.close, Linger: late, Settings: Settings{HZ: 250},
		})
		if a.Reuse != test.want {
			t.Errorf("%s, %s: back after %v, want %v", test.proto, test.close, a.Reuse, test.want)
		}
		if got, want := fmt.Sprintf("%.6g", rateOf(a.Rate)), fmt.Sprintf("%.6g", rateOf(test.rate)); got != want {
			t.Errorf("%s, %s: %s per second, want %s", test.proto, test.close, got, want)
		}
	}
}

// rateOf is the zero interval where ports set no limit.
func rateOf(r *Interval[float64]) Interval[float64] {
	if r == nil {
		return Interval[float64]{}
	}
	return *r
}
