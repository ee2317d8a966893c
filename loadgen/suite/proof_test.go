package suite_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
	"lastport/loadgen/suite"
)

// wish is one over Linux's range by a strategy.
func wish(t interface{ Fatal(...any) }, name string, change func(*capacity.Wish)) capacity.Plan {
	linux := ports.Of(ports.Range{Low: 32768, High: 60999})
	run, err := strategy.New(name, strategy.Space{Ranges: linux})
	if err != nil {
		t.Fatal(err)
	}
	w := capacity.Wish{Question: capacity.Question{Range: linux, Strategy: run.Traits(), Settings: usual()}}
	change(&w)
	p, err := capacity.NewPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func prove(t interface{ Fatal(...any) }, p capacity.Plan) suite.Proof {
	proof, err := suite.NewProof(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// claims are the sides of a proof, in short.
func claims(p suite.Proof) (all []string) {
	for _, s := range p.Sides {
		side := "below "
		if s.Above {
			side = "above "
		}
		all = append(all, side+s.Limit+": "+s.Claim)
	}
	return all
}

func TestProofHasBothSidesOfEachLimit(t *testing.T) {
	for _, test := range []struct {
		name, strategy string
		change         func(*capacity.Wish)
		want           []string
		unproven       string
	}{
		{"the host as it is", "connect", func(*capacity.Wish) {}, []string{
			"below rate: just below the limit, 445.9 per second for ever",
			"above rate: just above the limit, 479.9 per second run out of ports",
			"above connections: 28,232 at a time, and one more finds no port",
		}, ""},
		{"a rate that needs five targets", "connect", func(w *capacity.Wish) { w.Rate = 2000 }, []string{
			"below rate: just below the limit, 445.9 per second for ever",
			"above rate: just above the limit, 479.9 per second run out of ports",
			"below demand: 2,000 per second with 5 targets hold",
			"above demand: 2,000 per second with 4 targets run out of ports",
			"above connections: 28,232 at a time, and one more finds no port",
		}, ""},
		{"sources instead of targets", "bind", func(w *capacity.Wish) { w.Rate = 2000 }, []string{
			"below rate: just below the limit, 445.9 per second for ever",
			"above rate: just above the limit, 479.9 per second run out of ports",
			"below demand: 2,000 per second with 5 sources hold",
			"above demand: 2,000 per second with 4 sources run out of ports",
			"above connections: 28,232 at a time, and one more finds no port",
		}, ""},
		{"connections that stay", "connect", func(w *capacity.Wish) { w.Open = 100_000 }, []string{
			"below demand: 100,000 at a time with 4 targets hold",
			"above demand: 100,000 at a time with 3 targets run out of ports",
			"above connections: 28,232 at a time, and one more finds no port",
		}, ""},
		{"no limit by ports", "connect", func(w *capacity.Wish) { w.Close = "server-fin" }, []string{
			"below rate: 150 per second find a port, each used 3 times and more: a closed one is free again at once",
			"above connections: 28,232 at a time, and one more finds no port",
		}, ""},
		{"a rate without a limit", "connect", func(w *capacity.Wish) { w.Close, w.Rate = "client-rst", 2000 }, []string{
			"below rate: 2,000 per second find a port, each used 3 times and more: a closed one is free again at once",
			"above connections: 28,232 at a time, and one more finds no port",
		}, ""},
		{"a port that is chosen", "random", func(w *capacity.Wish) { w.Rate = 1000 }, []string{
			"below rate: 1,000 per second find a port, each used 3 times and more: a closed one is free again at once",
			"above connections: 28,232 at a time, and one more finds no port",
		}, ""},
		{"more than a machine makes", "connect", func(w *capacity.Wish) { w.Close, w.Rate = "client-rst", 20_000 }, []string{
			"below rate: 5,000 per second find a port, each used 3 times and more: a closed one is free again at once",
			"above connections: 28,232 at a time, and one more finds no port",
		}, "20,000 per second: a test of the machine, 5,000 at most are tried"},
		{"shares", "connect", func(w *capacity.Wish) { w.Rate, w.Shares = 600, []float64{0.2, 0.7, 0.1} }, []string{
			"below rate: target 2 alone, 70 % of all: just below the limit, 445.9 per second for ever",
			"above rate: target 2 alone, 70 % of all: just above the limit, 479.9 per second run out of ports",
			"below demand: target 2 alone, 70 % of all: 420 per second with 1 target hold",
			"above connections: target 2 alone, 70 % of all: 28,232 at a time, and one more finds no port",
			"above connections: each target has ports of its own: 3 of them hold 3 times as many",
		}, ""},
		{"equal shares", "connect", func(w *capacity.Wish) { w.Shares = []float64{0.5, 0.5} }, []string{
			"below rate: just below the limit, 891.8 per second for ever",
			"above rate: just above the limit, 959.9 per second run out of ports",
			"above connections: 56,464 at a time, and one more finds no port",
		}, ""},
		{"a port soon back, and little room", "connect", func(w *capacity.Wish) {
			w.Range = ports.Of(ports.Range{Low: 40000, High: 40199})
			w.Settings.TWReuse, w.Rate = 1, 2000
		}, []string{
			"below rate: just below the limit, 159.8 per second for ever",
			"above rate: just above the limit, 239.9 per second run out of ports",
			"below demand: 2,000 per second with 11 targets hold",
			"above connections: 200 at a time, and one more finds no port",
		}, "2,000 per second with 10 targets: too near to the limit"},
		{"a demand at the limit", "connect", func(w *capacity.Wish) { w.Rate = 455 }, []string{
			"below rate: just below the limit, 445.9 per second for ever",
			"above rate: just above the limit, 479.9 per second run out of ports",
			"above connections: 28,232 at a time, and one more finds no port",
		}, "too near to the limit"},
		{"a hold that takes too long", "connect", func(w *capacity.Wish) { w.Rate, w.Hold = 1, time.Hour }, []string{
			"above connections: 28,232 at a time, and one more finds no port",
		}, "a run of a proof 15m0s at most"},
		{"a burst", "connect", func(w *capacity.Wish) { w.Burst = capacity.Burst{Rate: 1000, Time: time.Second} }, []string{
			"below rate: just below the limit, 445.9 per second for ever",
			"above rate: just above the limit, 479.9 per second run out of ports",
			"above connections: 28,232 at a time, and one more finds no port",
		}, "a run has one rate"},
		{"few sockets in TIME_WAIT", "connect", func(w *capacity.Wish) { w.Settings.MaxTimeWait = new(int64(1000)) }, []string{
			"above connections: 28,232 at a time, and one more finds no port",
		}, "tcp_max_tw_buckets"},
	} {
		proof := prove(t, wish(t, test.strategy, test.change))
		if got, want := strings.Join(claims(proof), "\n"), strings.Join(test.want, "\n"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", test.name, got, want)
		}
		if got := strings.Join(proof.Unproven, "; "); !strings.Contains(got, test.unproven) || (got == "") != (test.unproven == "") {
			t.Errorf("%s: unproven %q, want %q", test.name, got, test.unproven)
		}
	}
}

// What a side claims must be what its run shows, by the same arithmetic over the
// run's ports: below none runs out, whatever the timers do, and above one does for
// certain.
func TestProofsAreCertain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"connect", "socket-range", "bind"}).Draw(t, "strategy")
		low := rapid.IntRange(1024, 40_000).Draw(t, "low")
		size := rapid.IntRange(10, 20_000).Draw(t, "size")
		tw := rapid.IntRange(0, 2).Draw(t, "tcp_tw_reuse")
		hold := time.Duration(rapid.IntRange(0, 20).Draw(t, "hold")) * time.Second
		rate := float64(rapid.IntRange(0, 3000).Draw(t, "rate"))
		p := wish(t, name, func(w *capacity.Wish) {
			w.Range = ports.Of(ports.Range{Low: uint16(low), High: uint16(low + size - 1)})
			w.Settings.TWReuse, w.Hold, w.Rate = tw, hold, rate
		})
		proof := prove(t, p)
		if math.Abs(proof.Scale-float64(proof.Ports.Size())/float64(size)) > 1e-9 || proof.Ports.Size() > 500 {
			t.Fatalf("%d of %d ports, scale %g", proof.Ports.Size(), size, proof.Scale)
		}
		for _, s := range proof.Sides {
			if s.Scenario != "churn" {
				continue
			}
			q := p.Wish.Question
			q.Range, q.SystemRange, q.Sources, q.Targets = proof.Ports, proof.Ports.Hull(), s.Sources, s.Targets
			c := capacity.Predict(q).Course(s.Rate, hold, s.Lasts)
			switch {
			case !s.Above && c.NoPort.Max > 0:
				t.Fatalf("%s: may run out: %+v", s.Claim, c)
			case s.Above && c.NoPort.Min == 0:
				t.Fatalf("%s: may not run out: %+v", s.Claim, c)
			case s.Late <= 0:
				t.Fatalf("%s: lateness of %v", s.Claim, s.Late)
			case c.Attempts != s.Attempts:
				t.Fatalf("%s: %d attempts, %d are due", s.Claim, s.Attempts, c.Attempts)
			}
		}
	})
}

