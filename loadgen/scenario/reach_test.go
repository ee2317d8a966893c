package scenario_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
)

// meets is what the attempts of a port meet, one after the other; the last one
// stands for all that follow.
type meets []answer

// answer is what comes of an attempt, and of the request over it.
type answer struct{ open, request outcome.Code }

// path does the steps of a Reach as an engine does, on a path that the test
// makes up. Attempts that nobody answers end when nothing else is left to do.
type path struct {
	t        *testing.T
	meets    map[uint16]meets
	tries    map[uint16]int
	open     map[uint32]uint16
	names    uint32
	silent   []step.Completion
	most     int // attempts that waited at the same time
	requests int
	each     func(p *path)
}

func (p *path) run(work *scenario.Reach) {
	var steps [batch]step.Step
	for range 1_000_000 {
		if p.each != nil {
			p.each(p)
		}
		const now = 1
		n, wake := work.Next(now, steps[:])
		switch {
		case n > 0:
			work.Take(p.do(steps[:n]))
		case wake == step.Done:
			for i := range p.silent {
				p.silent[i].Outcome = outcome.Canceled
			}
			work.Take(p.silent)
			return
		case wake == now: // there may be more to hear at once; there is not
		default: // what waits has waited long enough
			late := p.silent
			p.silent = nil
			work.Take(late)
		}
	}
	p.t.Fatal("it never ends")
}

func (p *path) do(steps []step.Step) (done []step.Completion) {
	for _, s := range steps {
		c := step.Completion{Op: s.Op, Conn: s.Conn, Tag: s.Tag}
		switch s.Op {
		case step.Open:
			c.Port, c.Outcome = s.Port, p.nth(s.Port, p.tries[s.Port]).open
			p.tries[s.Port]++
			if c.Outcome == outcome.TimedOut {
				p.silent = append(p.silent, c)
				p.most = max(p.most, len(p.silent))
				continue
			}
			if c.Outcome == outcome.OK {
				p.names++
				c.Conn = p.names
				p.open[c.Conn] = s.Port
			}
		case step.Request:
			p.requests++
			port := p.held(s.Conn)
			if c.Outcome = p.nth(port, p.tries[port]-1).request; c.Outcome != outcome.OK {
				delete(p.open, s.Conn)
			}
		case step.Close:
			if p.held(s.Conn); !s.Reset {
				p.t.Error("a port that got through is closed by FIN: it would be in TIME_WAIT")
			}
			delete(p.open, s.Conn)
		}
		done = append(done, c)
	}
	return done
}

// nth is what the port's attempt meets, counted from 0; nothing bad, if the test
// says nothing of it.
func (p *path) nth(port uint16, attempt int) answer {
	m := p.meets[port]
	if len(m) == 0 {
		return answer{}
	}
	return m[min(attempt, len(m)-1)]
}

func (p *path) held(conn uint32) uint16 {
	port, ok := p.open[conn]
	if !ok {
		p.t.Fatalf("a step for connection %d, which is not open", conn)
	}
	return port
}

func newPath(t *testing.T, meets map[uint16]meets) *path {
	return &path{t: t, meets: meets, tries: map[uint16]int{}, open: map[uint32]uint16{}}
}

func portsFrom(low uint16, n int) (list []uint16) {
	for i := range n {
		list = append(list, low+uint16(i))
	}
	return list
}

// Each answer is one fate, and takes as many attempts as it needs and no more.
func TestReachFates(t *testing.T) {
	const ok, lost = outcome.OK, outcome.TimedOut
	for _, c := range []struct {
		name  string
		meets meets
		want  scenario.Fate
		tries int
	}{
		{"through", meets{{ok, ok}}, scenario.FateThrough, 1},
		{"refused", meets{{open: outcome.Refused}}, scenario.FateRefused, 1},
		{"reset as soon as it stood", meets{{open: outcome.Reset}}, scenario.FateStrange, 3},
		{"unreachable", meets{{open: outcome.Unreachable}}, scenario.FateRefused, 1},
		{"denied", meets{{open: outcome.Denied}}, scenario.FateRefused, 1},
		{"silent", meets{{open: lost}}, scenario.FateSilent, 3},
		{"one lost", meets{{open: lost}, {ok, ok}}, scenario.FateThrough, 2},
		{"two lost, then refused", meets{{open: lost}, {open: lost}, {open: outcome.Refused}}, scenario.FateRefused, 3},
		{"no answer", meets{{ok, lost}}, scenario.FateStrange, 3},
		{"reset when asked", meets{{ok, outcome.Reset}}, scenario.FateStrange, 3},
		{"one answer lost", meets{{ok, lost}, {ok, ok}}, scenario.FateThrough, 2},
		{"held", meets{{open: outcome.PortBusy}}, scenario.FateUnusable, 1},
		{"tuple held", meets{{open: outcome.TupleBusy}}, scenario.FateUnusable, 1},
		{"no descriptor", meets{{open: outcome.NoFD}}, scenario.FateWanting, 1},
		{"anything else", meets{{open: outcome.Other}}, scenario.FateStrange, 1},
	} {
		p := newPath(t, map[uint16]meets{40001: c.meets})
		work := scenario.NewReach(scenario.Reach{Ports: portsFrom(40000, 3), Tries: 3})
		p.run(work)
		want := []scenario.PortFate{{40000, scenario.FateThrough, 1}, {40001, c.want, c.tries}, {40002, scenario.FateThrough, 1}}
		if got := work.Fates(); !slices.Equal(got, want) || len(p.open) != 0 {
			t.Errorf("%s: %v, want %v; %d left open", c.name, got, want, len(p.open))
		}
	}
}

