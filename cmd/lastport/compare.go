package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"lastport/reports"
	"lastport/reports/result"
)

// compareFlags are the flags of compare.
type compareFlags struct {
	output
	expect []string
	alpha  float64
}

// compareVerb says what changed from one set of runs to another.
func (a *app) compareVerb() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "what changed between runs, with its uncertainty",
		Long: "compare puts the runs of OLD beside those of NEW: medians with their intervals,\n" +
			"and which changes are more than chance by the Mann-Whitney U test. Of one run\n" +
			"each it claims nothing: --repeat makes several.\n\n" +
			"OLD and NEW are results: the folder of a run or a set, its result.json, or a\n" +
			"folder of such folders. Several runs of one kind are the repeats of one run;\n" +
			"other kinds are compared each with its like.\n\n" +
			"--expect makes it a gate: exit status 3 if one does not hold.",
		Example: "  lastport compare old new\n" +
			"  lastport compare old new --expect 'connect.p99<=+10%' --expect 'connections>=-0%'\n" +
			"  lastport compare old new --format markdown -o comment.md",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("lastport compare OLD NEW", "compare takes two results, but got %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault), // files and folders
		RunE:              func(_ *cobra.Command, args []string) error { return a.compare(&f, args[0], args[1]) },
	}
	fs := c.Flags()
	fs.StringArrayVar(&f.expect, "expect", nil, "an `EXPR` that must hold, of a change such as 'connect.p99<=+10%', or of what NEW measured such as 'connections>=28232'; exit status 3 if not (repeatable)")
	fs.Float64Var(&f.alpha, "alpha", 0.05, "the `RISK` of a claim: how often a change would be claimed of runs that differ by chance alone")
	f.flags(fs)
	return c
}

// compare reads both sides and reports what changed.
func (a *app) compare(f *compareFlags, old, now string) error {
	if err := cmp.Or(f.check(), f.notOver(old, now)); err != nil {
		return err
	}
	if !(f.alpha > 0 && f.alpha < 1) {
		return usagef("--alpha 0.05", "--alpha %v: want more than 0 and less than 1", f.alpha)
	}
	var expect []result.ChangeExpectation
	for _, text := range f.expect {
		e, err := result.ParseExpectChange(text)
		if err != nil {
			return err
		}
		expect = append(expect, e)
	}
	var sides [2]reports.Side
	for i, path := range []string{old, now} {
		runs, err := result.ReadRuns(path)
		if err != nil {
			return err
		}
		sides[i] = reports.Side{From: path, Runs: runs}
	}
	c, err := reports.Compare(sides[0], sides[1], expect, f.alpha)
	if err != nil {
		return err
	}
	if err := f.render(a.stdout, c); err != nil {
		return err
	}
	for _, e := range c.Expect {
		if !e.Held {
			a.status = exitExpectation
			a.ui.notMet(result.Expected{Expr: e.Expr, Value: e.Value})
		}
	}
	return nil
}
