package capacity_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
)

// Of 200 ports an attempt tries 64 again: with the fourth all have been tried.
func TestPassedOver(t *testing.T) {
	for _, c := range []struct {
		high       uint16
		timestamps bool
		targets    int
		passed     int64
		least      float64 // connections per second
	}{
		{40199, false, 1, 3, 197 / 62.048},
		{40199, false, 2, 3, 394 / 62.048},
		{40063, false, 1, 0, 64 / 62.048},
		{40064, false, 1, 1, 64 / 62.048},
		{40199, true, 1, 0, 0}, // at once
	} {
		all := ports.Of(ports.Range{Low: 40000, High: c.high})
		s, err := strategy.New("random", strategy.Space{Ranges: all})
		if err != nil {
			t.Fatal(err)
		}
		a := capacity.Predict(capacity.Question{
			Strategy: s.Traits(), Range: all, Sources: 1, Targets: c.targets, Settings: capacity.Settings{HZ: 250, Timestamps: c.timestamps},
		})
		least := c.least
		if a.Rate != nil {
			least = a.Rate.Min
		}
		said := strings.Contains(strings.Join(a.Why, "\n"), "may pass over one that is back")
		if a.PassedOver != c.passed || math.Abs(least/c.least-1) > 1e-9 || said != (c.passed > 0) {
			t.Errorf("%+v: %d passed over, %v per second, why %q", c, a.PassedOver, least, a.Why)
		}
		if a.Rate == nil {
			continue
		}
		// At that rate none fails for long, and a course allows for what is passed over.
		course := a.Course(c.least*0.999, 0, 3*time.Minute)
		if !course.Sustained || course.NoPort.Max != 0 {
			t.Errorf("%+v: at the least rate %+v", c, course)
		}
		if at := a.Course(c.least*1.01, 0, 3*time.Minute); at.Sustained {
			t.Errorf("%+v: above the least rate %+v", c, at)
		}
	}
}
