package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

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
	own, err := hostRange(host)
	if err != nil {
		return err
	}
	dir, err := setFolder(f.out)
	if err != nil {
		return err
	}
	set := &result.Set{Schema: result.SetSchema, Axis: "strategy/profile"}
	members := suite.Bench(own)
	for i, m := range members {
		a.ui.member(i+1, len(members), m.Name)
		res, err := a.member(f, m, host, filepath.Join(dir, fmt.Sprintf("%02d-%s", i+1, fileName(m.Name))))
		if res != nil {
			set.Runs = append(set.Runs, res)
			if err := result.Write(filepath.Join(dir, result.FileName), set); err != nil {
				return errors.Join(f.output.render(a.stdout, set), err)
			}
		}
		if err != nil {
			return errors.Join(a.partial(f, set), err)
		}
		if a.status = max(a.status, statusOfResult(res)); a.status == exitInterrupted {
			break
		}
	}
	a.ui.saved(dir)
	return f.output.render(a.stdout, set)
}

// setFolder makes the folder of a set. Its runs have folders inside.
func setFolder(path string) (string, error) {
	path, _, err := newFolder(path, "bench")
	return path, err
}

// partial reports what a suite came to that could not be finished.
func (a *app) partial(f *runFlags, set *result.Set) error {
	if len(set.Runs) == 0 {
		return nil
	}
	return f.output.render(a.stdout, set)
}

// member makes one run of the suite.
func (a *app) member(f *runFlags, m suite.Member, host place.Host, path string) (*result.Result, error) {
	one := *f
	one.ranges, one.strategy = m.Range, m.Strategy
	cfg, err := one.config("fill", step.ClientRST, host)
	if err != nil {
		return nil, err
	}
	cfg.RangeName = m.Profile
	dir, err := makeFolder(path, "fill")
	if err != nil {
		return nil, err
	}
	res, err := a.execute(cfg, host, dir, f.progress)
	return res, errors.Join(err, dir.close())
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
