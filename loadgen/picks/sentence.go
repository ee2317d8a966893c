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
	leastRight = 10   // fewer right guesses may be chance, as the best is known in hindsight
	tooEven    = 0.999
)

// sentence sums the sequence up.
func (s *Sequence) sentence(seq []uint16, at *index) string {
	if s.Picks == 0 {
		return "no port was picked"
	}
	var parts []string
	for _, part := range []string{s.parityWords(seq[0], at), s.guessWords(), s.uniformWords()} {
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
	case s.OtherParityAt == 0 && s.Picks >= telling:
		return first + " ports alone"
	case s.OtherParityAt == 0:
		return ""
	case before == at.ofParity(firstPick) && before > 1:
		return fmt.Sprintf("one parity first: all %d %s ports, then the %s", before, first, other)
	case before >= telling:
		return fmt.Sprintf("one parity first: %d %s ports, then both", before, first)
	}
	return "both parities"
}

func (s *Sequence) guessWords() string {
	g := s.Guess
	if g == nil {
		return ""
	}
	switch right := g.Best * float64(s.Picks-1); {
	case g.Best >= sequential:
		return fmt.Sprintf("sequential: %s guessed by %s", percent(g.Best), g.By)
	case g.Best >= guessed && g.Best >= 2*g.Chance && right >= leastRight:
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
		return fmt.Sprintf("not uniform over the range (p = %.2g)", s.Uniform.P)
	case s.Uniform.P > tooEven:
		return fmt.Sprintf("spread over the range more evenly than independent picks would be (p = %.4f)", s.Uniform.P)
	}
	return fmt.Sprintf("uniform over the range at the 5 %% level (p = %.2g)", s.Uniform.P)
}

// percent writes a share with three digits.
func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }
