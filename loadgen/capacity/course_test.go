package capacity

import (
	"math"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/pace"

	"pgregory.net/rapid"
)

// answer is an answer of which a course uses no more than this.
func answer(fewest, most int64, soonest, latest time.Duration) Answer {
	return Answer{Connections: Interval[int64]{fewest, most}, Reuse: Interval[time.Duration]{soonest, latest}}
}

func TestCourse(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	full := func(ports int64) Answer { return answer(ports, ports, 60*s, 62048*ms) }
	type interval = Interval[int64]
	type delay = Interval[time.Duration]
	for _, c := range []struct {
		name         string
		a            Answer
		rate         float64
		hold         time.Duration
		duration     time.Duration
		successes    interval
		noPort       interval
		open, needs  interval
		first, after interval // after in milliseconds; 0, 0: none comes
		certain      bool
		sustained    bool
		why          string
	}{
		{ // measured
			name: "400 ports at 80 per second", a: full(400), rate: 80, duration: 20 * s,
			successes: interval{400, 400}, noPort: interval{1200, 1200}, needs: interval{4800, 4964},
			first: interval{401, 401}, after: interval{5000, 5000}, certain: true,
			why: "attempt 401 finds no port: 80 attempts per second use up 400 ports in 5s, and none is back before 1m0s",
		},
		{
			name: "1000 ports at 100 per second", a: full(1000), rate: 100, duration: 20 * s,
			successes: interval{1000, 1000}, noPort: interval{1000, 1000}, needs: interval{6000, 6205},
			first: interval{1001, 1001}, after: interval{10000, 10000}, certain: true, why: "attempt 1,001 finds no port",
		},
		{
			name: "the same with tcp_tw_reuse=1", a: answer(1000, 1000, s, 1002*ms), rate: 100, duration: 20 * s,
			successes: interval{2000, 2000}, needs: interval{100, 101}, sustained: true,
			why: "100 attempts per second need 100 to 101 of 1,000 ports: each is back after 1s",
		},
		{
			name: "over before they are used up", a: full(1000), rate: 100, duration: 10 * s,
			successes: interval{1000, 1000}, needs: interval{6000, 6205},
			why: "1,000 attempts do not use up 1,000 ports, though 100 per second would need 6,000 to 6,205 to go on for ever",
		},
		{
			name: "an odd range", a: answer(1000, 1001, 60*s, 62048*ms), rate: 100, duration: 20 * s,
			successes: interval{1000, 1001}, noPort: interval{999, 1000}, needs: interval{6000, 6205},
			first: interval{1001, 1002}, after: interval{10000, 10010}, certain: true, why: "attempt 1,001 to 1,002 finds no port",
		},
		{
			name: "an odd range that ends at its last port", a: answer(1000, 1001, 60*s, 62048*ms), rate: 100, duration: 10010 * ms,
			successes: interval{1000, 1001}, noPort: interval{0, 1}, needs: interval{6000, 6205},
			first: interval{1001, 1001}, after: interval{10000, 10000}, why: "whether and when",
		},
		{
			name: "two cycles", a: full(1000), rate: 100, duration: 130 * s,
			successes: interval{2590, 3000}, noPort: interval{10000, 10410}, needs: interval{6000, 6205},
			first: interval{1001, 1001}, after: interval{10000, 10000}, certain: true, why: "in the order and the rhythm in which they were taken",
		},
		{
			name: "ports back in the nick of time", a: answer(100, 100, s, 1020*ms), rate: 100, duration: 10 * s,
			successes: interval{982, 1000}, noPort: interval{0, 18}, needs: interval{100, 102},
			first: interval{101, 1000}, after: interval{1000, 9990}, why: "whether and when",
		},
		{
			name: "a generator that is late", a: Answer{Connections: interval{100, 100}, Reuse: exact(s), Late: 10 * ms}, rate: 100, duration: 10 * s,
			successes: interval{982, 1000}, noPort: interval{0, 18}, open: interval{0, 2}, needs: interval{99, 102},
			first: interval{101, 1000}, after: interval{1000, 9990}, why: "whether and when",
		},
		{
			name: "four pools of 100 ports", a: Answer{Connections: interval{400, 400}, Reuse: delay{60 * s, 62048 * ms}, Pools: 4},
			rate: 80, duration: 20 * s, successes: interval{400, 400}, noPort: interval{1200, 1200}, needs: interval{4800, 4964},
			first: interval{401, 401}, after: interval{5000, 5000}, certain: true, why: "use up 400 ports (of 4 pools) in 5s",
		},
		{ // a port is back after 5 due times, which is with the third of its pool: 2 of 3 attempts find one
			name: "a cycle that does not divide", a: Answer{Connections: interval{4, 4}, Reuse: exact(500 * ms), Pools: 2},
			rate: 10, duration: 3 * s, successes: interval{20, 20}, noPort: interval{10, 10}, needs: interval{5, 5},
			first: interval{5, 5}, after: interval{400, 400}, certain: true, why: "use up 4 ports (of 2 pools)",
		},
		{
			name: "a limit that does not divide", a: Answer{Connections: interval{5, 5}, Reuse: exact(60 * s), Pools: 2},
			rate: 10, duration: 2 * s, successes: interval{5, 5}, noPort: interval{15, 15}, needs: interval{600, 600},
			first: interval{6, 6}, after: interval{500, 500}, certain: true, why: "attempt 6 finds no port",
		},
		{
			name: "reset and held", a: answer(1000, 1000, 0, 0), rate: 100, hold: 2 * s, duration: 20 * s,
			successes: interval{2000, 2000}, open: interval{200, 200}, needs: interval{200, 200}, sustained: true, why: "need 200 of 1,000 ports",
		},
		{
			name: "reset and held for long", a: answer(100, 100, 0, 0), rate: 100, hold: 2 * s, duration: 20 * s,
			successes: interval{1000, 1000}, noPort: interval{1000, 1000}, open: interval{100, 100}, needs: interval{200, 200},
			first: interval{101, 101}, after: interval{1000, 1000}, certain: true, why: "use up 100 ports in 1s, and none is back before 2s",
		},
		{
			name: "reset at once", a: answer(1, 1, 0, 0), rate: 10000, duration: s,
			successes: interval{10000, 10000}, needs: interval{1, 1}, sustained: true, why: "need 1 of 1 port",
		},
		{
			name: "no port", a: answer(0, 0, 0, 0), rate: 10, duration: s, noPort: interval{10, 10}, needs: interval{1, 1},
			first: interval{1, 1}, after: interval{0, 0}, certain: true, why: "attempt 1 finds no port",
		},
		{
			name: "a rate below one", a: full(10), rate: 0.1, duration: 30 * s,
			successes: interval{3, 3}, needs: interval{6, 7}, sustained: true, why: "0.1 attempts per second need 6 to 7 of 10 ports",
		},
		{
			name: "a third of a second", a: full(2), rate: 3, duration: s,
			successes: interval{2, 2}, noPort: interval{1, 1}, needs: interval{180, 187}, certain: true,
			first: interval{3, 3}, after: interval{666, 666}, why: "attempt 3 finds no port",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.a.Course(c.rate, c.hold, c.duration)
			for what, pair := range map[string][2]interval{
				"successes": {got.Successes, c.successes}, "no port": {got.NoPort, c.noPort},
				"open": {got.Open, c.open}, "needs": {got.Needs, c.needs},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
				}
			}
			if got.Sustained != c.sustained {
				t.Errorf("sustained: %v", got.Sustained)
			}
			if why := strings.Join(got.Why, "\n"); !strings.Contains(why, c.why) {
				t.Errorf("why %q, want %q", why, c.why)
			}
			f := got.FirstNoPort
			if (f == nil) != (c.first == interval{}) {
				t.Fatalf("first without a port: %+v", f)
			}
			if f == nil {
				return
			}
			after := interval{f.After.Min.Milliseconds(), f.After.Max.Milliseconds()}
			if f.Attempt != c.first || after != c.after || f.Certain != c.certain {
				t.Errorf("first without a port: %+v", f)
			}
		})
	}
}

