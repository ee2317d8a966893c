package scenario_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
)

// Each port is asked for once, as a probe, and one that cannot be had is named.
func TestTaking(t *testing.T) {
	p := &scenario.Taking{Ports: []uint16{7, 8, 9}}
	steps := make([]step.Step, 2)
	var asked []uint16
	for wake := int64(0); wake != step.Done; {
		var n int
		if n, wake = p.Next(0, steps); n == 0 {
			continue
		}
		for i, s := range steps[:n] {
			if s.Op != step.Open || !s.Probe {
				t.Errorf("%+v", s)
			}
			asked = append(asked, s.Port)
			c := step.Completion{Op: step.Open, Probe: true, Tag: s.Tag, Conn: uint32(s.Port), Outcome: outcome.OK}
			if s.Port == 8 {
				c.Outcome = outcome.NoPort
			}
			p.Take([]step.Completion{c})
			if _, wake := p.Next(0, nil); i < n-1 && wake == step.Done {
				t.Error("done while an attempt is under way")
			}
		}
	}
	if want := []uint16{7, 8, 9}; !slices.Equal(asked, want) {
		t.Errorf("asked for %d, want %d", asked, want)
	}
	if !slices.Equal(p.Conns(), []uint32{7, 9}) || !slices.Equal(p.Refused(), []uint16{8}) {
		t.Errorf("%d open, %d refused", p.Conns(), p.Refused())
	}
}

func TestTakingStops(t *testing.T) {
	var stop atomic.Bool
	stop.Store(true)
	p := &scenario.Taking{Ports: []uint16{7}, Stop: &stop}
	if n, wake := p.Next(0, make([]step.Step, 1)); n != 0 || wake != step.Done {
		t.Errorf("%d steps, %d", n, wake)
	}
}
