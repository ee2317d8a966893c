package scenario_test

import (
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lastport/loadgen/outcome"
	"lastport/loadgen/pace"
	"lastport/loadgen/scenario"
	"lastport/loadgen/scenario/fakekernel"
	"lastport/loadgen/step"
)

// history keeps what came of a churn's steps, by operation.
type history struct{ opens, requests, closes []step.Completion }

func (h *history) done(_ int, c step.Completion) {
	switch c.Op {
	case step.Open, step.Cycle:
		h.opens = append(h.opens, c)
	case step.Request:
		h.requests = append(h.requests, c)
	case step.Close:
		h.closes = append(h.closes, c)
	}
}

// churned runs a churn in as many workers as c.Every says and checks what holds
// of every churn: nothing is left open or under way, and outcomes sum up.
func churned(t rapid.TB, config fakekernel.Config, c scenario.Churn) (*fakekernel.Kernel, *history) {
	t.Helper()
	h := &history{}
	config.Done = h.done
	k := fakekernel.New(config)
	var works []step.Work
	var under []*ahead
	for c.First = range max(c.Every, 1) {
		w := &ahead{Work: scenario.NewChurn(c)}
		works, under = append(works, w), append(under, w)
	}
	if err := k.Run(works...); err != nil {
		t.Fatal(err)
	}
	var sum int64
	for code := range outcome.Count {
		sum += k.Outcome(outcome.Code(code))
	}
	if sum != k.Attempts() || k.Open() != 0 || k.Taken() != 0 {
		t.Errorf("%d outcomes of %d attempts, %d open, %d ports taken", sum, k.Attempts(), k.Open(), k.Taken())
	}
	for i, w := range under {
		if w.now != 0 {
			t.Errorf("worker %d: %d steps under way at the end", i, w.now)
		}
	}
	return k, h
}

// at is an open loop.
func at(t rapid.TB, perSecond float64, c scenario.Churn) scenario.Churn {
	t.Helper()
	pacer, err := pace.NewConstant(perSecond)
	if err != nil {
		t.Fatal(err)
	}
	c.Pacer = pacer
	return c
}

// within says whether v lies in [want, want + more].
func within(v int64, want, more time.Duration) bool {
	return v >= int64(want) && v <= int64(want+more)
}

func TestAttemptsAreDueAtTheirTimes(t *testing.T) {
	from := int64(7 * ms)
	c := at(t, 300, scenario.Churn{From: from, Deadline: from + int64(2*time.Second)})
	_, h := churned(t, fakekernel.Config{Ports: 10, Close: step.ClientRST}, c)
	if len(h.opens) != 600 || len(h.closes) != 600 {
		t.Fatalf("%d attempts, %d closes, want 600", len(h.opens), len(h.closes))
	}
	for i, o := range h.opens {
		if want := from + c.Pacer.Due(int64(i)); o.Due != want || o.Start != want || int(o.Attempt) != i+1 {
			t.Fatalf("attempt %d: number %d, due at %d, begun at %d, want %d", i+1, o.Attempt, o.Due, o.Start, want)
		}
	}
}

// A thousand ports at 100 a second are gone after ten. Attempts go on, each at
// its time, and succeed again when TIME_WAIT is over.
func TestExhaustionAndRecovery(t *testing.T) {
	c := at(t, 100, scenario.Churn{Deadline: int64(75 * time.Second)})
	k, h := churned(t, fakekernel.Config{Ports: 1000, Reuse: time.Minute}, c)
	if len(h.opens) != 7500 {
		t.Fatalf("%d attempts, want 7500", len(h.opens))
	}
	for i, o := range h.opens {
		want := outcome.OK
		// The first port is closed 20 µs after 0 s, so the attempt at 60 s is 20 µs
		// early for it.
		if i >= 1000 && i <= 6000 || i >= 7001 {
			want = outcome.NoPort
		}
		if o.Outcome != want || o.Due != int64(i)*int64(10*ms) || o.Start != o.Due {
			t.Fatalf("attempt %d: %v, due at %v, begun at %v; want %v at its time",
				i+1, o.Outcome, time.Duration(o.Due), time.Duration(o.Start), want)
		}
	}
	if k.Opened() != 2000 {
		t.Errorf("%d successes, want each port twice", k.Opened())
	}
}

