package scenario_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lastport/loadgen/outcome"
	"lastport/loadgen/pace"
	"lastport/loadgen/scenario"
	"lastport/loadgen/scenario/fakekernel"
	"lastport/loadgen/step"
)

// openings deals a fill to workers.
func openings(spread scenario.Spread, workers, expected int) ([]*scenario.Opening, []step.Work) {
	var list []*scenario.Opening
	var works []step.Work
	for i := range workers {
		o := scenario.NewOpening(scenario.Opening{
			Spread: spread, First: i, Every: workers, Expected: expected / workers, Timeout: timeout,
		})
		list, works = append(list, o), append(works, o)
	}
	return list, works
}

// Whatever the space and however many workers, every port of every pool is
// found, and one worker alone finds none missing before attempt N+1.
func TestFillOfATupleSpace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spread := scenario.Spread{Sources: rapid.IntRange(0, 5).Draw(t, "sources"), Targets: rapid.IntRange(0, 4).Draw(t, "targets")}
		ports := rapid.IntRange(1, 40).Draw(t, "ports")
		workers := rapid.IntRange(1, 5).Draw(t, "workers")
		shared := rapid.Bool().Draw(t, "shared")
		pools := max(1, spread.Sources)
		if !shared {
			pools *= max(1, spread.Targets)
		}
		var first uint32
		k := fakekernel.New(fakekernel.Config{
			Ports: ports, Sources: spread.Sources, Targets: spread.Targets, Shared: shared,
			Done: func(_ int, c step.Completion) {
				if c.Outcome == outcome.NoPort && (first == 0 || c.Attempt < first) {
					first = c.Attempt
				}
			},
		})
		list, works := openings(spread, workers, pools*ports)
		if err := k.Run(works...); err != nil {
			t.Fatal(err)
		}
		for i, o := range list {
			if end, _ := o.Ended(); end != scenario.Exhausted {
				t.Fatalf("worker %d ended by %d", i, end)
			}
		}
		if k.Open() != pools*ports {
			t.Fatalf("%d open, want %d pools of %d ports", k.Open(), pools, ports)
		}
		if workers == 1 && int(first) != pools*ports+1 {
			t.Fatalf("the first no_port is attempt %d of %d ports", first, pools*ports)
		}
	})
}

// Attempts are dealt evenly at any moment: no pair is ever more than one ahead
// of another.
func TestAttemptsAreSpreadEvenly(t *testing.T) {
	for _, spread := range []scenario.Spread{{}, {Sources: 3}, {Targets: 2}, {Sources: 3, Targets: 2}, {Sources: 4, Targets: 6}} {
		t.Run(fmt.Sprint(spread), func(t *testing.T) {
			made := map[[2]uint16]int{}
			pairs := max(1, spread.Sources) * max(1, spread.Targets)
			attempts := 0
			check := func(_ int, c step.Completion) {
				if c.Op != step.Open {
					return
				}
				made[[2]uint16{c.Source, c.Target}]++
				attempts++
				for pair, n := range made {
					if n > attempts/pairs+1 || n < attempts/pairs {
						t.Fatalf("after %d attempts %v has had %d", attempts, pair, n)
					}
				}
				if len(made) != min(pairs, attempts) {
					t.Fatalf("after %d attempts %d of %d pairs have had one", attempts, len(made), pairs)
				}
			}
			config := fakekernel.Config{Ports: 50, Sources: spread.Sources, Targets: spread.Targets, Done: check}
			pacer, err := pace.NewConstant(1000)
			if err != nil {
				t.Fatal(err)
			}
			run(t, fakekernel.New(config), scenario.NewChurn(scenario.Churn{
				Pacer: pacer, Spread: spread, Deadline: int64(time.Second / 4), From: 1,
			}))
			if attempts != 250 {
				t.Errorf("%d attempts, want 250", attempts)
			}
		})
	}
}

// A probe asks for the tuple that was closed, not only for its port.
func TestReuseProbesTheSamePair(t *testing.T) {
	spread := scenario.Spread{Sources: 2, Targets: 3}
	free := map[[3]uint16]int{} // probes that connected, by tuple
	probes := 0
	k := fakekernel.New(fakekernel.Config{
		Ports: 4, Sources: 2, Targets: 3, Reuse: time.Second,
		Done: func(_ int, c step.Completion) {
			if c.Op != step.Open || !c.Probe {
				return
			}
			probes++
			if c.Outcome == outcome.OK {
				free[[3]uint16{c.Source, c.Target, c.Port}]++
			}
		},
	})
	list, works := openings(spread, 1, 24)
	run(t, k, works...)
	second := int64(time.Second)
	work := scenario.NewReuse(scenario.Reuse{
		Expect: scenario.Window{Min: second, Max: second}, Patience: second, Coarse: second / 10, Fine: second / 100,
	}, list[0].Conns())
	run(t, k, work)
	if n := len(work.Returns()); n != 24 {
		t.Fatalf("%d ports, want 24", n)
	}
	for _, r := range work.Returns() {
		if !r.Back() || r.Delay() < second || r.Delay() > second+second/50 {
			t.Errorf("port %d of source %d, target %d: back after %v", r.Port, r.Source, r.Target, time.Duration(r.Delay()))
		}
	}
	for tuple, n := range free {
		if n != 1 {
			t.Errorf("tuple %v was found free %d times", tuple, n)
		}
	}
	if len(free) != 24 {
		t.Errorf("%d tuples were probed until they were free, want 24", len(free))
	}
	if probes < 2*24 {
		t.Errorf("%d probes: too few to have seen each port taken and free", probes)
	}
}
