package main

import (
	"context"
	"encoding/json"
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
		RunE: func(*cobra.Command, []string) error {
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
	show, end, err := a.watchShow(f)
	if err != nil {
		return err
	}
	defer end()
	watcher := watch.New(watch.ThisHost(), f.interval, f.top)
	var over <-chan time.Time
	if f.duration > 0 {
		timer := time.NewTimer(f.duration)
		defer timer.Stop()
		over = timer.C
	}
	for last := false; ; {
		seen, err := watcher.Look()
		if err != nil {
			return err
		}
		seen.Tool, seen.Seen = tool(), time.Now().UTC()
		last = last || f.once && f.duration == 0
		if err := show(seen, last); err != nil || last {
			return err
		}
		next := time.NewTimer(watcher.Interval())
		select {
		case <-next.C:
		case <-over:
			if !f.once {
				next.Stop()
				return nil
			}
			last = true // the last look is the report
		case <-ctx.Done():
			if !f.once {
				next.Stop()
				return nil
			}
			last = true
		}
		next.Stop()
	}
}

// watchShow returns what shows a look, and what is to be done at the end. last
// says that no look follows.
func (a *app) watchShow(f *watchFlags) (show func(w *result.Watch, last bool) error, end func(), err error) {
	form := a.watchForm(f)
	if f.metrics == "" {
		return form, func() {}, nil
	}
	m, err := a.serveWatch(f.metrics)
	if err != nil {
		return nil, nil, err
	}
	return func(w *result.Watch, last bool) error {
		m.put(w)
		return form(w, last)
	}, m.close, nil
}

// watchForm is how a look is shown.
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
	case mayMove() && terminal(a.stdout) > 0:
		return newScreen(a.stdout).show
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
