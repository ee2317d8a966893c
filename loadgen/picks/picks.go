// Package picks says of a sequence of picked source ports what an analyst would:
// which parity comes first, how far one pick is from the next, how much of the
// range they cover, whether they are uniform, when a port comes again, and how
// well the next pick is guessed from the last (the concern of RFC 6056).
//
// It is arithmetic over a slice of ports. How ports come to be picked is package
// strategy's; opening connections to see them is package scenario's.
package picks

import (
	"slices"

	"lastport/loadgen/ports"
)

// Phase says what became of a pick before the next was made.
type Phase uint8

// The phases of a survey.
const (
	Released Phase = iota // its connection was closed: every port could be picked again
	Held                  // it was kept: a port could be picked once
)

// Sequence is what can be said of the picks of one phase. Shares are of 1.
type Sequence struct {
	Picks    int // how many there are
	Ports    int // usable ports that they were picked from
	Distinct int // ports picked at least once
	Even     int // picks of even ports
	Odd      int // picks of odd ports

	// OtherParityAt is the number, from 1, of the first pick that is not of the
	// first pick's parity: those before it are all of one. 0: there is none.
	OtherParityAt int
	LongestParity int   // most picks in a row that are of one parity
	Parity        *Test // of even and odd; nil: too few picks to tell

	Steps      []Step  // the most frequent, the most frequent first; at most TopSteps
	MedianStep float64 // median distance between a pick and the next, whatever its direction
	RunsOfOne  Runs    // of step +1
	RunsOfTwo  Runs    // of step +2
	Guess      *Guess  // nil: fewer than three picks

	Uniform *Test    // over equal parts of the range; nil: too few picks to tell
	Repeats *Repeats // nil: Held, where no port can come again
	Text    string   // the sequence in one sentence
}

// Coverage is the share of the usable ports that were picked.
func (s *Sequence) Coverage() float64 {
	if s.Ports == 0 {
		return 0
	}
	return float64(s.Distinct) / float64(s.Ports)
}

// Describe analyses picks in their order. usable is the set that they were
// picked from; picks outside it count in everything but the tests.
func Describe(phase Phase, seq []uint16, usable ports.Ranges) Sequence {
	at := indexOf(usable)
	taken := at.steps(seq)
	s := Sequence{
		Picks: len(seq), Ports: at.size, RunsOfOne: runs(taken, at.short(1)), RunsOfTwo: runs(taken, at.short(2)),
		Uniform: uniform(phase, seq, at), Parity: parityTest(phase, seq, at),
	}
	s.parity(seq)
	s.Steps, s.MedianStep = frequent(taken), medianOf(distances(taken))
	s.Guess = guess(taken, at)
	s.Distinct = distinct(seq)
	if s.Guess != nil {
		s.Guess.P = s.byLuck(phase, seq[0], at)
	}
	if phase == Released {
		s.Repeats = repeats(seq, at.size)
	}
	s.Text = s.sentence(seq, at)
	return s
}

func distinct(seq []uint16) int {
	sorted := slices.Clone(seq)
	slices.Sort(sorted)
	return len(slices.Compact(sorted))
}

// parity counts even and odd picks, and finds where one follows the other.
func (s *Sequence) parity(seq []uint16) {
	row := 0
	for i, p := range seq {
		if p%2 == 0 {
			s.Even++
		} else {
			s.Odd++
		}
		if i > 0 && p%2 != seq[i-1]%2 {
			row = 0
		}
		row++
		s.LongestParity = max(s.LongestParity, row)
		if s.OtherParityAt == 0 && p%2 != seq[0]%2 {
			s.OtherParityAt = i + 1
		}
	}
}

// index knows the place of each usable port among all of them.
type index struct {
	usable ports.Ranges
	size   int
	even   int // usable ports that are even
}

func indexOf(usable ports.Ranges) *index {
	at := &index{usable: usable, size: usable.Size()}
	for _, r := range usable {
		at.even += int(r.High)/2 - (int(r.Low)-1)/2
	}
	return at
}

// rank is how many usable ports are below p; false: p is none of them.
func (x *index) rank(p uint16) (int, bool) {
	below := 0
	for _, r := range x.usable {
		if r.Contains(p) {
			return below + int(p-r.Low), true
		}
		below += r.Size()
	}
	return 0, false
}

// ofParity is how many usable ports have the parity of p.
func (x *index) ofParity(p uint16) int {
	if p%2 == 0 {
		return x.even
	}
	return x.size - x.even
}
