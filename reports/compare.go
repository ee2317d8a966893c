package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"lastport/reports/result"
	"lastport/reports/stats"
)

// Side is the runs of one side of a comparison, and where they are from.
type Side struct {
	From string
	Runs []*result.Result
}

// Level is how sure the interval of a median holds it.
const Level = 0.95

// Compare says what changed from old to new. Runs of one configuration are the
// repeats of one run; a kind of run on one side is compared with its like on the
// other. It claims a change where the Mann-Whitney U test finds one at alpha
// (between 0 and 1), and none of runs that are too few for that. Runs that were
// interrupted are left out, and of copies of one run all but one.
//
// Old and new may differ in what one compares: strategy, close mode, settings,
// machine. Another scenario or space is an *IncomparableError.
func Compare(old, now Side, expect []result.ChangeExpectation, alpha float64) (*result.Comparison, error) {
	c := &result.Comparison{Schema: result.ComparisonSchema, Alpha: alpha, Level: Level}
	var err error
	if c.Old, old.Runs, err = old.complete(); err != nil {
		return nil, err
	}
	if c.New, now.Runs, err = now.complete(); err != nil {
		return nil, err
	}
	pairs, onlyOld, onlyNew, err := pairUp(kindsOf(old.Runs), kindsOf(now.Runs))
	if err != nil {
		return nil, err
	}
	c.OnlyOld, c.OnlyNew = onlyOld, onlyNew
	for _, p := range pairs {
		runs := p.compare(alpha, expect)
		c.Pairs = append(c.Pairs, runs)
		for _, e := range expect {
			c.Expect = append(c.Expect, against(e, &runs))
		}
	}
	c.Warnings = append(comparisonWarnings(c), copyWarnings(c, old.Runs, now.Runs)...)
	return c, nil
}

// complete describes a side, and returns those of its runs that came to their own
// end, each once.
func (s Side) complete() (about result.ComparedSide, runs []*result.Result, err error) {
	about.From = s.From
	for _, r := range s.Runs {
		switch {
		case r.Run.Shard != nil && r.Run.Shard.Count > 1:
			return about, nil, &IncomparableError{From: s.From, Why: "it holds a shard, a part of a run alone", hint: "lastport merge " + shellWord(s.From) + " and the folders of the other shards, then compare what that makes"}
		case r.Merged != nil && len(r.Merged.Missing) > 0:
			return about, nil, &IncomparableError{From: s.From, Why: "it is merged, and not of all shards", hint: "lastport merge and the folders of all its shards, then compare what that makes"}
		case r.Run.Interrupted:
			about.LeftOut++
			continue
		}
		runs = append(runs, r)
		about.Kernels = append(about.Kernels, r.Host.Kernel)
		about.Tools = append(about.Tools, r.Tool.Version)
	}
	runs, about.Copies = withoutCopies(runs)
	about.Runs = len(runs)
	for _, list := range []*[]string{&about.Kernels, &about.Tools} {
		slices.Sort(*list)
		*list = slices.DeleteFunc(slices.Compact(*list), func(s string) bool { return s == "" })
	}
	switch {
	case len(s.Runs) == 0:
		err = &IncomparableError{From: s.From, Why: "it holds no run", hint: "name a folder that a run wrote"}
	case len(runs) == 0:
		err = &IncomparableError{From: s.From, Why: "none of its runs came to its own end", hint: "lastport report " + shellWord(s.From)}
	}
	return about, runs, err
}

// IncomparableError says why results cannot be compared: wrong usage.
type IncomparableError struct {
	From    string              // the side that is at fault; "": both
	Why     string              // what is wrong with it
	Differs []result.Difference // or what makes old and new unlike
	hint    string
}

// Error says what is wrong, and names the fields that differ.
func (e *IncomparableError) Error() string {
	if e.From != "" {
		return fmt.Sprintf("compare: %s: %s", e.From, e.Why)
	}
	text := "compare: " + e.Why
	for i, d := range e.Differs {
		text += fmt.Sprintf("%s %s is %s in OLD and %s in NEW", []string{":", ","}[min(i, 1)], d.Field, d.Old, d.New)
	}
	return text
}

// Hint says what to type.
func (e *IncomparableError) Hint() string { return e.hint }

// Usage is true: the exit status is that of wrong usage.
func (e *IncomparableError) Usage() bool { return true }

