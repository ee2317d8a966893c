package suite

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"lastport/reports/figures"
)

// Residual is how far what was found lies from what was predicted, as a share of
// the nearer bound: 0 where the two intervals meet. That of what was found ends
// below the rate that did not hold. ok is false where ports were not what limited
// the rate, or none is predicted.
func (s *Search) Residual() (off float64, ok bool) {
	f, p := s.Found(), s.aim.Predicted.Rate
	switch {
	case p == nil || f.Limit != Ports:
		return 0, false
	case f.Failed < p.Min:
		return (f.Failed - p.Min) / p.Min, true
	case f.Held > 0 && f.Failed == micro(p.Min): // which was to hold: the limit is below it
		return (f.Held - p.Min) / p.Min, true
	case f.Held > p.Max:
		return (f.Held - p.Max) / p.Max, true
	}
	return 0, true
}

// Verdict is what a search has come to, in one line; ok is false where that is
// not as predicted, or is nothing.
func (s *Search) Verdict() (text string, ok bool) {
	f, p := s.Found(), s.aim.Predicted.Rate
	switch {
	case len(s.tried) == 0:
		return "no rate was tried to its end", false
	case f.Held == 0 && f.Failed == 0:
		return "no rate was put to the test: attempts began too late in every step, for want of processor time", false
	case f.Held == 0:
		return fmt.Sprintf("none of the rates held that were tried; the lowest was %s per second, and %s", Rate(f.Failed), f.Limit.because()), false
	case f.Failed == 0:
		return fmt.Sprintf("%s connections per second hold, and no limit was found up to there", Rate(f.Held)), false
	}
	text = fmt.Sprintf("%s connections per second hold, %s do not: %s", Rate(f.Held), Rate(f.Failed), f.Limit.because())
	off, compared := s.Residual()
	switch {
	case p == nil:
		return text + "; ports set no limit", true
	case !compared:
		return text + "; the ports alone sustain " + rates(p.Min, p.Max), true
	case off != 0:
		return fmt.Sprintf("%s; %s predicted: %+.2g %%", text, rates(p.Min, p.Max), 100*off), false
	}
	return text + "; " + rates(p.Min, p.Max) + " predicted", true
}

// Why says what the tries cost, where that decides.
func (s *Search) Why() []string {
	f := s.Found()
	if f.Limit != Generator || s.aim.Traits.Step != 2 || s.attemptCost().Seconds()*f.Failed < 0.5 {
		return nil
	}
	return []string{fmt.Sprintf("while nearly all ports are out of use, each search of this strategy looks at %s ports and more before it "+
		"meets a free one, which takes about %v of processor time; socket-range begins anywhere", figures.Grouped(int64(s.aim.Predicted.Usable.Size()/2)),
		s.attemptCost().Round(100*time.Microsecond))}
}

// because says what the limit is.
func (l Limit) because() string {
	switch l {
	case Ports:
		return "ports run out"
	case Generator:
		return "attempts begin late, for want of processor time"
	case Listener:
		return "the listener does not take all connections"
	case Expectation:
		return "an expectation is not met"
	}
	return "nothing limits it"
}

// Rate writes a rate with four digits, those of 1,000 and more whole.
func Rate(v float64) string {
	if v >= 1000 {
		return figures.Grouped(int64(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func rates(low, high float64) string {
	if a, b := Rate(low), Rate(high); a != b {
		return a + " to " + b
	}
	return Rate(low)
}
