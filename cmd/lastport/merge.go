package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"lastport/reports/merge"
	"lastport/reports/result"
)

// mergeFlags are the flags of merge.
type mergeFlags struct {
	output
	partial bool
	out     string
}

// mergeVerb makes one result of shards.
func (a *app) mergeVerb() *cobra.Command {
	var f mergeFlags
	c := &cobra.Command{
		Use:   "merge DIR|FILE...",
		Short: "make one result of the shards of a run",
		Long: "merge adds up the results of the shards of one run: runs that were made with\n" +
			"the same flags and a --shard of their own, each on another machine or in\n" +
			"another place. Counts and histograms are added, maps of ports joined, timelines\n" +
			"laid beside each other by wall clock. What does not add up is left out: no\n" +
			"percentile is averaged.\n\n" +
			"A DIR is the folder of a run, or a folder of such folders. The order is of no\n" +
			"account. The merged result is saved like that of a run: report, compare and\n" +
			"every form of report read it.\n\n" +
			"A shard that is missing, is there twice or is of another run is refused, with\n" +
			"its name; --partial merges what there is, and says in the result what is not.",
		Example: "  lastport merge shard-0 shard-1 shard-2\n" +
			"  lastport merge shards --out whole\n" +
			"  lastport merge shards --partial --format html -o whole.html",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("lastport merge DIR DIR", "merge takes the results of shards, but got none")
			}
			return nil
		},
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault), // files and folders
		RunE:              func(_ *cobra.Command, args []string) error { return a.merge(&f, args) },
	}
	fs := c.Flags()
	fs.BoolVar(&f.partial, "partial", false, "merge what there is, where shards are missing, double or of another run")
	fs.StringVar(&f.out, "out", "", "folder `DIR` for the result (default: ./lastport-TIME-merge)")
	f.runFlags(fs)
	return c
}

// merge reads the shards, and saves and reports the whole.
func (a *app) merge(f *mergeFlags, args []string) error {
	if err := cmp.Or(f.check(), f.notOver(args...)); err != nil {
		return err
	}
	parts, err := readParts(args)
	if err != nil {
		return err
	}
	whole, err := merge.Shards(parts, f.partial)
	if err != nil {
		return err
	}
	dir, _, err := newFolder(f.out, "merge")
	if err != nil {
		return err
	}
	if err := result.WriteSync(filepath.Join(dir, result.FileName), whole); err != nil {
		return err
	}
	a.ui.saved(dir)
	return f.render(a.stdout, whole)
}

// readParts reads what the arguments name, as many files at once as there are
// processors.
func readParts(args []string) ([]merge.Part, error) {
	var files []string
	for _, arg := range args {
		files = append(files, shardFiles(arg)...)
	}
	parts, errs := make([]merge.Part, len(files)), make([]error, len(files))
	var jobs errgroup.Group
	jobs.SetLimit(runtime.GOMAXPROCS(0))
	for i, file := range files {
		jobs.Go(func() error {
			parts[i], errs[i] = readPart(file)
			return nil
		})
	}
	_ = jobs.Wait() // the errors are in their order
	return parts, cmp.Or(errs...)
}

// readPart reads one run.
func readPart(file string) (merge.Part, error) {
	d, err := result.ReadAny(file)
	if err != nil {
		return merge.Part{}, &unreadable{err}
	}
	switch d := d.(type) {
	case *result.Result:
		return merge.Part{From: file, Run: d}, nil
	case *result.Set:
		hint := "lastport merge DIR DIR, each the folder of one run"
		if run := firstRun(file); run != "" {
			hint = "lastport merge " + run + " and the folder of the like run of each other shard"
		}
		return merge.Part{}, usagef(hint, "merge %s: it holds a set of runs, and one run of each shard is merged", file)
	}
	return merge.Part{}, usagef("lastport merge DIR DIR", "merge %s: it holds no run", file)
}

// unreadable is a result that cannot be merged, as it cannot be read.
type unreadable struct{ error }

func (e *unreadable) Unwrap() error { return e.error }

// Hint is that of reading. What is there and cannot be read can also be left out.
func (e *unreadable) Hint() string {
	hint := ""
	if h, ok := errors.AsType[*result.FileError](e.error); ok {
		hint = h.Hint()
	}
	if errors.Is(e.error, fs.ErrNotExist) {
		return hint
	}
	without := "leave it out and merge the others with --partial"
	if hint == "" {
		return without
	}
	return hint + "; or " + without
}

// firstRun is the folder of the first run in that of a set; "" if it holds none.
func firstRun(set string) string {
	if filepath.Base(set) == result.FileName {
		set = filepath.Dir(set)
	}
	entries, _ := os.ReadDir(set) // what is no folder has no runs in it
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(set, e.Name(), result.FileName)); err == nil {
			return filepath.Join(set, e.Name())
		}
	}
	return ""
}

// shardFiles are the results that an argument names: itself, or, of a folder
// without one, those of the folders in it.
func shardFiles(arg string) []string {
	if _, err := os.Stat(filepath.Join(arg, result.FileName)); !errors.Is(err, fs.ErrNotExist) {
		return []string{arg}
	}
	entries, err := os.ReadDir(arg)
	if err != nil {
		return []string{arg} // a file, or what reading it will say
	}
	var files []string
	for _, e := range entries {
		file := filepath.Join(arg, e.Name(), result.FileName)
		if _, err := os.Stat(file); err == nil {
			files = append(files, filepath.Dir(file))
		}
	}
	if len(files) == 0 {
		return []string{arg}
	}
	return files
}
