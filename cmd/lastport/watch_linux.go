package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"lastport/loadgen/watch"
	"lastport/reports"
	"lastport/reports/result"
)

// watchVerb follows the ports of the host that it is started on.
func (a *app) watchVerb() *cobra.Command {
	var f watchFlags
	c := &cobra.Command{
		Use:   "watch",
		Short: "this host's ports, live, by source and target: used, how fast, and when none is left",
		Long: "watch follows the ports of the network namespace that it is started in: between\n" +
			"which source and which target how many ports of the range are taken, how many\n" +
			"are in TIME_WAIT, how fast that changes, when none is left if it goes on like\n" +
			"this, and which processes have them. On a terminal it is a screen, elsewhere a\n" +
			"line for each look. --once makes one report for scripts, and --metrics serves\n" +
			"Prometheus.\n\n" +
			"It opens no connection, changes nothing and needs no root: as root it sees other\n" +
			"users' processes, too. However many sockets there are, it takes less than a\n" +
			"tenth of one processor: where --interval is too short for that it looks less\n" +
			"often, and says so.",
		Example: "  lastport watch\n" +
			"  lastport watch --interval 5s --top 5\n" +
			"  lastport watch --metrics 19187\n" +
			"  lastport watch --once --format json --expect 'occupancy<80%'\n" +
			"  lastport watch --once --duration 10s --expect 'exhausted_in>10m'",
		RunE: func(c *cobra.Command, _ []string) error {
			f.serves = c.Flags().Changed("metrics")
			if err := f.check(); err != nil {
				return err
			}
			return a.watch(&f)
		},
	}
	f.add(c.Flags())
	return c
}

// watch looks until it is told to end, or its time is over. One that is told to
// end has ended well.
func (a *app) watch(f *watchFlags) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	v := a.watchView(f)
	if f.serves {
		m, err := a.serveWatch(f.metrics, v.say)
		if err != nil {
			return err
		}
		defer m.close()
		v.put = m.put
	}
	return watchOn(ctx, f, watch.New(watch.ThisHost(), f.interval, f.top), v)
}

// watchOn shows one look after the other. What a host is short of may be what a look
// needs, and that is when it matters most to go on: of looks that fail the first is
// said, and the last look that did not stays what is told. A host that cannot be
// looked at to begin with is an error, and so is a report that cannot be made.
func watchOn(ctx context.Context, f *watchFlags, watcher *watch.Watcher, v *watchView) error {
	var over <-chan time.Time
	if f.duration > 0 {
		timer := time.NewTimer(f.duration)
		defer timer.Stop()
		over = timer.C
	}
	outage := outage{say: v.say}
	for first, last := true, false; ; first = false {
		last = last || f.once && f.duration == 0
		seen, err := watcher.Look()
		if err != nil && (first || last) {
			return &lookError{err}
		}
		outage.note(err)
		if err == nil {
			seen.Tool, seen.Seen = tool(), time.Now().UTC()
			v.put(seen)
			if err := v.show(seen, last); err != nil || last {
				return err
			}
		}
		switch ended := untilNext(ctx, watcher.Interval(), over); {
		case ended && !f.once:
			return nil
		case ended:
			last = true // the last look is the report
		}
	}
}

// outage says when looks begin to fail, and when they succeed again.
type outage struct {
	say    func(string)
	failed int // looks, one after the other
}

// note takes what came of a look.
func (o *outage) note(err error) {
	switch {
	case err != nil && o.failed == 0:
		o.say(fmt.Sprintf("a look failed: %v; watch goes on", err))
	case err == nil && o.failed > 0:
		o.say(fmt.Sprintf("looks succeed again; %d failed", o.failed))
	}
	if o.failed++; err == nil {
		o.failed = 0
	}
}

// untilNext waits for a while; true: it is time to end.
func untilNext(ctx context.Context, d time.Duration, over <-chan time.Time) bool {
	next := time.NewTimer(d)
	defer next.Stop()
	select {
	case <-next.C:
		return false
	case <-over:
	case <-ctx.Done():
	}
	return true
}

// lookError is a look that had to succeed.
type lookError struct{ err error }

func (e *lookError) Error() string { return e.err.Error() }
func (e *lookError) Unwrap() error { return e.err }

// Hint is how to have more descriptors, where that is what there is too little of.
func (e *lookError) Hint() string {
	if errors.Is(e.err, syscall.EMFILE) {
		return "ulimit -n 1024"
	}
	return ""
}

// watchView is where looks, and what goes wrong between them, are told.
type watchView struct {
	put  func(*result.Watch)                    // for those who ask
	show func(w *result.Watch, last bool) error // last: no look follows
	say  func(text string)                      // from any goroutine
}

// watchView returns that of a watch without metrics.
func (a *app) watchView(f *watchFlags) *watchView {
	v := &watchView{put: func(*result.Watch) {}, say: func(text string) { a.ui.line("%s", text) }}
	if f.once || f.output.format == formJSON || !mayMove() || terminal(a.stdout) == 0 {
		v.show = a.watchForm(f)
		return v
	}
	s, line := newScreen(a.stdout), v.say
	v.show = s.show
	v.say = func(text string) { s.below(func() { line(text) }) }
	return v
}

// watchForm is how a look is shown elsewhere than on a screen.
func (a *app) watchForm(f *watchFlags) func(w *result.Watch, last bool) error {
	switch {
	case f.once:
		return func(w *result.Watch, last bool) error {
			if !last {
				return nil
			}
			w.IntervalNS = 0
			return a.concludeWatch(w, f)
		}
	case f.output.format == formJSON:
		enc := json.NewEncoder(a.stdout)
		return func(w *result.Watch, _ bool) error { return enc.Encode(w) }
	}
	return func(w *result.Watch, _ bool) error { return plainWatch(a.stdout, w) }
}

// plainWatch is a look in one line, for a log.
func plainWatch(w io.Writer, seen *result.Watch) error {
	_, err := fmt.Fprintf(w, "%s %s; next in %s\n", seen.Seen.Format(time.RFC3339), reports.WatchLine(seen), shortly(seen.IntervalNS))
	return err
}

// shortly is a time for a person: 1.2s.
func shortly(ns int64) string {
	d := time.Duration(ns)
	return d.Round(max(time.Millisecond, d.Truncate(time.Second)/10)).String()
}

// concludeWatch reports the one look and judges the expectations.
func (a *app) concludeWatch(w *result.Watch, f *watchFlags) error {
	for _, e := range f.expected {
		w.Expect = append(w.Expect, e.Eval(w))
	}
	if err := f.output.render(a.stdout, w); err != nil {
		return err
	}
	for _, e := range w.Expect {
		if !e.Held {
			a.status = exitExpectation
			a.ui.notMet(e)
		}
	}
	return nil
}
