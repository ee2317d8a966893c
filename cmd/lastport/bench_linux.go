package main

import (
	"runtime"

	"github.com/spf13/cobra"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/suite"
)

// benchVerb runs the standard suite.
func (a *app) benchVerb() *cobra.Command {
	var f runFlags
	var quick bool
	c := &cobra.Command{
		Use:   "bench",
		Short: "the standard suite, side by side",
		Long: "bench fills the host's range by every strategy and the range of every named\n" +
			"profile by socket-range, opens and closes as fast as it can by every close\n" +
			"mode, and measures how soon ports come back after each, every run in a private\n" +
			"place of its own. It prints what was predicted and measured side by side,\n" +
			"saves the set and every run of it, and takes about two minutes.",
		Example: "  lastport bench\n  lastport bench --quick\n  lastport bench --format json -o bench.json",
		RunE:    func(*cobra.Command, []string) error { return a.bench(&f, quick) },
	}
	f.addHow(c.Flags())
	c.Flags().BoolVar(&quick, "quick", false, "leave out what has to wait for a TIME_WAIT, and say so")
	return c
}

// bench makes every run of the suite and reports them side by side.
func (a *app) bench(f *runFlags, quick bool) error {
	host, err := place.ReadHost(sysctlKeys(f.sysctls)...)
	if err != nil {
		return err
	}
	own, err := hostRange(host)
	if err != nil {
		return err
	}
	plan := suite.Bench(own, quick)
	parts, err := f.parts(plan, host)
	if err != nil {
		return err
	}
	s, err := makeSetFolder(f.out, "bench", "scenario", plan.Len())
	if err != nil {
		return err
	}
	s.set.Skipped = plan.Skipped
	return a.concludeSet(s, a.inParts(s, plan, parts, host, f), &f.output)
}

// inParts makes the runs of one part after those of the other.
func (a *app) inParts(s *setFolder, plan suite.Suite, parts [][]namedRun, host place.Host, f *runFlags) error {
	for i, runs := range parts {
		var err error
		if plan.Parts[i].AtOnce {
			a.ui.together(len(runs))
			err = a.allAtOnce(s, runs, host)
		} else {
			err = a.oneByOne(s, runs, host, f)
		}
		if err != nil || a.status == exitInterrupted {
			return err
		}
	}
	return nil
}

// parts makes the suite's runs, so that what is wrong with a flag is known
// before the first of them.
func (f *runFlags) parts(plan suite.Suite, host place.Host) ([][]namedRun, error) {
	var parts [][]namedRun
	n := 0
	for _, p := range plan.Parts {
		var runs []namedRun
		for _, m := range p.Members {
			cfg, err := f.member(m, host)
			if err != nil {
				return nil, err
			}
			runs = append(runs, namedRun{n, m.Name, cfg})
			n++
		}
		parts = append(parts, runs)
	}
	return parts, nil
}

// member is one run of the suite.
func (f *runFlags) member(m suite.Member, host place.Host) (loadgen.Config, error) {
	one := *f
	one.ranges, one.strategy, one.duration = m.Range, m.Strategy, m.Duration
	switch m.Scenario {
	case "reuse":
		one.connections = reuseConnections
	case "churn":
		one.workers = max(one.workers, runtime.NumCPU())
	}
	cfg, err := one.config(m.Scenario, m.Close, host)
	cfg.RangeName = m.Profile
	if m.Scenario == "churn" {
		cfg.Concurrency = cfg.Workers
	}
	return cfg, err
}