func TestNoCourse(t *testing.T) {
	a := answer(10, 10, time.Second, time.Second)
	for _, rate := range []float64{0, -1, math.NaN(), math.Inf(-1)} {
		if c := a.Course(rate, 0, time.Minute); c.Attempts != 0 || c.FirstNoPort != nil || c.Why != nil {
			t.Errorf("%v per second: %+v", rate, c)
		}
	}
	if c := a.Course(10, 0, -time.Second); c.Attempts != 0 {
		t.Errorf("for less than nothing: %+v", c)
	}
	if c := a.Course(math.Inf(1), 0, time.Second); c.Attempts != 1e9 {
		t.Errorf("%d attempts at any rate, want a billion per second", c.Attempts)
	}
}

func TestCeiling(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		a              Answer
		hold, duration time.Duration
		want           int64 // 0: none
	}{
		{answer(100, 101, 60*s, 62*s), 0, 60 * s, 101},
		{answer(100, 101, 60*s, 62*s), 0, 60*s + 1, 202},
		{answer(100, 100, 60*s, 62*s), 10 * s, 140 * s, 200},
		{answer(100, 100, 0, 0), 0, 60 * s, 0},
		{answer(100, 100, 0, 0), s, 60 * s, 6000},
		{answer(100, 100, s, s), 0, 0, 0},
		{answer(math.MaxInt64/2, math.MaxInt64/2, 1, 1), 0, 3, 0},
	} {
		got := c.a.Ceiling(c.hold, c.duration)
		if (got == nil) != (c.want == 0) || got != nil && *got != c.want {
			t.Errorf("%+v: %v, want %d", c, got, c.want)
		}
	}
}

