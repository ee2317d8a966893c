package capacity

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Half of the ports serve half of what all sustain; what is beyond searches in
// vain.
func TestInVain(t *testing.T) {
	for _, c := range []struct{ occupancy, want float64 }{
		{0, 0}, {0.3, 0}, {0.5, 0}, {0.75, 1. / 3}, {1, 0.5}, {math.NaN(), 0},
	} {
		if got := InVain(c.occupancy); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v: %v, want %v", c.occupancy, got, c.want)
		}
	}
}

// What is planned to be taken, and how much of it is searched.
func TestLoad(t *testing.T) {
	reuse := func(w *Wish) { w.Settings.TWReuse = 1 }
	for _, c := range []struct {
		name      string
		set       func(*Wish)
		rate      float64
		occupancy float64
		inVain    float64
		closed    float64
	}{
		{"the rate to count on", func(*Wish) {}, 28232 / 62.048, 1, 0.5, 1},
		{"few of them", func(w *Wish) { w.Rate = 100 }, 100, 6204.8 / 28232, 0, 1},
		{"reused", func(w *Wish) { reuse(w); w.Rate = 20_000 }, 20_000, 20_040. / 28232, 1 - 14116/20_040., 1},
		{"held as long as closed", func(w *Wish) { w.Rate, w.Hold = 200, 62048*time.Millisecond }, 200, 200 * 124.096 / 28232, 1 - 14116/(200*124.096), 0.5},
		{"over the targets that it takes", func(w *Wish) { w.Rate = 2000 }, 2000, 2000 * 62.048 / (5 * 28232), 1 - 2.5*28232/(2000*62.048), 1},
		{"no parity", func(w *Wish) { w.Rate = 400; w.Strategy.Step = 1 }, 400, 400 * 62.048 / 28232, 0, 1},
		{"a burst: none comes back in it", func(w *Wish) { w.Burst = Burst{Rate: 4000, Time: 5 * time.Second} }, 4000, 20_000. / 28232, 1, 1},
		{"one on top of a rate", func(w *Wish) { w.Rate, w.Burst = 200, Burst{Rate: 2000, Time: 5 * time.Second} }, 2000, (200*57.048 + 10_000) / 28232, 0.9, 1},
		{"connections that stay", func(w *Wish) { w.Open = 20_000 }, 0, 20_000. / 28232, 0, 0},
		{"no limit by ports", func(w *Wish) { w.Close = "server-fin" }, 0, 1, 0, 0},
		{"two targets, one of them busy", func(w *Wish) { w.Rate, w.Shares = 500, []float64{0.8, 0.2} }, 500, 400 * 62.048 / 28232, 0.8 * (1 - 14116/(400*62.048)), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := linux250()
			w.Strategy.Step = 2
			c.set(&w)
			p, err := NewPlan(w)
			if err != nil {
				t.Fatal(err)
			}
			near := func(a, b float64) bool { return math.Abs(a-b) < 1e-3*max(1, b) }
			if l := p.Load; !near(l.Rate, c.rate) || !near(l.Occupancy, c.occupancy) || !near(l.InVain, c.inVain) || !near(l.Closed, c.closed) || l.Ports != 28232 {
				t.Errorf("%+v", *l)
			}
		})
	}
}

// A machine of a fleet has its part of the rate; where it is no Linux there is no
// search that is known.
func TestLoadOfAFleet(t *testing.T) {
	w := behind(System{Name: "gcp-nat", Reuse: 2 * time.Minute}, 10, 64)
	w.Rate = 20
	p, err := NewPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	if l := p.Load; l == nil || l.Rate != 2 || math.Abs(l.Occupancy-2*62.048/28232) > 1e-3 {
		t.Errorf("%+v", l)
	}
	if p, err = NewPlan(Wish{Question: Question{Range: set1024(), System: &System{Name: "freebsd", Reuse: time.Minute}}}); err != nil || p.Load != nil {
		t.Errorf("%+v, %v", p.Load, err)
	}
}

// Every way that gives more says what it asks of the search.
func TestLoadOfWays(t *testing.T) {
	w := linux250()
	w.Strategy.Step = 2
	p, err := NewPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range p.Ways {
		if want := way.Safe; way.Load == nil || !math.IsInf(want, 1) && way.Name != wayPooling && math.Abs(way.Load.Rate-want) > 1e-6*want {
			t.Errorf("%s: %+v, sustains %v", way.Name, way.Load, want)
		}
		if way.Name == wayTWReuse && way.Load.InVain != 0.5 {
			t.Errorf("%s: %+v", way.Name, *way.Load)
		}
	}
}

// As many connects as so many processors find a port for take just so many.
func TestMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Load{Rate: rapid.Float64Range(1, 1e6).Draw(t, "rate"), InVain: rapid.Float64Range(0, 1).Draw(t, "in vain")}
		first := rapid.Float64Range(1e-6, 1e-4).Draw(t, "first")
		second := first * rapid.Float64Range(1, 1000).Draw(t, "times")
		processors := rapid.Float64Range(0.1, 64).Draw(t, "processors")
		cheap := l.Rate * (1 - l.InVain)
		takes := func(rate float64) float64 { return min(rate, cheap)*first + max(0, rate-cheap)*second }
		most := l.Most(processors, first, second)
		switch {
		case math.IsInf(most, 1):
			if takes(l.Rate) > processors*(1+1e-9) {
				t.Fatalf("%v take %v", l.Rate, takes(l.Rate))
			}
		case most > l.Rate*(1+1e-9):
			t.Fatalf("%v of %v", most, l.Rate)
		case math.Abs(takes(most)-processors) > 1e-6*processors:
			t.Fatalf("%v take %v", most, takes(most))
		}
	})
}