// A worker that stood still makes what it has missed, each with the due time
// that it should have had.
func TestStalledWorkerCatchesUp(t *testing.T) {
	c := at(t, 1000, scenario.Churn{Deadline: int64(2 * time.Second)})
	config := fakekernel.Config{Ports: 5000, Close: step.ClientRST}
	config.Stall.At, config.Stall.For = time.Second, 500*ms
	_, h := churned(t, config, c)
	if len(h.opens) != 2000 {
		t.Fatalf("%d attempts, want 2000", len(h.opens))
	}
	var latest int64
	for i, o := range h.opens {
		if o.Due != int64(i)*int64(ms) || o.Start < o.Due {
			t.Fatalf("attempt %d: due at %v, begun at %v", i+1, time.Duration(o.Due), time.Duration(o.Start))
		}
		latest = max(latest, o.Start-o.Due)
	}
	if !within(latest, 499*ms, ms) {
		t.Errorf("the latest attempt was %v late, want 500 ms", time.Duration(latest))
	}
	if last := h.opens[1999]; last.Start != last.Due {
		t.Errorf("the last attempt was still %v late", time.Duration(last.Start-last.Due))
	}
}

// A worker that stands still over the end makes what was due before it, and
// ends on time if that is too much.
func TestStallAtTheEnd(t *testing.T) {
	for _, c := range []struct {
		rate           float64
		stall          time.Duration
		attempts, more int
		end            time.Duration
	}{
		{1000, 100 * ms, 1000, 0, 1100 * ms},
		{1000, 300 * ms, 950, 0, 1260 * ms},             // it wakes up when all should be over
		{1_000_000, 50 * ms, 55_000, 10_000, 1260 * ms}, // two calls of 10 µs for each
	} {
		config := fakekernel.Config{Ports: 50, Close: step.ClientRST, Call: 10 * time.Microsecond}
		config.Stall.At, config.Stall.For = 950*ms, c.stall
		k, h := churned(t, config, at(t, c.rate, scenario.Churn{Deadline: int64(time.Second)}))
		if n := len(h.opens); n < c.attempts || n > c.attempts+c.more || k.Now() > int64(c.end) {
			t.Errorf("%v/s, stalled for %v: %d attempts, ended at %v; want %d and %v", c.rate, c.stall, n, time.Duration(k.Now()), c.attempts, c.end)
		}
	}
}

func TestClosedLoopKeepsItsConcurrency(t *testing.T) {
	for _, concurrency := range []int{1, 7, 100} {
		open, most := 0, 0
		k := fakekernel.New(fakekernel.Config{Ports: 200, Close: step.ClientRST, Done: func(_ int, c step.Completion) {
			switch c.Op {
			case step.Open:
				open++
			case step.Close:
				open--
			}
			most = max(most, open)
		}})
		c := scenario.NewChurn(scenario.Churn{Concurrency: concurrency, Hold: 10 * ms, Deadline: int64(time.Second)})
		run(t, k, c)
		if most != concurrency || open != 0 {
			t.Errorf("%d open at once, %d at the end, want %d and 0", most, open, concurrency)
		}
		// Each place is used again and again, every 10 ms and what the calls take.
		least := int64(concurrency) * int64(time.Second/(10*ms+2*time.Duration(concurrency+batch)*10*time.Microsecond))
		if k.Opened() < least || k.Opened() > int64(concurrency)*100 {
			t.Errorf("%d at a time: %d in a second, want %d to %d", concurrency, k.Opened(), least, concurrency*100)
		}
	}
}

// Where no port is left a closed loop makes few attempts: it would fail as fast
// as it can ask.
func TestClosedLoopBacksOff(t *testing.T) {
	for _, concurrency := range []int{1, 64} {
		k, _ := churned(t, fakekernel.Config{Ports: 10, Reuse: 20 * time.Second},
			scenario.Churn{Concurrency: concurrency, Deadline: int64(30 * time.Second)})
		// Every port twice, and up to a batch a tenth of a second between.
		if k.Opened() != 20 || k.Outcome(outcome.NoPort) < 200 || k.Outcome(outcome.NoPort) > int64(min(batch, concurrency))*320 {
			t.Errorf("%d at a time: %d successes and %d times no_port in 30 s", concurrency, k.Opened(), k.Outcome(outcome.NoPort))
		}
	}
}

