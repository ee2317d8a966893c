package engine_test

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// ledger is a strategy that chooses the ports of the range one after the other,
// and keeps account: each port that it gives out comes back exactly once, by
// Failed or by Freed.
type ledger struct {
	space  *space
	out    map[lent]bool
	tried  map[uint16]bool // in this attempt
	failed int
	faults []string

	patience int // tries of an attempt; 0: as many as there are ports
}

// lent is a port that was given out.
type lent struct {
	pool int
	port uint16
}

func newLedger(s *space) *ledger { return &ledger{space: s, out: map[lent]bool{}} }

func (l *ledger) Traits() strategy.Traits {
	return strategy.Traits{Explicit: true, Step: 1, Source: true}
}
func (l *ledger) Worker(int) strategy.Strategy { return l }

func (l *ledger) Choose(a strategy.Attempt) (strategy.Choice, bool) {
	if a.Try == 0 {
		l.tried = map[uint16]bool{}
	}
	if want := l.space.pools(l).Of(a.Source, a.Target); a.Pool != want || a.Try != len(l.tried) {
		l.faults = append(l.faults, fmt.Sprintf("asked for %+v, want pool %d and try %d", a, want, len(l.tried)))
	}
	for port := range l.space.Ranges.All() {
		if l.out[lent{a.Pool, port}] || l.tried[port] {
			continue
		}
		l.out[lent{a.Pool, port}], l.tried[port] = true, true
		return strategy.Choice{Bind: strategy.BindNow, Port: port, ReuseAddr: !l.space.udp}, true
	}
	return strategy.Choice{}, false
}

func (l *ledger) Failed(a strategy.Attempt, c strategy.Choice) bool {
	l.failed++
	l.Freed(a.Pool, c.Port)
	return a.Try+1 != l.patience
}

func (l *ledger) Freed(pool int, port uint16) {
	if !l.out[lent{pool, port}] {
		l.faults = append(l.faults, fmt.Sprintf("port %d of pool %d is back, and was not out", port, pool))
	}
	delete(l.out, lent{pool, port})
}

// check wants so many ports to be out.
func (l *ledger) check(t *testing.T, when string, want int) {
	t.Helper()
	for _, fault := range l.faults {
		t.Errorf("%s: %s", when, fault)
	}
	if len(l.out) != want {
		t.Errorf("%s: %d ports are out, want %d: %v", when, len(l.out), want, l.out)
	}
	l.faults = nil
}

// account is a rig over a space of two sources and two targets, and its ledger.
func account(t *testing.T, k kind, change func(*setup)) (*space, *ledger, *rig) {
	t.Helper()
	s := newSpace(t, k, 2, 2, 10)
	l := newLedger(s)
	setup := s.setup(l, 0, nil)
	if change != nil {
		change(&setup)
	}
	return s, l, newRig(t, setup)
}

// apart takes the listener's side off the thread.
func apart(s *setup) {
	before := s.change
	s.change = func(o *engine.Options) { before(o); o.Ends = nil }
}

// Ports come back once when connections are closed, in every way to close.
func TestPortsComeBackAfterClose(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		for _, mode := range closeModes {
			if k.udp && mode != step.ClientFIN {
				continue
			}
			s, l, r := account(t, k, func(s *setup) { s.mode = mode })
			for _, reset := range []bool{false, true} {
				when := fmt.Sprintf("%v, reset %v", mode, reset)
				done := r.do(t, &script{batches: [][]step.Step{pairs(12)}})
				if outcomes(done)[outcome.OK] != 12 || distinct(done) != 12/s.pools(l).Count() {
					t.Fatalf("%s: outcomes %v, %d distinct ports, want 12 ok", when, outcomes(done), distinct(done))
				}
				l.check(t, when+", open", 12)
				var closes []step.Step
				for _, c := range done {
					closes = append(closes, step.Step{Op: step.Close, Conn: c.Conn, Reset: reset})
				}
				r.do(t, &script{batches: [][]step.Step{closes}})
				l.check(t, when+", closed", 0)
				if r.tally.Open() != 0 || s.clients() != 12 {
					t.Errorf("%s: %d open, %d tuples", when, r.tally.Open(), s.clients())
				}
			}
		}
	})
}

