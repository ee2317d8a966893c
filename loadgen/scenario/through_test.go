package scenario_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
)

// gate is a gateway with so many ports, which come back some time after the
// close. It has a clock of its own.
type gate struct {
	ports   int
	back    int64 // nanoseconds from the close until the port is back
	unlucky func() bool
	cause   outcome.Code // of what fails; OK is NATNoPort

	open     int
	returns  []int64 // when closed ports are back
	conn     uint32
	attempts int
}

// drive does the work's steps until it is done, and returns the time at its end.
// An attempt that fails takes the timeout, one that succeeds a microsecond.
func (g *gate) drive(t interface{ Fatalf(string, ...any) }, work step.Work) int64 {
	now := int64(1)
	var steps [32]step.Step
	var late []step.Completion // of attempts that fail, in their order
	for range 1_000_000 {
		n, wake := work.Next(now, steps[:])
		if n == 0 && wake == step.Done {
			return now
		}
		var done []step.Completion
		for _, st := range steps[:n] {
			now += 1000
			c := step.Completion{Op: st.Op, Probe: st.Probe, Source: st.Source, Target: st.Target, Conn: st.Conn, Start: now, End: now}
			switch {
			case st.Op == step.Close:
				g.open--
				g.returns = append(g.returns, now+g.back)
				done = append(done, c)
			case g.take(now):
				g.conn++
				c.Conn = g.conn
				done = append(done, c)
			default:
				c.End += int64(timeout)
				c.Outcome, c.Again = outcome.NATNoPort, 2
				if g.cause != outcome.OK {
					c.Outcome = g.cause
				}
				late = append(late, c)
			}
		}
		if n == 0 {
			next := max(now+1, wake)
			if len(late) > 0 {
				next = min(next, late[0].End)
			}
			now = max(now, next)
		}
		for len(late) > 0 && late[0].End <= now {
			done = append(done, late[0])
			late = late[1:]
		}
		if len(done) > 0 {
			work.Take(done)
		}
	}
	t.Fatalf("the work does not end")
	return 0
}

// take says whether an attempt finds a port.
func (g *gate) take(now int64) bool {
	g.attempts++
	taken := g.open
	for _, at := range g.returns {
		if at > now {
			taken++
		}
	}
	if g.cause != outcome.OK || taken >= g.ports || g.unlucky != nil && g.unlucky() {
		return false
	}
	g.open++
	return true
}

func throughOf(g *gate, o scenario.Opening) *scenario.Through {
	o.Timeout = timeout
	return scenario.NewThrough(scenario.Through{Opening: o, Workers: 1, Full: func() bool { return g.open >= o.Expected }})
}

// Where nothing is left to chance, no attempt is lost before the gateway is full.
func TestThroughIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gate{ports: rapid.IntRange(1, 300).Draw(t, "ports")}
		w := throughOf(g, scenario.Opening{Expected: g.ports})
		g.drive(t, w)
		if end, _ := w.Ended(); end != scenario.Exhausted || len(w.Conns()) != g.ports || !w.Refused() {
			t.Fatalf("%d connections on %d ports, ended by %d", len(w.Conns()), g.ports, end)
		}
		if g.attempts != g.ports+scenario.ThroughBeyond {
			t.Fatalf("%d attempts on %d ports", g.attempts, g.ports)
		}
		if lost := w.LostBefore(w.LastSuccess()); lost != 0 {
			t.Fatalf("%d SYNs lost before the gateway was full", lost)
		}
	})
}

// Lost SYNs end nothing as long as some get through.
func TestThroughGoesOnPastLosses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		every := rapid.IntRange(1, 10).Draw(t, "one of so many gets through")
		n := 0
		g := &gate{ports: rapid.IntRange(1, 200).Draw(t, "ports"), unlucky: func() bool { n++; return n%every != 0 }}
		w := throughOf(g, scenario.Opening{Expected: g.ports})
		g.drive(t, w)
		if end, _ := w.Ended(); end != scenario.Exhausted || len(w.Conns()) != g.ports {
			t.Fatalf("%d connections on %d ports, ended by %d", len(w.Conns()), g.ports, end)
		}
		if lost := w.LostBefore(w.LastSuccess()); every > 1 && lost == 0 {
			t.Fatal("no SYN is counted as lost before the gateway was full")
		}
	})
}

// A gateway with fewer ports than it should have is found out by a bounded run.
func TestThroughStops(t *testing.T) {
	g := &gate{ports: 100}
	w := throughOf(g, scenario.Opening{Expected: 1000})
	g.drive(t, w)
	if end, _ := w.Ended(); end != scenario.Exhausted || len(w.Conns()) != 100 {
		t.Errorf("%d connections, ended by %d", len(w.Conns()), end)
	}
	if most := 1000 + scenario.ThroughRun; g.attempts > most {
		t.Errorf("%d attempts, want %d at most", g.attempts, most)
	}
}

