package main

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// What the steps of a search for the highest rate came to, and the search itself.

// limitOf says what kept a step from holding its rate. Where ports ran out though
// there are enough of them for the rate, and attempts were late, that was why.
func limitOf(r *result.Result, t suite.Try, enough bool) suite.Limit {
	o := r.Outcomes
	missed := slices.ContainsFunc(r.Expect, func(e result.Expected) bool { return !e.Held })
	late := slices.ContainsFunc(r.Warnings, func(w result.Warning) bool { return w.Code == "schedule_late" })
	switch {
	case o.NoPort+o.PortBusy+o.TupleBusy > 0 && late && enough:
		return suite.Generator
	case o.NoPort+o.PortBusy+o.TupleBusy > 0:
		return suite.Ports
	case o.NoFD+o.NoMemory > 0, r.Attempts < t.Attempts, startsLate(r, t):
		return suite.Generator
	case o.OK+o.Canceled < r.Attempts:
		return suite.Listener
	case missed:
		return suite.Expectation
	}
	return suite.None
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
		Limit: found.Limit.String(), AtOnce: k.search.Waits(), Steps: []result.RateStep{}, Why: slices.Concat(k.predicted.Why, k.search.Why()),
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
	for _, text := range k.f.expect {
		e, err := result.ParseExpect(text)
		if err != nil || !isLowerBound(text) {
			continue // which was known before the first step, or is asked of each
		}
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
