package loadgen

import (
	"sync/atomic"
	"testing"

	"lastport/reports/result"
)

// slow is a listener that comes to what it was sent only when it has been asked some
// times after all of it has come.
type slow struct {
	*stub
	all   int64        // connections to come
	asks  atomic.Int64 // until it has come to them
	hides bool         // it accepts late; else it closes late
}

func (s *slow) Stats() result.Server {
	numbers := s.stub.Stats()
	numbers.States = &result.States{TimeWait: new(int64)}
	if numbers.Accepted < s.all {
		return numbers
	}
	if s.asks.Add(-1) <= 0 {
		s.serve()
		accepted := s.stub.Stats()
		accepted.States = numbers.States
		return accepted
	}
	if s.hides {
		numbers.Accepted, *numbers.Closed = 1, 1
	}
	return numbers
}

// Gone makes it a server elsewhere: it never is.
func (s *slow) Gone() error { return nil }

// What the generator has in TIME_WAIT counts once the listener has closed, and what the
// listener has accepted once it has come to it.
func TestChurnWaitsForTheOtherEnd(t *testing.T) {
	for name, hides := range map[string]bool{"closes late": false, "accepts late": true} {
		cfg := churnConfig(fresh(t, 40), freshTarget(), 0, 20)
		cfg.Concurrency = 1
		does := keeps
		if hides {
			does = serves
		}
		peer := &slow{stub: listen(t, cfg.Targets[0], does), all: 20, hides: hides}
		peer.asks.Store(5)
		r := must(t, cfg, peer, &frames{})
		if w := r.TimeWait; w == nil || w.Generator != 20 || w.Closing != nil {
			t.Errorf("%s: TIME_WAIT %+v of %d", name, w, r.Outcomes.OK)
		}
		if r.Server.Accepted != 20 || *r.Server.Closed != 20 || warned(r, "server_behind") || !r.Verdict.OK {
			t.Errorf("%s: the listener says %+v; %+v", name, r.Server, r.Warnings)
		}
	}
}

// A listener that never closes is not waited for without end, and the result says what
// it is short of.
func TestChurnEndsWhereTheOtherEndDoesNot(t *testing.T) {
	cfg := churnConfig(fresh(t, 40), freshTarget(), 0, 20)
	cfg.Concurrency = 1
	peer := &slow{stub: listen(t, cfg.Targets[0], keeps), all: 20}
	peer.asks.Store(1 << 40)
	r := must(t, cfg, peer, &frames{})
	if w := r.TimeWait; w == nil || w.Generator != 0 || w.Closing == nil || *w.Closing != 20 {
		t.Errorf("TIME_WAIT %+v", w)
	}
	if !warned(r, "server_behind") || r.Server.Accepted != 20 {
		t.Errorf("the listener says %+v; %+v", r.Server, r.Warnings)
	}
}
