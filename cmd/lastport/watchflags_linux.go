package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"lastport/reports/result"
)

// watchFlags are the flags of watch, as they were typed.
type watchFlags struct {
	interval time.Duration
	duration time.Duration
	top      int
	once     bool
	expect   []string
	metrics  string
	serves   bool // --metrics is given, if only as ""
	output   output

	expected []result.WatchExpectation // as they were understood
}

// Bounds of the flags of watch.
const (
	leastInterval = 100 * time.Millisecond
	mostTop       = 1000
)

func (f *watchFlags) add(fs *pflag.FlagSet) {
	fs.DurationVar(&f.interval, "interval", time.Second, "the `TIME` from one look to the next, if that takes no more than a tenth of a processor")
	fs.DurationVar(&f.duration, "duration", 0, "end after this `TIME` (default: when told to); with --once, watch for so long before the report, which then has rates")
	fs.IntVar(&f.top, "top", 20, "tell of this `NUMBER` of sources and targets, those with most ports taken, and as many processes")
	fs.BoolVar(&f.once, "once", false, "make one report and end")
	fs.StringArrayVar(&f.expect, "expect", nil, "with --once, an `EXPR` that must hold, such as 'occupancy<80%' or 'exhausted_in>10m'; exit status 3 if not (repeatable)")
	metricsFlag(fs, &f.metrics)
	f.output.flags(fs)
	fs.Lookup("format").Usage = "the `FORM` of what is written: " + strings.Join(watchForms(), ", ") + "; without --once each look is a line"
}

// watchForms are those that a look can have.
func watchForms() []string { return []string{formText, formJSON} }

// check understands the flags.
func (f *watchFlags) check() error {
	switch {
	case f.interval < leastInterval:
		return usagef(fmt.Sprintf("--interval %v", leastInterval), "--interval %v: at least %v", f.interval, leastInterval)
	case f.duration < 0:
		return usagef("--duration 10s", "--duration %v: want a time above 0", f.duration)
	case f.top < 1 || f.top > mostTop:
		return usagef("--top 20", "--top %d: want a number from 1 to %d", f.top, mostTop)
	case !slices.Contains(watchForms(), f.output.format):
		return usagef("--format json", "--format %q: not one of %s", f.output.format, strings.Join(watchForms(), ", "))
	case len(f.expect) > 0 && !f.once:
		return usagef("--once --expect '"+f.expect[0]+"'", "--expect is for --once: what a watch finds changes with every look")
	case f.output.file != "" && !f.once:
		return usagef("--once -o "+f.output.file, "-o is for --once: a watch without it writes no report")
	case f.serves && f.once:
		return usagef("leave --once out", "--metrics with --once: nobody could come for them")
	}
	if err := f.parseExpect(); err != nil {
		return err
	}
	return f.output.tryFile()
}

// parseExpect understands the expectations.
func (f *watchFlags) parseExpect() error {
	for _, text := range f.expect {
		e, err := result.ParseExpectWatch(text)
		if err != nil {
			return err
		}
		if e.Rated() && f.duration == 0 {
			return usagef("--once --duration 10s", "--expect %q: it takes two looks, so --once needs --duration", text)
		}
		f.expected = append(f.expected, e)
	}
	return nil
}
