package main

import (
	"slices"
	"strings"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// allStrategies as --strategy runs every strategy.
const allStrategies = "all"

// strategies are the names of --strategy: one run each.
func (f *runFlags) strategies() ([]string, error) {
	switch {
	case f.strategy == "" && len(f.sources) > 0:
		return []string{"late-bind"}, nil
	case f.strategy == "":
		return []string{"connect"}, nil
	case f.strategy == allStrategies:
		return f.allStrategies(), nil
	}
	names := strings.Split(f.strategy, ",")
	for i, name := range names {
		if name == allStrategies {
			return nil, usagef("--strategy all", "--strategy %s: all stands alone", f.strategy)
		}
		if slices.Contains(names[:i], name) {
			return nil, usagef("--strategy "+name, "--strategy %s: %s is named twice", f.strategy, name)
		}
		if !slices.Contains(strategy.Names(), name) {
			_, err := strategy.New(name, strategy.Space{})
			return nil, named("--strategy", err)
		}
	}
	return names, nil
}

// allStrategies are all that fit the other flags: connect cannot choose a
// source.
func (f *runFlags) allStrategies() []string {
	names := strategy.Names()
	if len(f.sources) > 0 {
		names = slices.DeleteFunc(names, func(name string) bool { return !strategy.TakesSource(name) })
	}
	return names
}

// leftOut says which strategies all does not mean, and why.
func (f *runFlags) leftOut() []string {
	if f.strategy != allStrategies || len(f.sources) == 0 {
		return nil
	}
	return []string{"connect: it never binds, and so cannot take --source"}
}

// chosen checks the strategy against the space. It comes when all else of the
// space is understood.
func (f *runFlags) chosen(c *loadgen.Config, _ place.Host) error {
	names, err := f.strategies()
	if err != nil {
		return err
	}
	c.Strategy = names[0] // of several, each run is given its own
	return loadgen.CheckStrategy(c)
}

// single makes the run that the flags ask for, or one for each strategy, and
// reports it. closeMode is that of a run that is told none; more adds the flags
// of the scenario's own.
func (a *app) single(scenario string, closeMode step.CloseMode, f *runFlags, more func(*loadgen.Config) error) error {
	host, err := place.ReadHost(sysctlKeys(f.sysctls)...)
	if err != nil {
		return err
	}
	runs, err := f.repeated(func() ([]namedRun, error) { return f.byStrategy(scenario, closeMode, host, more) })
	if err != nil {
		return err
	}
	if err := a.announce(runs, host); err != nil {
		return err
	}
	if len(runs) > 1 {
		return a.side(scenario, runs, host, f)
	}
	dir, err := makeFolder(f.out, scenario) // first, as nothing is to be promised that --out then refuses
	if err != nil {
		return err
	}
	if err := a.beforeHost(&runs[0], host, f); err != nil {
		dir.abandon()
		return err
	}
	shown := newProgress(a.ui, f.progress)
	res, err := a.execute(runs[0], host, dir, shown.run(""))
	shown.end()
	return a.conclude(res, err, dir, &f.output)
}

// byStrategy makes a run for each strategy, so that what is wrong with a flag is
// known before the first of them.
func (f *runFlags) byStrategy(scenario string, closeMode step.CloseMode, host place.Host, more func(*loadgen.Config) error) ([]namedRun, error) {
	names, err := f.strategies()
	if err != nil {
		return nil, err
	}
	var runs []namedRun
	for i, name := range names {
		one := *f
		one.strategy = name
		cfg, err := one.config(scenario, closeMode, host)
		if err == nil {
			err = more(&cfg)
		}
		cfg.Compared = len(names) > 1
		asked := cfg
		if err == nil {
			err = one.reserve(&cfg, host)
		}
		if err == nil {
			err = loadgen.CheckEngine(&cfg)
		}
		if err != nil {
			return nil, err
		}
		runs = append(runs, namedRun{i, name, cfg, asked, one.token})
	}
	return runs, nil
}

// side makes runs by several strategies, or repeats, and reports them side by
// side: a reuse mostly waits, so many at once; the others in turn.
func (a *app) side(scenario string, runs []namedRun, host place.Host, f *runFlags) error {
	if err := f.output.checkSet(); err != nil {
		return err
	}
	s, err := makeSetFolder(f.out, scenario, f.axis("strategy", strings.Contains(f.strategy, ",") || f.strategy == allStrategies), len(runs))
	if err != nil {
		return err
	}
	s.set.Skipped = f.leftOut()
	if scenario == "reuse" {
		return a.concludeSet(s, a.sideBySide(s, runs, host, f), &f.output)
	}
	return a.concludeSet(s, a.oneByOne(s, runs, host, f), &f.output)
}
