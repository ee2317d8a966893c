package suite

import (
	"math"
	"runtime"
	"slices"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/strategy"
)

// Aim is what a search for the highest rate that holds starts from.
type Aim struct {
	Predicted capacity.Answer
	Traits    strategy.Traits // of the strategy: what an attempt costs
	Hold      time.Duration   // of each connection
	Most      time.Duration   // how long all steps may take; 0: SearchTime
	CPUs      int             // processors; 0: this machine's
}

// SearchTime is how long a search may take by default: two rounds of steps that
// outlive a TIME_WAIT.
const SearchTime = 4 * time.Minute

// Try is one step of a search: a churn at a rate.
type Try struct {
	Rate     float64       // attempts per second
	Lasts    time.Duration // how long attempts are made: see Search.lasts
	Attempts int64         // how many that are
	Round    int           // of the search, from 1
}

// Limit is what kept a rate from holding.
type Limit uint8

// The limits.
const (
	None        Limit = iota // it held
	Ports                    // an attempt found no port
	Generator                // attempts began late, or were not made: the processor
	Listener                 // connections were refused, reset or not answered
	Expectation              // what the user expects of each step
	Behind                   // no limit: attempts began so late that the step shows nothing
)

// String returns the word for it: "none" for a rate that held, "behind" for one
// that was not put to the test.
func (l Limit) String() string {
	words := []string{"none", "ports", "generator", "listener", "expectation", "behind"}
	return words[min(int(l), len(words)-1)]
}

// Tried is a try and what came of it.
type Tried struct {
	Try
	Limit     Limit
	Sustained float64 // connections per second that it made, of all that succeeded
	NoPort    int64   // the first attempt that found no port, counted from 1; 0: none
}

// Round is tries that belong together.
type Round struct {
	Tries  []Try
	AtOnce bool // they mostly wait, and are made side by side; else in turn
	Lasts  time.Duration
}

// Search finds the highest rate that holds by prediction and proof. It asks for
// rounds of tries by Next and is told what came of them by Take; it makes none
// itself.
//
// Where ports are out of use for seconds it tries rates on both sides of the
// predicted limit, side by side. Where they are back sooner the processor decides
// as well: then it doubles the rate until it does not hold, bisects, and makes
// sure of both sides in turns, so that a disturbance meets both.
//
// The zero value is of no use; see NewSearch.
type Search struct {
	aim    Aim
	taken  capacity.Interval[time.Duration] // how long a connection has its port
	tried  []Tried
	rounds int
	spent  time.Duration
	sure   bool // both sides were made sure of
	grid   bool // the rates around the prediction were tried
}

// NewSearch begins a search.
func NewSearch(aim Aim) *Search {
	if aim.Most <= 0 {
		aim.Most = SearchTime
	}
	if aim.CPUs <= 0 {
		aim.CPUs = runtime.NumCPU()
	}
	reuse := aim.Predicted.Reuse
	return &Search{aim: aim, taken: capacity.Interval[time.Duration]{Min: aim.Hold + reuse.Min, Max: aim.Hold + reuse.Max}}
}

// Waits says whether the tries wait more than they work, and so are made side by
// side.
func (s *Search) Waits() bool { return s.taken.Max >= longWait && s.aim.Predicted.Rate != nil }

// Least is how long the shortest search takes that can tell anything: one step.
func (s *Search) Least() time.Duration {
	rate := firstBusy
	if p := s.aim.Predicted.Rate; p != nil {
		rate = min(rate, p.Min)
	}
	return s.lasts(rate) + time.Second + startTime
}

// Next returns the next round; ok is false when there is none: the limit is known
// closely enough, or the time is over.
func (s *Search) Next() (round Round, ok bool) {
	rates := s.busyRates
	if s.Waits() {
		rates = s.waitingRates
	}
	round = s.round(rates())
	if len(round.Tries) == 0 {
		return round, false
	}
	s.rounds++
	s.spent += round.Lasts
	return round, true
}

// round makes tries of the rates, as far as there is time for them.
func (s *Search) round(rates []float64) Round {
	r := Round{AtOnce: s.Waits()}
	for _, rate := range rates {
		rate = micro(rate)
		t := Try{Rate: rate, Lasts: s.lasts(rate), Round: s.rounds + 1}
		t.Attempts = dueIn(rate, t.Lasts)
		takes := t.Lasts + min(s.aim.Hold, Slack(t.Lasts)) + startTime
		if !r.AtOnce {
			takes += r.Lasts
		}
		if s.spent+takes > s.aim.Most {
			continue
		}
		r.Tries = append(r.Tries, t)
		r.Lasts = max(r.Lasts, takes)
	}
	return r
}

