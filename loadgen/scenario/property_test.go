package scenario_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/scenario/fakekernel"
	"lastport/loadgen/step"
)

// fates draws what becomes of the first few hundred attempts.
func fates() *rapid.Generator[[]fakekernel.Fate] {
	failure := rapid.SampledFrom([]outcome.Code{
		outcome.OK, outcome.OK, outcome.OK, outcome.Refused, outcome.Reset,
		outcome.NoFD, outcome.NoMemory, outcome.Unreachable, outcome.Denied, outcome.Other,
	})
	delay := rapid.SampledFrom([]time.Duration{0, 0, 0, ms, 30 * ms, 900 * ms, time.Hour})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fakekernel.Fate {
		return fakekernel.Fate{Outcome: failure.Draw(t, "outcome"), After: delay.Draw(t, "after")}
	}), 0, 300)
}

// Whatever fails, and when: what the works know is what the kernel knows, every
// attempt has one outcome, nothing is left under way, and it all ends.
func TestAnyFailures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 150).Draw(t, "ports")
		workers := rapid.IntRange(1, 4).Draw(t, "workers")
		asked := rapid.SampledFrom([]int{0, 0, n / 2, n, n + 20}).Draw(t, "connections")
		fate := fates().Draw(t, "fates")
		ended := map[outcome.Code]int64{}
		k := fakekernel.New(fakekernel.Config{
			Ports: n, Timeout: timeout, Reuse: time.Minute,
			Close:     rapid.SampledFrom(closeModes).Draw(t, "close"),
			PeerClose: rapid.SampledFrom([]time.Duration{0, ms, time.Hour}).Draw(t, "peer"),
			Fate: func(attempt, _ int64) (f fakekernel.Fate) {
				if attempt <= int64(len(fate)) {
					f = fate[attempt-1]
				}
				return f
			},
			Done: func(_ int, c step.Completion) {
				if c.Op == step.Open && !c.Probe {
					ended[c.Outcome]++
				}
			},
		})
		do := func(works []step.Work) {
			if err := k.Run(works...); err != nil {
				t.Fatal(err)
			}
			var sum int64
			for _, count := range ended {
				sum += count
			}
			if sum != k.Attempts() || k.Taken() != k.Open() {
				t.Fatalf("%d outcomes of %d attempts, %d ports taken by %d connections", sum, k.Attempts(), k.Taken(), k.Open())
			}
		}
		conns := fill(t, k, do, n, workers, asked)
		var works []step.Work
		for _, c := range conns {
			works = append(works, scenario.NewRelease(c))
		}
		do(works)
		if k.Open() != 0 {
			t.Fatalf("%d open after the release", k.Open())
		}
		r := &scenario.Recovery{From: k.Now(), Until: k.Now() + int64(2*time.Minute)}
		do([]step.Work{r})
		if _, decided := r.Result(); decided.Outcome != outcome.OK {
			t.Fatalf("no port came back: %v", decided.Outcome)
		}
		if k.Open() != 0 {
			t.Fatalf("%d open after the recovery", k.Open())
		}
	})
}

// fill opens, tries further, and returns the connections by worker.
func fill(t *rapid.T, k *fakekernel.Kernel, do func([]step.Work), n, workers, asked int) [][]uint32 {
	var works, more []step.Work
	openings := make([]*scenario.Opening, workers)
	fulls := make([]*scenario.Full, workers)
	for i := range workers {
		openings[i] = scenario.NewOpening(scenario.Opening{
			Connections: share(asked, i, workers), Expected: share(n, i, workers), Timeout: timeout,
		})
		fulls[i] = &scenario.Full{Attempts: 10}
		works, more = append(works, openings[i]), append(more, fulls[i])
	}
	do(works)
	conns := make([][]uint32, workers)
	known := 0
	for i, o := range openings {
		conns[i] = o.Conns()
		known += len(conns[i])
		end, _ := o.Ended()
		if reached := share(asked, i, workers) == len(conns[i]) && asked > 0; end == scenario.Reached && !reached {
			t.Fatalf("reached %d of %d", len(conns[i]), share(asked, i, workers))
		}
		if end == scenario.Going || end == scenario.TimeUp || end == scenario.Stopped {
			t.Fatalf("ended by %d", end)
		}
	}
	if known != k.Open() {
		t.Fatalf("%d connections known, %d open", known, k.Open())
	}
	do(more)
	for i, f := range fulls {
		conns[i] = append(conns[i], f.Conns()...)
	}
	return conns
}