// What is not the gateway's doing is no exhaustion.
func TestThroughGivesUp(t *testing.T) {
	for _, cause := range []outcome.Code{outcome.TimedOut, outcome.Refused} {
		g := &gate{ports: 100, cause: cause}
		w := throughOf(g, scenario.Opening{Expected: 100})
		g.drive(t, w)
		if end, last := w.Ended(); end != scenario.GaveUp || last != cause || w.Refused() {
			t.Errorf("%v: ended by %d, %v", cause, end, last)
		}
	}
}

func TestThroughReaches(t *testing.T) {
	g := &gate{ports: 100}
	w := throughOf(g, scenario.Opening{Expected: 40, Connections: 40})
	g.drive(t, w)
	if end, _ := w.Ended(); end != scenario.Reached || len(w.Conns()) != 40 || g.attempts != 40 {
		t.Errorf("%d connections by %d attempts, ended by %d", len(w.Conns()), g.attempts, end)
	}
}

// The kernel sends SYNs at 0, 1, 2, 3, 4, 5, 7 and 11 s by default, and at 0, 1, 3
// and 7 s where it knows no linear timeouts.
func TestSYNAfter(t *testing.T) {
	for linear, want := range map[int][]time.Duration{4: {0, 1, 2, 3, 4, 5, 7, 11}, 0: {0, 1, 3, 7}, 1: {0, 1, 2, 4, 8}} {
		for n, seconds := range want {
			if got := scenario.SYNAfter(n, linear); got != seconds*time.Second {
				t.Errorf("SYN %d of %d linear comes after %v, want %d s", n, linear, got, seconds)
			}
		}
	}
}

// A row of attempts toward one target is as long as the gateway has addresses,
// so that they do not always come to the same one.
func TestSpreadInRows(t *testing.T) {
	const addresses, targets, n = 4, 2, 800
	counts := map[[2]int]int{}
	g := &gate{ports: n}
	w := throughOf(g, scenario.Opening{Expected: n, Spread: scenario.Spread{Targets: targets, Row: addresses}})
	k := 0
	counting := countedWork{w, func(target uint16) {
		if k < n { // those beyond find it full
			counts[[2]int{k % addresses, int(target)}]++
		}
		k++
	}}
	g.drive(t, counting)
	for at, got := range counts {
		if got != n/addresses/targets {
			t.Errorf("address %d gets %d connections toward target %d, want %d", at[0], got, at[1], n/addresses/targets)
		}
	}
	if len(counts) != addresses*targets {
		t.Errorf("%d pairs of address and target, want %d", len(counts), addresses*targets)
	}
}

// countedWork tells of the target of each attempt.
type countedWork struct {
	step.Work
	each func(target uint16)
}

func (c countedWork) Next(now int64, steps []step.Step) (int, int64) {
	n, wake := c.Work.Next(now, steps)
	for _, st := range steps[:n] {
		c.each(st.Target)
	}
	return n, wake
}

// Ports that come back at a known time are found back then.
func TestReopen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gate{ports: rapid.IntRange(1, 60).Draw(t, "ports")}
		g.back = int64(rapid.IntRange(0, 5000).Draw(t, "milliseconds")) * int64(time.Millisecond)
		open := throughOf(g, scenario.Opening{Expected: g.ports, Connections: g.ports})
		g.drive(t, open)
		w := scenario.NewReopen(scenario.Reopen{Until: 20 * int64(time.Second)}, open.Conns())
		g.drive(t, w)
		for i, p := range w.Returns() {
			if !p.Back() || p.Delay() < g.back || p.AtLeast() > g.back {
				t.Fatalf("port %d of %d: back %v, after %v, taken for %v at least; want %v", i, g.ports, p.Back(),
					time.Duration(p.Delay()), time.Duration(p.AtLeast()), time.Duration(g.back))
			}
		}
	})
}

func TestReopenLosesPatience(t *testing.T) {
	g := &gate{ports: 10, back: int64(time.Hour)}
	open := throughOf(g, scenario.Opening{Expected: 10, Connections: 10})
	g.drive(t, open)
	w := scenario.NewReopen(scenario.Reopen{Until: 2 * int64(time.Second)}, open.Conns())
	g.drive(t, w)
	probes := 0
	for _, p := range w.Returns() {
		probes += p.Probes
		if p.Back() || p.Taken == 0 {
			t.Errorf("%+v", p)
		}
	}
	if probes == 0 {
		t.Error("no attempt is counted")
	}
}
