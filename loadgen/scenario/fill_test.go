package scenario_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/scenario/fakekernel"
	"lastport/loadgen/step"
)

const (
	ms      = time.Millisecond
	timeout = time.Second
	// batch is how many steps the fake kernel asks for at a time.
	batch = 32
)

// run does the works and fails the test if one breaks the rules.
func run(t *testing.T, k *fakekernel.Kernel, works ...step.Work) {
	t.Helper()
	if err := k.Run(works...); err != nil {
		t.Fatal(err)
	}
}

func ended(t *testing.T, o *scenario.Opening, want scenario.End) outcome.Code {
	t.Helper()
	end, last := o.Ended()
	if end != want {
		t.Errorf("ended by %d (last failure %v), want %d", end, last, want)
	}
	return last
}

// always is the same fate for all.
func always(f fakekernel.Fate) func(int64, int64) fakekernel.Fate {
	return func(int64, int64) fakekernel.Fate { return f }
}

// With N ports, attempt N+1 is the first that finds none, and the last.
func TestAttemptAfterTheLastPort(t *testing.T) {
	for _, n := range []int{1, 2, 3, 100, 1000} {
		for _, expected := range []int{n, n + 1, 1, n / 2, 2 * n} {
			var first uint32
			k := fakekernel.New(fakekernel.Config{Ports: n, Done: func(_ int, c step.Completion) {
				if c.Outcome == outcome.NoPort && first == 0 {
					first = c.Attempt
				}
			}})
			o := scenario.NewOpening(scenario.Opening{Expected: expected, Timeout: timeout})
			run(t, k, o)
			ended(t, o, scenario.Exhausted)
			if int(first) != n+1 || k.Open() != n || len(o.Conns()) != n {
				t.Errorf("%d ports, %d expected: first no_port at attempt %d, %d open", n, expected, first, k.Open())
			}
			// Whatever the prediction, it may cost attempts but not more than a batch.
			if extra := int(k.Attempts()) - n; expected <= n+1 && extra != 1 || extra > batch {
				t.Errorf("%d ports, %d expected: %d attempts more than ports", n, expected, extra)
			}
		}
	}
}

func TestConnectionsBelowTheRange(t *testing.T) {
	for _, n := range []int{1, 31, 32, 33, 99, 100} {
		k := fakekernel.New(fakekernel.Config{Ports: 100})
		o := scenario.NewOpening(scenario.Opening{Connections: n, Expected: n, Timeout: timeout})
		run(t, k, o)
		ended(t, o, scenario.Reached)
		if k.Open() != n || int(k.Attempts()) != n {
			t.Errorf("%d asked for: %d open after %d attempts", n, k.Open(), k.Attempts())
		}
	}
}

// A failure that stays ends the fill after a bounded number of attempts and a
// bounded time, and is named.
func TestGivesUp(t *testing.T) {
	// 10 ms, doubled each time, between 8 rounds; one batch, then one by one.
	const waits, attempts = 1270 * ms, batch + 7
	for _, c := range []struct {
		fate     fakekernel.Fate
		last     outcome.Code
		attempts int64
		from, to time.Duration
	}{
		{fakekernel.Fate{Outcome: outcome.Refused}, outcome.Refused, attempts, waits, waits + ms},
		{fakekernel.Fate{Outcome: outcome.Reset}, outcome.Reset, attempts, waits, waits + ms},
		{fakekernel.Fate{Outcome: outcome.NoMemory}, outcome.NoMemory, attempts, waits, waits + ms},
		{fakekernel.Fate{Outcome: outcome.NoFD}, outcome.NoFD, attempts, waits, waits + ms},
		{fakekernel.Fate{Outcome: outcome.Denied}, outcome.Denied, attempts, waits, waits + ms},
		{fakekernel.Fate{Outcome: outcome.Unreachable, After: 100 * ms}, outcome.Unreachable, attempts, 2 * timeout, 2*timeout + 100*ms},
		{fakekernel.Silent(), outcome.TimedOut, batch + 1, 2 * timeout, 2*timeout + 11*ms},
	} {
		for _, opened := range []int64{0, 50} {
			k := fakekernel.New(fakekernel.Config{Ports: 100, Timeout: timeout, Fate: func(attempt, _ int64) fakekernel.Fate {
				if attempt <= opened {
					return fakekernel.Fate{}
				}
				return c.fate
			}})
			o := scenario.NewOpening(scenario.Opening{Expected: 100, Timeout: timeout})
			run(t, k, o)
			if last := ended(t, o, scenario.GaveUp); last != c.last {
				t.Errorf("gave up because of %v, want %v", last, c.last)
			}
			if k.Open() != int(opened) || k.Taken() != int(opened) || k.Attempts() > opened+c.attempts {
				t.Errorf("%v after %d: %d open, %d ports taken, %d attempts", c.last, opened, k.Open(), k.Taken(), k.Attempts())
			}
			if now := time.Duration(k.Now()); now < c.from || now > c.to {
				t.Errorf("%v after %d: gave up after %v, want %v to %v", c.last, opened, now, c.from, c.to)
			}
		}
	}
}

