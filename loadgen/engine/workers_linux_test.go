package engine_test

import (
	"sync"
	"testing"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
)

// Two workers race for the ports of one range: none is lost and none is double,
// and each finds out by itself that there are no more.
func TestWorkersRaceForTheLastPorts(t *testing.T) {
	const n, workers = 100, 2
	for _, strategy := range []string{"connect", "socket-range"} {
		p := newPeer(t, false)
		sources := sourcePorts(t, 40000, 40000+n-1)
		tally := engine.NewTally(workers)
		var rigs []*rig
		for w := range workers {
			rigs = append(rigs, newRig(t, setup{
				target: p.addr, sources: sources, strategy: strategy, mode: step.ClientRST, tally: tally, worker: w,
			}))
		}
		for range 5 {
			race(t, p, rigs, n)
		}
	}
}

func race(t *testing.T, p *peer, rigs []*rig, n int) {
	t.Helper()
	fills := make([]*scenario.Opening, len(rigs))
	done := make([][]step.Completion, len(rigs))
	var group sync.WaitGroup
	for i, r := range rigs {
		fills[i] = opening(n / len(rigs))
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
	if got := outcomes(all); got[outcome.OK] != n || got[outcome.OK]+got[outcome.NoPort] != len(all) || distinct(all) != n {
		t.Errorf("outcomes %v, %d distinct ports, want %d", got, distinct(all), n)
	}
	if got := rigs[0].tally.Open(); got != int64(n) || clients(t, p.addr)[diag.Established] != n {
		t.Errorf("%d open by the tally, sock_diag says %v", got, clients(t, p.addr))
	}
	for i, r := range rigs {
		r.do(t, scenario.NewRelease(fills[i].Conns()))
	}
	if got := rigs[0].tally.Open(); got != 0 || len(clients(t, p.addr)) != 0 {
		t.Errorf("%d open after the release, sockets %v", got, clients(t, p.addr))
	}
}

// In a process of many workers an attempt's number is that of the run.
func TestAttemptsAreNumberedOverWorkers(t *testing.T) {
	listener, target := listen(t, backlog)
	sources := sourcePorts(t, 40000, 40099)
	tally := engine.NewTally(2)
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
