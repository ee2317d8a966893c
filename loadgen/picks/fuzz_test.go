package picks_test

import (
	"encoding/binary"
	"testing"

	"lastport/loadgen/picks"
)

// Whatever the picks are, inside the usable ports or not, nothing panics and every
// share is one.
func FuzzPicks(f *testing.F) {
	f.Add([]byte{0x9c, 0x40, 0x9c, 0x41, 0x9c, 0x42, 0x9c, 0x43}, uint16(40000), uint16(100), false)
	f.Add([]byte{0, 0, 0xff, 0xff, 0, 0}, uint16(1), uint16(1), true)
	f.Add(make([]byte, 200), uint16(1000), uint16(0), true)
	f.Fuzz(func(t *testing.T, data []byte, low, size uint16, held bool) {
		seq := make([]uint16, len(data)/2)
		for i := range seq {
			seq[i] = binary.BigEndian.Uint16(data[2*i:])
		}
		usable := from(low, max(1, int(size)%(65536-int(max(1, low)))))
		phase := picks.Released
		if held {
			phase = picks.Held
		}
		s := picks.Describe(phase, seq, usable)
		for name, share := range shares(&s) {
			if !(share >= 0 && share <= 1+1e-9) {
				t.Errorf("%s of %v is %v", name, seq, share)
			}
		}
		half := len(seq) / 2
		if p := picks.Across(seq[:half], seq[half:], usable); p != nil {
			for name, share := range map[string]float64{"same step": p.SameStep, "chance": p.Chance, "+1": p.PlusOne, "+2": p.PlusTwo} {
				if !(share >= 0 && share <= 1+1e-9) {
					t.Errorf("%s of %v is %v", name, seq, share)
				}
			}
			if !(p.Correlation >= -1-1e-9 && p.Correlation <= 1+1e-9) {
				t.Errorf("correlation of %v is %v", seq, p.Correlation)
			}
		}
	})
}

// shares are all numbers of a sequence that must be from 0 to 1.
func shares(s *picks.Sequence) map[string]float64 {
	all := map[string]float64{}
	for name, test := range map[string]*picks.Test{"uniform": s.Uniform, "parity": s.Parity} {
		if test != nil {
			all[name] = test.P
		}
	}
	for _, step := range s.Steps {
		all["step"] = max(all["step"], step.Share)
	}
	if g := s.Guess; g != nil {
		all["+1"], all["+2"], all["last step"], all["best"], all["chance"] = g.PlusOne, g.PlusTwo, g.LastStep, g.Best, g.Chance
		all["p"] = g.P
	}
	return all
}