// pairs are attempts over two sources and two targets in turn.
func pairs(n int) []step.Step {
	steps := opens(n)
	for i := range steps {
		steps[i].Source, steps[i].Target = uint16(i%2), uint16(i/2%2)
	}
	return steps
}

// They come back when an attempt fails for another cause than its port.
func TestPortsComeBackAfterFailure(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newSpace(t, k, 2, 0, 10)
		for range 2 {
			s.Targets = append(s.Targets, netip.AddrPortFrom(k.addr(), unusedAddr().Port()))
		}
		l := newLedger(s)
		setup := s.setup(l, 0, nil)
		apart(&setup)
		r := newRig(t, setup)
		done := r.do(t, &script{batches: [][]step.Step{pairs(20)}})
		for _, c := range done {
			if c.Outcome != outcome.Refused || c.Self || c.Port == 0 || c.Passed != 0 {
				t.Errorf("nobody listens: %+v", c)
			}
		}
		l.check(t, "refused", 0)
		if len(done) != 20 || r.tally.Open() != 0 {
			t.Errorf("%d done, %d open", len(done), r.tally.Open())
		}
	})
}

// They come back when nobody answers, and when the work does not wait for it.
func TestPortsComeBackWithoutAnswer(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		for _, canceled := range []bool{false, true} {
			when := fmt.Sprintf("canceled %v", canceled)
			want, timeout := outcome.TimedOut, 50*ms
			if canceled {
				want, timeout = outcome.Canceled, patience
			}
			s, l, r := account(t, k, func(s *setup) { apart(s); s.timeout = timeout })
			if !k.udp {
				fillQueues(t, s)
			}
			var stop atomic.Bool
			work := &script{batches: [][]step.Step{pairs(8)}}
			if canceled {
				work.stop = stop.Load
				time.AfterFunc(20*ms, func() { stop.Store(true) })
			}
			done := r.do(t, work)
			if outcomes(done)[want] != 8 || distinctTuples(done) != 8 || r.tally.Open() != 0 {
				t.Errorf("%s: outcomes %v, %d tuples, %d open", when, outcomes(done), distinctTuples(done), r.tally.Open())
			}
			l.check(t, when, 0)
		}
	})
}

// fillQueues leaves no room in the listeners' queues: they answer no SYN.
func fillQueues(t *testing.T, s *space) {
	t.Helper()
	for i, fd := range s.listeners {
		if errno := kernel.Listen(fd, 0); errno != 0 {
			t.Fatal(errno)
		}
		sa := kernel.NewSockaddr(s.Targets[i])
		for range 2 { // the queue takes one more than its length; the second may wait
			fd, errno := kernel.StreamSocket(sa.Family())
			if errno != 0 {
				t.Fatal(errno)
			}
			t.Cleanup(func() { _ = kernel.Reset(fd) })
			_ = kernel.Connect(fd, &sa)
		}
	}
}

// distinctTuples counts what attempts had for themselves, however they ended.
func distinctTuples(done []step.Completion) int {
	used := map[[3]uint16]bool{}
	for _, c := range done {
		used[[3]uint16{c.Source, c.Target, c.Port}] = true
	}
	return len(used)
}

// stopped is a conversation whose peer goes away after two requests.
type stopped struct {
	*conversation
	stop func()
}

func (s *stopped) Take(done []step.Completion) {
	s.conversation.Take(done)
	if len(s.done) > 2 {
		s.stop()
	}
}

// They come back when a request ends its connection, and when the peer does.
func TestPortsComeBackAfterRequest(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s, l, r := account(t, k, func(s *setup) {
			apart(s)
			s.timeout = 50 * ms
		})
		stop := s.serve(t)
		c := newConversation(1 << 20) // until something is wrong
		r.do(t, &stopped{c, stop})
		if last := c.done[len(c.done)-1]; last.Op != step.Request || last.Outcome == outcome.OK {
			t.Errorf("%d steps, and in the end %+v", len(c.done), last)
		}
		l.check(t, "at the end", 0)
	})
}