// run is the kernel, port by port: each attempt takes the port that came back
// first, if one did. Time is counted in parts of a nanosecond that a rate of
// so many millionths needs, so nothing is rounded.
type run struct {
	perMegasecond int64
	back          []int64 // when each port of the pool is free
}

// unit is the time between attempts, in the run's parts; a nanosecond is
// perMegasecond of them.
const unit = 1e15

// attempt tries at due time k, or as late as that, with the pool as it is and
// says whether a port was found, which is then taken for the given time.
func (r *run) attempt(k int64, late time.Duration, usable int, taken time.Duration) bool {
	now, busy, oldest := k*unit+int64(late)*r.perMegasecond, 0, 0
	for i, back := range r.back {
		if back > now {
			busy++
		}
		if back < r.back[oldest] {
			oldest = i
		}
	}
	if busy >= usable {
		return false
	}
	r.back[oldest] = now + int64(taken)*r.perMegasecond
	return true
}

// outcome is what one run came to.
type outcome struct{ successes, first int64 }

// chance is what is drawn for each attempt: how many ports the search can find,
// how late it is, and for how long it takes a port.
type chance struct {
	usable      int64
	late, taken time.Duration
}

// simulate makes n attempts, one after the other and one pool after the other.
func simulate(rate float64, n, pools, ports int64, draw func(k int64) chance) outcome {
	all := make([]run, pools)
	for i := range all {
		all[i] = run{perMegasecond: int64(everySecond(rate)), back: make([]int64, ports)}
	}
	var o outcome
	for k := range n {
		c, r := draw(k), &all[k%pools]
		switch {
		case r.attempt(k, c.late, int(c.usable), c.taken):
			o.successes++
		case o.first == 0:
			o.first = k + 1
		}
	}
	return o
}

// Whatever the kernel leaves to chance, what comes of it lies within the
// bounds; and both bounds come about.
func TestCourseHoldsForEveryChance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fewest := rapid.Int64Range(0, 12).Draw(t, "fewest")
		most := fewest + rapid.Int64Range(0, 2).Draw(t, "more")
		soonest := time.Duration(rapid.IntRange(0, 400).Draw(t, "soonest")) * time.Millisecond
		latest := soonest + time.Duration(rapid.IntRange(0, 200).Draw(t, "later"))*time.Millisecond
		hold := time.Duration(rapid.IntRange(0, 200).Draw(t, "hold")) * time.Millisecond
		rate := rapid.OneOf(rapid.Float64Range(1, 100), rapid.SampledFrom([]float64{1, 3, 10, 20, 50, 100})).Draw(t, "rate")
		grain := time.Duration(rapid.IntRange(1, 100).Draw(t, "grain")) * time.Millisecond
		bunched := rapid.Bool().Draw(t, "bunched")
		duration := time.Duration(rapid.IntRange(1, 3000).Draw(t, "duration")) * time.Millisecond
		stall := time.Duration(rapid.SampledFrom([]int64{0, 0, 1, 30, 200}).Draw(t, "stall")) * time.Millisecond

		pools := rapid.Int64Range(1, 4).Draw(t, "pools") // each with as many ports
		a := answer(pools*fewest, pools*most, soonest, latest)
		a.Late, a.Pools = stall, pools
		c := a.Course(rate, hold, duration)
		check := func(what string, o outcome) {
			if c.Successes.Distance(o.successes) != 0 || c.NoPort.Distance(c.Attempts-o.successes) != 0 {
				t.Fatalf("%s: %d successes of %d attempts, predicted %v", what, o.successes, c.Attempts, c.Successes)
			}
			switch f := c.FirstNoPort; {
			case f == nil && o.first != 0, f != nil && f.Certain && o.first == 0, f != nil && o.first != 0 && f.Attempt.Distance(o.first) != 0:
				t.Fatalf("%s: the first without a port is %d, predicted %+v", what, o.first, f)
			}
		}
		upTo := func(most time.Duration) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, "late"))
		}
		ended := -time.Hour // when the attempt before was made
		check("by chance", simulate(rate, c.Attempts, pools, most, func(k int64) chance {
			due := time.Duration(float64(k) / rate * 1e9)
			begun := max(due+upTo(stall), ended) // in their order
			ended = begun
			late := upTo(latest - soonest)
			if bunched { // timers end together at the next multiple of the grain
				end := (begun + hold + soonest + grain - 1) / grain * grain
				late = min(end-begun-hold-soonest, latest-soonest)
			}
			return chance{rapid.Int64Range(fewest, most).Draw(t, "usable"), begun - due, hold + upTo(stall) + soonest + late}
		}))
		best := simulate(rate, c.Attempts, pools, most, func(int64) chance { return chance{most, 0, hold + soonest} })
		worst := simulate(rate, c.Attempts, pools, most, func(int64) chance { return chance{fewest, 0, hold + latest} })
		check("at best", best)
		check("at worst", worst)
		if stall > 0 {
			return
		}
		if best.successes != c.Successes.Max || worst.successes != c.Successes.Min {
			t.Fatalf("from %d to %d successes come about, predicted %v", worst.successes, best.successes, c.Successes)
		}
		if f := c.FirstNoPort; f != nil && worst.first != f.Attempt.Min {
			t.Fatalf("the earliest without a port is %d, predicted %+v", worst.first, f)
		}
		if c.Sustained != (c.Needs.Max <= pools*fewest) || c.Sustained && c.FirstNoPort != nil {
			t.Fatalf("sustained: %+v", c)
		}
	})
}

