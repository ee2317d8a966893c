package result

import (
	"cmp"
	"slices"
)

// Bounds of what a file keeps of ports' states. A map of ports in order takes
// some 200 bytes, one of ports at random up to 20 KB.
const (
	MaxMoments    = 64
	MaxMomentText = 128 << 10 // bytes of all maps
)

// PortSeries gathers moments, which may come a little out of order, and keeps
// within the bounds: when one is reached, every second moment goes that is not marked, and from
// then on moments are twice as far apart. The zero value is empty and takes
// every moment. It belongs to one goroutine.
type PortSeries struct {
	every   int64
	moments []PortMoment
}

// NewPortSeries is a series whose moments are a time apart at first.
func NewPortSeries(every int64) PortSeries { return PortSeries{every: every} }

// Due says whether a moment at the time t would be kept, so that it is worth
// making.
func (s *PortSeries) Due(t int64) bool {
	return len(s.moments) == 0 || t >= s.moments[len(s.moments)-1].TNS+s.every
}

// Add takes a moment; one that is neither due nor marked is left out.
func (s *PortSeries) Add(m PortMoment) {
	if m.At == "" && !s.Due(m.TNS) {
		return
	}
	s.moments = append(s.moments, m)
	slices.SortStableFunc(s.moments, func(a, b PortMoment) int { return cmp.Compare(a.TNS, b.TNS) })
	for s.beyond() && s.thin() {
		s.every *= 2
	}
}

// beyond says whether a bound is broken.
func (s *PortSeries) beyond() bool {
	size := 0
	for _, m := range s.moments {
		for _, in := range m.Ends() {
			size += len(in.Ports.Map)
		}
	}
	return len(s.moments) > MaxMoments || size > MaxMomentText
}

// thin drops every second moment that is not marked, and says whether there was
// one.
func (s *PortSeries) thin() bool {
	before, unmarked := len(s.moments), 0
	s.moments = slices.DeleteFunc(s.moments, func(m PortMoment) bool {
		if m.At == "" {
			unmarked++
		}
		return m.At == "" && unmarked%2 == 0
	})
	return len(s.moments) < before
}

// States returns what the series has, as it is kept in the file; nil if that is
// nothing.
func (s *PortSeries) States() *PortStates {
	if len(s.moments) == 0 {
		return nil
	}
	return &PortStates{States: PortStateNames(), EveryNS: s.every, Moments: slices.Clone(s.moments)}
}

// PortsAt is one place of a moment, with its name in the file.
type PortsAt struct {
	Name  string
	Ports *PortsIn
}

// Ends lists the places of a moment that were looked at.
func (m *PortMoment) Ends() []PortsAt {
	return slices.DeleteFunc([]PortsAt{{"client", m.Client}, {"gateway", m.Gateway}, {"server", m.Server}}, func(e PortsAt) bool { return e.Ports == nil })
}
