package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// What the steps of a search for the highest rate came to, and the search itself.

// tryOf is a step and what its run is judged by.
type tryOf struct {
	suite.Try
	late   time.Duration // how late one attempt in a hundred may begin: see suite.Search.Late
	enough bool          // by arithmetic there are ports enough for the rate
	scarce bool          // there are too few for certain
}

// step says what a step is judged by.
func (k *seeking) step(t suite.Try) tryOf {
	p := k.predicted.Rate
	return tryOf{Try: t, late: k.search.Late(t), enough: p == nil || t.Rate < p.Min, scarce: p != nil && t.Rate > p.Max}
}

// limitOf says what kept a step from holding its rate. Where ports ran out though
// there are enough of them for the rate, and attempts were late, that was why. One
// that fell behind has shown nothing, unless ports ran out that had to.
func limitOf(r *result.Result, t tryOf) suite.Limit {
	o := r.Outcomes
	missed := slices.ContainsFunc(r.Expect, func(e result.Expected) bool { return !e.Held })
	late := slices.ContainsFunc(r.Warnings, func(w result.Warning) bool { return w.Code == "schedule_late" })
	ranOut := o.NoPort+o.PortBusy+o.TupleBusy > 0
	switch {
	case ranOut && late && t.enough:
		return suite.Generator
	case ranOut && t.scarce:
		return suite.Ports
	case o.NoFD+o.NoMemory > 0, r.Attempts < t.Attempts, startsLate(r, t.Try):
		return suite.Generator
	case fellBehind(r, t.late):
		return suite.Behind
	case ranOut:
		return suite.Ports
	case o.OK+o.Canceled < r.Attempts:
		return suite.Listener
	case missed:
		return suite.Expectation
	}
	return suite.None
}

// fellBehind says whether one attempt in a hundred began later than that.
func fellBehind(r *result.Result, late time.Duration) bool {
	return r.ScheduleError != nil && r.ScheduleError.P99NS > int64(late)
}

// startsLate says whether half of the attempts began later than a 200th of the
// step. Where the rate is beyond the generator, attempts are ever later: half of
// them by half of what is missing at the end, which is so a hundredth of the rate.
// A disturbance makes single attempts later than that, and not half of them.
func startsLate(r *result.Result, t suite.Try) bool {
	const share = 1.0 / 200
	e := r.ScheduleError
	return e != nil && float64(e.P50NS) > share*float64(t.Lasts)
}

// answer is what the search has come to, as a file keeps it.
func (k *seeking) answer() *result.RateSearch {
	found := k.search.Found()
	s := &result.RateSearch{
		Limit: found.Limit.String(), AtOnce: k.atOnce(), Steps: []result.RateStep{}, Why: slices.Concat(k.predicted.Why, k.search.Why()),
		ReuseNS: &result.Interval{Min: int64(k.predicted.Reuse.Min), Max: int64(k.predicted.Reuse.Max)},
	}
	if found.Held > 0 {
		s.RatePerS = &found.Held
	}
	if found.Failed > 0 {
		s.FailedPerS = &found.Failed
	}
	if p := k.predicted.Rate; p != nil {
		s.Predicted = &result.RateInterval{Min: p.Min, Max: p.Max}
	}
	if off, ok := k.search.Residual(); ok {
		s.Residual = &off
	}
	s.Verdict.Text, s.Verdict.OK = k.search.Verdict()
	for _, t := range k.tried {
		s.Steps = append(s.Steps, result.RateStep{
			RatePerS: t.Rate, Round: t.Round, Run: t.run.Run.ID, Held: t.Limit == suite.None, Limit: t.Limit.String(),
		})
	}
	slices.SortStableFunc(s.Steps, func(a, b result.RateStep) int { return int(math.Copysign(1, a.RatePerS-b.RatePerS)) })
	k.expect(s, found)
	return s
}

// atOnce says whether steps were made side by side.
func (k *seeking) atOnce() bool {
	for i := 1; i < len(k.tried); i++ {
		if k.tried[i].Round == k.tried[i-1].Round {
			return k.search.Waits()
		}
	}
	return false
}

// expect asks of the rate that was found what a rate has to come to at least.
func (k *seeking) expect(s *result.RateSearch, found suite.Found) {
	at := &result.Result{} // where no rate held nothing is measured
	for _, t := range k.tried {
		if t.Rate == found.Held && t.Limit == suite.None {
			copied := *t.run
			copied.Measured.RatePerS = &found.Held
			at = &copied
		}
	}
	missed := 0
	for _, e := range k.floors {
		got := e.Eval(at)
		if s.Expect = append(s.Expect, got); !got.Held {
			missed++
		}
	}
	if missed > 0 {
		s.Verdict.OK = false
		s.Verdict.Text += fmt.Sprintf("; %d of %d expectations not met", missed, len(s.Expect))
	}
}

// errNothingHeld says that a search has found no rate.
var errNothingHeld = errors.New("no rate was found that holds")

// judgeSearch decides on the exit status.
func (a *app) judgeSearch(s *result.RateSearch) error {
	if a.status == exitInterrupted {
		return nil
	}
	for _, e := range s.Expect {
		if !e.Held {
			a.ui.notMet(e)
			a.status = exitExpectation
		}
	}
	switch {
	case s.RatePerS != nil:
		return nil
	case s.Limit == suite.Expectation.String():
		a.status = exitExpectation
		return nil
	}
	return fmt.Errorf("%w: %s", errNothingHeld, s.Verdict.Text)
}
