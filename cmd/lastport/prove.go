package main

import "github.com/spf13/pflag"

// proveFlags are the flags of plan that have its answer put to the test.
type proveFlags struct {
	on  bool
	out string
}

func (p *proveFlags) add(fs *pflag.FlagSet) {
	fs.BoolVar(&p.on, "prove", false, "put the answer to the test in private places, just below each limit and just above, on fewer ports where the range is large; exit status 3 if it does not hold, 1 if part of it could not be tried")
	fs.StringVar(&p.out, "out", "", "folder `DIR` for the results of --prove (default: ./lastport-TIME-plan)")
}

// check refuses what has no meaning.
func (p *proveFlags) check() error {
	if p.out != "" && !p.on {
		return usagef("--prove --out "+p.out, "--out %s: a plan makes no run without --prove, and so has no results to keep", p.out)
	}
	return nil
}
