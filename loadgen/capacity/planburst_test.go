package capacity

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Bursts worked by hand, on 28,232 ports that are back after 60 to 62.048 s.
func TestBurst(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name    string
		rate    float64
		burst   Burst
		tuples  Interval[int64]
		holds   bool
		lasts   Interval[time.Duration] // to the millisecond
		every   time.Duration           // likewise
		targets int
	}{
		{
			name: "one that fits", rate: 200, burst: Burst{Rate: 2000, Time: 5 * s},
			// 200 × 55 + 2,000 × 5 to 200 × 57.048 + 2,000 × 5
			tuples: Interval[int64]{21_000, 21_410}, holds: true,
			// (28,232 − 200 × 62.048) ÷ 1,800 and (28,232 − 200 × 60) ÷ 1,800
			lasts: Interval[time.Duration]{8790 * time.Millisecond, 9017 * time.Millisecond},
			// of the next one 62.048 − P seconds are within: 200 × 57.048 + 2,000 × 5 + 1,800 × (62.048 − P) = 28,232
			every: 58258 * time.Millisecond, targets: 1,
		},
		{
			name: "too long", rate: 200, burst: Burst{Rate: 2000, Time: 20 * s},
			tuples: Interval[int64]{48_000, 48_410}, lasts: Interval[time.Duration]{8790 * time.Millisecond, 9017 * time.Millisecond}, targets: 2,
		},
		{
			name: "from nothing", burst: Burst{Rate: 1000, Time: 10 * s},
			tuples: Interval[int64]{10_000, 10_000}, holds: true,
			lasts: Interval[time.Duration]{28232 * time.Millisecond, 28232 * time.Millisecond},
			// 1,000 × (10 + 10) are held at once, and 8,232 of a third when it begins 53.816 s after the first
			every: 26908 * time.Millisecond, targets: 1,
		},
		{
			name: "one that can go on for ever", burst: Burst{Rate: 400, Time: 10 * s},
			tuples: Interval[int64]{4000, 4000}, holds: true, lasts: Interval[time.Duration]{Endless, Endless}, every: 10 * s, targets: 1,
		},
		{
			name: "every 20 s: three of them at once, and a part of the fourth", burst: Burst{Rate: 1000, Time: 5 * s, Every: 20 * s},
			tuples: Interval[int64]{15_000, 17_048}, holds: true,
			// two before it are within: 1,000 × (5 + 5 + 18.232); of the sixth 62.048 − 5 × P = 3.232 s are
			lasts: Interval[time.Duration]{18232 * time.Millisecond, 18232 * time.Millisecond}, every: 11763 * time.Millisecond, targets: 1,
		},
		{
			name: "on a rate that holds by luck alone", rate: 460, burst: Burst{Rate: 1000, Time: s},
			tuples: Interval[int64]{28_140, 29_083}, lasts: Interval[time.Duration]{0, 1170 * time.Millisecond}, targets: 2,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := linux250()
			w.Rate, w.Burst = c.rate, c.burst
			p, err := NewPlan(w)
			if err != nil {
				t.Fatal(err)
			}
			if p.Demand.Tuples != c.tuples || p.Demand.Holds != c.holds || p.Demand.Needed.Targets != c.targets {
				t.Errorf("%+v", p.Demand)
			}
			lasts := Interval[time.Duration]{p.Burst.Lasts.Min.Truncate(time.Millisecond), p.Burst.Lasts.Max.Truncate(time.Millisecond)}
			if p.Burst.Lasts.Min == Endless {
				lasts = p.Burst.Lasts
			}
			if lasts != c.lasts {
				t.Errorf("lasts %v, want %v", lasts, c.lasts)
			}
			if got := p.Burst.Every; got.Round(time.Millisecond) != c.every {
				t.Errorf("every %v, want %v", got, c.every)
			}
			if want := (Interval[time.Duration]{60 * time.Second, 62048 * time.Millisecond}); p.Burst.Back != want {
				t.Errorf("back %v, want %v", p.Burst.Back, want)
			}
		})
	}
}

func TestBurstRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   func(*Wish)
		error string
	}{
		{"slower than the rate", func(w *Wish) { w.Rate, w.Burst = 200, Burst{Rate: 100, Time: time.Second} }, "a burst of 100 per second is none"},
		{"longer than its period", func(w *Wish) { w.Burst = Burst{Rate: 100, Time: time.Second, Every: time.Second} }, "never ends"},
		{"beside connections that stay", func(w *Wish) { w.Open, w.Burst = 100, Burst{Rate: 100, Time: time.Second} }, "how long the burst's own stay is not said"},
		{"too fast", func(w *Wish) { w.Burst = Burst{Rate: MaxRate, Time: time.Hour} }, "no range can hold that"},
	} {
		w := linux250()
		c.set(&w)
		_, err := NewPlan(w)
		if refused, ok := errors.AsType[*wishError](err); !ok || !strings.Contains(err.Error(), c.error) || refused.Hint() == "" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// arrivals are the times of attempts that are due whenever the integral of the
// rate reaches a whole number, from a phase on, by adding it up in small steps.
func arrivals(w Wish, phase float64, step, until time.Duration) (times []time.Duration) {
	due := phase
	for at := time.Duration(0); at < until; at += step {
		rate := w.Rate
		if b := w.Burst; at < b.Time || b.Every > 0 && at%b.Every < b.Time {
			rate = b.Rate
		}
		due += rate * step.Seconds()
		for ; due >= 1; due-- {
			times = append(times, at)
		}
	}
	return times
}

// peak is the most of them that any time d has.
func peak(times []time.Duration, d time.Duration) (most int) {
	first := 0
	for i, at := range times {
		for at-times[first] >= d {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// A simulation that adds up attempt after attempt finds no more than the
// arithmetic says, and by the right phase as many, less one.
func TestBurstPeakIsThatOfASimulation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const step = time.Millisecond
		millis := func(low, high int, name string) time.Duration {
			return time.Duration(rapid.IntRange(low, high).Draw(t, name)) * step
		}
		w := Wish{Rate: float64(rapid.IntRange(0, 50).Draw(t, "rate"))}
		w.Burst = Burst{Rate: w.Rate + float64(rapid.IntRange(1, 200).Draw(t, "more")), Time: millis(1, 400, "time")}
		if rapid.Bool().Draw(t, "again") {
			w.Burst.Every = w.Burst.Time + millis(1, 600, "pause")
		}
		taken := millis(1, 1500, "taken")
		want := w.within(taken)
		most := 0
		for _, phase := range []float64{0, 0.25, 0.5, 0.75, 0.999} {
			most = max(most, peak(arrivals(w, phase, step, 2*taken+3*(w.Burst.Every+w.Burst.Time)), taken))
		}
		// A step puts what falls into it at its begin, so one of the burst's steps is
		// more at most.
		grain := w.Burst.Rate*step.Seconds() + 1e-6
		if float64(most) > math.Ceil(want+grain) {
			t.Fatalf("%d are held at once, by the arithmetic %v", most, want)
		}
		if float64(most) < math.Floor(want-grain) {
			t.Fatalf("no phase has more than %d at once, by the arithmetic %v", most, want)
		}
	})
}

// The longest burst and the shortest period, put back into the wish, hold; a
// little more, or a little sooner, does not.
func TestBurstBoundsAreTight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := genWish(t)
		w.Open, w.Headroom = 0, 0
		w.Rate = rapid.Float64Range(0, 1000).Draw(t, "steady")
		w.Burst = Burst{
			Rate: w.Rate + rapid.Float64Range(1, 1e5).Draw(t, "more"),
			Time: time.Duration(rapid.IntRange(1, 100_000).Draw(t, "time")) * time.Millisecond,
		}
		p, err := NewPlan(w)
		if err != nil {
			return
		}
		a := Predict(p.Wish.Question)
		holds := func(b Burst) bool {
			try := p.Wish
			try.Burst = b
			return try.holds(a)
		}
		const little = time.Millisecond
		if longest := p.Burst.Lasts.Min; longest != Endless {
			if b := (Burst{Rate: w.Burst.Rate, Time: longest}); longest > 0 && !holds(b) {
				t.Fatalf("a burst of %v does not hold", longest)
			}
			if holds(Burst{Rate: w.Burst.Rate, Time: longest + little}) {
				t.Fatalf("a burst that is longer than %v holds", longest)
			}
		}
		shortest := p.Burst.Every
		switch {
		case shortest == 0:
			if p.Demand.Holds {
				t.Fatal("one holds, but no two")
			}
		case !holds(Burst{w.Burst.Rate, w.Burst.Time, shortest}):
			t.Fatalf("every %v does not hold", shortest)
		case shortest > w.Burst.Time+little && holds(Burst{w.Burst.Rate, w.Burst.Time, shortest - little}):
			t.Fatalf("sooner than every %v holds", shortest)
		}
		if p.Burst.Lasts.Min > p.Burst.Lasts.Max {
			t.Fatalf("%+v", p.Burst.Lasts)
		}
	})
}

// What is taken when one of many bursts begins, and when it lasts as long as it
// can, is what has begun since the ports that are back by then were taken.
func TestBurstAmongOthers(t *testing.T) {
	w := linux250()
	w.Rate, w.Burst = 200, Burst{Rate: 2000, Time: 5 * time.Second, Every: time.Minute}
	p, err := NewPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	// 200 × 60 + 1,800 × 5 to 200 × 62.048 + 1,800 × 5
	if want := (Interval[int64]{21_000, 21_410}); p.Burst.Before != want {
		t.Errorf("before %v, want %v", p.Burst.Before, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		const tick = 10 * time.Millisecond
		ticks := func(low, high int, name string) time.Duration {
			return time.Duration(rapid.IntRange(low, high).Draw(t, name)) * tick
		}
		b := Burst{Rate: float64(rapid.IntRange(101, 1000).Draw(t, "burst")), Time: ticks(1, 200, "time")}
		b.Every = b.Time + ticks(1, 200, "pause")
		w := Wish{Rate: float64(rapid.IntRange(0, 100).Draw(t, "rate")), Burst: b}
		reuse, into := ticks(1, 1000, "reuse"), ticks(0, 300, "into")
		var taken float64 // counted one tick after the other, back from now
		for ago := time.Duration(0); ago < reuse; ago += tick {
			rate := w.Rate
			before := ago - into // this burst began
			if before < 0 || (b.Every-before%b.Every-tick) < b.Time {
				rate = b.Rate
			}
			taken += rate * tick.Seconds()
		}
		if got := w.held(into, reuse, math.Inf(1)); math.Abs(got-taken) > 1e-6*max(1, taken) {
			t.Fatalf("%v, want %v", got, taken)
		}
	})
}
