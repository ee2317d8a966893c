package engine_test

import (
	"sync"
	"testing"

	"lastport/loadgen/engine"
	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// Workers race for the last ports of a space: none is lost and none is double,
// and each finds out by itself that there are no more.
func TestWorkersRaceForTheLastPorts(t *testing.T) {
	eachStrategy(t, func(t *testing.T, k kind, name string) {
		for _, workers := range []int{2, 4} {
			s := newSpace(t, k, 2, 2, 24)
			s.Workers = workers
			run := s.with(t, name)
			s.serve(t)
			tally := engine.NewTally(workers, s.pools(run).Count())
			var rigs []*rig
			for w := range workers {
				setup := s.setup(run, w, tally)
				apart(&setup)
				rigs = append(rigs, newRig(t, setup))
			}
			for range 2 {
				s.forget()
				race(t, s, run, rigs)
			}
		}
	})
}

func race(t *testing.T, s *space, run strategy.Run, rigs []*rig) {
	t.Helper()
	want := s.capacity(run)
	fills := make([]*scenario.Opening, len(rigs))
	done := make([][]step.Completion, len(rigs))
	var group sync.WaitGroup
	for i, r := range rigs {
		fills[i] = scenario.NewOpening(scenario.Opening{
			Spread: s.spread(run), First: i, Every: len(rigs), Expected: want / len(rigs), Timeout: patience,
		})
		group.Go(func() {
			s := &seen{Work: fills[i]}
			defer r.count()()
			if err := r.Run(s); err != nil {
				t.Error(err)
			}
			done[i] = s.done
		})
	}
	group.Wait()
	var all []step.Completion
	for i := range rigs {
		if end, _ := fills[i].Ended(); end != scenario.Exhausted {
			t.Errorf("worker %d ended by %d", i, end)
		}
		all = append(all, done[i]...)
	}
	if got := outcomes(all); got[outcome.OK] != want || got[outcome.OK]+got[outcome.NoPort] != len(all) {
		t.Errorf("outcomes %v, want %d ok", got, want)
	}
	waitFor(t, "the listener to accept all", func() bool { return s.clients() >= want })
	if got := rigs[0].tally.Open(); got != int64(want) || s.clients() != want {
		t.Errorf("%d open by the tally, %d tuples accepted, want %d", got, s.clients(), want)
	}
	for i, r := range rigs {
		r.do(t, scenario.NewRelease(fills[i].Conns()))
	}
	if got := rigs[0].tally.Open(); got != 0 {
		t.Errorf("%d open after the release", got)
	}
}

// Unnumbered attempts have no number but for failures, which have that of the
// latest.
func TestUnnumbered(t *testing.T) {
	_, target := listen(t, backlog)
	sources := sourcePorts(t, 40000, 40004)
	tally := engine.NewTally(2, 1)
	for w := range 2 {
		r := newRig(t, setup{target: target, sources: sources, mode: step.ClientRST, tally: tally, worker: w, change: func(o *engine.Options) { o.Unnumbered = true }})
		for i, c := range r.do(t, &script{batches: [][]step.Step{opens(4)}}) {
			want := uint32(0)
			if c.Outcome == outcome.NoPort {
				want = uint32(4*w + i + 1)
			}
			if c.Attempt != want || c.Open != 0 {
				t.Errorf("worker %d, attempt %d: %v with number %d and %d open, want %d and none", w, i, c.Outcome, c.Attempt, c.Open, want)
			}
		}
		if used := r.CPUTime(); used.Total() <= 0 {
			t.Errorf("its threads used %v", used)
		}
	}
}

// In a process of many workers an attempt's number is that of the run.
func TestAttemptsAreNumberedOverWorkers(t *testing.T) {
	listener, target := listen(t, backlog)
	sources := sourcePorts(t, 40000, 40099)
	tally := engine.NewTally(2, 1)
	rigs := make([]*rig, 2)
	for w := range rigs {
		rigs[w] = newRig(t, setup{target: target, together: listener, sources: sources, mode: step.ClientRST, tally: tally, worker: w})
	}
	next := uint32(0)
	for range 3 { // by turns, so that the order is known
		for _, r := range rigs {
			for _, c := range r.do(t, &script{batches: [][]step.Step{opens(7)}}) {
				if next++; c.Attempt != next || c.Open != next-1 || c.Outcome != outcome.OK {
					t.Errorf("%+v, want attempt %d with %d open", c, next, next-1)
				}
			}
		}
	}
}