func TestHold(t *testing.T) {
	const hold = 250 * ms
	_, h := churned(t, fakekernel.Config{Ports: 100, Close: step.ClientRST},
		at(t, 100, scenario.Churn{Hold: hold, Deadline: int64(time.Second)}))
	opened := map[uint32]int64{}
	for _, o := range h.opens {
		opened[o.Conn] = o.End
	}
	for _, c := range h.closes {
		due := opened[c.Conn] + int64(hold)
		if due >= int64(time.Second) {
			due = int64(time.Second) // the end comes first
		}
		if !within(c.Start-due, 0, ms) {
			t.Errorf("closed %v after its opening, at %v", time.Duration(c.Start-opened[c.Conn]), time.Duration(c.Start))
		}
	}
	if len(h.closes) != 100 {
		t.Errorf("%d closes, want 100", len(h.closes))
	}
}

// A connection whose requests take long is closed when they are through or when
// its time has come, whatever was opened after it.
func TestHoldWithSlowRequests(t *testing.T) {
	const hold, slow = 500 * ms, 450 * ms
	_, h := churned(t, fakekernel.Config{
		Ports: 200, Close: step.ClientRST,
		Request: func(n int64) (f fakekernel.Fate) {
			if n%10 == 1 {
				f.After = slow
			}
			return f
		},
	}, at(t, 100, scenario.Churn{Hold: hold, Requests: 1, Deadline: int64(2 * time.Second)}))
	opened := map[uint32]int64{}
	for _, o := range h.opens {
		opened[o.Conn] = o.End
	}
	for _, c := range h.closes {
		if due := opened[c.Conn] + int64(hold); due < int64(2*time.Second) && !within(c.Start-due, 0, ms) {
			t.Errorf("closed %v after its opening, want %v", time.Duration(c.Start-opened[c.Conn]), hold)
		}
	}
}

// Every request comes after the one before and before the close. One that fails
// is its connection's last step.
func TestRequests(t *testing.T) {
	const each = 5
	for name, fate := range map[string]fakekernel.Fate{
		"answered at once": {}, "answered later": {After: 3 * ms},
		"reset": {Outcome: outcome.Reset}, "never answered": fakekernel.Silent(),
	} {
		k, h := churned(t, fakekernel.Config{
			Ports: 1000, Close: step.ClientRST, Timeout: timeout,
			Request: func(n int64) (f fakekernel.Fate) {
				if n%13 == 0 {
					f = fate
				}
				return f
			},
		}, at(t, 100, scenario.Churn{Requests: each, Attempts: 100, Deadline: int64(time.Minute)}))
		answered, failed, closed := map[uint32]int{}, map[uint32]bool{}, map[uint32]bool{}
		for _, r := range h.requests {
			if failed[r.Conn] {
				t.Errorf("%s: a request after one that failed", name)
			}
			if r.Outcome == outcome.OK {
				answered[r.Conn]++
			} else {
				failed[r.Conn] = true
			}
		}
		for _, c := range h.closes {
			closed[c.Conn] = true
			if failed[c.Conn] || answered[c.Conn] != each {
				t.Errorf("%s: closed after %d requests, failed: %v", name, answered[c.Conn], failed[c.Conn])
			}
		}
		if len(closed)+len(failed) != 100 || k.Opened() != 100 {
			t.Errorf("%s: %d closed, %d failed, of %d", name, len(closed), len(failed), k.Opened())
		}
		if fails := fate.Outcome != outcome.OK || fate.After > timeout; fails != (len(failed) > 0) {
			t.Errorf("%s: %d failed", name, len(failed))
		}
	}
}