// A failure that passes is waited for, and the fill goes on to the last port.
func TestTransientFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		bad  func(attempt, now int64) bool
	}{
		{"the first half second", func(_, now int64) bool { return now < int64(500*ms) }},
		{"half a second in between", func(_, now int64) bool { return now > int64(ms) && now < int64(501*ms) }},
		{"one attempt in three", func(attempt, _ int64) bool { return attempt%3 == 0 }},
		{"all but one in five", func(attempt, _ int64) bool { return attempt%5 != 0 }},
	} {
		for _, why := range []outcome.Code{outcome.Refused, outcome.NoMemory, outcome.NoFD, outcome.TimedOut} {
			k := fakekernel.New(fakekernel.Config{Ports: 300, Fate: func(attempt, now int64) (f fakekernel.Fate) {
				if c.bad(attempt, now) {
					f.Outcome = why
				}
				return f
			}})
			o := scenario.NewOpening(scenario.Opening{Expected: 300, Timeout: timeout})
			run(t, k, o)
			ended(t, o, scenario.Exhausted)
			if k.Open() != 300 || k.Outcome(outcome.OK) != 300 || k.Outcome(outcome.NoPort) != 1 {
				t.Errorf("%s, %v: %d open, %d no_port", c.name, why, k.Open(), k.Outcome(outcome.NoPort))
			}
		}
	}
}

// A slow peer costs time, not connections.
func TestSlowPeer(t *testing.T) {
	k := fakekernel.New(fakekernel.Config{Ports: 100, Timeout: timeout, Fate: always(fakekernel.Fate{After: 900 * ms})})
	o := scenario.NewOpening(scenario.Opening{Expected: 100, Timeout: timeout})
	run(t, k, o)
	ended(t, o, scenario.Exhausted)
	if k.Open() != 100 || k.Outcome(outcome.TimedOut) != 0 {
		t.Errorf("%d open, %d timed out", k.Open(), k.Outcome(outcome.TimedOut))
	}
}

// The deadline and Stop end an opening, whatever it is doing.
func TestOpeningIsEnded(t *testing.T) {
	const at = 100 * ms
	for name, fate := range map[string]fakekernel.Fate{
		"busy": {}, "failing": {Outcome: outcome.Refused}, "waiting": fakekernel.Silent(),
	} {
		for _, by := range []scenario.End{scenario.TimeUp, scenario.Stopped} {
			var stop atomic.Bool
			config := fakekernel.Config{Ports: 1000, Call: ms, Fate: always(fate), Timeout: time.Minute}
			opening := scenario.Opening{Expected: 1000, Timeout: time.Minute, Stop: &stop}
			if by == scenario.TimeUp {
				opening.Deadline = int64(at)
			} else {
				config.Each = func(now int64) { stop.Store(now >= int64(at)) }
			}
			k, o := fakekernel.New(config), scenario.NewOpening(opening)
			run(t, k, o)
			ended(t, o, by)
			// An engine looks again after 20 ms at the latest, or after its batch.
			if now := time.Duration(k.Now()); now < at || now > at+batch*ms {
				t.Errorf("%s: ended after %v, want %v", name, now, at)
			}
			if k.Open() != len(o.Conns()) || k.Taken() != k.Open() {
				t.Errorf("%s: %d open, %d known, %d ports taken", name, k.Open(), len(o.Conns()), k.Taken())
			}
			if waiting := name == "waiting"; (k.Outcome(outcome.Canceled) > 0) != waiting {
				t.Errorf("%s: %d attempts canceled", name, k.Outcome(outcome.Canceled))
			}
		}
	}
}

// full makes a kernel without a free port.
func full(t *testing.T, config fakekernel.Config) (*fakekernel.Kernel, []uint32) {
	t.Helper()
	k := fakekernel.New(config)
	o := scenario.NewOpening(scenario.Opening{Expected: config.Ports, Timeout: timeout})
	run(t, k, o)
	ended(t, o, scenario.Exhausted)
	return k, o.Conns()
}

