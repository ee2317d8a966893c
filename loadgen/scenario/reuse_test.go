package scenario_test

import (
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/scenario/fakekernel"
	"lastport/loadgen/step"
)

// coarse and fine are the pauses between probes that the tests ask for.
const (
	coarse = 300 * ms
	fine   = 10 * ms
)

// reused fills n ports, closes them and waits for them. look, if it is set, gets
// every completion of the second part; change may change the kernel before it.
func reused(t rapid.TB, config fakekernel.Config, r scenario.Reuse, look func(step.Completion)) (*fakekernel.Kernel, []scenario.Return) {
	t.Helper()
	begun := false
	config.Done = func(_ int, c step.Completion) {
		if begun && look != nil {
			look(c)
		}
	}
	fate := config.Fate
	config.Fate = func(attempt, now int64) (f fakekernel.Fate) {
		if begun && fate != nil {
			f = fate(attempt-int64(config.Ports), now)
		}
		return f
	}
	k := fakekernel.New(config)
	o := scenario.NewOpening(scenario.Opening{Connections: config.Ports, Expected: config.Ports})
	if err := k.Run(o); err != nil {
		t.Fatal(err)
	}
	begun = true
	if r.Coarse == 0 {
		r.Coarse, r.Fine = int64(coarse), int64(fine)
	}
	work := scenario.NewReuse(r, o.Conns())
	w := &ahead{Work: work}
	if err := k.Run(w); err != nil {
		t.Fatal(err)
	}
	if k.Open() != 0 || k.Taken() != 0 || w.now != 0 {
		t.Errorf("%d open, %d ports taken, %d steps under way at the end", k.Open(), k.Taken(), w.now)
	}
	if k.Attempts() != int64(config.Ports) {
		t.Errorf("%d attempts counted: probes are not the run's", k.Attempts())
	}
	return k, work.Returns()
}

func window(least, most time.Duration) scenario.Window {
	return scenario.Window{Min: int64(least), Max: int64(most)}
}

// The true delay lies between the last probe that failed and the first that did
// not, and these are no further apart than the pause that was asked for.
func TestReuseDelays(t *testing.T) {
	const ports = 20
	for _, c := range []struct {
		name   string
		close  step.CloseMode
		delay  time.Duration
		expect scenario.Window
		apart  time.Duration // the resolution, less what the calls of a round take
	}{
		{"RST", step.ClientRST, 0, window(0, 0), 0},
		{"a listener's FIN", step.ServerFIN, 0, window(0, 0), 0},
		{"TIME_WAIT", step.ClientFIN, 60 * time.Second, window(60*time.Second, 62*time.Second), fine},
		{"a late timer", step.ClientFIN, 61500 * ms, window(60*time.Second, 62*time.Second), fine},
		{"tcp_tw_reuse", step.ClientFIN, time.Second, window(time.Second, time.Second+ms), fine},
		{"too late", step.ClientFIN, 64 * time.Second, window(60*time.Second, 62*time.Second), fine},
		{"much too early", step.ClientFIN, 7 * time.Second, window(60*time.Second, 62*time.Second), coarse},
	} {
		_, list := reused(t, fakekernel.Config{Ports: ports, Close: c.close, Reuse: c.delay},
			scenario.Reuse{Expect: c.expect, Patience: int64(3 * time.Second)}, nil)
		for _, p := range list {
			if !p.Back() {
				t.Fatalf("%s: port %d did not come back", c.name, p.Port)
			}
			if p.AtLeast() > int64(c.delay) || p.Delay() < int64(c.delay) {
				t.Errorf("%s: between %v and %v", c.name, time.Duration(p.AtLeast()), time.Duration(p.Delay()))
			}
			if c.delay == 0 {
				if p.Probes != 1 || p.Taken != 0 || p.Delay() > int64(ms) {
					t.Errorf("%s: %d probes, after %v", c.name, p.Probes, time.Duration(p.Delay()))
				}
				continue
			}
			if !within(p.Free-p.Taken, 0, c.apart+2*ms) {
				t.Errorf("%s: known to %v", c.name, time.Duration(p.Free-p.Taken))
			}
			// The pauses bound the probes: coarse ones up to the expectation, then fine.
			most := int(min(c.delay, time.Duration(c.expect.Min))/coarse + max(0, c.delay-time.Duration(c.expect.Min))/fine)
			if p.Probes > most+6 {
				t.Errorf("%s: %d probes, want at most %d", c.name, p.Probes, most)
			}
		}
	}
}

