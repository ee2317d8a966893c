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
		Short: "the bundled listener alone, on loopback",
		Long: "serve listens, accepts, answers each byte 1 by a byte 1, and counts. Over UDP\n" +
			"it answers a datagram of one byte 2, which is an opening, or of one byte 1 by\n" +
			"the same byte. It works in the network namespace that it is started in, on\n" +
			"loopback addresses, and changes no setting. Ctrl-C or SIGTERM closes what is\n" +
			"open and prints the statistics; SIGUSR1 prints them as one line on standard\n" +
			"error while it goes on.",
		Example: "  lastport serve\n" +
			"  lastport serve --listen 127.0.0.1:7000-7009,[::1]:7000 --close server-fin --hold 5s\n" +
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
	defer signal.Stop(signals)
	listener, err := startListener(config)
	if err != nil {
		return err
	}
	a.ui.line("listening on %s", addressList(listener.Addrs()))
	a.attend(signals, listener, f)
	signal.Stop(signals) // a second one leaves at once
	err = listener.Close()
	if printErr := f.print(a.stdout, listener.Stats()); printErr != nil {
		return printErr
	}
	return err
}

// startListener opens the listener and starts it.
func startListener(config server.Config) (*server.Listener, error) {
	l, err := server.New(config)
	if err != nil {
		return nil, err
	}
	if err := l.Start(); err != nil {
		_ = l.Close() // the first error is the one to tell
		return nil, err
	}
	return l, nil
}

// attend says how things stand when it is asked to, and returns when it is to
// end.
func (a *app) attend(signals <-chan os.Signal, listener *server.Listener, f *serveFlags) {
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
			a.ui.line("%s", f.line(listener.Stats()))
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
	open, peers := s.Open(), int64(0)
	if s.DistinctPeers != nil {
		peers = *s.DistinctPeers
	}
	if open == nil {
		return []statistic{{"accepted", s.Accepted}, {"distinct peers", peers}, {"requests", s.Requests}}
	}
	return []statistic{
		{"accepted", s.Accepted},
		{"open", *open},
		{"closed", *s.Closed},
		{"distinct peers", peers},
		{"requests", s.Requests},
		{"over limit", s.OverLimit},
		{"idle closed", s.IdleClosed},
		{"no descriptor", s.NoFD},
	}
}
