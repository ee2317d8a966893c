package capacity

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func ptr[T any](v T) *T { return &v }

// 1,000 ports of which no more than the given number may be in TIME_WAIT.
func TestFewTimeWaits(t *testing.T) {
	for _, c := range []struct {
		name      string
		most      *int64
		hold      time.Duration
		set       func(*Question)
		rate      float64 // at which a course of 20 s is
		successes Interval[int64]
		sustained bool
		limited   bool // the ports limit the rate
		why       string
	}{
		{"not known", nil, 0, nil, 100, exact[int64](1000), false, true, ""},
		{"as many as ports", ptr[int64](1000), 0, nil, 100, exact[int64](1000), false, true, ""},
		{"one fewer", ptr[int64](999), 0, nil, 100, exact[int64](2000), true, false, "at most 999 sockets"},
		{"a hundred", ptr[int64](100), 0, nil, 100, exact[int64](2000), true, false, "without the protection"},
		{"none", ptr[int64](0), 0, nil, 100, exact[int64](2000), true, false, "at most 0 sockets"},
		{"held, and enough for that", ptr[int64](100), 9 * time.Second, nil, 100, exact[int64](2000), true, true, "at most 100"},
		{"held, and not enough", ptr[int64](100), 10 * time.Second, nil, 100, Interval[int64]{1800, 1999}, false, true, "at most 100"},
		{"rates that do not fill it", ptr[int64](900), 0, nil, 10, exact[int64](200), true, false, "at most 900"},
		{"four pools, and room in each", ptr[int64](100), 0, func(q *Question) { q.Targets, q.Range = 4, set(t, "40000-40249") }, 100, exact[int64](2000), true, false, "at most 100"},
		{"four pools, and room in all of them alone", ptr[int64](300), 0, func(q *Question) { q.Targets, q.Range = 4, set(t, "40000-40249") }, 100, Interval[int64]{1000, 2000}, false, false, "at most 300"},
		{"the peer closes first", ptr[int64](100), 0, func(q *Question) { q.Close = "server-fin" }, 100, exact[int64](2000), true, false, ""},
		{"another system", ptr[int64](100), 0, func(q *Question) { q.System = &System{Reuse: time.Minute} }, 100, exact[int64](1000), false, true, ""},
		{"a time that is given", ptr[int64](100), 0, func(q *Question) { q.Reuse = time.Minute }, 100, exact[int64](1000), false, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := Question{Range: set(t, "40000-40999"), Strategy: byTwo, Hold: c.hold, Settings: Settings{HZ: 250, MaxTimeWait: c.most}}
			if c.set != nil {
				c.set(&q)
			}
			a := Predict(q)
			course := a.Course(c.rate, c.hold, 20*time.Second)
			if course.Successes != c.successes || course.Sustained != c.sustained {
				t.Errorf("%+v, want successes %v, sustained %v", course, c.successes, c.sustained)
			}
			if (a.Rate != nil) != c.limited {
				t.Errorf("rate %v", a.Rate)
			}
			if told := strings.Contains(strings.Join(a.Why, "\n"), "sockets are in TIME_WAIT"); told != (c.why != "") || !strings.Contains(strings.Join(a.Why, "\n"), c.why) {
				t.Errorf("why %q, want %q", a.Why, c.why)
			}
		})
	}
}

func TestPlanWithFewTimeWaits(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   func(*Wish)
		safe  float64 // rounded down
		holds bool
		sets  int64
		ports int
		binds string
	}{
		{"any rate", func(w *Wish) { w.Rate = 50_000 }, math.Inf(1), true, 1, 102, "ports bind no rate: at most 100"},
		{"a hold", func(w *Wish) { w.Rate, w.Hold = 1000, 200*time.Millisecond }, 4500, true, 1, 300, "the hold binds first: all ports but the 100"},
		{"a hold that is too long", func(w *Wish) { w.Rate, w.Hold = 50_000, 200*time.Millisecond }, 4500, false, 12, 10_100, "the hold binds first"},
		{"headroom", func(w *Wish) { w.Rate, w.Hold, w.Headroom = 4000, 200*time.Millisecond, 0.2 }, 3500, false, 2, 1126, "the hold binds first"},
		{"more of them than ports", func(w *Wish) { w.Rate, w.Settings.MaxTimeWait = 100, ptr[int64](1000) }, 16, false, 7, 1002, "closed ports bind first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := linux250()
			w.Range, w.Settings.MaxTimeWait = set(t, "40000-40999"), ptr[int64](100)
			c.set(&w)
			p, err := NewPlan(w)
			if err != nil {
				t.Fatal(err)
			}
			if math.Floor(p.Safe) != c.safe || p.Demand.Holds != c.holds || p.Demand.Needed.Sets != c.sets || p.Demand.Needed.Ports != c.ports {
				t.Errorf("safe %v, %+v", p.Safe, p.Demand)
			}
			if !strings.HasPrefix(p.Binds, c.binds) {
				t.Errorf("binds %q", p.Binds)
			}
		})
	}
}

