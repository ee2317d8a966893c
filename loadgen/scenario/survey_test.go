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

// surveyed makes the survey and says how it ended.
func surveyed(t *testing.T, k *fakekernel.Kernel, s scenario.Survey) (*scenario.Survey, scenario.End) {
	t.Helper()
	s.Timeout = timeout
	work := scenario.NewSurvey(s)
	run(t, k, work)
	end, _ := work.Ended()
	return work, end
}

// Released, a port is free before the next attempt: one port is enough for any
// number of picks.
func TestSurveyReleases(t *testing.T) {
	for _, n := range []int{1, 2, 33, 500} {
		most := 0
		var k *fakekernel.Kernel
		k = fakekernel.New(fakekernel.Config{Ports: 1, Close: step.ClientFIN, Reuse: time.Minute, Done: func(int, step.Completion) {
			most = max(most, k.Open())
		}})
		s, end := surveyed(t, k, scenario.Survey{Picks: n})
		if end != scenario.Reached || len(s.Seen()) != n || k.Open() != 0 || len(s.Conns()) != 0 || most != 1 || k.Attempts() != int64(n) {
			t.Errorf("%d picks: ended by %d, %d seen, %d open, %d at most, %d attempts", n, end, len(s.Seen()), k.Open(), most, k.Attempts())
		}
	}
}

// Held, every port comes once; attempt N+1 finds none, and is the last.
func TestSurveyHolds(t *testing.T) {
	for _, c := range []struct {
		ports, picks int
		end          scenario.End
		attempts     int64
	}{
		{100, 1000, scenario.Exhausted, 101},
		{100, 101, scenario.Exhausted, 101},
		{100, 100, scenario.Reached, 100},
		{100, 7, scenario.Reached, 7},
	} {
		k := fakekernel.New(fakekernel.Config{Ports: c.ports})
		s, end := surveyed(t, k, scenario.Survey{Picks: c.picks, Hold: true})
		if end != c.end || k.Attempts() != c.attempts || k.Open() != min(c.ports, c.picks) || len(s.Conns()) != k.Open() {
			t.Errorf("%+v: ended by %d after %d attempts, %d open", c, end, k.Attempts(), k.Open())
		}
		for i, p := range s.Seen() { // the fake kernel picks in ascending order
			if p.Port != fakekernel.FirstPort+uint16(i) {
				t.Fatalf("pick %d is %+v", i, p)
			}
		}
	}
}

// Attempts go to all pairs in turn, and pass over one toward which no port is left.
func TestSurveyTakesPairsInTurn(t *testing.T) {
	spread := scenario.Spread{Sources: 2, Targets: 3}
	k := fakekernel.New(fakekernel.Config{Ports: 100, Sources: 2, Targets: 3, Fate: func(attempt, _ int64) fakekernel.Fate {
		if attempt == 9 { // the second toward source 0, target 1
			return fakekernel.Fate{Outcome: outcome.NoPort}
		}
		return fakekernel.Fate{}
	}})
	s, end := surveyed(t, k, scenario.Survey{Picks: 13, Spread: spread, Hold: true})
	var got []int
	for _, p := range s.Seen() {
		got = append(got, int(p.Target)*10+int(p.Source))
	}
	want := []int{0, 1, 10, 11, 20, 21, 0, 1, 11, 20, 21, 0, 1}
	if end != scenario.Reached || !slices.Equal(got, want) {
		t.Errorf("ended by %d, pairs %v, want %v", end, got, want)
	}
}

// Each pool is filled to its last port, one no_port for each pair.
func TestSurveyFillsEveryPool(t *testing.T) {
	for _, shared := range []bool{false, true} {
		k := fakekernel.New(fakekernel.Config{Ports: 7, Sources: 2, Targets: 3, Shared: shared})
		s, end := surveyed(t, k, scenario.Survey{Picks: 100, Spread: scenario.Spread{Sources: 2, Targets: 3}, Hold: true})
		want := 2 * 7
		if !shared {
			want *= 3
		}
		if end != scenario.Exhausted || k.Open() != want || len(s.Conns()) != want || k.Attempts() != int64(want+6) {
			t.Errorf("shared %v: ended by %d, %d open after %d attempts, want %d", shared, end, k.Open(), k.Attempts(), want)
		}
	}
}

func TestSurveyGivesUp(t *testing.T) {
	for _, hold := range []bool{false, true} {
		k := fakekernel.New(fakekernel.Config{Ports: 10, Fate: func(attempt, _ int64) fakekernel.Fate {
			if attempt <= 3 {
				return fakekernel.Fate{}
			}
			return fakekernel.Fate{Outcome: outcome.Refused}
		}})
		s, end := surveyed(t, k, scenario.Survey{Picks: 10, Hold: hold})
		_, last := s.Ended()
		open := 0
		if hold {
			open = 3
		}
		if end != scenario.GaveUp || last != outcome.Refused || k.Attempts() != 11 || k.Open() != open {
			t.Errorf("hold %v: ended by %d (%v) after %d attempts, %d open", hold, end, last, k.Attempts(), k.Open())
		}
	}
}

// Failures that do not stay cost attempts and no pick.
func TestSurveyGoesOnAfterFailures(t *testing.T) {
	k := fakekernel.New(fakekernel.Config{Ports: 10, Fate: func(attempt, _ int64) fakekernel.Fate {
		if attempt%2 == 0 {
			return fakekernel.Fate{Outcome: outcome.Reset}
		}
		return fakekernel.Fate{}
	}})
	s, end := surveyed(t, k, scenario.Survey{Picks: 9})
	if end != scenario.Reached || len(s.Seen()) != 9 || k.Attempts() != 17 {
		t.Errorf("ended by %d with %d picks of %d attempts", end, len(s.Seen()), k.Attempts())
	}
}

func TestSurveyStops(t *testing.T) {
	var stop atomic.Bool
	k := fakekernel.New(fakekernel.Config{Ports: 10, Each: func(now int64) { stop.Store(now > int64(5*ms)) }})
	s, end := surveyed(t, k, scenario.Survey{Picks: 1 << 20, Stop: &stop})
	if end != scenario.Stopped || len(s.Seen()) == 0 || k.Open() != 0 {
		t.Errorf("stopped: ended by %d with %d picks, %d open", end, len(s.Seen()), k.Open())
	}
	k = fakekernel.New(fakekernel.Config{Ports: 10, Timeout: time.Hour, Fate: always(fakekernel.Silent())})
	s, end = surveyed(t, k, scenario.Survey{Picks: 10, Deadline: int64(5 * ms)})
	if end != scenario.TimeUp || len(s.Seen()) != 0 || k.Taken() != 0 {
		t.Errorf("silent: ended by %d with %d picks, %d ports taken", end, len(s.Seen()), k.Taken())
	}
}
