package engine_test

import (
	"testing"
	"time"

	"lastport/loadgen/engine"
	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// Over UDP a request goes and comes like the opening before it, whatever else
// comes: an answer that was meant for an earlier socket of the same address.
func TestRequestsOverUDP(t *testing.T) {
	for _, k := range kinds[2:] {
		for _, together := range []bool{true, false} {
			s := newSpace(t, k, 1, 1, 10)
			s.noise = []byte{9, 2}
			setup := s.setup(s.with(t, "late-bind"), 0, nil)
			if !together {
				apart(&setup)
				s.serve(t)
			}
			r := newRig(t, setup)
			c := newConversation(5)
			r.do(t, c)
			c.check(t)
			if len(c.done) != 7 || c.done[6].Op != step.Close || r.tally.Open() != 0 || s.clients() != 1 {
				t.Errorf("%v, together %v: %d open, %d clients: %+v", k, together, r.tally.Open(), s.clients(), c.done)
			}
		}
	}
}

// Only a byte of its own answers a datagram.
func TestNoise(t *testing.T) {
	for _, owed := range []byte{2, 1} {
		s := newSpace(t, kinds[2], 1, 1, 10)
		s.noise, s.owes = []byte{9, 3 - owed}, owed
		setup := s.setup(s.with(t, "late-bind"), 0, nil)
		setup.timeout = 30 * ms
		r := newRig(t, setup)
		c := newConversation(1)
		r.do(t, c)
		last := c.done[len(c.done)-1]
		want := map[byte]step.Op{2: step.Open, 1: step.Request}[owed]
		if last.Op != want || last.Outcome != outcome.TimedOut || r.tally.Open() != 0 {
			t.Errorf("without the answer to a byte %d: %+v", owed, c.done)
		}
	}
}

// slow is a listener's side that does not see what comes at once.
type slow struct {
	spaceEnd
	looks *int
}

func (e *slow) Serve() {
	if *e.looks++; *e.looks%3 == 0 {
		e.spaceEnd.Serve()
	}
}

// With both ends on one thread a datagram that comes late is answered when it
// comes, without a further attempt.
func TestLateDatagrams(t *testing.T) {
	s := newSpace(t, kinds[2], 1, 1, 10)
	setup := s.setup(s.with(t, "late-bind"), 0, nil)
	before, looks := setup.change, 0
	setup.change = func(o *engine.Options) {
		before(o)
		o.Ends = func(int) engine.End {
			return &slow{spaceEnd: spaceEnd{end: end{listener: s.listeners[0]}, space: s}, looks: &looks}
		}
	}
	r := newRig(t, setup)
	c := newConversation(3)
	r.do(t, c)
	c.check(t)
	if len(c.done) != 5 || c.done[4].Op != step.Close || looks < 6 {
		t.Errorf("%d looks: %+v", looks, c.done)
	}
}

// A datagram that is lost costs its attempt the timeout, and its port is free
// again.
func TestLostDatagrams(t *testing.T) {
	const timeout = 30 * ms
	for _, k := range kinds[2:] {
		s := newSpace(t, k, 1, 1, 10)
		setup := s.setup(s.with(t, "late-bind"), 0, nil)
		apart(&setup)
		setup.timeout = timeout
		r := newRig(t, setup)
		for range 2 {
			done := r.do(t, &script{batches: [][]step.Step{opens(11)}})
			if got := outcomes(done); got[outcome.TimedOut] != 10 || got[outcome.NoPort] != 1 || r.tally.Open() != 0 {
				t.Errorf("%v: outcomes %v, %d open, want 10 timed_out and one no_port", k, got, r.tally.Open())
			}
			for _, c := range done {
				if took := time.Duration(c.End - c.Start); c.Outcome == outcome.TimedOut && took < timeout {
					t.Errorf("%v: timed out after %v", k, took)
				}
			}
		}
	}
}

// A strategy that leaves the port to the kernel is asked for one port by a
// window, in addition to what it binds.
func TestStepPortOfTheKernels(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		for _, name := range []string{"connect", "bind", "late-bind", "socket-range", "window"} {
			s := newSpace(t, k, 2, 2, 10)
			run := s.with(t, name)
			r := newRig(t, s.setup(run, 0, nil))
			one := step.Step{Op: step.Open, Port: s.port(7), Target: 1, Probe: true}
			if run.Traits().Source {
				one.Source = 1
			}
			done := r.do(t, &script{batches: [][]step.Step{{one}, {one}}})
			if done[0].Outcome != outcome.OK || done[0].Port != s.port(7) || done[1].Outcome != outcome.NoPort {
				t.Errorf("%s: %+v, then %+v", name, done[0], done[1])
			}
			for client := range s.tuples {
				if run.Traits().Source && client[0].Addr() != s.Sources[1] {
					t.Errorf("%s: came from %v, asked for %v", name, client[0], s.Sources[1])
				}
			}
			r.do(t, &script{batches: [][]step.Step{{{Op: step.Close, Conn: done[0].Conn, Reset: true}}}})
		}
	})
}

// What would fail in the middle of a run is refused before it.
func TestOptionsThatDoNotFit(t *testing.T) {
	s := newSpace(t, kinds[0], 1, 2, 10)
	for name, change := range map[string]func(*engine.Options){
		"a strategy that binds, without a source": func(o *engine.Options) { o.Sources = nil },
		"a tally of fewer pools":                  func(o *engine.Options) { o.Tally = engine.NewTally(1, 1) },
	} {
		setup := s.setup(s.with(t, "late-bind"), 0, nil)
		before := setup.change
		setup.change = func(o *engine.Options) { before(o); change(o) }
		if r, err := tryRig(t, setup); err == nil {
			closeRig(t, r)
			t.Errorf("%s: taken", name)
		}
	}
}