// waiter is the kernel with a bound on TIME_WAIT: connections close in the order
// in which they were opened, and take a socket for it if there is one.
type waiter struct {
	pools [][]time.Duration // when each port of a pool is free
	opens []closing         // those that are open, the oldest first
	waits []time.Duration   // when each socket in TIME_WAIT ends
}

type closing struct {
	at, reuse  time.Duration
	pool, port int
}

// closeUntil closes what is over by now.
func (w *waiter) closeUntil(now time.Duration, most int64) {
	for len(w.opens) > 0 && w.opens[0].at <= now {
		c := w.opens[0]
		w.opens = w.opens[1:]
		waiting := int64(0)
		for _, end := range w.waits {
			if end > c.at {
				waiting++
			}
		}
		back := c.at
		if waiting < most {
			back += c.reuse
			w.waits = append(w.waits, back)
		}
		w.pools[c.pool][c.port] = back
	}
}

// attempt opens a connection from a port of the pool that is free, if there is one.
func (w *waiter) attempt(now time.Duration, pool int, hold, reuse time.Duration) bool {
	for port, back := range w.pools[pool] {
		if back <= now {
			w.pools[pool][port] = math.MaxInt64
			w.opens = append(w.opens, closing{now + hold, reuse, pool, port})
			return true
		}
	}
	return false
}

// Whatever the timers do, what comes of it lies within the bounds.
func TestCourseHoldsWithFewTimeWaits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Int64Range(0, 12).Draw(t, "in TIME_WAIT")
		ports := rapid.IntRange(1, 12).Draw(t, "ports")
		pools := rapid.IntRange(1, 3).Draw(t, "pools")
		soonest := time.Duration(rapid.IntRange(1, 800).Draw(t, "soonest")) * time.Millisecond
		latest := soonest + time.Duration(rapid.IntRange(0, 200).Draw(t, "later"))*time.Millisecond
		hold := time.Duration(rapid.IntRange(0, 300).Draw(t, "hold")) * time.Millisecond
		rate := rapid.SampledFrom([]float64{1, 5, 10, 20, 50, 100}).Draw(t, "rate")

		n := int64(pools * ports)
		a := answer(n, n, soonest, latest)
		a.Pools = int64(pools)
		if most < n {
			a.MaxTimeWait = &most
		}
		c := a.Course(rate, hold, 3*time.Second)
		w := waiter{pools: make([][]time.Duration, pools)}
		for i := range w.pools {
			w.pools[i] = make([]time.Duration, ports)
		}
		var successes, first int64
		for k := range c.Attempts {
			now := time.Duration(k) * time.Duration(float64(time.Second)/rate)
			w.closeUntil(now, most)
			reuse := soonest + time.Duration(rapid.Int64Range(0, int64(latest-soonest)).Draw(t, "late"))
			switch {
			case w.attempt(now, int(k)%pools, hold, reuse):
				successes++
			case first == 0:
				first = k + 1
			}
		}
		if c.Successes.Distance(successes) != 0 || c.NoPort.Distance(c.Attempts-successes) != 0 {
			t.Fatalf("%d successes of %d attempts, predicted %v", successes, c.Attempts, c.Successes)
		}
		switch f := c.FirstNoPort; {
		case f == nil && first != 0, f != nil && f.Certain && first == 0, f != nil && first != 0 && f.Attempt.Distance(first) != 0:
			t.Fatalf("the first without a port is %d, predicted %+v", first, f)
		}
	})
}
