package reports

import (
	"math"
	"slices"

	"lastport/reports/result"
)

// way is a row of a bench's table with the runs that tell of it. What was not
// run is nil.
type way struct {
	row    *result.SetRow
	fill   *result.Result
	reuse  *result.Result
	churns []*result.Result
	above  bool    // its fill is that of the row above
	made   float64 // what the machine made of it, as a multiple of what is predicted of the first; 0: nothing
}

// waysOf finds the runs of each row.
func waysOf(s *result.Set) []way {
	byID := make(map[string]*result.Result, len(s.Runs))
	for _, r := range s.Runs {
		byID[r.Run.ID] = r
	}
	var ways []way
	for i := range s.Rows[:min(len(s.Rows), maxRuns)] {
		w := way{row: &s.Rows[i]}
		for _, id := range w.row.Runs {
			w.take(byID[id])
		}
		if n := len(ways); n > 0 && w.fill != nil {
			w.above = w.fill == ways[n-1].fill
		}
		ways = append(ways, w)
	}
	return ways
}

func (w *way) take(r *result.Result) {
	switch {
	case r == nil:
	case r.Run.Scenario == "fill":
		w.fill = r
	case r.Run.Scenario == "reuse":
		w.reuse = r
	case r.Run.Scenario == "churn":
		w.churns = append(w.churns, r)
	}
}

// name names a way, in the table and elsewhere.
func (w *way) name() string { return shorten(w.row.Name, maxNameColumns) }

// predicted returns what a run foretold, or without such a run what the row
// itself has.
func predicted[T any](w *way, of func(*result.Predicted) *T, runs ...*result.Result) *T {
	for _, r := range runs {
		if r != nil && of(&r.Predicted) != nil {
			return of(&r.Predicted)
		}
	}
	return of(&w.row.Predicted)
}

func (w *way) connections() *result.Interval {
	return predicted(w, func(p *result.Predicted) *result.Interval { return p.Connections }, w.fill)
}

func (w *way) delay() *result.Interval {
	return predicted(w, func(p *result.Predicted) *result.Interval { return p.ReuseNS }, append(w.churns, w.reuse)...)
}

func (w *way) sustained() *result.RateInterval {
	return predicted(w, func(p *result.Predicted) *result.RateInterval { return p.RatePerS }, w.churns...)
}

// unlimited says that ports set no limit to the rate.
func (w *way) unlimited() bool {
	d := w.delay()
	switch {
	case d == nil:
		return false
	case *d == result.Interval{}:
		return true
	}
	// A port rests for a time, and yet no rate follows: TIME_WAIT takes fewer than
	// there are (tcp_max_tw_buckets). If the time may be none, nothing is known.
	return w.sustained() == nil && d.Min > 0
}

// at is p50 of connect at an occupancy.
func (w *way) at(occupancy float64) *int64 {
	if w.fill == nil {
		return nil
	}
	if p := pointAt(w.fill, occupancy); p != nil {
		return &p.P50NS
	}
	return nil
}

// sustains is the rate that the churns of a way show. Held is the highest at
// which they went on, of several as fast as they could the median; ranOut is the
// lowest at which ports ran out. Each is 0 if there is no such churn. Derived is
// what measured ports and reuse delay come to where no churn was made.
type sustains struct {
	held, ranOut float64
	derived      *result.RateInterval
	off          bool // a churn did not come out as predicted
}

// unforeseen says whether a run did not come out as predicted, by its residual
// or else by its verdict; that counts an expectation too, which predicts nothing.
func unforeseen(r *result.Result, residual bool) bool {
	missed := slices.ContainsFunc(r.Expect, func(e result.Expected) bool { return !e.Held })
	return residual || !r.Verdict.OK && !missed
}

