package picks

import (
	"fmt"
	"strings"
)

// Thresholds of the sentence.
const (
	telling    = 16   // picks of one parity in a row that chance does not explain: 1 in 2^15
	sequential = 0.5  // guessed so often, a sequence is called sequential
	guessed    = 0.05 // guessed less often, its next pick is not foreseen
	leastSteps = 30   // fewer say nothing but which parity they are of
)

// sentence sums the sequence up.
func (s *Sequence) sentence(seq []uint16, at *index) string {
	if s.Picks == 0 {
		return "no port was picked"
	}
	parity := s.parityWords(seq[0], at)
	if s.Picks-1 < leastSteps {
		if parity == "" {
			return "too few picks to say anything"
		}
		return parity + "; too few picks to say more"
	}
	var parts []string
	for _, part := range []string{parity, s.guessWords(), s.uniformWords()} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; ")
}

// parityWords say which parity comes first, if one does.
func (s *Sequence) parityWords(firstPick uint16, at *index) string {
	first, other, before := "even", "odd", s.OtherParityAt-1
	if firstPick%2 != 0 {
		first, other = other, first
	}
	switch {
	case s.OtherParityAt == 0 && s.oneParityFirst():
		return first + " ports alone"
	case s.OtherParityAt == 0:
		return ""
	case before == at.ofParity(firstPick) && before > 1:
		return fmt.Sprintf("one parity first: all %d %s ports, then the %s", before, first, other)
	case s.oneParityFirst():
		return fmt.Sprintf("one parity first: %d %s ports, then both", before, first)
	}
	return "both parities"
}

// oneParityFirst says whether the first picks are of one parity, more of them than
// chance explains.
func (s *Sequence) oneParityFirst() bool {
	before := s.OtherParityAt - 1
	if s.OtherParityAt == 0 {
		before = s.Picks
	}
	return before >= telling
}

func (s *Sequence) guessWords() string {
	g := s.Guess
	switch {
	case g.P >= Level && g.Best >= certain:
		return "there is one port to pick"
	case g.Best >= sequential && g.P < Level:
		return fmt.Sprintf("sequential: %s guessed by %s", percent(g.Best), g.By)
	case g.Best >= guessed && g.Best >= 2*g.Chance && g.P < Level:
		return fmt.Sprintf("partly predictable: %s guessed by %s", percent(g.Best), g.By)
	default:
		return fmt.Sprintf("the last pick does not tell the next (at best %s guessed)", percent(g.Best))
	}
}

func (s *Sequence) uniformWords() string {
	switch {
	case s.Uniform == nil:
		return ""
	case s.Uniform.P < Level:
		return fmt.Sprintf("not uniform over the range at the %s level (p = %.2g)", percent(Level), s.Uniform.P)
	case s.Uniform.P > 1-Level:
		return fmt.Sprintf("spread over the range more evenly than independent picks would be (p = %.4f)", s.Uniform.P)
	}
	return fmt.Sprintf("uniform over the range at the %s level (p = %.2g)", percent(Level), s.Uniform.P)
}

// percent writes a share with three digits.
func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }
