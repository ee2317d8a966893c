package suite

import (
	"math"
	"slices"
	"time"
)

const (
	// longWait is how long a port is out of use where a try waits more than it works.
	longWait = 5 * time.Second
	// aside is how far from the predicted interval, as a share of its bounds, a rate
	// is that surely holds, or surely does not.
	aside = 0.02
	// near is the share within which a limit of the ports is known closely enough.
	near = 0.01
	// nearBusy is the same where the processor is the limit: two runs differ by more.
	nearBusy = 0.05
	// mostAtOnce bounds the tries side by side.
	mostAtOnce = 12
	// firstBusy is where a search begins that knows of no limit, per second.
	firstBusy = 1000.0
	// mostRounds bounds the rounds of a search that waits, mostTries the tries of
	// one that does not.
	mostRounds = 12
	mostTries  = 40
)

// attemptCost is the processor time of an attempt, both ends, while nearly all
// ports are in TIME_WAIT: that of a plain one, and of each port that the kernel's
// search looks at. One in two passes looks at every second port before it meets a
// free one. Measured by churns over 28,232 ports: 2.3 ms at p90, 4 ms at p99.
func (s *Search) attemptCost() time.Duration {
	const plain, each = 30 * time.Microsecond, 200 * time.Nanosecond
	if s.aim.Traits.Step == 2 {
		return plain + time.Duration(s.aim.Predicted.Usable.Size()/2)*each
	}
	return plain
}

// atOnce is how many tries go side by side at about a rate: half of the
// processors are left to the machine.
func (s *Search) atOnce(rate float64) int {
	busy := rate * s.attemptCost().Seconds()
	return int(max(1, min(mostAtOnce, 0.5*float64(s.aim.CPUs)/busy)))
}

// unit is the share by which a rate has to be above the limit to need a port
// more in each pool; not less than a thousandth, for attempts that a busy machine
// makes late: of TIME_WAIT that is 60 ms.
func (s *Search) unit() float64 {
	a := s.aim.Predicted
	each := float64(a.Connections.Max) / float64(max(1, a.Pools))
	return max(0.001, 1/max(1, each))
}

// around lists rates around the predicted limit. What tells most comes first.
//
// A rate that never stops meets the longest reuse delay: timers end together, one
// grain apart, and just before, the ports of a whole grain more are out of use. So
// the limit is expected at the lower end of the interval, and tried three times:
// there a single late attempt decides.
func (s *Search) around() []float64 {
	least, most, unit := s.aim.Predicted.Rate.Min, s.aim.Predicted.Rate.Max, s.unit()
	rates := []float64{
		least, least * (1 + 2*unit), least * (1 - aside),
		least * (1 - unit), most * (1 + aside), least, least,
		least * 0.9, least * (1 + unit/2), least * (1 - unit/2), most, least * (1 + unit),
	}
	return slices.DeleteFunc(rates, func(r float64) bool { return r <= 0 })
}

// untried are those of the rates around the prediction that the tries so far
// leave open.
func (s *Search) untried(f Found) []float64 {
	return slices.DeleteFunc(s.around(), func(r float64) bool {
		r = micro(r)
		return r <= f.Held || f.Failed > 0 && r >= f.Failed
	})
}

// waitingRates are the rates of the next round where ports are out of use for
// seconds.
func (s *Search) waitingRates() []float64 {
	n := s.atOnce(s.aim.Predicted.Rate.Max)
	if f := s.Found(); f.Held == 0 && f.Failed == 0 && s.rounds < mostRounds { // all that were tried fell behind
		return first(n, s.around())
	}
	f := s.Found()
	doubtful := first(n, s.doubtful())
	if s.rounds >= mostRounds || len(doubtful) == 0 && s.closeEnough(f, s.closeness(f.Limit)) {
		return nil
	}
	switch open := s.untried(f); {
	case len(doubtful) > 0:
		return append(doubtful, between(f.Held, s.lowestAbove(doubtful), n-len(doubtful))...)
	case f.Held > 0 && len(open) > 0:
		return first(n, open)
	case f.Failed == 0:
		return upward(f.Held, n)
	case f.Held == 0:
		return s.downward(f.Failed, n)
	}
	return between(f.Held, f.Failed, n)
}

// first are the first n of the rates, or all.
func first(n int, rates []float64) []float64 { return rates[:min(n, len(rates))] }

