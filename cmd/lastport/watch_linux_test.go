package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
	"lastport/loadgen/watch"
	"lastport/reports/metrics"
	"lastport/reports/result"
)

// watched tells what a watch comes to on a host whose looks fail as fails says, one
// by one. It is ended when all of them are made.
func watched(f *watchFlags, fails ...bool) (looks int, said []string, err error) {
	ctx, end := context.WithCancel(context.Background())
	defer end()
	n := 0
	host := watch.Host{
		Settings: func() (watch.Settings, error) {
			fail := fails[min(n, len(fails)-1)]
			if n++; n >= len(fails) {
				end()
			}
			if fail {
				return watch.Settings{}, fmt.Errorf("read: %w", syscall.EMFILE)
			}
			return watch.Settings{Range: ports.Range{Low: 40000, High: 40099}}, nil
		},
		Sockets: func(diag.States, diag.Ports, func(*diag.Socket)) (bool, error) { return false, nil },
		Owners:  func() map[uint32]kernel.Process { return nil },
		Opens:   func() int64 { return -1 },
		Now:     time.Now,
		CPU:     func() time.Duration { return 0 },
	}
	put := 0
	err = watchOn(ctx, f, watch.New(host, time.Millisecond, 1), &watchView{
		put:  func(*result.Watch) { put++ },
		show: func(*result.Watch, bool) error { looks++; return nil },
		say:  func(text string) { said = append(said, text) },
	})
	if put != looks {
		err = errors.Join(err, fmt.Errorf("%d looks put, %d shown", put, looks))
	}
	return looks, said, err
}

// A look that fails does not end a watch; it is said once, and so is that it looks again.
func TestWatchOutlivesLooksThatFail(t *testing.T) {
	looks, said, err := watched(new(watchFlags), false, true, true, true, false, false, true, false)
	want := []string{
		"a look failed: read: too many open files; watch goes on", "looks succeed again; 3 failed",
		"a look failed: read: too many open files; watch goes on", "looks succeed again; 1 failed",
	}
	if looks != 4 || !slices.Equal(said, want) || err != nil {
		t.Errorf("%d looks, said %q, %v", looks, said, err)
	}
	if looks, said, err = watched(new(watchFlags), false, true); looks != 1 || len(said) != 1 || err != nil {
		t.Errorf("ended while looks fail: %d looks, said %q, %v", looks, said, err)
	}
}

// The first look and that of a report have to succeed.
func TestWatchNeedsALook(t *testing.T) {
	rated := &watchFlags{once: true, duration: time.Hour}
	for name, c := range map[string]struct {
		flags *watchFlags
		fails []bool
		want  int
	}{
		"the first":              {new(watchFlags), []bool{true, false}, 0},
		"the only one":           {&watchFlags{once: true}, []bool{true}, 0},
		"the last, the report's": {rated, []bool{false, false, true, true}, 2},
	} {
		looks, _, err := watched(c.flags, c.fails...)
		e, ok := errors.AsType[*lookError](err)
		if !ok || e.Error() != "read: too many open files" || e.Hint() != "ulimit -n 1024" || looks != c.want {
			t.Errorf("%s: %d looks, %v", name, looks, err)
		}
	}
	if looks, said, err := watched(rated, false, true, false, false); looks < 2 || len(said) != 2 || err != nil {
		t.Errorf("one between fails: %d looks, said %q, %v", looks, said, err)
	}
}

// Whoever connects and says nothing has few descriptors of this process: others wait
// until there is room.
func TestIdleScrapersAreBounded(t *testing.T) {
	m, err := listenMetrics("0", metrics.NewWatch(func() *result.Watch { return nil }), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	open, most := 0, 0
	m.server.ConnState = func(_ net.Conn, s http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch s {
		case http.StateNew:
			open++
		case http.StateClosed:
			open--
		}
		most = max(most, open)
	}
	go m.serve()
	defer m.close()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", m.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	var idle []net.Conn
	for range mostScrapers {
		idle = append(idle, dial())
	}
	waitFor(t, "all idle connections to be accepted", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return most == mostScrapers
	})
	c := dial()
	if _, err := fmt.Fprint(c, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	_ = idle[0].Close()
	answer, err := io.ReadAll(c) // to its end: it is not kept for the next scrape
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK\r\n") {
		t.Errorf("%q, %v", answer, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if most != mostScrapers {
		t.Errorf("%d connections at once, want %d at most", most, mostScrapers)
	}
}

// What net/http logs is said in the words of this program, once.
func TestTroubleOfMetricsIsSaidOnce(t *testing.T) {
	var said []string
	w := &firstTrouble{say: func(s string) { said = append(said, s) }}
	for _, line := range []string{"http: Accept error: accept tcp: too many open files; retrying in 5ms\n", "http: Accept error: again\n"} {
		if n, err := w.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if want := []string{"metrics: Accept error: accept tcp: too many open files; retrying in 5ms"}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
}