func (w *way) sustains() (s sustains) {
	var fastest []float64
	for _, r := range w.churns {
		rate := rateOf(r)
		if r.Run.Interrupted || !(rate > 0 && rate < 1e15) {
			continue
		}
		s.off = s.off || unforeseen(r, r.Residual.Connections != nil && *r.Residual.Connections != 0)
		if r.Config.Rate == "max" {
			fastest = append(fastest, rate)
			continue
		}
		s.tried(rate, madeOf(r, rate), r.Outcomes.NoPort > 0)
	}
	if len(fastest) > 0 {
		slices.Sort(fastest)
		s.held = max(s.held, fastest[len(fastest)/2])
	}
	if s.held == 0 && s.ranOut == 0 && !w.standsIn("fill") {
		s.derived = w.derivedRate()
	}
	return s
}

// tried takes a churn at a rate into account, and what it came to.
func (s *sustains) tried(rate, made float64, ranOut bool) {
	switch {
	case !ranOut:
		s.held = max(s.held, made)
	case s.ranOut == 0 || rate < s.ranOut:
		s.ranOut = rate
	}
}

// standsIn says whether the way's runs of a scenario used other ports than its
// range.
func (w *way) standsIn(scenario string) bool { return w.row.StandIn[scenario] != "" }

// madeOf is the rate that a churn at a rate came to: that one, or less if the
// generator was late.
func madeOf(r *result.Result, rate float64) float64 {
	const rest = 0.005 // how far the last attempts may be from their times
	if made := r.Measured.RatePerS; made != nil && *made < (1-rest)*rate {
		return *made
	}
	return rate
}

// derivedRate is the measured ports, each used again after the measured delay.
func (w *way) derivedRate() *result.RateInterval {
	n := w.opened()
	if n == nil || w.reuse == nil || w.reuse.Reuse == nil {
		return nil
	}
	u := w.reuse.Reuse
	if u.Count == 0 || u.Lost > 0 || u.MinNS <= 0 || u.MaxNS < u.MinNS || w.unlimited() || w.natWay() { // there the delay is one of a few that are lucky
		return nil
	}
	return &result.RateInterval{Min: float64(*n) / float64(u.MaxNS) * 1e9, Max: float64(*n) / float64(u.MinNS) * 1e9}
}

// text is "446-480" between the two, "≥" or "<" if only one is known, and "~" if
// it is derived.
func (s sustains) text() string {
	switch {
	case s.held > 0 && s.ranOut > 0:
		return joined(perSecond(s.held), perSecond(s.ranOut))
	case s.held > 0:
		return "≥" + perSecond(s.held)
	case s.ranOut > 0:
		return "<" + perSecond(s.ranOut)
	case s.derived != nil:
		return "~" + rateText(*s.derived)
	}
	return ""
}

// benchColumn is one column of a bench's table.
type benchColumn struct {
	head, unit string
	measured   func(*way) string // "": there is none
	predicted  func(*way) string // nil: nothing is
	boundless  func(*way) bool   // what is predicted is the best that there can be; nil: never
	off        func(*way) bool   // it is not as predicted
	rank       func(*way) *float64
	sameRange  bool   // only ways over the same range compare
	of         string // the scenario whose runs tell it; "": none
}

// benchColumns are the columns of the table, as narrow as can be: all of them
// fit into 80 characters.
func benchColumns() []benchColumn {
	latency := func(head string, occupancy float64) benchColumn {
		value := func(w *way) *int64 { return w.at(occupancy) }
		return benchColumn{
			head: "p50 µs", unit: head, measured: func(w *way) string { return optional(value(w), micros) },
			rank: least(value), of: "fill", sameRange: true,
		}
	}
	failing := func(w *way) *int64 {
		if w.fill == nil || w.natWay() {
			return nil // where nobody answers, how long to wait is the program's own choice
		}
		return failureP50(w.fill)
	}
	return []benchColumn{
		{
			head: "at once", unit: "ports", of: "fill", rank: mostConnections,
			measured:  func(w *way) string { return optional(w.opened(), count) },
			predicted: func(w *way) string { return optional(w.connections(), dashed(count)) },
			off: func(w *way) bool {
				return w.fill != nil && w.fill.Residual.Connections != nil && *w.fill.Residual.Connections != 0
			},
		},
		{
			head: "sustained", unit: "per s", of: "churn", rank: mostSustained,
			measured:  func(w *way) string { return w.sustains().text() },
			predicted: func(w *way) string { return w.foretoldRate() },
			boundless: func(w *way) bool { return w.unlimited() },
			off:       func(w *way) bool { return w.sustains().off },
		},
		{head: "gain", unit: "×", measured: func(w *way) string { return w.gainText() }},
		latency("at 50 %", 0.5),
		latency("99 %", 0.99),
		{
			head: "reuse", unit: "s", of: "reuse", rank: soonest, measured: func(w *way) string { return w.measuredDelay() },
			predicted: func(w *way) string { return optional(w.delay(), delayText) },
			off: func(w *way) bool {
				return w.reuse != nil && !w.reuse.Run.Interrupted &&
					unforeseen(w.reuse, w.reuse.Residual.Reuse != nil && *w.reuse.Residual.Reuse != 0)
			},
		},
		{
			head: "fail", unit: "ms", measured: func(w *way) string { return w.failing() },
			rank: least(failing), of: "fill", sameRange: true,
		},
	}
}

