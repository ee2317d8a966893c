package scenario_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/scenario/fakekernel"
	"lastport/loadgen/step"
)

var closeModes = []step.CloseMode{step.ClientFIN, step.ClientRST, step.ServerFIN, step.ServerRST}

// ahead counts how many of a work's steps are under way.
type ahead struct {
	step.Work
	now, most int
}

func (a *ahead) Next(now int64, steps []step.Step) (int, int64) {
	n, wake := a.Work.Next(now, steps)
	a.now += n
	a.most = max(a.most, a.now)
	return n, wake
}

func (a *ahead) Take(done []step.Completion) {
	a.now -= len(done)
	a.Work.Take(done)
}

func TestReleaseClosesAllInOrder(t *testing.T) {
	for _, mode := range closeModes {
		// A listener that closes first takes its time, or never does.
		for _, peer := range []time.Duration{0, 5 * ms, time.Hour} {
			var order []uint32
			config := fakekernel.Config{
				Ports: 2500, Close: mode, PeerClose: peer, Timeout: timeout,
				Done: func(_ int, c step.Completion) {
					if c.Op == step.Close {
						order = append(order, c.Conn)
					}
				},
			}
			k, conns := full(t, config)
			want := slices.Clone(conns)
			slices.Reverse(want)
			work := &ahead{Work: scenario.NewRelease(slices.Clone(want))}
			run(t, k, work)
			if k.Open() != 0 || work.now != 0 || !slices.Equal(order, want) {
				t.Errorf("%v, %v: %d open, %d under way, in order: %v", mode, peer, k.Open(), work.now, slices.Equal(order, want))
			}
			if work.most > 1024 {
				t.Errorf("%v, %v: %d closes under way at once", mode, peer, work.most)
			}
		}
	}
}

func TestReleaseOfNothing(t *testing.T) {
	k := fakekernel.New(fakekernel.Config{Ports: 1})
	run(t, k, scenario.NewRelease(nil))
	if k.Now() != 0 {
		t.Errorf("to close nothing took %d ns", k.Now())
	}
}

// released fills the range, closes everything, and returns when that ended.
func released(t *testing.T, config fakekernel.Config) (*fakekernel.Kernel, int64) {
	t.Helper()
	k, conns := full(t, config)
	run(t, k, scenario.NewRelease(conns))
	return k, k.Now()
}

func TestRecovery(t *testing.T) {
	const minute = time.Minute
	for _, c := range []struct {
		name       string
		mode       step.CloseMode
		from       time.Duration // after the release
		outcome    outcome.Code
		start      time.Duration // of the attempt that decides, after the release
		attempts   int64
		tolerance  int64         // attempts more or fewer
		startGrain time.Duration // later at most
	}{
		{"RST gives ports back at once", step.ClientRST, 0, outcome.OK, 0, 1, 0, ms},
		{"so does a listener's FIN", step.ServerFIN, 0, outcome.OK, 0, 1, 0, ms},
		{"after TIME_WAIT, asked then", step.ClientFIN, minute, outcome.OK, minute, 1, 0, ms},
		{"after TIME_WAIT, asked from the start", step.ClientFIN, 0, outcome.OK, minute - ms, 1200, 1, 50 * ms},
	} {
		k, end := released(t, fakekernel.Config{Ports: 10, Close: c.mode, Reuse: minute})
		before := k.Attempts()
		r := &scenario.Recovery{From: end + int64(c.from), Until: end + int64(2*minute)}
		run(t, k, r)
		attempts, decided := r.Result()
		if decided.Outcome != c.outcome || max(attempts-c.attempts, c.attempts-attempts) > c.tolerance {
			t.Errorf("%s: %v after %d attempts", c.name, decided.Outcome, attempts)
		}
		if start := time.Duration(decided.Start - end); start < c.start || start > c.start+c.startGrain {
			t.Errorf("%s: after %v", c.name, start)
		}
		if k.Open() != 0 || k.Attempts() != before {
			t.Errorf("%s: %d left open, %d counted among the run's attempts", c.name, k.Open(), k.Attempts()-before)
		}
	}
}

// Ports that never come back are waited for until the end, and no longer.
func TestNoRecovery(t *testing.T) {
	k, end := released(t, fakekernel.Config{Ports: 10, Reuse: time.Hour})
	r := &scenario.Recovery{From: end + int64(60*time.Second), Until: end + int64(63*time.Second)}
	run(t, k, r)
	attempts, decided := r.Result()
	if decided.Outcome != outcome.NoPort || attempts < 2 || attempts > 3*20+2 {
		t.Errorf("%v after %d attempts", decided.Outcome, attempts)
	}
	if now := time.Duration(k.Now() - end); now < 63*time.Second || now > 63*time.Second+60*ms {
		t.Errorf("gave up after %v, want 63 s", now)
	}
}

// One attempt is made even if its time is over before it begins.
func TestRecoveryLate(t *testing.T) {
	k, _ := released(t, fakekernel.Config{Ports: 10, Close: step.ClientRST})
	r := &scenario.Recovery{}
	run(t, k, r)
	if attempts, decided := r.Result(); attempts != 1 || decided.Outcome != outcome.OK {
		t.Errorf("%v after %d attempts", decided.Outcome, attempts)
	}
}

// Stop ends a recovery at once, whether it waits for its time, between two
// attempts or for an answer, and what it had opened is closed.
func TestRecoveryIsStopped(t *testing.T) {
	for name, c := range map[string]struct {
		wait     time.Duration
		reuse    time.Duration
		fate     fakekernel.Fate
		attempts int64
	}{
		"waits for its time":     {wait: time.Minute},
		"waits between attempts": {reuse: time.Minute, attempts: 4},
		"waits for an answer":    {fate: fakekernel.Silent(), attempts: 1},
		"has just opened":        {fate: fakekernel.Fate{After: 200 * ms}, attempts: 1},
	} {
		var stop atomic.Bool
		var fate fakekernel.Fate
		at := int64(1) << 62
		k, end := released(t, fakekernel.Config{
			Ports: 10, Reuse: c.reuse, Timeout: time.Minute,
			Fate: func(int64, int64) fakekernel.Fate { return fate },
			Each: func(now int64) { stop.Store(now >= at) },
		})
		fate, at = c.fate, end+int64(200*ms)
		r := &scenario.Recovery{From: end + int64(c.wait), Until: end + int64(time.Hour), Stop: &stop}
		run(t, k, r)
		attempts, _ := r.Result()
		if took := time.Duration(k.Now() - end); took > 221*ms || attempts < c.attempts || attempts > c.attempts+1 {
			t.Errorf("%s: %d attempts, ended after %v, want %d and 200 ms", name, attempts, took, c.attempts)
		}
		if k.Open() != 0 || k.Taken() != 0 {
			t.Errorf("%s: %d open, %d ports taken", name, k.Open(), k.Taken())
		}
	}
}
