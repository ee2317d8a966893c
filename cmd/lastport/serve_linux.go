package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"lastport/reports/result"
	"lastport/server"
)

// serveVerb is the bundled listener as a program of its own. It is no run: it
// works where it is started, opens no connection and writes no file.
func (a *app) serveVerb() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "the bundled listener alone, for generators that have its token",
		Long: "serve listens for runs of other machines. A generator and the server prove to\n" +
			"each other, on the first connection, that they have the same token; only then\n" +
			"are connections from that generator accepted, and only while it runs. Everyone\n" +
			"else is turned away. The token is in --token-file or in LASTPORT_TOKEN; without\n" +
			"either serve makes one, in a file that its user alone can read.\n\n" +
			"It works in the network namespace that it is started in and changes no setting.\n" +
			"Ctrl-C, SIGTERM and the end of its terminal (SIGHUP, unless nohup has it ignored)\n" +
			"close what is open and print the statistics; SIGUSR1 prints them as one line on\n" +
			"standard error while it goes on.",
		Example: "  lastport serve\n" +
			"  lastport serve --listen 0.0.0.0:7000-7009 --token-file ~/lastport-token --allow 10.0.0.0/8\n" +
			"  lastport serve --listen 127.0.0.1:7000-7009,[::1]:7000 --close server-fin\n" +
			"  lastport serve --listen 10.0.0.7:7000 --behind 192.0.2.10:443\n" +
			"  lastport serve --proto udp --listen 127.0.0.1:7000\n" +
			"  lastport serve --idle 1m --max-connections 1000 --duration 10m --format json",
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := f.config(c.Flags().Changed)
			if err != nil {
				return err
			}
			return a.serve(config, &f)
		},
	}
	f.add(c.Flags())
	return c
}

// serve listens until it is told to end or its time is over. A server that is
// told to end has ended well.
func (a *app) serve(config server.Config, f *serveFlags) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup(1) does, for who goes away and means it to stay
		signal.Notify(signals, syscall.SIGHUP)
	}
	defer signal.Stop(signals)
	h, err := a.openHouse(config, f)
	if err != nil {
		return err
	}
	a.attend(signals, h, f)
	signal.Stop(signals) // a second one leaves at once
	err = h.close()
	if printErr := f.print(a.stdout, h.stats()); printErr != nil {
		return printErr
	}
	return err
}

// attend says how things stand when it is asked to, and returns when it is to
// end.
func (a *app) attend(signals <-chan os.Signal, h *house, f *serveFlags) {
	var over <-chan time.Time
	if f.duration > 0 {
		timer := time.NewTimer(f.duration)
		defer timer.Stop()
		over = timer.C
	}
	for {
		select {
		case s := <-signals:
			if s != syscall.SIGUSR1 {
				return
			}
			a.ui.line("%s", f.line(h.stats()))
		case <-over:
			return
		}
	}
}

// print writes the statistics as the program's report.
func (f *serveFlags) print(w io.Writer, s result.Server) error {
	var text strings.Builder
	if f.output.format == "json" {
		enc := json.NewEncoder(&text)
		enc.SetIndent("", "  ")
		if err := enc.Encode(s); err != nil {
			return fmt.Errorf("statistics: %w", err)
		}
	} else {
		for _, c := range statistics(s) {
			fmt.Fprintf(&text, "%-14s %12d\n", c.name, c.n)
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// line is the statistics on one line.
func (f *serveFlags) line(s result.Server) string {
	if f.output.format == "json" {
		if text, err := json.Marshal(s); err == nil {
			return string(text)
		}
	}
	var parts []string
	for _, c := range statistics(s) {
		parts = append(parts, fmt.Sprintf("%s %d", c.name, c.n))
	}
	return strings.Join(parts, ", ")
}

// statistic is a count and its name for people.
type statistic struct {
	name string
	n    int64
}

// statistics are what there is to tell. Over UDP no close is seen, and so
// nothing that has to do with connections.
func statistics(s result.Server) []statistic {
	var list []statistic
	add := func(name string, n *int64) {
		if n != nil {
			list = append(list, statistic{name, *n})
		}
	}
	add("accepted", &s.Accepted)
	add("open", s.Open())
	add("closed", s.Closed)
	add("distinct peers", s.DistinctPeers)
	add("requests", &s.Requests)
	if s.Closed != nil {
		add("over limit", &s.OverLimit)
		add("idle closed", &s.IdleClosed)
		add("no descriptor", &s.NoFD)
	}
	add("strangers", s.Strangers)
	return list
}
