package scenario_test

import (
	"sync/atomic"
	"testing"
	"time"

	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
)

// drive plays an engine for one Stuck: it opens at once, and the kernel gives up
// what is asked after the delay, unless that is negative.
func drive(t *testing.T, s *scenario.Stuck, delay int64) (asked int, ended int64) {
	t.Helper()
	now := int64(time.Millisecond)
	steps := make([]step.Step, 8)
	var waiting []step.Completion
	for range 1000 {
		n, wake := s.Next(now, steps)
		if n == 0 && wake == step.Done {
			return asked, now
		}
		var done []step.Completion
		for _, st := range steps[:n] {
			c := step.Completion{Op: st.Op, Tag: st.Tag, Conn: st.Conn, Start: now, End: now + 10}
			if st.Op == step.Open && st.Conn == 0 && !st.Probe && delay != 0 {
				c.Conn = uint32(st.Tag) + 1
			}
			if st.Op != step.Open {
				asked++
				c.GaveUp, c.End = true, now+delay
				if delay >= 0 {
					waiting = append(waiting, c)
				}
				continue
			}
			done = append(done, c)
		}
		if n == 0 {
			now = wake
			for len(waiting) > 0 && waiting[0].End <= now {
				done = append(done, waiting[0])
				waiting = waiting[1:]
			}
		}
		s.Take(done)
	}
	t.Fatal("the work does not end")
	return 0, 0
}

func TestStuckMeasuresUntilTheKernelGivesUp(t *testing.T) {
	const second = int64(time.Second)
	s := scenario.NewStuck(scenario.Stuck{Do: step.Request, Ports: 20, Until: 100 * second})
	asked, _ := drive(t, s, 3*second)
	if asked != 20 {
		t.Errorf("%d asked, want 20", asked)
	}
	for i, p := range s.Returns() {
		if !p.Back() || p.Delay() != 3*second || p.AtLeast() != 3*second {
			t.Errorf("port %d: %+v", i, p)
		}
	}
}

// Of an idle connection it is known only that its clock began within its connect.
func TestStuckAwaitCountsFromTheConnect(t *testing.T) {
	const second = int64(time.Second)
	s := scenario.NewStuck(scenario.Stuck{Do: step.Await, Ports: 1, Until: 100 * second})
	drive(t, s, 3*second)
	p := s.Returns()[0]
	if p.Delay()-p.AtLeast() != 10 || p.AtLeast() < 3*second-10 {
		t.Errorf("between %d and %d ns", p.AtLeast(), p.Delay())
	}
}

func TestStuckEndsOnTime(t *testing.T) {
	const second = int64(time.Second)
	s := scenario.NewStuck(scenario.Stuck{Do: step.Await, Ports: 5, Until: 2 * second})
	if _, ended := drive(t, s, -1); ended != 2*second {
		t.Errorf("ended at %v, want 2s", time.Duration(ended))
	}
	for i, p := range s.Returns() {
		if p.Back() {
			t.Errorf("port %d: %+v came back, though the kernel never gave up", i, p)
		}
	}
	var stop atomic.Bool
	stop.Store(true)
	s = scenario.NewStuck(scenario.Stuck{Do: step.Await, Ports: 5, Until: 2 * second, Stop: &stop})
	if asked, _ := drive(t, s, -1); asked != 0 {
		t.Errorf("%d asked after Stop", asked)
	}
}
