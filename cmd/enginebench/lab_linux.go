package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"lastport/reports/result"
)

// lab makes the arms: runs of lastport, of the bare loops, of other generators.
type lab struct {
	*options
	scratch string // a folder of our own
}

func newLab(o *options, scratch string) (*lab, error) {
	if _, err := os.Stat(filepath.Join(o.bin, "lastport")); err != nil {
		return nil, fmt.Errorf("find lastport in --bin %s: %w", o.bin, err)
	}
	bin, err := filepath.Abs(o.bin)
	if err != nil {
		return nil, fmt.Errorf("find --bin %s: %w", o.bin, err)
	}
	absolute := *o
	absolute.bin = bin
	return &lab{options: &absolute, scratch: scratch}, nil
}

// lastport is an arm that runs a verb.
func (l *lab) lastport(name string, args ...string) *arm {
	return &arm{name: name, run: func(ctx context.Context) (sample, error) {
		dir, err := os.MkdirTemp(l.scratch, "run-")
		if err != nil {
			return sample{}, fmt.Errorf("make a folder for the result: %w", err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // bench removes what is left
		args := append(args, "--format", "json", "--progress", "none", "--out", filepath.Join(dir, "out"))
		text, err := output(ctx, &syscall.SysProcAttr{}, filepath.Join(l.bin, "lastport"), args...)
		if err != nil {
			return sample{}, err
		}
		return sampleOf(text)
	}}
}

// sampleOf reads a result.
func sampleOf(text string) (sample, error) {
	d, err := result.Decode(strings.NewReader(text))
	if err != nil {
		return sample{}, fmt.Errorf("read its result: %w", err)
	}
	r, ok := d.(*result.Result)
	if !ok || r.Measured.RatePerS == nil {
		return sample{}, errors.New("read its result: it measured no rate")
	}
	s := sample{rate: *r.Measured.RatePerS, cost: r.Cost}
	if want := r.Config.Connections; want > 0 && (r.Measured.Connections == nil || *r.Measured.Connections != want) {
		return sample{}, fmt.Errorf("it did not open %d connections: %s", want, r.Verdict.Text)
	}
	if r.Measured.FillNS != nil {
		s.took = float64(*r.Measured.FillNS) / 1e9
	}
	return s, nil
}

// loop is an arm that runs a bare loop, with its arguments, on the ports LOW to
// HIGH.
func (l *lab) loop(low, high string, command ...string) *arm {
	path := filepath.Join(l.bin, "limit", command[0])
	a := &arm{name: strings.Join(command[:min(2, len(command))], " "), run: func(ctx context.Context) (sample, error) {
		text, err := inNamespace(ctx, low, high, append([]string{path}, command[1:]...)...)
		if err != nil {
			return sample{}, err
		}
		return loopSample(text)
	}}
	if _, err := os.Stat(path); err != nil {
		a.miss(errors.New("it was not built: make limit needs a C compiler"))
	}
	return a
}

// loopSample reads the line of a bare loop.
func loopSample(text string) (sample, error) {
	var connections, took float64
	if _, err := fmt.Sscanf(text, "connections=%g seconds=%g\n", &connections, &took); err != nil || took <= 0 {
		return sample{}, fmt.Errorf("it printed %q, want connections=N seconds=S", text)
	}
	return sample{rate: connections / took, took: took}, nil
}