func TestCourseSpeaksOfCyclesBeyondTheFirst(t *testing.T) {
	a := answer(10, 10, time.Second, time.Second)
	for duration, want := range map[time.Duration]int{time.Second: 1, time.Second + time.Nanosecond: 2} {
		if why := a.Course(20, 0, duration).Why; len(why) != want {
			t.Errorf("%v: %q, want %d sentences", duration, why, want)
		}
	}
}

// Due times are those of a run's pacer.
func TestScheduleIsThePacers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(pace.MinPerSecond, 1e6).Draw(t, "rate")
		p, err := pace.NewConstant(rate)
		if err != nil {
			t.Fatal(err)
		}
		k := rapid.Int64Range(0, 1e9).Draw(t, "k")
		s := everySecond(rate)
		due := p.Due(k)
		if due == math.MaxInt64 {
			return
		}
		if got := s.due(k); int64(got) != due {
			t.Fatalf("attempt %d is due at %v, want %v", k, got, due)
		}
		if before, with := s.before(time.Duration(due)), s.before(time.Duration(due)+1); before > k || with < k+1 {
			t.Fatalf("attempt %d is due at %d ns: %d before, %d with it", k, due, before, with)
		}
	})
	if got := everySecond(pace.MinPerSecond).before(1); got != 1 {
		t.Errorf("%d attempts in the first nanosecond, want the first", got)
	}
}

// A duration no longer than the shortest cycle is exact: as many as there are
// ports, or attempts.
func TestCourseBeforeAnyPortIsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := rapid.Int64Range(0, 2000).Draw(t, "ports")
		rate := rapid.Float64Range(0.01, 1000).Draw(t, "rate")
		duration := time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "duration"))
		c := answer(ports, ports, time.Minute, 62*time.Second).Course(rate, 0, duration)
		if want := min(ports, c.Attempts); c.Successes != exact(want) {
			t.Fatalf("%v successes, want exactly %d", c.Successes, want)
		}
	})
}

// The sustained rate and the course agree, but for what falls between two whole
// attempts.
func TestCourseAgreesWithRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Question{
			Range: set(t, "40000-40009"), Settings: Settings{HZ: 250}, Strategy: byOne,
			Hold: time.Duration(rapid.IntRange(0, 60).Draw(t, "hold")) * time.Second,
		}
		a := Predict(q)
		if c := a.Course(a.Rate.Min*0.9999, q.Hold, time.Hour); !c.Sustained {
			t.Fatalf("just below %v: %+v", a.Rate.Min, c)
		}
		if c := a.Course(a.Rate.Max*1.0001, q.Hold, time.Hour); c.Sustained || !c.FirstNoPort.Certain {
			t.Fatalf("just above %v: %+v", a.Rate.Max, c)
		}
	})
}
