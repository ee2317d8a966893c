package loadgen

import (
	"math"

	"lastport/loadgen/picks"
	"lastport/reports/result"
)

// picksResult is a sequence as the file has it, without its map.
func picksResult(s *picks.Sequence, seq []uint16) *result.Picks {
	out := &result.Picks{
		Picks: int64(s.Picks), Ports: int64(s.Ports), Distinct: int64(s.Distinct), Coverage: s.Coverage(),
		Even: int64(s.Even), Odd: int64(s.Odd), OtherParityAt: unlessZero(s.OtherParityAt), LongestParity: int64(s.LongestParity),
		Parity: chiSquareResult(s.Parity), Uniform: chiSquareResult(s.Uniform), MedianStep: whole(s.MedianStep),
		RunsOfOne: result.Runs{Count: int64(s.RunsOfOne.Count), Longest: int64(s.RunsOfOne.Longest)},
		RunsOfTwo: result.Runs{Count: int64(s.RunsOfTwo.Count), Longest: int64(s.RunsOfTwo.Longest)},
		Text:      s.Text, First: seq[:min(len(seq), result.MaxFirst)],
	}
	for _, step := range s.Steps {
		out.Steps = append(out.Steps, result.Step{Step: int64(step.Step), Share: step.Share})
	}
	if g := s.Guess; g != nil {
		out.Guess = &result.Guess{PlusOne: g.PlusOne, PlusTwo: g.PlusTwo, LastStep: g.LastStep, Best: g.Best, By: g.By, Chance: g.Chance}
	}
	if v := s.Repeats; v != nil {
		out.Repeats = &result.Repeats{
			Count: int64(v.Count), First: unlessZero(v.First), MinDistance: unlessZero(v.MinDistance),
			MedianDistance: unlessZero(int(whole(v.MedianDistance))), Expected: v.Expected,
		}
	}
	return out
}

// whole rounds a median, which lies between two whole numbers where their count is
// even: the file has whole ones.
func whole(median float64) int64 { return int64(math.Round(median)) }

// unlessZero is a number of which 0 says that there is none.
func unlessZero(n int) *int64 {
	if n == 0 {
		return nil
	}
	v := int64(n)
	return &v
}

func chiSquareResult(t *picks.Test) *result.ChiSquare {
	if t == nil {
		return nil
	}
	return &result.ChiSquare{ChiSquare: t.ChiSquare, DF: int64(t.DF), P: t.P}
}

func targetsResult(p *picks.Pair, first, second string) *result.Targets {
	return &result.Targets{
		First: first, Second: second, Pairs: int64(p.Pairs), SameStep: p.SameStep, Chance: p.Chance, Correlation: p.Correlation,
		Bound: p.Bound, PlusOne: p.PlusOne, PlusTwo: p.PlusTwo, Independent: p.Independent, Text: p.Text,
	}
}
