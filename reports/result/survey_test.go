package result_test

import (
	"testing"

	"lastport/reports/result"
)

func TestOrderMap(t *testing.T) {
	seq := make([]uint16, 1000)
	for i := range seq {
		seq[i] = uint16(50999 - i)
	}
	m := result.OrderMap(seq)
	for port, want := range map[uint16]uint8{50999: 1, 50000: 255, 50500: 127, 49999: 0, 51000: 0} {
		if got := m.Uses(port); got != want {
			t.Errorf("port %d: %d, want %d", port, got, want)
		}
	}
	// A port that comes again keeps its first place; one pick alone is the first.
	if m := result.OrderMap([]uint16{7, 8, 7}); m.Uses(7) != 1 || m.Uses(8) != 128 {
		t.Errorf("again: %d and %d", m.Uses(7), m.Uses(8))
	}
	if m := result.OrderMap([]uint16{9}); m.Uses(9) != 1 {
		t.Errorf("one: %d", m.Uses(9))
	}
	if even, odd := result.OrderMap(nil).Count(); even+odd != 0 {
		t.Errorf("none: %d ports", even+odd)
	}
}

func TestExpectOfASurvey(t *testing.T) {
	at, independent := int64(501), true
	r := &result.Result{Survey: &result.Survey{
		Released: &result.Picks{Even: 1000, Uniform: &result.ChiSquare{P: 0.5}, Repeats: &result.Repeats{Count: 3}},
		Held:     &result.Picks{Even: 500, Odd: 501, OtherParityAt: &at, Guess: &result.Guess{Best: 0.999}},
		Targets:  &result.Targets{Independent: independent, SameStep: 0.1},
	}}
	for expr, want := range map[string]struct {
		held  bool
		value string
	}{
		"survey.held.even==500":                    {true, "500"},
		"survey.held.odd==500":                     {false, "501"},
		"survey.held.other_parity_at>500":          {true, "501"},
		"survey.held.guess.best<50%":               {false, "0.999"},
		"survey.held.repeats.count==0":             {false, "not measured"},
		"survey.released.other_parity_at>0":        {false, "not measured"},
		"survey.released.uniform.p>=5%":            {true, "0.5"},
		"survey.released.repeats.count==3":         {true, "3"},
		"survey.targets.independent==true":         {true, "true"},
		"survey.reuse_addr_trap.udp_duplicates>=0": {false, "not measured"},
		"survey.released.guess.plus_one<=0.01":     {false, "not measured"},
		"survey.targets.same_step<=12%":            {true, "0.1"},
	} {
		e, err := result.ParseExpect(expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Eval(r); got.Held != want.held || got.Value != want.value {
			t.Errorf("%s: %+v, want %+v", expr, got, want)
		}
		if got := e.Eval(&result.Result{}); got.Held {
			t.Errorf("%s holds for a run that is no survey", expr)
		}
	}
}
