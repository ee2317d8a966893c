package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"lastport/reports/result"
)

// sample is what one run of an arm came to.
type sample struct {
	rate float64      // connections per second
	cost *result.Cost // lastport's alone
	took float64      // seconds to open all; of a fill or a hold
}

// arm is one of the commands that a group runs in turn.
type arm struct {
	name string
	run  func(context.Context) (sample, error)

	samples []sample // one for each round
	absent  error    // why there are none; then it is not run again
}

// miss says why there are no samples, unless err is nil.
func (a *arm) miss(err error) {
	if err != nil {
		a.absent = fmt.Errorf("%s: %w", a.name, err)
	}
}

// line is a row of the table: one value of one arm, beside the same value of
// another if there is one.
type line struct {
	name    string
	of      *arm
	against *arm // nil: the value is judged itself
	value   func(sample) (float64, bool)
	show    func(float64) string
	want    bound
}

// group is what is compared within the same minute.
type group struct {
	arms   []*arm
	lines  []line
	rounds int // at least so many, unless the bench is quick; 0: as many as asked for
}

// run runs every arm of the group in turn, rounds times, and judges its lines.
// Each round begins with another arm, so that none always follows the same one.
func (g *group) run(ctx context.Context, rounds int, progress io.Writer) []row {
	for i := range rounds {
		for k := range g.arms {
			a := g.arms[(i+k)%len(g.arms)]
			if !g.needs(a) || ctx.Err() != nil {
				continue
			}
			fmt.Fprintf(progress, "%s: %s, %d of %d\n", g.lines[0].name, a.name, i+1, rounds)
			switch s, err := a.run(ctx); {
			case ctx.Err() != nil: // it was cut off
			case err != nil:
				a.miss(err)
			default:
				a.samples = append(a.samples, s)
			}
		}
	}
	rows := make([]row, len(g.lines))
	for i, l := range g.lines {
		rows[i] = l.judge()
	}
	return rows
}

// needs says whether a line can still be made of the arm.
func (g *group) needs(a *arm) bool {
	return slices.ContainsFunc(g.lines, func(l line) bool {
		return (l.of == a || l.against == a) && l.gap() == nil
	})
}

// gap is why the line has no figure, if one of its arms could not be run.
func (l *line) gap() error {
	for _, a := range []*arm{l.of, l.against} {
		if a != nil && a.absent != nil {
			return a.absent
		}
	}
	return nil
}

// judge makes the line's row, of the rounds that both arms have.
func (l *line) judge() row {
	r := row{name: l.name, want: l.want}
	if err := l.gap(); err != nil {
		r.absent = err.Error()
		return r
	}
	ours := l.values(l.of)
	r.judged = ours
	if l.against != nil {
		theirs := l.values(l.against)
		n := min(len(ours), len(theirs))
		ours, theirs = ours[:n], theirs[:n]
		if r.judged = ratios(ours, theirs); n > 0 {
			r.theirs = l.show(median(theirs)) + "  " + l.against.name
		}
	}
	if len(r.judged) == 0 {
		r.absent = "not measured"
		return r
	}
	r.ours = l.show(median(ours))
	return r
}

// values are the line's of every round, none if one of them was not measured.
func (l *line) values(a *arm) []float64 {
	var list []float64
	for _, s := range a.samples {
		v, ok := l.value(s)
		if !ok {
			return nil
		}
		list = append(list, v)
	}
	return list
}

// choose keeps the lines whose names begin with one of the names, and the groups
// that have such lines.
func choose(groups []*group, names string) ([]*group, error) {
	if names == "" {
		return groups, nil
	}
	var all []string
	for _, g := range groups {
		for _, l := range g.lines {
			all = append(all, l.name)
		}
	}
	prefixes := strings.Split(names, ",")
	for _, p := range prefixes {
		if p == "" || !slices.ContainsFunc(all, func(name string) bool { return strings.HasPrefix(name, p) }) {
			return nil, fmt.Errorf("%w: --rows %q: no row begins with %q; there are %s", errUsage, names, p, strings.Join(all, ", "))
		}
	}
	var chosen []*group
	for _, g := range groups {
		g.lines = slices.DeleteFunc(g.lines, func(l line) bool {
			return !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(l.name, p) })
		})
		g.arms = slices.DeleteFunc(g.arms, func(a *arm) bool {
			return !slices.ContainsFunc(g.lines, func(l line) bool { return l.of == a || l.against == a })
		})
		if len(g.lines) > 0 {
			chosen = append(chosen, g)
		}
	}
	return chosen, nil
}
