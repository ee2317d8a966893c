// Command accuracy measures how far lastport's predictions are from what the
// kernel does: for each of its setups (setups_linux.go) it runs lastport, and puts
// predicted and measured connections, sustained rate and reuse delay side by
// side. It is for lastport's developers and is not installed; docs/accuracy.md
// has its table.
//
// It predicts nothing itself and opens no connection: both are lastport's, as
// its users have it, through --format json. What the figures mean is in
// docs/method.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Exit statuses, as lastport's own.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitDeviates    = 3
	exitInterrupted = 130
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) //nolint:forbidigo // main alone ends the process
}

func run(args []string, stdout, stderr io.Writer) int {
	o, status := parse(args, stderr)
	if o == nil {
		return status
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	table, err := measure(ctx, o, stderr)
	if err == nil {
		err = o.print(stdout, table)
	}
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "accuracy: %v\n", err)
		return exitUsage
	case err != nil:
		fmt.Fprintf(stderr, "accuracy: %v\n", err)
		return exitFailed
	case !count(table.rows).accurate():
		return exitDeviates
	}
	return exitOK
}

var errUsage = errors.New("wrong usage")

// options are the flags, as understood.
type options struct {
	bin      string // where lastport is
	doc      string // the document whose table is renewed; empty: none
	only     string // setups whose flags contain it; empty: all
	parallel int    // runs that wait side by side
}

// parse returns nil and an exit status if there is nothing to run.
func parse(args []string, stderr io.Writer) (*options, int) {
	var o options
	fs := flag.NewFlagSet("accuracy", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.bin, "bin", "bin", "the `FOLDER` of lastport")
	fs.StringVar(&o.doc, "doc", "", "put the table into this `FILE`, between its marks, and not on standard output")
	fs.StringVar(&o.only, "only", "", "the setups that contain this `TEXT` (default: all)")
	fs.IntVar(&o.parallel, "parallel", 24, "how `MANY` runs wait side by side")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil, exitOK
	case err != nil:
		return nil, exitUsage
	case fs.NArg() > 0:
		fmt.Fprintf(stderr, "accuracy: unexpected argument %q\n", fs.Arg(0))
		return nil, exitUsage
	case o.parallel < 1:
		fmt.Fprintf(stderr, "accuracy: --parallel %d: want 1 or more\n", o.parallel)
		return nil, exitUsage
	}
	return &o, exitOK
}

// measure runs the setups and makes the table.
func measure(ctx context.Context, o *options, progress io.Writer) (*table, error) {
	chosen := choose(setups(), o.only)
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%w: --only %q: no setup contains it", errUsage, o.only)
	}
	scratch, err := os.MkdirTemp("", "accuracy-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for results: %w", err)
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // it is in the system's folder for what may be lost
	l := newLab(o, scratch, progress)
	rows, err := l.all(ctx, chosen)
	if err != nil {
		return nil, err
	}
	return &table{kernel: l.kernel, hz: l.hz, date: time.Now().UTC(), rows: rows}, nil
}

// print writes the table where it was asked for.
func (o *options) print(stdout io.Writer, t *table) error {
	if o.doc == "" {
		_, err := io.WriteString(stdout, t.markdown())
		return err
	}
	old, err := os.ReadFile(o.doc)
	if err != nil {
		return fmt.Errorf("read --doc %s: %w", o.doc, err)
	}
	text, err := between(string(old), t.markdown())
	if err != nil {
		return fmt.Errorf("--doc %s: %w", o.doc, err)
	}
	if err := os.WriteFile(o.doc, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write --doc %s: %w", o.doc, err)
	}
	fmt.Fprintf(stdout, "%s: %s\n", o.doc, strings.Join(count(t.rows).sentences(), "\n"))
	return nil
}
