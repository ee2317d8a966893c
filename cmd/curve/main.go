// Command curve measures what a connect costs by occupancy, for lastport plan: it
// runs fills of several ranges by every strategy and writes what they say to the
// file that package curve brings along. It is for lastport's developers and is
// not installed; 'make curve' takes half an hour, most of it the kernel's
// searches through 64,512 ports.
//
// Each fill is made a few times and the quickest is kept: a machine has other
// users, and they only ever make a fill slower. Runs that are there already are
// not made again, so a measurement that was interrupted goes on where it was.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"lastport/loadgen/curve"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stderr)) //nolint:forbidigo // main alone ends the process
}

// options are the flags.
type options struct {
	lastport, runs, out string
	rounds              int
}

func run(args []string, stderr io.Writer) int {
	var o options
	fs := flag.NewFlagSet("curve", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.lastport, "lastport", "bin/lastport", "the `PROGRAM` that fills")
	fs.StringVar(&o.runs, "runs", "bin/curve-runs", "the `FOLDER` that the fills are kept in")
	fs.StringVar(&o.out, "o", "loadgen/curve/curves.json", "the `FILE` to write")
	fs.IntVar(&o.rounds, "rounds", 3, "how often each fill of a small range is made; 0: none is, those that are there are read")
	if err := fs.Parse(args); err != nil || fs.NArg() > 0 {
		return 2
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := o.measure(ctx, stderr); err != nil {
		fmt.Fprintf(stderr, "curve: %v\n", err)
		return 1
	}
	return 0
}

// measure makes the fills and writes their curves.
func (o options) measure(ctx context.Context, stderr io.Writer) error {
	for _, f := range fills() {
		for round := range min(o.rounds, f.rounds) {
			if err := f.make(ctx, o, round+1, stderr); err != nil {
				return err
			}
		}
	}
	own, err := condense(o.runs)
	if err != nil {
		return err
	}
	return write(o.out, own)
}

// write writes a line for each curve, so that a change can be read.
func write(path string, own *curve.Own) error {
	head := *own
	head.Curves = nil
	text, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	text = text[:len(text)-len("null}")]
	separator := "[\n"
	for _, c := range own.Curves {
		line, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		text = append(append(text, separator...), line...)
		separator = ",\n"
	}
	text = append(text, "\n]}\n"...)
	return os.WriteFile(filepath.Clean(path), text, 0o666)
}