// A stranger's ports are passed over within the attempt; when no other is left,
// the attempt finds no port.
func TestStrangersPorts(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s, l, r := account(t, k, nil)
		for _, i := range []uint16{0, 1, 5} { // of the first source alone
			bound(t, k.udp, netip.AddrPortFrom(s.Sources[0], s.port(i)))
		}
		want := s.capacity(l) - 3*s.pools(l).Count()/2
		fill := scenario.NewOpening(scenario.Opening{Spread: s.spread(l), Expected: want, Timeout: patience})
		done := r.do(t, fill)
		if got := outcomes(done); got[outcome.OK] != want || got[outcome.NoPort] != 4 || len(done) != want+4 || s.clients() != want {
			t.Errorf("outcomes %v, %d tuples, want %d ok and 4 no_port", got, s.clients(), want)
		}
		passed := 0
		for _, c := range done {
			passed += int(c.Passed)
			if c.Source == 1 && c.Passed != 0 || c.Outcome == outcome.NoPort && (c.Port != 0 || c.End < c.Start) {
				t.Errorf("%+v", c)
			}
		}
		if passed != l.failed || passed == 0 {
			t.Errorf("%d tries passed over, the ledger has %d", passed, l.failed)
		}
		l.check(t, "at the end", want)
	})
}

// A step that names its port asks for it alone, and what the strategy has given
// out does not change by it.
func TestStepPortOfOurs(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s, l, r := account(t, k, nil)
		one := step.Step{Op: step.Open, Port: s.port(7), Source: 1, Target: 1, Probe: true}
		done := r.do(t, &script{batches: [][]step.Step{{one}, {one}}})
		want := outcome.TupleBusy
		if k.udp {
			want = outcome.PortBusy
		}
		if done[0].Outcome != outcome.OK || done[0].Port != s.port(7) || done[0].Source != 1 || done[0].Target != 1 || done[1].Outcome != want {
			t.Errorf("%+v, then %+v, want it %v", done[0], done[1], want)
		}
		closing := []step.Step{{Op: step.Close, Conn: done[0].Conn, Reset: true}}
		if done = r.do(t, &script{batches: [][]step.Step{closing, {one}}}); done[1].Outcome != outcome.OK {
			t.Errorf("closed, and then %+v", done[1])
		}
		l.check(t, "at the end", 0)
	})
}

// An attempt for which the strategy tries no more has found no port.
func TestStrategyThatGivesUp(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s, l, r := account(t, k, nil)
		for i := range uint16(3) {
			bound(t, k.udp, netip.AddrPortFrom(s.Sources[0], s.port(i)))
		}
		l.patience = 2
		done := r.do(t, &script{batches: [][]step.Step{opens(1)}})
		if c := done[0]; c.Outcome != outcome.NoPort || c.Errno != uint16(syscall.EADDRINUSE) || c.Passed != 1 || c.Port != 0 || c.BindNS == 0 {
			t.Errorf("two tries of three taken ports: %+v", c)
		}
		l.check(t, "at the end", 0)
	})
}

// An attempt that gets no descriptor gives its port back.
func TestNoDescriptor(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		_, l, r := account(t, k, func(s *setup) { s.connections = 4 })
		done := r.do(t, &script{batches: [][]step.Step{pairs(8)}})
		if got := outcomes(done); got[outcome.OK] != 5 || got[outcome.NoFD] != 3 { // one more than asked for
			t.Errorf("outcomes %v", got)
		}
		l.check(t, "no slot", 5)
	})
	_, l, r := account(t, kinds[0], nil)
	lowLimit(t, 3) // which are open
	if got := outcomes(r.do(t, &script{batches: [][]step.Step{pairs(8)}})); got[outcome.NoFD] != 8 {
		t.Errorf("outcomes %v, want 8 no_fd", got)
	}
	l.check(t, "no descriptor", 0)
}