// Attempts bound a churn that has time for more, and it ends with the last close.
func TestAttempts(t *testing.T) {
	for name, c := range map[string]scenario.Churn{
		"open loop":   at(t, 1000, scenario.Churn{}),
		"closed loop": {Concurrency: 5},
	} {
		c.Attempts, c.Hold, c.Deadline = 50, 20*ms, int64(time.Hour)
		k, h := churned(t, fakekernel.Config{Ports: 100, Close: step.ClientRST}, c)
		if len(h.opens) != 50 || len(h.closes) != 50 || k.Now() > int64(time.Second) {
			t.Errorf("%s: %d attempts, %d closes, ended at %v", name, len(h.opens), len(h.closes), time.Duration(k.Now()))
		}
	}
}

// The end comes on time whatever is still waited for, by the deadline and by
// Stop alike.
func TestChurnEndsOnTime(t *testing.T) {
	const end, late = time.Second, 250*ms + 2*ms // what closes may take besides
	silent := fakekernel.Silent()
	for name, config := range map[string]fakekernel.Config{
		"attempts":                  {Fate: always(silent)},
		"requests":                  {Request: func(int64) fakekernel.Fate { return silent }},
		"closes":                    {Close: step.ServerFIN, PeerClose: time.Hour},
		"answers that come late":    {Fate: always(fakekernel.Fate{After: 1100 * ms})},
		"requests answered late":    {Request: func(int64) fakekernel.Fate { return fakekernel.Fate{After: 100 * ms} }},
		"closes that come late":     {Close: step.ServerFIN, PeerClose: 100 * ms},
		"nothing, but all are held": {},
	} {
		for _, stopped := range []bool{false, true} {
			var stop atomic.Bool
			c := at(t, 200, scenario.Churn{Requests: 2, Hold: time.Hour, Deadline: int64(end), Stop: &stop})
			config.Ports, config.Timeout = 5000, time.Minute
			if config.PeerClose > 0 {
				c.Hold = 0
			}
			if stopped {
				c.Deadline = int64(time.Hour)
				config.Each = func(now int64) { stop.Store(now >= int64(end)) }
			}
			k, h := churned(t, config, c)
			// A stop is noticed between two batches.
			if n := len(h.opens); n < 199 || n > 201 {
				t.Errorf("%s (stopped: %v): %d attempts, want 200", name, stopped, n)
			}
			// To close what is held takes 10 µs each.
			if !within(k.Now(), end, late+201*10*time.Microsecond) {
				t.Errorf("%s (stopped: %v): ended at %v", name, stopped, time.Duration(k.Now()))
			}
		}
	}
}

// Workers share the attempts: none is made twice, and none is left out.
func TestWorkersShareTheSchedule(t *testing.T) {
	c := at(t, 1000, scenario.Churn{Every: 3, Deadline: int64(time.Second)})
	_, h := churned(t, fakekernel.Config{Ports: 100, Close: step.ClientRST, Call: time.Microsecond}, c)
	seen := map[int64]int{}
	for _, o := range h.opens {
		seen[o.Due]++
	}
	if len(h.opens) != 1000 {
		t.Errorf("%d attempts, want 1000", len(h.opens))
	}
	for i := range int64(1000) {
		if due := c.Pacer.Due(i); seen[due] != 1 {
			t.Fatalf("attempt %d was made %d times", i, seen[due])
		}
	}
}

// A closed loop without ports tries one attempt at a time, after 1, 2, 4 … 64,
// 100 ms, however many it had under way when they ran out.
func TestManyAtATimeWithoutPorts(t *testing.T) {
	const ports, atATime = 100, 16
	for _, whole := range []bool{false, true} {
		config := fakekernel.Config{Ports: ports, Reuse: time.Minute}
		k, h := churned(t, config, scenario.Churn{Whole: whole, Concurrency: atATime, Deadline: int64(time.Second)})
		if k.Opened() != ports {
			t.Errorf("whole %v: %d opened", whole, k.Opened())
		}
		waits := 0
		last := h.opens[0]
		for _, o := range h.opens {
			if o.Outcome != outcome.OK && o.Start-last.End >= int64(ms) {
				waits++
			}
			last = o
		}
		// 127 ms for the first seven, and then 100 ms each.
		if failed := len(h.opens) - ports; waits < 10 || waits > 16 || failed > waits+2*atATime {
			t.Errorf("whole %v: %d waits, %d attempts without a port", whole, waits, failed)
		}
	}
}
