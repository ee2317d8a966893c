package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/net/netutil"

	"lastport/reports/metrics"
	"lastport/reports/result"
)

// metricsPort is the one of the examples: below the usual ephemeral range, and not
// where the exporters of other programs are, which begin at 9100.
const metricsPort = 19187

func metricsFlag(fs *pflag.FlagSet, to *string) {
	fs.StringVar(to, "metrics", "", "serve Prometheus metrics meanwhile at this `ADDRESS:PORT`, or at a port of 127.0.0.1 where it is a port alone")
}

// metricsServer serves the newest document to whoever asks.
type metricsServer struct {
	listener net.Listener
	server   http.Server
}

// Bounds of what scrapers can take: descriptors and memory that what is watched, or
// what runs, may be short of.
const (
	mostScrapers = 16              // connections; others wait
	scrapeIdle   = 2 * time.Second // from the connection to the whole request
)

// serveMetrics serves what the collector collects, from the moment that it returns.
// Should nobody be able to come, say is told so, once.
func serveMetrics(at string, c prometheus.Collector, say func(trouble string)) (*metricsServer, error) {
	m, err := listenMetrics(at, c, say)
	if err != nil {
		return nil, err
	}
	go m.serve()
	return m, nil
}

// listenMetrics is serveMetrics but for serving.
func listenMetrics(at string, c prometheus.Collector, say func(trouble string)) (*metricsServer, error) {
	addr, err := metricsAddr(at)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", addr.String())
	if err != nil {
		return nil, &metricsError{addr, err}
	}
	registry := prometheus.NewRegistry()
	if err := registry.Register(c); err != nil {
		return nil, errors.Join(fmt.Errorf("metrics: %w", err), listener.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	m := &metricsServer{listener: listener, server: http.Server{
		Handler: mux, ReadHeaderTimeout: scrapeIdle, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(&firstTrouble{say: say}, "", 0),
	}}
	m.server.SetKeepAlivesEnabled(false) // a connection that waits for the next scrape would be one of the few
	return m, nil
}

// serve serves until it is closed.
func (m *metricsServer) serve() {
	_ = m.server.Serve(netutil.LimitListener(m.listener, mostScrapers)) // its end is no error, and trouble before is logged
}

// firstTrouble says the first of what net/http logs, in the words of this program: it
// tries again and again, and logs every time.
type firstTrouble struct {
	say  func(string)
	once sync.Once
}

// Write takes a line of the log. It does not fail.
func (t *firstTrouble) Write(p []byte) (int, error) {
	t.once.Do(func() { t.say("metrics: " + strings.TrimPrefix(strings.TrimSpace(string(p)), "http: ")) })
	return len(p), nil
}

// String says where it is.
func (m *metricsServer) String() string {
	return "metrics: http://" + m.listener.Addr().String() + "/metrics"
}

// close ends it at once: nobody waits for a scraper.
func (m *metricsServer) close() { _ = m.server.Close() }

// metricsAddr reads ADDRESS:PORT, or a port of 127.0.0.1 alone.
func metricsAddr(text string) (netip.AddrPort, error) {
	bare := strings.TrimPrefix(text, ":")
	if port, err := strconv.ParseUint(bare, 10, 16); err == nil {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)), nil
	}
	addr, err := netip.ParseAddrPort(strings.Replace(text, "localhost:", "127.0.0.1:", 1))
	if err != nil {
		return addr, usagef(fmt.Sprintf("--metrics 127.0.0.1:%d", metricsPort), "--metrics %q: want ADDRESS:PORT, or a port of 127.0.0.1", text)
	}
	return addr, nil
}

// metricsError says why nobody can come for metrics.
type metricsError struct {
	addr netip.AddrPort
	err  error
}

func (e *metricsError) Error() string {
	why := "cannot be listened on: " + e.err.Error()
	switch {
	case errors.Is(e.err, syscall.EADDRINUSE):
		why = "the port is in use"
	case errors.Is(e.err, syscall.EADDRNOTAVAIL):
		why = "the address is not on this host"
	case errors.Is(e.err, syscall.EACCES):
		why = "the port is for root alone"
	}
	return fmt.Sprintf("--metrics %s: %s", e.addr, why)
}

func (e *metricsError) Unwrap() error { return e.err }

// Hint is another address, or how to see who has this one.
func (e *metricsError) Hint() string {
	if errors.Is(e.err, syscall.EADDRINUSE) {
		return fmt.Sprintf("--metrics with another port; who has this one: ss -tlnp 'sport = :%d'", e.addr.Port())
	}
	return fmt.Sprintf("--metrics 127.0.0.1:%d", metricsPort)
}

// addMetrics gives a verb that makes runs the flag, and serves their metrics while
// it is at work.
func (a *app) addMetrics(c *cobra.Command) {
	var at string
	metricsFlag(c.Flags(), &at)
	work := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if !c.Flags().Changed("metrics") {
			return work(c, args)
		}
		m := new(runMetrics)
		server, err := serveMetrics(at, metrics.NewRuns(m.shown), func(trouble string) { a.ui.line("%s", trouble) })
		if err != nil {
			return err
		}
		defer server.close()
		m.say = func() { a.ui.line("%s", server) }
		a.metrics = m
		return work(c, args)
	}
}

// mostRuns bounds the runs that are shown, and so the series of them.
const mostRuns = 16

// runMetrics has the newest of runs that are under way, and of those before them as
// far as there is room; nil: nobody asked for metrics.
type runMetrics struct {
	say  func() // says where they are, once
	once sync.Once
	mu   sync.Mutex
	runs []*result.Result // by when they began
}

// put takes what a run has told last. It is not changed from here on.
func (m *runMetrics) put(r *result.Result) {
	if m == nil {
		return
	}
	m.once.Do(m.say) // not before a run goes on: nothing of its flags was wrong
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.IndexFunc(m.runs, func(s *result.Result) bool { return s.Run.ID == r.Run.ID }); i >= 0 {
		m.runs[i] = r
		return
	}
	if len(m.runs) == mostRuns {
		over := slices.IndexFunc(m.runs, func(s *result.Result) bool { return !s.Run.Interrupted })
		if over < 0 {
			return // until one of them is at its end: series that come and go tell nothing
		}
		m.runs = slices.Delete(m.runs, over, over+1)
	}
	m.runs = append(m.runs, r)
}

// shown are the runs at this moment.
func (m *runMetrics) shown() []*result.Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.runs)
}

// watchMetrics are those of looks at a host's ports.
type watchMetrics struct {
	*metricsServer
	newest atomic.Pointer[result.Watch]
}

// serveWatch serves the metrics of a watch until it is closed.
func (a *app) serveWatch(at string, say func(trouble string)) (m *watchMetrics, err error) {
	m = new(watchMetrics)
	if m.metricsServer, err = serveMetrics(at, metrics.NewWatch(m.newest.Load), say); err != nil {
		return nil, err
	}
	a.ui.line("%s", m)
	return m, nil
}

// put takes a look. It is not changed from here on.
func (m *watchMetrics) put(w *result.Watch) { m.newest.Store(w) }
