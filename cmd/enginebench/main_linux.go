// Command enginebench measures lastport's engines beside what the kernel allows:
// each row of its table compares a lastport command with a bare loop in C
// (loadgen/engine/limit), or with another load generator, in the same minute on
// the same machine. It is for lastport's developers and is not installed.
//
// Only ratios of runs that were made in turn say anything: absolute figures
// follow the machine's mood. So a group's commands are run one after the other,
// round after round, and a line is the median of its rounds' ratios. The table
// is printed and judged by its reader; no figure decides the exit status.
//
// What a run of lastport or of a loop does belongs to those; how rates and
// times come about is in docs/method.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// Exit statuses, as lastport's own.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) //nolint:forbidigo // main alone ends the process
}

func run(args []string, stdout, stderr io.Writer) int {
	if command, ok := insideCommand(args); ok {
		err := inside(command) // it returns only if it fails
		fmt.Fprintf(stderr, "enginebench: %v\n", err)
		return exitFailed
	}
	o, status := parse(args, stderr)
	if o == nil {
		return status
	}
	// The kernel ends children with the thread that started them (Pdeathsig).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	err := bench(ctx, o, stdout, stderr)
	switch {
	case ctx.Err() != nil: // the table has the rounds that were whole
		return exitInterrupted
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "enginebench: %v\n", err)
		return exitUsage
	case err != nil:
		fmt.Fprintf(stderr, "enginebench: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// options are the flags, as understood.
type options struct {
	bin      string        // where lastport and limit/ are
	rows     string        // which rows, by how their names begin, separated by commas; empty: all
	rounds   int           // how often each group's commands are run
	duration time.Duration // of a churn
	quick    bool
}

// parse returns nil and an exit status if there is nothing to run.
func parse(args []string, stderr io.Writer) (*options, int) {
	var o options
	fs := flag.NewFlagSet("enginebench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.bin, "bin", "bin", "the `FOLDER` of lastport and limit/")
	fs.StringVar(&o.rows, "rows", "", "the rows whose names begin with one of `NAMES`, separated by commas (default: all)")
	fs.IntVar(&o.rounds, "pairs", 5, "how `MANY` times each command is run")
	fs.DurationVar(&o.duration, "duration", 2*time.Second, "how `LONG` a churn lasts")
	fs.BoolVar(&o.quick, "quick", false, "one pair of half a second, and nothing larger than 250,000 connections")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil, exitOK
	case err != nil:
		return nil, exitUsage
	case fs.NArg() > 0:
		fmt.Fprintf(stderr, "enginebench: unexpected argument %q\n", fs.Arg(0))
		return nil, exitUsage
	case o.rounds < 1 || o.duration <= 0:
		fmt.Fprintf(stderr, "enginebench: --pairs %d --duration %v: want 1 or more, and more than 0\n", o.rounds, o.duration)
		return nil, exitUsage
	}
	if o.quick {
		o.rounds, o.duration = 1, 500*time.Millisecond
	}
	return &o, exitOK
}

var (
	errUsage   = errors.New("wrong usage")
	errNothing = errors.New("nothing could be measured; the table says why")
)

// bench runs the groups that were asked for and prints the table.
func bench(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	scratch, err := os.MkdirTemp("", "enginebench-")
	if err != nil {
		return fmt.Errorf("make a folder for results: %w", err)
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // it is in the system's folder for what may be lost
	l, err := newLab(o, scratch)
	if err != nil {
		return err
	}
	groups, err := choose(l.groups(), o.rows)
	if err != nil {
		return err
	}
	table := report{rounds: o.rounds}
	for _, g := range groups {
		rounds := o.rounds
		if !o.quick {
			rounds = max(rounds, g.rounds)
		}
		table.rows = append(table.rows, g.run(ctx, rounds, stderr)...)
		if ctx.Err() != nil {
			break
		}
	}
	if err := table.print(stdout); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	if !table.measured() {
		return errNothing
	}
	return nil
}
