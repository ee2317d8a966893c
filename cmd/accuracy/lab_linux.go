package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"lastport/reports/result"
)

// lab runs lastport. Runs that wait go side by side, each in a place of its
// own. Those whose ports are back so soon that others would make them late come
// when these are done, one after the other.
type lab struct {
	lastport string
	scratch  string        // a folder of our own
	turns    chan struct{} // as many as go side by side

	mu       sync.Mutex // guards what is below
	progress io.Writer
	done     int
	kernel   string // of the host, as a result says it
	hz       int
}

func newLab(o *options, scratch string, progress io.Writer) *lab {
	return &lab{
		lastport: filepath.Join(o.bin, "lastport"), scratch: scratch, progress: progress, turns: make(chan struct{}, o.parallel),
	}
}

// all makes the rows of the setups, in their order. It stops at the first run
// that cannot be made: a table with gaps would not say which.
func (l *lab) all(ctx context.Context, setups []setup) ([]row, error) {
	made := make([]runs, len(setups))
	rows := make([]row, len(setups))
	each := func(chosen func(i int) bool, do func(context.Context, setup, *runs) error, done func(i int)) error {
		group, ctx := errgroup.WithContext(ctx)
		for i, s := range setups {
			if !chosen(i) {
				continue
			}
			group.Go(func() error {
				if err := do(ctx, s, &made[i]); err != nil {
					return fmt.Errorf("%s: %w", s.name(), err)
				}
				done(i)
				return nil
			})
		}
		return group.Wait()
	}
	row := func(i int) {
		rows[i] = rowOf(setups[i], made[i])
		l.say(rows[i], len(setups))
	}
	if err := each(func(int) bool { return true }, l.ask, func(int) {}); err != nil {
		return nil, err
	}
	if err := each(func(i int) bool { return !brisk(made[i].asked) }, l.measure, row); err != nil {
		return nil, err
	}
	l.turns = make(chan struct{}, 1)
	return rows, each(func(i int) bool { return brisk(made[i].asked) }, l.measure, row)
}

// say tells whoever waits what came of a setup.
func (l *lab) say(r row, of int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done++
	fmt.Fprintf(l.progress, "%d of %d: %s\n", l.done, of, r.brief())
}

// ask makes the runs that the others follow from: what can be open at once, and
// an attempt for what is predicted.
func (l *lab) ask(ctx context.Context, s setup, m *runs) (err error) {
	if m.fill, err = l.run(ctx, "fill", s.words()); err != nil {
		return err
	}
	m.asked, err = l.run(ctx, "churn", s.words(), s.churn, "--rate 1 --attempts 1 --duration 20s")
	return err
}

// measure makes the others.
func (l *lab) measure(ctx context.Context, s setup, m *runs) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		m.reuse, err = l.run(ctx, "reuse", s.words(), "--connections", fmt.Sprint(min(probed, m.fill.Space.Tuples)))
		return err
	})
	for _, c := range churns(m.asked) {
		group.Go(func() (err error) {
			*c.into(m), err = l.inTime(ctx, s, c)
			return err
		})
	}
	return group.Wait()
}

// inTime makes a churn, and makes it again if the generator was late: then it is
// the machine that was measured.
func (l *lab) inTime(ctx context.Context, s setup, c churn) (r *result.Result, err error) {
	const tries = 5
	for range tries {
		if r, err = l.run(ctx, "churn", s.words(), s.churn, c.flags()); err != nil || !late(r) {
			break
		}
	}
	return r, err
}

// probed is how many ports a reuse asks for again and again: fewer than its
// default, as many reuses go on at a time.
const probed = 20

// run makes one run, when its turn comes.
func (l *lab) run(ctx context.Context, verb string, words []string, more ...string) (*result.Result, error) {
	select {
	case l.turns <- struct{}{}:
		defer func() { <-l.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	dir, err := os.MkdirTemp(l.scratch, verb+"-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the result: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // measure removes what is left
	args := append([]string{verb, "--format", "json", "--progress", "none", "--out", filepath.Join(dir, "out")}, words...)
	args = append(args, strings.Fields(strings.Join(more, " "))...)
	cmd := exec.CommandContext(ctx, l.lastport, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it takes its child along
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return l.read(stdout.String())
}

// read takes a run's result.
func (l *lab) read(text string) (*result.Result, error) {
	d, err := result.Decode(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	r, ok := d.(*result.Result)
	if !ok {
		return nil, errors.New("the result is not that of one run")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kernel, l.hz = r.Host.Kernel, r.Host.HZ
	return r, nil
}