// Attempts that are late by as much as a side allows for leave its claim as certain.
func TestProofsAllowForLateness(t *testing.T) {
	proof := prove(t, wish(t, "connect", func(w *capacity.Wish) { w.Settings.TWReuse, w.Rate = 1, 26_000 }))
	if len(proof.Sides) < 3 {
		t.Fatalf("%+v", proof.Sides)
	}
	for _, s := range proof.Sides {
		if s.Scenario == "fill" {
			if want := (capacity.Interval[int64]{Min: 500, Max: 500}); s.Opens != want {
				t.Errorf("%s: opens %v, want %v", s.Claim, s.Opens, want)
			}
			continue
		}
		sustained := 500 * 1.0 // a second, each port
		if far := max(s.Rate/sustained, sustained/s.Rate) - 1; s.Late.Seconds() > far*1.01+0.002 {
			t.Errorf("%s: %v late, and %.3f from the limit", s.Claim, s.Late, far)
		}
	}
}

// Ports that the place could not have are left out, and without any there is no
// proof.
func TestProofNeedsPorts(t *testing.T) {
	p := wish(t, "connect", func(*capacity.Wish) {})
	proof, err := suite.NewProof(p, ports.Of(ports.Range{Low: 32768, High: 32999}))
	if err != nil || proof.Ports.String() != "33000-33499" {
		t.Errorf("%v, %v", proof.Ports, err)
	}
	if _, err := suite.NewProof(p, ports.Of(ports.Range{Low: 1, High: 65535})); err == nil {
		t.Error("a proof without a port")
	}
}
