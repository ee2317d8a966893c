package capacity

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// ways of a plan, by name.
func waysOf(t *testing.T, w Wish) map[string]Way {
	t.Helper()
	p, err := NewPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Way{}
	for _, way := range p.Ways {
		byName[way.Name] = way
	}
	return byName
}

// Gains worked by hand: 28,232 ports that are back after 60 to 62.048 s, or after
// 1 to 1.002 s, or at once.
func TestGains(t *testing.T) {
	w := linux250()
	w.Rate = 2000
	all := waysOf(t, w)
	for _, c := range []struct {
		name  string
		gain  float64
		holds bool
		sets  int64
	}{
		{"pooling", 10, true, 1},
		{"targets", 5, true, 5},
		{"sources", 5, true, 5},
		{"wider-range", 64512.0 / 28232, false, 2},
		{"tcp_tw_reuse", 62.048 / 1.002, true, 1},
		{"own-ports", math.Inf(1), true, 1},
		{"server-fin", math.Inf(1), true, 1},
		{"client-rst", math.Inf(1), true, 1},
		{"socket-range", 1, false, 5},
	} {
		way, ok := all[c.name]
		if !ok || !(math.Abs(way.Gain-c.gain) < 1e-9 || way.Gain == c.gain) || way.Holds != c.holds || way.Needed.Sets != c.sets {
			t.Errorf("%s: gain %v, holds %v, %d sets; want %v, %v, %d", c.name, way.Gain, way.Holds, way.Needed.Sets, c.gain, c.holds, c.sets)
		}
	}
}

// A connection that serves ten requests is open ten times as long, so pooling
// saves what is spent between connections alone.
func TestPoolingSavesNoHold(t *testing.T) {
	w := linux250()
	w.Rate, w.Hold = 5000, time.Second
	// 28,232 ÷ (1 + 62.048) s before; 10 × 28,232 ÷ (10 + 62.048) s with it.
	if got, want := waysOf(t, w)["pooling"].Gain, 10*63.048/72.048; math.Abs(got-want) > 1e-9 {
		t.Errorf("gain %v, want %v", got, want)
	}
}

// Without timestamps the way has them too.
func TestTWReuseNeedsTimestamps(t *testing.T) {
	w := linux250()
	w.Rate, w.Settings.Timestamps = 2000, false
	all := waysOf(t, w)
	if got := all["tcp_tw_reuse"].Change; got != "net.ipv4.tcp_tw_reuse=1, net.ipv4.tcp_timestamps=1 (both ends)" {
		t.Errorf("%q", got)
	}
	if _, ok := all["own-ports"]; ok {
		t.Error("without timestamps a port of one's own is not back sooner")
	}
}

// Every way says what it costs and where that can be read, and the names are all
// different.
func TestKnownWaysAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range knownWays() {
		if w.Name == "" || w.Change == "" || w.Risk == "" || w.Source == "" || seen[w.Name] || strings.HasSuffix(w.Risk, ".") {
			t.Errorf("%+v", w)
		}
		seen[w.Name] = true
	}
}

// No way gives less, those that are enough come first, and after them more comes
// before less.
func TestWaysAreRanked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := NewPlan(genWish(t))
		if err != nil {
			return
		}
		for i, way := range p.Ways {
			if way.Gain < 1 {
				t.Fatalf("%s gives %v", way.Name, way.Gain)
			}
			if i == 0 || p.Demand == nil {
				continue
			}
			switch before := p.Ways[i-1]; {
			case way.Holds && !before.Holds:
				t.Fatalf("%s is enough and comes after %s, which is not", way.Name, before.Name)
			case !way.Holds && !before.Holds && way.Gain > before.Gain:
				t.Fatalf("%s gives %v and comes after %s with %v", way.Name, way.Gain, before.Name, before.Gain)
			}
		}
	})
}
