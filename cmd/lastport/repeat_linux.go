package main

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"lastport/loadgen/place"
)

// maxRepeat bounds the repeats of a run: more would tell nothing new.
const maxRepeat = 100

func (f *runFlags) addRepeat(fs *pflag.FlagSet) {
	fs.IntVar(&f.repeat, "repeat", 1, fmt.Sprintf("make the run a `NUMBER` of times, %d at most, and report medians and how far they are from one another", maxRepeat))
}

// repeated makes each of the runs as often as --repeat says. Of several kinds
// each has its turn before any is repeated, so that a machine that grows busier
// does so for all of them.
func (f *runFlags) repeated(once func() ([]namedRun, error)) ([]namedRun, error) {
	if f.repeat < 1 || f.repeat > maxRepeat {
		return nil, usagef("--repeat 6", "--repeat %d: want 1 to %d", f.repeat, maxRepeat)
	}
	if f.repeat == 1 {
		return once()
	}
	var all []namedRun
	for n := 1; n <= f.repeat; n++ {
		runs, err := once() // each has an ID and, where none was given, a seed of its own
		if err != nil {
			return nil, err
		}
		for _, r := range runs {
			r.index = len(all)
			r.name = fmt.Sprintf("%s run %d", r.name, n)
			r.cfg.Repeat = n
			all = append(all, r)
		}
	}
	return all, nil
}

// axis says in what the runs of a set differ: in the word, if there are several
// of its kinds, and in which repeat they are.
func (f *runFlags) axis(word string, several bool) string {
	switch {
	case f.repeat <= 1:
		return word
	case several:
		return word + "/repeat"
	}
	return "repeat"
}

// mostAtOnce is how many runs wait side by side: each is a process.
const mostAtOnce = 32

// manyAtOnce makes runs that mostly wait side by side, as many at once as a
// machine has room for.
func (a *app) manyAtOnce(s *setFolder, runs []namedRun, host place.Host, progress string) error {
	for some := range slices.Chunk(runs, mostAtOnce) {
		if err := a.allAtOnce(s, some, host, progress); err != nil || a.status == exitInterrupted {
			return err
		}
	}
	return nil
}