// Slack is how much longer than its attempts a run may take: for those that are
// late, and for what is held. After it all is closed.
func Slack(lasts time.Duration) time.Duration { return max(time.Second, lasts/20) }

// startTime is what making a place and ending a run takes.
const startTime = 500 * time.Millisecond

// leastTry is how long a try lasts at least.
const leastTry = 2 * time.Second

// lasts is how long a try at the rate has to be to prove anything: until every
// port was used, and the first of them is back. Then comes a margin in which ports
// come back a few times more: timers end together, one grain apart, and the ports
// are scarcest just before.
func (s *Search) lasts(rate float64) time.Duration {
	const grains = 4
	round := s.taken.Max
	if ports := s.aim.Predicted.Connections.Max; s.taken.Max > 0 && ports > 0 {
		round = max(round, time.Duration(float64(ports)/rate*float64(time.Second)))
	}
	margin := max(grains*(s.taken.Max-s.taken.Min), min(s.taken.Max, leastTry))
	return max(round+margin, leastTry)
}

// micro rounds a rate up to the millionths that package pace has: a limit that is
// rounded down would lie outside its own interval.
func micro(rate float64) float64 { return math.Ceil(rate*1e6-1e-6) / 1e6 }

// dueIn counts the attempts that are due in a time, from 0 on. What a product of
// floats is above a whole number is no attempt.
func dueIn(rate float64, d time.Duration) int64 { return int64(math.Ceil(rate*d.Seconds() - 1e-6)) }

// Late is how late one attempt in a hundred of a try may begin at most for it to
// show anything: as a share of how long a port is taken, or where the processor may
// be the limit, of the try, what the limit is to be known by. An attempt is late by
// less on any machine.
func (s *Search) Late(t Try) time.Duration {
	const usual = 100 * time.Millisecond
	of, share := t.Lasts, nearBusy
	if s.Waits() {
		of, share = s.taken.Max, s.closeness(Ports)
	}
	return max(usual, time.Duration(share*float64(of)))
}

// Take tells what came of tries. One that fell behind is made again; if that one
// does too, it is no disturbance.
func (s *Search) Take(tried ...Tried) {
	tried = slices.Clone(tried)
	for i := range tried {
		if t := &tried[i]; t.Limit == Behind && s.fellBehind(t.Rate) {
			t.Limit = Generator
		}
	}
	s.tried = append(s.tried, tried...)
	if last := len(tried); last > 1 && !s.Waits() && s.rounds > 1 && tried[0].Rate == tried[last-2].Rate {
		s.sure = true
	}
}

// fellBehind says whether a try at the rate did.
func (s *Search) fellBehind(rate float64) bool {
	return slices.ContainsFunc(s.tried, func(t Tried) bool { return t.Limit == Behind && t.Rate == rate })
}

// Found is what a search has come to.
type Found struct {
	Held   float64 // the highest rate that held, with none below it that did not; 0: none
	Failed float64 // the lowest rate that did not; 0: all held
	Limit  Limit   // what kept it from holding
}

// Found says how far the search is. A rate that was tried several times held if
// most tries did; as many of both, and the last one counts. One that fell behind
// does not count.
func (s *Search) Found() Found {
	var f Found
	rates, by := s.verdicts()
	for _, rate := range rates {
		if by[rate] != None {
			f.Failed, f.Limit = rate, by[rate]
			break
		}
		f.Held = rate
	}
	return f
}

// verdicts lists the rates that were tried, the lowest first, and what kept each
// from holding.
func (s *Search) verdicts() (rates []float64, by map[float64]Limit) {
	by = map[float64]Limit{}
	balance := map[float64]int{} // tries that held less those that did not
	failed := map[float64]Limit{}
	last := map[float64]Limit{}
	for _, t := range s.tried {
		if t.Limit == Behind {
			continue
		}
		if _, seen := balance[t.Rate]; !seen {
			rates = append(rates, t.Rate)
		}
		if last[t.Rate] = t.Limit; t.Limit == None {
			balance[t.Rate]++
			continue
		}
		balance[t.Rate]--
		failed[t.Rate] = t.Limit
	}
	slices.Sort(rates)
	for _, rate := range rates {
		switch n := balance[rate]; {
		case n < 0:
			by[rate] = failed[rate]
		case n == 0:
			by[rate] = last[rate]
		}
	}
	return rates, by
}