func TestFullAttempts(t *testing.T) {
	k, _ := full(t, fakekernel.Config{Ports: 10})
	before := k.Outcome(outcome.NoPort)
	f := &scenario.Full{Attempts: scenario.FullAttempts}
	run(t, k, f)
	if got := k.Outcome(outcome.NoPort) - before; got != scenario.FullAttempts || len(f.Conns()) != 0 {
		t.Errorf("%d no_port and %d connections, want %d and none", got, len(f.Conns()), scenario.FullAttempts)
	}
}

// Attempts that take long are fewer; told to stop, they end.
func TestFullAttemptsAreBounded(t *testing.T) {
	k, _ := full(t, fakekernel.Config{Ports: 10, Call: 500 * ms})
	began := k.Now()
	run(t, k, &scenario.Full{Attempts: scenario.FullAttempts})
	if took := time.Duration(k.Now() - began); took > 3*time.Second {
		t.Errorf("attempts on the full range took %v", took)
	}
	var stop atomic.Bool
	stop.Store(true)
	before := k.Attempts()
	run(t, k, &scenario.Full{Attempts: scenario.FullAttempts, Stop: &stop})
	if k.Attempts() != before {
		t.Errorf("%d attempts after Stop", k.Attempts()-before)
	}
}

// A port that comes back meanwhile is a connection to keep, also when its
// answer comes after the last attempt.
func TestFullKeepsWhatOpens(t *testing.T) {
	slow := false
	k, conns := full(t, fakekernel.Config{Ports: 10, Timeout: timeout, Fate: func(int64, int64) (f fakekernel.Fate) {
		if slow {
			f.After = 100 * ms
		}
		return f
	}})
	run(t, k, scenario.NewRelease(conns[:2]))
	slow = true
	f := &scenario.Full{Attempts: 2}
	run(t, k, f)
	if len(f.Conns()) != 2 || k.Open() != 10 || k.Outcome(outcome.Canceled) != 0 {
		t.Errorf("%d connections kept, %d open, %d canceled", len(f.Conns()), k.Open(), k.Outcome(outcome.Canceled))
	}
}

// share deals n out to workers.
func share(n, i, workers int) int { return (n + i) / workers }

// Several workers on one range lose no port and double none.
func TestWorkersShareARange(t *testing.T) {
	for _, workers := range []int{2, 3, 5} {
		for _, n := range []int{1, 2, 7, 1000} {
			t.Run(fmt.Sprintf("%d workers, %d ports", workers, n), func(t *testing.T) {
				ports, first := map[uint16]bool{}, uint32(0)
				k := fakekernel.New(fakekernel.Config{
					Ports: n,
					// One worker in two is ten times as slow, so that shares are not kept.
					Fate: func(attempt, _ int64) (f fakekernel.Fate) {
						if attempt%2 == 0 {
							f.After = 100 * time.Microsecond
						}
						return f
					},
					Done: func(_ int, c step.Completion) {
						switch {
						case c.Outcome == outcome.OK:
							ports[c.Port] = true
						case c.Outcome == outcome.NoPort && first == 0:
							first = c.Attempt
						}
					},
				})
				var works []step.Work
				var openings []*scenario.Opening
				for i := range workers {
					o := scenario.NewOpening(scenario.Opening{Expected: share(n, i, workers), Timeout: timeout})
					works, openings = append(works, o), append(openings, o)
				}
				run(t, k, works...)
				sum := 0
				for _, o := range openings {
					ended(t, o, scenario.Exhausted)
					sum += len(o.Conns())
				}
				if sum != n || k.Open() != n || len(ports) != n || int(first) != n+1 {
					t.Errorf("%d connections, %d open, %d distinct ports, first no_port at attempt %d", sum, k.Open(), len(ports), first)
				}
			})
		}
	}
}

// What is open when memory runs low stays open, and nothing more is tried.
func TestLowMemoryEndsTheOpening(t *testing.T) {
	var low, stop atomic.Bool
	k := fakekernel.New(fakekernel.Config{Ports: 1000, Fate: func(attempt, _ int64) fakekernel.Fate {
		low.Store(attempt >= 100)
		return fakekernel.Fate{}
	}})
	o := scenario.NewOpening(scenario.Opening{Connections: 900, Expected: 900, Timeout: timeout, Stop: &stop, Low: &low})
	run(t, k, o)
	ended(t, o, scenario.LowMemory)
	if n := len(o.Conns()); n != k.Open() || n < 100 || n >= 100+batch {
		t.Errorf("%d connections, %d open", n, k.Open())
	}
	stop.Store(true) // who was told to drain was, whatever else is
	o = scenario.NewOpening(scenario.Opening{Expected: 900, Timeout: timeout, Stop: &stop, Low: &low})
	run(t, k, o)
	ended(t, o, scenario.Stopped)
}
