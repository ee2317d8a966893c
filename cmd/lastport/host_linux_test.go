package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

func rangeOf(low, high uint16) ports.Ranges { return ports.Of(ports.Range{Low: low, High: high}) }

func TestKept(t *testing.T) {
	for _, test := range []struct {
		given int
		size  uint16
		want  int
	}{
		{keepEnough, 28232, 1411},
		{keepEnough, 10000, 1000},
		{keepEnough, 1500, 750},
		{keepEnough, 1, 0},
		{0, 28232, 0},
		{7, 28232, 7},
		{40000, 28232, 40000},
	} {
		f := runFlags{keepFree: test.given}
		if got := f.kept(rangeOf(1, test.size)); got != test.want {
			t.Errorf("--keep-free %d of %d ports: %d, want %d", test.given, test.size, got, test.want)
		}
	}
}

// Whatever is free and whatever is asked for, the ports to keep are free after a run
// that takes all of its range; or else it is refused. No more is cut than that takes.
func TestCutRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := func(label string) ports.Ranges {
			low := rapid.Uint16Range(1000, 1100).Draw(t, label)
			return rangeOf(low, low+rapid.Uint16Range(0, 60).Draw(t, label+" size"))
		}
		asked := some("asked").Union(some("and"))
		free := some("free").Union(some("free too")).Minus(some("taken"))
		keep := rapid.IntRange(0, 80).Draw(t, "keep")
		c := &loadgen.Config{Range: asked, RangeName: "x", Workers: 3}
		f := runFlags{census: &place.Census{}}
		if err := f.cutRange(c, free, keep); err != nil {
			if left := free.Minus(asked).Size(); left+free.Intersect(asked).Size() > keep && left < keep {
				t.Fatalf("refused, and of %s there is one more than %d: %v", free, keep, err)
			}
			return
		}
		taken := free.Intersect(c.Ports())
		if left := free.Minus(taken).Size(); left < keep && free.Intersect(asked).Size() > 0 {
			t.Fatalf("%d of %s stay free, want %d", left, free, keep)
		}
		if c.Range.Minus(asked).Size() > 0 || c.Range.String() != asked.String() && free.Minus(taken).Size() > keep {
			t.Fatalf("%s became %s, with %s free and %d to keep", asked, c.Range, free, keep)
		}
	})
}

func TestBoundConnections(t *testing.T) {
	for _, test := range []struct {
		name string
		c    loadgen.Config
		most int
		want int64 // Connections or Attempts
		err  string
	}{
		{"fill", loadgen.Config{Scenario: "fill"}, 100, 100, ""},
		{"fewer are asked for", loadgen.Config{Scenario: "fill", Connections: 30}, 100, 30, ""},
		{"more are asked for", loadgen.Config{Scenario: "fill", Connections: 300}, 100, 100, ""},
		{"survey", loadgen.Config{Scenario: "survey"}, 100, 100, ""},
		{"no port to spare", loadgen.Config{Scenario: "fill"}, 0, 0, "leaves none of them"},
		{"reuse", loadgen.Config{Scenario: "reuse", Connections: 51}, 100, 51, "this reuse may have 102 ports"},
		{"churn without bound", loadgen.Config{Scenario: "churn"}, 100, 0, "this churn may have all ports"},
		{"few attempts", loadgen.Config{Scenario: "churn", Attempts: 100}, 100, 100, ""},
	} {
		c := test.c
		c.OnHost, c.Workers = &result.OnHost{}, 8
		f := runFlags{census: &place.Census{}, keeps: func(*loadgen.Config) error { return nil }}
		err := f.boundConnections(&c, test.most, 10)
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.err)
		}
		if got := max(c.Connections, c.Attempts); got != test.want {
			t.Errorf("%s: bounded at %d, want %d", test.name, got, test.want)
		}
		if bounded := test.err == "" && test.want == int64(test.most) && test.c.Attempts == 0; c.OnHost.Bounded != bounded {
			t.Errorf("%s: bounded %v, want %v", test.name, c.OnHost.Bounded, bounded)
		}
	}
}

func TestUsesAtOnce(t *testing.T) {
	for _, test := range []struct {
		name string
		c    loadgen.Config
		want int64
	}{
		{"a rate, and TIME_WAIT", loadgen.Config{Rate: 10, Timeout: time.Second, Duration: time.Hour}, 650},
		{"shorter than TIME_WAIT", loadgen.Config{Rate: 10, Timeout: time.Second, Duration: 5 * time.Second}, 50},
		{"without TIME_WAIT", loadgen.Config{Rate: 10, Timeout: time.Second, Hold: time.Second, Duration: time.Hour, Close: step.ClientRST}, 20},
		{"TIME_WAIT at the server", loadgen.Config{Rate: 10, Timeout: time.Second, Duration: time.Hour, Close: step.ServerFIN}, 10},
		{"as fast as it goes", loadgen.Config{Duration: time.Hour}, math.MaxInt64},
		{"with so many attempts", loadgen.Config{Duration: time.Hour, Attempts: 7}, 7},
		{"by RST", loadgen.Config{Close: step.ClientRST, Concurrency: 200, Workers: 2}, 200},
		{"over UDP", loadgen.Config{UDP: true, Workers: 2}, 128},
	} {
		test.c.Scenario = "churn"
		if got := usesAtOnce(&test.c); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

// On the host a strategy that leaves the port to the kernel gets what the kernel
// picks from, and no other range.
func TestHostStrategy(t *testing.T) {
	system, reserved := rangeOf(40000, 40999), rangeOf(40500, 40509)
	for _, test := range []struct {
		strategy string
		asked    ports.Ranges
		err      string
	}{
		{"connect", system, ""},
		{"connect", system.Minus(reserved), ""},
		{"connect", rangeOf(40000, 40998), "gets ports from all of 40000-40999"},
		{"bind", rangeOf(40000, 41000), "the kernel picks ports from 40000-40999"},
		{"late-bind", rangeOf(50000, 50009), "the kernel picks ports from 40000-40999"},
		{"socket-range", rangeOf(40100, 40199), ""},
		{"socket-range", rangeOf(40490, 40519).Minus(reserved), ""},
		{"socket-range", rangeOf(40100, 40109).Union(rangeOf(40120, 40129)), "with gaps in the range (40110-40119)"},
		{"window", rangeOf(40990, 41009), "the kernel picks ports from 40000-40999"},
		{"sequential", rangeOf(50000, 50009).Union(rangeOf(51000, 51009)), ""},
	} {
		c := &loadgen.Config{Range: test.asked, Strategy: test.strategy, Workers: 1}
		traits, err := c.Traits()
		if err != nil {
			t.Fatal(err)
		}
		err = hostStrategy(c, traits, system, reserved)
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s of %s: %v, want %q", test.strategy, test.asked, err, test.err)
		}
	}
}
