package main

import (
	"fmt"
	"math"
	"time"

	"lastport/reports/result"
)

// runs are what tells of a setup.
type runs struct {
	fill  *result.Result // as many connections at once as there can be
	asked *result.Result // one attempt, for what is predicted
	reuse *result.Result // when closed ports come back

	below *result.Result // a churn that the ports must sustain
	above *result.Result // and one that they cannot; nil if ports set no limit
}

// churn is one to be made.
type churn struct {
	rate float64
	long time.Duration
	into func(*runs) **result.Result
}

func (c churn) flags() string { return fmt.Sprintf("--rate %.6f --duration %v", c.rate, c.long) }

// How far from the prediction the rates are.
const (
	tolerance = 0.02
	overload  = 1.05
	often     = 200 // attempts in a round, at least, so that one finds a port soon after it is back
)

// churns are made of what is predicted.
//
// The one below outlasts a round of all ports and the latest moment at which the
// first is back, so that ports that came back too late would show. The one above
// goes on for several rounds, as its successes per round are the rate measured:
// what an open loop above the limit opens is what the ports give.
//
// Where ports set no limit there is one churn, of twenty rounds.
func churns(asked *result.Result) []churn {
	below := func(m *runs) **result.Result { return &m.below }
	p := asked.Predicted
	if p.RatePerS == nil {
		rate := 10 * float64(asked.Space.Tuples)
		return []churn{{rate: min(rate, 2000), long: 2 * time.Second, into: below}}
	}
	round := time.Duration(asked.Config.HoldNS + p.ReuseNS.Max)
	return []churn{
		{rate: p.RatePerS.Min * (1 - tolerance), long: max(3*time.Second, round*5/4).Round(time.Millisecond), into: below},
		{
			rate: max(p.RatePerS.Max*overload, often/round.Seconds()), long: max(6*time.Second, 2*round+3*time.Second).Round(time.Millisecond),
			into: func(m *runs) **result.Result { return &m.above },
		},
	}
}

// sustained is the rate at which the ports served the churn: whole rounds of all
// ports, by the time that they took. In overload a round is as many successes as
// there are ports, so the first success after k rounds is the moment at which the
// first port was back for the k-th time. NaN if there was no whole round.
func sustained(r *result.Result) float64 {
	if r.Measured.FirstNoPort == nil {
		return math.NaN() // the ports were never used up
	}
	ports := r.Measured.FirstNoPort.Attempt - 1
	rounds := (succeeded(r) - 1) / max(1, ports)
	if ports < 1 || rounds < 1 {
		return math.NaN()
	}
	took := openedAt(r.Timeline, rounds*ports+1) - openedAt(r.Timeline, 1)
	return float64(rounds*ports) / took.Seconds()
}

// succeeded is how many connections the timeline has.
func succeeded(r *result.Result) (n int64) {
	for _, row := range r.Timeline {
		n += row.Opened
	}
	return n
}

// openedAt returns when connection number n was opened, as if those of a row were
// opened at equal distances.
func openedAt(rows []result.Row, n int64) time.Duration {
	opened, begin := int64(0), int64(0)
	for _, row := range rows {
		if opened+row.Opened >= n {
			part := (float64(n-opened) - 0.5) / float64(row.Opened)
			return time.Duration(begin) + time.Duration(part*float64(row.TNS-begin))
		}
		opened, begin = opened+row.Opened, row.TNS
	}
	return time.Duration(begin)
}

// late says whether the generator was so late that the run says nothing of ports:
// an attempt that is late by the tolerance of a round takes its port, in every
// round to come, for as much longer. Where TIME_WAIT is full a round is the hold
// alone.
func late(r *result.Result) bool {
	p, s := r.Predicted.ReuseNS, r.ScheduleError
	if p == nil || s == nil || r.Predicted.RatePerS == nil {
		return false
	}
	round := r.Config.HoldNS
	if r.Kernel["TCPTimeWaitOverflow"] == 0 {
		round += p.Max
	}
	return float64(s.MaxNS) > tolerance*float64(round)
}

// brisk says whether a round is so short that runs side by side would make one
// another late.
func brisk(asked *result.Result) bool {
	p := asked.Predicted
	return p.RatePerS != nil && time.Duration(asked.Config.HoldNS+p.ReuseNS.Max) < 10*time.Second
}
