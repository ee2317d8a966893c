package watch

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// waiting are TIME_WAITs with so many seconds left, each a second apart.
func waitingEvenly(perSecond int32, seconds int) *waits {
	w := new(waits)
	for left := 1; left <= seconds; left++ {
		w[left] = perSecond
	}
	return w
}

func TestForecast(t *testing.T) {
	tests := []struct {
		name  string
		f     forecast
		want  time.Duration
		never bool
	}{
		{name: "nothing changes", f: forecast{usable: 100, open: 50}, never: true},
		{name: "full already", f: forecast{usable: 100, open: 100}},
		{name: "no port is usable", f: forecast{}},
		{name: "open connections grow", f: forecast{usable: 100, open: 50, growth: 2}, want: 25 * time.Second},
		{name: "they grow slowly", f: forecast{usable: 1000, open: 100, growth: 1}, want: 900 * time.Second},
		{name: "and become fewer", f: forecast{usable: 1000, open: 900, growth: -1}, never: true},
		{name: "too slowly to tell", f: forecast{usable: 28232, growth: 0.1}, never: true},
		// 400 a second come to 24,000 ports in TIME_WAIT, 600 to 36,000: more than there are.
		{name: "a churn that ports suffice for", f: forecast{usable: 28232, closed: 400}, never: true},
		{name: "one that they do not", f: forecast{usable: 28232, closed: 600}, want: 47053 * time.Millisecond},
		{name: "the same, at its height", f: forecast{usable: 28232, waiting: 24000, closed: 400, waits: waitingEvenly(400, 60)}, never: true},
		{name: "a churn that has become faster", f: forecast{usable: 28232, waiting: 24000, closed: 600, waits: waitingEvenly(400, 60)}, want: 21160 * time.Millisecond},
		{
			name: "room comes back before it is gone", never: true,
			f: forecast{usable: 1000, open: 100, waiting: 800, closed: 10, waits: waitingEvenly(160, 5)},
		},
		{
			name: "room comes back, but late", want: 10 * time.Second,
			f: forecast{usable: 1000, waiting: 900, closed: 10, waits: &waits{60: 900}},
		},
		{name: "grows beside a churn", f: forecast{usable: 10000, waiting: 6000, closed: 100, growth: 10, waits: waitingEvenly(100, 60)}, want: 400 * time.Second},
	}
	for _, c := range tests {
		got, ok := c.f.exhausted()
		if ok == c.never || (got-c.want).Abs() > 10*time.Millisecond {
			t.Errorf("%s: %v, %t, want %v", c.name, got, ok, c.want)
		}
	}
}

// Whatever the numbers are: when no port is left, that many are taken, and a second
// before they are not.
func TestForecastIsWhereTheLineIsCrossed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := forecast{
			usable: float64(rapid.IntRange(1, 64512).Draw(t, "usable")), open: float64(rapid.IntRange(0, 30000).Draw(t, "open")),
			growth: rapid.Float64Range(-100, 1000).Draw(t, "growth"), closed: rapid.Float64Range(0, 2000).Draw(t, "closed"), waits: new(waits),
		}
		for i := range f.waits {
			f.waits[i] = rapid.Int32Range(0, 500).Draw(t, "waits")
			f.waiting += float64(f.waits[i])
		}
		in, ok := f.exhausted()
		if !ok {
			for s := range 3600 {
				if s > 70 && f.growth > 0 { // it may be beyond the horizon
					break
				}
				if got := f.taken(float64(s)); got >= f.usable {
					t.Fatalf("never, but after %d s %v of %v are taken", s, got, f.usable)
				}
			}
			return
		}
		if got := f.taken(in.Seconds()); got < f.usable-0.01*math.Max(1, math.Abs(f.growth)+f.closed+500) {
			t.Fatalf("%v: %v of %v are taken", in, got, f.usable)
		}
		for s := 0.0; s < math.Min(in.Seconds()-1, 70); s++ {
			if got := f.taken(s); got >= f.usable {
				t.Fatalf("%v, but after %v s %v of %v are taken", in, s, got, f.usable)
			}
		}
	})
}

// Those that are over in a time are those whose time is shorter, whatever it is; in
// whole seconds exactly.
func TestWaitsAreCountedByTheirTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, lefts := new(waits), rapid.SliceOf(rapid.Int64Range(-5, 62_000)).Draw(t, "lefts")
		for _, ms := range lefts {
			w.add(time.Duration(ms) * time.Millisecond)
		}
		second := rapid.IntRange(0, 63).Draw(t, "second")
		var want float64
		for _, ms := range lefts {
			if ms <= int64(second)*1000 || ms > 61_000 && second >= 61 {
				want++
			}
		}
		if got := w.within(float64(second)); got != want {
			t.Fatalf("%v within %d s, want %v of %v", got, second, want, lefts)
		}
	})
	if n := (*waits)(nil).within(60); n != 0 {
		t.Errorf("%v of none", n)
	}
}

// However much a look costs, watching takes less than a tenth of a processor, and
// what costs little is done as often as it was asked for.
func TestIntervalsAreStretched(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asked := time.Duration(rapid.Int64Range(1e8, 1e11).Draw(t, "asked"))
		cost := time.Duration(rapid.Int64Range(0, 1e10).Draw(t, "cost"))
		search := time.Duration(rapid.Int64Range(0, 1e10).Draw(t, "search"))
		looks, searches := stretched(asked, cost, socketShare), stretched(ownersEvery, search, processShare)
		share := float64(cost)/float64(looks) + float64(search)/float64(searches)
		if share > 0.1 {
			t.Fatalf("%v of a processor", share)
		}
		if looks < asked || looks > asked && float64(cost) < 0.04*float64(asked) {
			t.Fatalf("a look of %v every %v, asked for %v", cost, looks, asked)
		}
	})
}