// doubtful are rates that did not hold though a higher one did.
func (s *Search) doubtful() (rates []float64) {
	all, by := s.verdicts()
	highest := -1
	for i, rate := range all {
		if by[rate] == None {
			highest = i
		}
	}
	for i, rate := range all {
		if i < highest && by[rate] != None {
			rates = append(rates, rate)
		}
	}
	return rates
}

// lowestAbove is the lowest rate that did not hold and is not in doubt, or the
// highest that was tried.
func (s *Search) lowestAbove(doubtful []float64) float64 {
	all, by := s.verdicts()
	for _, rate := range all {
		if by[rate] != None && !slices.Contains(doubtful, rate) {
			return rate
		}
	}
	return all[len(all)-1]
}

func (s *Search) closeEnough(f Found, share float64) bool {
	return f.Held > 0 && f.Failed > 0 && f.Failed <= f.Held*(1+share)
}

// between lists n rates that divide an interval evenly by ratio, without its
// bounds.
func between(low, high float64, n int) (rates []float64) {
	if low <= 0 || high <= low {
		return nil
	}
	ratio := math.Pow(high/low, 1/float64(n+1))
	for i := 1; i <= n; i++ {
		rates = append(rates, low*math.Pow(ratio, float64(i)))
	}
	return rates
}

// upward lists n rates above one that held, the last of them four times as high.
func upward(held float64, n int) []float64 {
	const reach = 4
	return append(between(held, held*reach, n-1), held*reach)
}

// downward lists n rates below the lowest that did not hold, around what the
// tries tell: how many ports there were before the first attempt found none, or if
// that was late, what the attempts that did not fail came to.
func (s *Search) downward(failed float64, n int) []float64 {
	const reach = 4
	spread := max(0.04, 3*s.unit())
	about := failed
	for _, t := range s.tried {
		about = min(about, t.Sustained)
		if t.NoPort > 1 {
			about = min(about, float64(t.NoPort-1)/s.taken.Max.Seconds())
		}
	}
	low, high := about*(1-spread), min(failed, about*(1+spread))
	if low <= 0 || low >= high {
		return append(between(failed/reach, failed, n-1), failed/reach)
	}
	const sure = 0.85 // of it: below what the tries were disturbed by
	return first(n, append([]float64{about * sure, low, high}, between(low, high, n-3)...))
}

// busyRates are the rates of the next round where the processor may be the limit.
func (s *Search) busyRates() []float64 {
	f := s.Found()
	left := mostTries - len(s.tried)
	switch {
	case left <= 0:
		return nil
	case f.Failed == 0:
		return s.higher(f.Held)
	case f.Held == 0:
		return s.lower(f.Failed)
	case !s.closeEnough(f, s.closeness(f.Limit)):
		s.sure = false
		return []float64{whole(math.Sqrt(f.Held * f.Failed))}
	case !s.sure:
		return []float64{f.Held, f.Failed, f.Held, f.Failed}
	}
	return nil
}

// closeness is how close the two sides have to come, as a share.
func (s *Search) closeness(l Limit) float64 {
	if l == Ports {
		return max(near, 2*s.unit())
	}
	return nearBusy
}

// higher is twice the rate that held; where that comes to what the ports are
// predicted to sustain, rates around it.
func (s *Search) higher(held float64) []float64 {
	const few = 5
	next := max(firstBusy, 2*held)
	p := s.aim.Predicted.Rate
	switch {
	case p == nil || s.grid && held >= p.Max:
		return []float64{next}
	case s.grid || next < p.Min*(1-aside):
		return []float64{next}
	}
	s.grid = true
	return first(few, s.around())
}

// lower is half the rate that did not hold, or what the try made of it.
func (s *Search) lower(failed float64) []float64 {
	const least = 1.0 // per second: less is no rate that a machine is too slow for
	about := 0.0
	for _, t := range s.tried {
		if t.Rate == failed {
			about = t.Sustained
		}
	}
	next := min(failed/2, max(about*(1-aside), failed/8))
	if next < least {
		return nil
	}
	return []float64{whole(next)}
}

// whole drops digits of a rate that tell nothing: what is left is within a
// hundredth of what a step can tell.
func whole(rate float64) float64 {
	scale := math.Pow(10, math.Floor(math.Log10(rate))-3)
	return math.Round(rate/scale) * scale
}