// TIME_WAIT begins when the second end is closed, which may be a while after the
// first: a port is not held to be late for that.
func TestOtherEndIsClosedLater(t *testing.T) {
	work := scenario.NewReuse(scenario.Reuse{
		Expect: window(time.Second, time.Second), Patience: int64(time.Second), Coarse: int64(coarse), Fine: int64(fine),
	}, []uint32{7})
	steps := make([]step.Step, 4)
	if n, _ := work.Next(0, steps); n != 1 || steps[0].Op != step.Close || steps[0].Conn != 7 {
		t.Fatalf("%d steps, first %+v, want the close", n, steps[0])
	}
	work.Take([]step.Completion{{Op: step.Close, Port: 40000, Start: int64(ms), End: int64(2 * ms)}})
	if n, _ := work.Next(int64(5*ms), steps); n != 1 || steps[0].Op != step.Open || steps[0].Port != 40000 {
		t.Fatalf("%d steps, first %+v, want a probe", n, steps[0])
	}
	work.Take([]step.Completion{{Op: step.Open, Probe: true, Outcome: outcome.PortBusy, Start: int64(1003 * ms), End: int64(1004 * ms)}})
	p := work.Returns()[0]
	if got, want := time.Duration(p.AtLeast()), 998*ms; got != want {
		t.Errorf("still taken after %v, want %v from the end of both closes", got, want)
	}
}

// A port that never comes back is given up when the patience is over.
func TestPortThatNeverComesBack(t *testing.T) {
	for _, patience := range []time.Duration{0, time.Second} {
		k, list := reused(t, fakekernel.Config{Ports: 5, Reuse: time.Hour},
			scenario.Reuse{Expect: window(time.Second, 2*time.Second), Patience: int64(patience)}, nil)
		for _, p := range list {
			if p.Back() || !within(p.AtLeast(), 2*time.Second+patience-fine-ms, fine+ms) {
				t.Errorf("back: %v, still taken after %v", p.Back(), time.Duration(p.AtLeast()))
			}
		}
		if !within(k.Now(), 2*time.Second+patience-fine, fine+10*ms) {
			t.Errorf("patience %v: ended at %v", patience, time.Duration(k.Now()))
		}
	}
}

// A probe leaves nothing behind: it has its port alone, and is closed by RST.
func TestProbesDoNotDisturb(t *testing.T) {
	closes := 0
	k, list := reused(t, fakekernel.Config{Ports: 5, Reuse: time.Second},
		scenario.Reuse{Expect: window(time.Second, time.Second), Patience: int64(ms + fine)}, func(c step.Completion) {
			if c.Op == step.Close && c.Probe {
				closes++
			}
		})
	if closes != len(list) {
		t.Errorf("%d probes closed, want %d", closes, len(list))
	}
	again := scenario.NewOpening(scenario.Opening{Connections: 5, Expected: 5})
	run(t, k, again)
	if len(again.Conns()) != 5 {
		t.Errorf("the probes left %d of 5 ports free", len(again.Conns()))
	}
}

// What becomes of a probe tells of its port unless it had no socket to ask with,
// or no answer where there is to be one.
func TestProbesThatFail(t *testing.T) {
	const never, silent, always = 0, 1, 2
	for code, asks := range map[outcome.Code]int{
		outcome.Refused: never, outcome.Reset: never,
		outcome.TimedOut: silent, outcome.NATNoPort: silent, outcome.Unreachable: silent,
		outcome.NoFD: always, outcome.NoMemory: always,
	} {
		for _, answered := range []bool{false, true} {
			_, list := reused(t, fakekernel.Config{
				Ports: 1, Close: step.ClientRST,
				Fate: func(attempt, _ int64) (f fakekernel.Fate) {
					if attempt <= 3 {
						f.Outcome = code
					}
					return f
				},
			}, scenario.Reuse{Patience: int64(time.Second), Answered: answered}, nil)
			want := 1
			if asks == always || asks == silent && answered {
				want = 4
			}
			if p := list[0]; p.Probes != want || !p.Back() || p.Taken != 0 {
				t.Errorf("%v, to be answered %v: %+v; want %d probes", code, answered, p, want)
			}
		}
	}
}