func (w *way) opened() *int64 {
	if w.fill == nil {
		return nil
	}
	return w.fill.Measured.Connections
}

func (w *way) foretoldRate() string {
	if w.unlimited() {
		return "no limit"
	}
	return optional(w.sustained(), rateText)
}

func (w *way) measuredDelay() string {
	switch {
	case w.reuse == nil || w.reuse.Reuse == nil || w.reuse.Reuse.Count == 0:
		return ""
	case w.reuse.Reuse.AtOnce == w.reuse.Reuse.Count:
		return "at once"
	}
	return delayText(result.Interval{Min: w.reuse.Reuse.MinNS, Max: w.reuse.Reuse.MaxNS})
}

// What ranks a way: the least is the best.

func least(value func(*way) *int64) func(*way) *float64 {
	return func(w *way) *float64 {
		return optionally(value(w), func(ns int64) float64 { return float64(ns) })
	}
}

func mostConnections(w *way) *float64 {
	return optionally(w.opened(), func(n int64) float64 { return -float64(n) })
}

// mostSustained ranks by what was held. Where ports set no limit, what was held
// is the machine's and no rank.
func mostSustained(w *way) *float64 {
	s := w.sustains()
	switch {
	case w.unlimited(), w.standsIn("churn"):
		return nil // the former's prediction has the mark; the latter compares with none
	case s.held == 0 && s.derived != nil:
		s.held = s.derived.Min
	}
	if s.held == 0 {
		return nil
	}
	rank := -s.held
	return &rank
}

func soonest(w *way) *float64 {
	if w.reuse == nil || w.reuse.Reuse == nil || w.reuse.Reuse.Count == 0 || w.reuse.Reuse.Lost > 0 {
		return nil
	}
	rank := float64(w.reuse.Reuse.P50NS)
	if w.reuse.Reuse.AtOnce == w.reuse.Reuse.Count {
		rank = 0 // how soon the first probe came is no matter of ports
	}
	return &rank
}

// best returns the ways that a column's mark goes to: the best, and those that
// are as good, if the worst is off by a tenth or more.
func (c *benchColumn) best(ways []way) map[*way]bool {
	marked := map[*way]bool{}
	if c.rank == nil {
		return marked
	}
	groups := map[string][]*way{}
	for i := range ways {
		if w := &ways[i]; c.rank(w) != nil {
			group := ""
			if c.sameRange {
				group = w.row.Proto + w.fill.Config.Range + w.row.Place // a datagram and a handshake do not compare, nor do ways through other hosts
			}
			groups[group] = append(groups[group], w)
		}
	}
	if c.boundless != nil && slices.ContainsFunc(ways, func(w way) bool { return c.boundless(&w) }) {
		return marked
	}
	for _, group := range groups {
		var values []float64
		for _, w := range group {
			values = append(values, *c.rank(w))
		}
		low, high := slices.Min(values), slices.Max(values)
		if high-low < bestBy*max(math.Abs(low), math.Abs(high)) || high == low {
			continue
		}
		for _, w := range group {
			marked[w] = *c.rank(w) == low
		}
	}
	return marked
}