// A socket that met itself is not the path's doing.
func TestReachOfTheTargetItself(t *testing.T) {
	work := scenario.NewReach(scenario.Reach{Ports: []uint16{1000}})
	var steps [1]step.Step
	work.Next(0, steps[:])
	work.Take([]step.Completion{{Op: step.Open, Outcome: outcome.Refused, Self: true}})
	if got := work.Fates()[0].Fate; got != scenario.FateUnusable {
		t.Errorf("fate %d, want Unusable", got)
	}
}

// Silent ports wait all at the same time, however many there are.
func TestReachWaitsForAllAtOnce(t *testing.T) {
	const n = 5000
	silent := map[uint16]meets{}
	for _, port := range portsFrom(10000, n) {
		silent[port] = meets{{open: outcome.TimedOut}}
	}
	p := newPath(t, silent)
	work := scenario.NewReach(scenario.Reach{Ports: portsFrom(10000, n), Tries: 2})
	p.run(work)
	if p.most != n || len(p.silent) != 0 {
		t.Errorf("%d waited at the same time, want %d; %d never ended", p.most, n, len(p.silent))
	}
	for _, r := range work.Fates() {
		if r.Fate != scenario.FateSilent || r.Tries != 2 {
			t.Fatalf("%+v", r)
		}
	}
}

// Every port gets the fate that its answers make, nothing stays open, and no port
// is tried more often than it may be: whatever the path is like.
func TestReachProperty(t *testing.T) {
	codes := []outcome.Code{outcome.OK, outcome.OK, outcome.OK, outcome.TimedOut, outcome.Refused, outcome.PortBusy}
	rapid.Check(t, func(rt *rapid.T) {
		n, tries := rapid.IntRange(1, 200).Draw(rt, "ports"), rapid.IntRange(1, 4).Draw(rt, "tries")
		list, all := portsFrom(20000, n), map[uint16]meets{}
		for _, port := range list {
			var m meets
			for range tries {
				m = append(m, answer{rapid.SampledFrom(codes).Draw(rt, "open"), rapid.SampledFrom(codes[:5]).Draw(rt, "request")})
			}
			all[port] = m
		}
		p := newPath(t, all)
		work := scenario.NewReach(scenario.Reach{Ports: list, Tries: tries})
		p.run(work)
		for _, got := range work.Fates() {
			if want := fateOf(got.Port, all[got.Port]); got != want {
				rt.Fatalf("%+v, want %+v of %v", got, want, all[got.Port])
			}
		}
		if len(p.open) != 0 {
			rt.Fatalf("%d connections are left open", len(p.open))
		}
	})
}

// fateOf says of answers, one for each attempt there may be, what they come to.
func fateOf(port uint16, m meets) scenario.PortFate {
	last := scenario.FateUntried
	for i, a := range m {
		switch {
		case a.open == outcome.Refused:
			return scenario.PortFate{Port: port, Fate: scenario.FateRefused, Tries: i + 1}
		case a.open == outcome.PortBusy:
			return scenario.PortFate{Port: port, Fate: scenario.FateUnusable, Tries: i + 1}
		case a.open == outcome.OK && a.request == outcome.OK:
			return scenario.PortFate{Port: port, Fate: scenario.FateThrough, Tries: i + 1}
		case a.open == outcome.OK:
			last = scenario.FateStrange
		default:
			last = scenario.FateSilent
		}
	}
	return scenario.PortFate{Port: port, Fate: last, Tries: len(m)}
}

// Told to stop, it begins nothing more, asks nothing more, and closes what is
// open; what waits for an answer stays untold.
func TestReachStops(t *testing.T) {
	var stop atomic.Bool
	p := newPath(t, map[uint16]meets{40000: {{open: outcome.TimedOut}}})
	rounds := 0
	p.each = func(*path) {
		if rounds++; rounds == 2 { // a batch of attempts has ended, and no request has begun
			stop.Store(true)
		}
	}
	work := scenario.NewReach(scenario.Reach{Ports: portsFrom(40000, 1000), Tries: 3, Stop: &stop})
	p.run(work)
	if len(p.tries) != batch || p.requests != 0 || len(p.open) != 0 {
		t.Errorf("%d ports tried, %d asked, %d left open; want one batch, none and none", len(p.tries), p.requests, len(p.open))
	}
	for _, r := range work.Fates() {
		if r.Fate != scenario.FateUntried {
			t.Fatalf("%+v", r)
		}
	}
	if got := work.Fates()[0].Tries; got != 0 {
		t.Errorf("an attempt that was canceled counts as %d", got)
	}
}

func TestReachEndsInTime(t *testing.T) {
	work := scenario.NewReach(scenario.Reach{Ports: portsFrom(40000, 10), Deadline: 5})
	var steps [batch]step.Step
	if n, wake := work.Next(5, steps[:]); n != 0 || wake != step.Done {
		t.Errorf("after its time: %d steps, wake %d", n, wake)
	}
}