func TestReuseIsStopped(t *testing.T) {
	for name, config := range map[string]fakekernel.Config{
		"while it waits":                 {Reuse: time.Hour},
		"while a probe waits":            {Fate: func(int64, int64) fakekernel.Fate { return fakekernel.Silent() }},
		"while the listener is to close": {Close: step.ServerFIN, PeerClose: time.Hour},
	} {
		var stop atomic.Bool
		config.Ports, config.Timeout = 40, time.Minute
		config.Each = func(now int64) { stop.Store(now >= int64(time.Second)) }
		k, _ := reused(t, config, scenario.Reuse{Expect: window(time.Hour, time.Hour), Stop: &stop}, nil)
		if !within(k.Now(), time.Second, 20*ms) {
			t.Errorf("%s: ended at %v", name, time.Duration(k.Now()))
		}
	}
}

// Whatever the delays, and whatever fails: every port is closed and its true
// delay lies where it was found.
func TestAnyReuse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delay := time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "delay"))
		least := time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "least"))
		more := time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "more"))
		fate := fates().Draw(t, "fates")
		config := fakekernel.Config{
			Ports:     rapid.IntRange(1, 60).Draw(t, "ports"),
			Close:     rapid.SampledFrom(closeModes).Draw(t, "close"),
			PeerClose: rapid.SampledFrom([]time.Duration{0, ms, time.Hour}).Draw(t, "peer"),
			Reuse:     delay, Timeout: timeout,
			Fate: func(attempt, _ int64) (f fakekernel.Fate) {
				if attempt <= int64(len(fate)) {
					f = fate[attempt-1]
				}
				return f
			},
		}
		if config.Close != step.ClientFIN {
			delay = 0
		}
		const patience = time.Second
		_, list := reused(t, config, scenario.Reuse{Expect: window(least, least+more), Patience: int64(patience)}, nil)
		for _, p := range list {
			if p.Closed == 0 || p.Probes == 0 {
				t.Fatalf("never asked for: %+v", p)
			}
			// TIME_WAIT begins within the call that closes.
			if p.AtLeast() > int64(delay) || p.Back() && p.Delay() < int64(delay-10*time.Microsecond) {
				t.Fatalf("delay %v, found between %v and %v", delay, time.Duration(p.AtLeast()), time.Duration(p.Delay()))
			}
			if len(fate) == 0 && !p.Back() && delay < least+more+patience-coarse-timeout {
				t.Fatalf("delay %v, given up", delay)
			}
		}
	})
}

// lateEnd is a port whose connection comes to its end after so many times that that was
// asked, and which the kernel keeps for so long after.
func lateEnd(t *testing.T, asks int, kept time.Duration) scenario.Return {
	t.Helper()
	var now, ended int64
	work := scenario.NewReuse(scenario.Reuse{
		Patience: int64(time.Second), Coarse: int64(coarse), Fine: int64(fine),
		Closing: func() map[scenario.Tuple]bool {
			if asks--; asks == 0 {
				ended = now
			}
			return map[scenario.Tuple]bool{{Source: 1, Target: 2, Port: 40000}: asks > 0}
		},
	}, []uint32{7})
	steps := make([]step.Step, 4)
	for range 1000 {
		n, wake := work.Next(now, steps)
		if n == 0 && wake == step.Done {
			return work.Returns()[0]
		}
		var done []step.Completion
		for _, s := range steps[:n] {
			c := step.Completion{Op: s.Op, Tag: s.Tag, Probe: s.Probe, Source: 1, Target: 2, Port: 40000, Start: now, End: now + 10}
			if s.Op == step.Open && (asks > 0 || now < ended+int64(kept)) {
				c.Outcome = outcome.NoPort
			}
			done = append(done, c)
		}
		work.Take(done)
		now = max(now+20, wake)
	}
	t.Fatal("it never ends")
	return scenario.Return{}
}

// Where the other end closes in its own time a port is not held to be late for that,
// and is for all that comes after.
func TestOtherEndClosesInItsOwnTime(t *testing.T) {
	if p := lateEnd(t, 5, 0); !p.Back() || !p.Late || p.Taken == 0 || p.AtLeast() != 0 || p.Ended <= p.Taken {
		t.Errorf("free when the other end has closed: %+v, taken for %d at least", p, p.AtLeast())
	}
	if p := lateEnd(t, 5, 100*ms); !p.Back() || !within(p.AtLeast(), 100*ms-2*fine, 100*ms) {
		t.Errorf("taken for 100 ms more: %+v, taken for %v at least", p, time.Duration(p.AtLeast()))
	}
	if p := lateEnd(t, 1, 0); !p.Back() || p.Late {
		t.Errorf("the other end had closed: %+v", p)
	}
}
