package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/step"
	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// benchVerb runs the standard suite.
func (a *app) benchVerb() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "bench",
		Short: "the standard suite: fill over the host's range and every profile, side by side",
		Long: "bench fills the host's range by every strategy, then the range of every named profile\n" +
			"by socket-range (plain connect needs minutes on 64,512 ports), each in a private place\n" +
			"of its own, and prints one table. The set and every run of it are saved.",
		Example: "  lastport bench\n  lastport bench --format json -o bench.json",
		RunE:    func(*cobra.Command, []string) error { return a.bench(&f) },
	}
	all := c.Flags()
	f.add(all)
	for _, name := range []string{"range", "exclude", "strategy", "target", "seed", "hold", "duration"} {
		_ = all.MarkHidden(name) // the suite decides these; the flag exists, so this cannot fail
	}
	return c
}

// bench makes every run of the suite in turn and reports them side by side.
func (a *app) bench(f *runFlags) error {
	host, err := place.ReadHost(sysctlKeys(f.sysctls)...)
	if err != nil {
		return err
	}
	runs, err := f.suite(host)
	if err != nil {
		return err
	}
	path, _, err := newFolder(f.out, "bench")
	if err != nil {
		return err
	}
	set := &result.Set{Schema: result.SetSchema, Axis: "strategy/profile"}
	for i, one := range runs {
		a.ui.member(i+1, len(runs), one.name)
		dir, err := makeFolder(filepath.Join(path, fmt.Sprintf("%02d-%s", i+1, fileName(one.name))), "fill")
		if err != nil {
			return errors.Join(err, a.partial(f, set))
		}
		res, err := a.execute(one.cfg, host, dir, f.progress)
		if res != nil {
			set.Runs = append(set.Runs, res)
			err = errors.Join(err, dir.close(), result.WriteSync(filepath.Join(path, result.FileName), set))
		}
		if err != nil {
			return errors.Join(err, a.partial(f, set))
		}
		if a.status = max(a.status, statusOfResult(res)); a.status == exitInterrupted {
			break
		}
	}
	a.ui.saved(path)
	return f.output.render(a.stdout, set)
}

// namedRun is a run of the suite, ready to be made.
type namedRun struct {
	name string
	cfg  loadgen.Config
}

// suite makes the standard suite's runs, so that what is wrong with a flag is
// known before the first of them.
func (f *runFlags) suite(host place.Host) ([]namedRun, error) {
	own, err := hostRange(host)
	if err != nil {
		return nil, err
	}
	var runs []namedRun
	for _, m := range suite.Bench(own) {
		one := *f
		one.ranges, one.strategy = m.Range, m.Strategy
		cfg, err := one.config("fill", step.ClientRST, host)
		if err != nil {
			return nil, err
		}
		cfg.RangeName = m.Profile
		runs = append(runs, namedRun{m.Name, cfg})
	}
	return runs, nil
}

// partial reports what a suite came to that could not be finished.
func (a *app) partial(f *runFlags, set *result.Set) error {
	if len(set.Runs) == 0 {
		return nil
	}
	return f.output.render(a.stdout, set)
}

// fileName keeps of a name what a file's name can hold.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '/' {
			return '-'
		}
		return r
	}, name)
}