// pair is the runs of one kind, old and new.
type pair struct {
	name     string
	old, now []*result.Result
}

// compare compares each quantity that either side measured.
func (p pair) compare(alpha float64, expect []result.ChangeExpectation) result.ComparedRuns {
	runs := result.ComparedRuns{
		Name: p.name, Scenario: p.now[0].Run.Scenario, Old: len(p.old), New: len(p.now),
		Enough: stats.LeastP(len(p.old), len(p.now)) <= alpha, Differs: differences(p.old[0], p.now[0]),
	}
	for _, m := range comparedMetrics(runs.Scenario, expect) {
		old, now := m.samples(p.old), m.samples(p.now)
		if !m.asked && !tells(old) && !tells(now) {
			continue
		}
		runs.Changes = append(runs.Changes, m.compare(old, now, alpha))
	}
	return runs
}

// tells says whether a sample holds anything but nothing.
func tells(sample []float64) bool {
	return slices.ContainsFunc(sample, func(v float64) bool { return v != 0 })
}

// metric is a quantity that is compared.
type metric struct {
	result.Quantity
	better string // "less", "more", or "" if neither is
	asked  bool   // an expectation names it
}

// samples are what the runs measured of it.
func (m metric) samples(runs []*result.Result) (all []float64) {
	for _, r := range runs {
		if v, ok := m.Of(r); ok {
			all = append(all, v)
		}
	}
	return all
}

// compare says what changed from old to new.
func (m metric) compare(old, now []float64, alpha float64) result.Compared {
	c := result.Compared{
		Field: m.Name(), Unit: m.Unit(), Better: m.better, Old: typical(old), New: typical(now), Claim: result.ClaimTooFew,
	}
	c.Change = changeBy(c.Old, c.New)
	if stats.LeastP(len(old), len(now)) > alpha {
		return c
	}
	p := stats.Test(old, now)
	c.P = &p
	switch more := cmp.Compare(c.New.Median, c.Old.Median); {
	case p > alpha || more == 0:
		c.Claim = result.ClaimNone
	case m.better == "":
		c.Claim = result.ClaimChanged
	case (more > 0) == (m.better == betterMore):
		c.Claim = result.ClaimBetter
	default:
		c.Claim = result.ClaimWorse
	}
	return c
}

// changeBy is how far the median went, as a share of the old one; nil where there
// is no such share.
func changeBy(old, now *result.Typed) *float64 {
	by := 0.0
	switch {
	case old == nil || now == nil || old.Median == 0 && now.Median != 0:
		return nil
	case old.Median != 0:
		by = (now.Median - old.Median) / math.Abs(old.Median) // up is positive, below 0 too
	}
	if math.IsInf(by, 0) || math.IsNaN(by) {
		return nil
	}
	return &by
}

// typical is what a sample tells of the median; nil for an empty one.
func typical(sample []float64) *result.Typed {
	if len(sample) == 0 {
		return nil
	}
	s := stats.Describe(sample, Level)
	return &result.Typed{N: s.N, Median: s.Median, Low: s.Low, High: s.High, Level: s.Level, Min: s.Min, Max: s.Max}
}

// against holds an expectation against a pair. A change that cannot be told from
// chance counts as none; where there are too few runs to tell, the medians are
// taken as they are, so that a gate does not open for want of runs.
func against(e result.ChangeExpectation, runs *result.ComparedRuns) result.ComparedExpect {
	got := result.ComparedExpect{Runs: runs.Name, Expr: e.String(), Value: result.NotMeasured}
	i := slices.IndexFunc(runs.Changes, func(c result.Compared) bool { return c.Field == e.Field() })
	if i < 0 {
		return got
	}
	c := &runs.Changes[i]
	switch {
	case c.New == nil:
	case !e.Relative():
		got.Value, got.Held = e.Quantity().Print(c.New.Median), e.Holds(c.New.Median)
	case c.Claim == result.ClaimNone:
		got.Value, got.Held = "no change shown", e.Holds(0)
	case c.Change != nil:
		got.Value, got.Held = signedPercent(*c.Change), e.Holds(*c.Change)
	case c.Old != nil: // more than any share of 0
		got.Value = "from " + e.Quantity().Print(c.Old.Median) + " to " + e.Quantity().Print(c.New.Median)
		got.Held = e.Holds(math.Copysign(math.Inf(1), c.New.Median-c.Old.Median))
	}
	return got
}
