package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"lastport/loadgen"
	"lastport/loadgen/kernel"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

// farConfig is a run of 200 ports against a server elsewhere.
func farConfig(scenario string, mode step.CloseMode, targets ...string) *loadgen.Config {
	c := &loadgen.Config{
		Scenario: scenario, Range: ports.Of(ports.Range{Low: 40000, High: 40199}), Strategy: "connect", Close: mode,
		Timeout: time.Second, Duration: 300 * time.Millisecond, Workers: 1, Ends: loadgen.EndsApart, Engine: loadgen.EngineDirect,
		Host: result.Host{Place: "host"}, Tool: tool(), Seed: 1,
	}
	if scenario == "churn" {
		c.Rate = 200
	}
	for _, t := range targets {
		c.Targets = append(c.Targets, netip.MustParseAddrPort(t))
	}
	return c
}

// last keeps the last result of a run.
type last struct{ res *result.Result }

func (l *last) Frame(f loadgen.Frame) error {
	if f.Result != nil {
		l.res = f.Result
	}
	return nil
}

// secretIn reads a token's file, as the parent of a run does.
func secretIn(t *testing.T, path string) string {
	t.Helper()
	token, err := readToken(path)
	if err != nil {
		t.Fatal(err)
	}
	return token.Secret()
}

// setRange makes the kernel pick the ports of the runs.
func setRange(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40199"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// opened counts the connections that this host has tried to open.
func opened(t *testing.T) int64 {
	t.Helper()
	c, err := kernel.ReadCounters()
	if err != nil {
		t.Fatal(err)
	}
	return c["ActiveOpens"]
}

// Two hosts that have the same token churn and fill over a link, whoever closes
// first, and the server's numbers are in the generator's result.
func TestTwoHosts(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t, "--listen", farAddr+":7001")
	for _, test := range []struct {
		scenario string
		targets  []string
	}{
		{"churn", []string{farAddr + ":7000"}},
		{"churn", []string{farAddr + ":7000", farAddr + ":7001"}},
		{"fill", []string{farAddr + ":7001"}},
	} {
		cfg := farConfig(test.scenario, step.ClientRST, test.targets...)
		var got last
		ctx, cancel := context.WithCancel(t.Context())
		if test.scenario == "fill" {
			cfg.Duration = 0
		}
		before := opened(t)
		if err := runFar(ctx, cancel, cfg, secretIn(t, s.token), &got); err != nil {
			t.Fatalf("%s: %v\n%s", test.scenario, err, s.stderr)
		}
		cancel()
		res := got.res
		// Whether a busy machine keeps a schedule is not what is asked here.
		if res.Outcomes.OK == 0 || test.scenario == "fill" && !res.Verdict.OK {
			t.Errorf("%s: %+v, %+v", test.scenario, res.Verdict, res.Warnings)
		}
		if text, err := json.Marshal(res); err != nil || strings.Contains(string(text), secretIn(t, s.token)) {
			t.Errorf("%s: the token is in the result, %v", test.scenario, err)
		}
		recovered := int64(0)
		if res.Recovery != nil {
			recovered = res.Recovery.Attempts
		}
		if s := res.Server; s.Accepted != res.Outcomes.OK+recovered && s.Accepted != res.Outcomes.OK || *s.Closed != s.Accepted || s.Version != version || *s.Strangers != 0 || s.Overflows == nil || s.States == nil {
			t.Errorf("%s: %d connected, and the server says %+v", test.scenario, res.Outcomes.OK, s)
		}
		if n := opened(t) - before; n < res.Outcomes.OK+1 {
			t.Errorf("%s: %d connections opened in all, of which %d are the run's", test.scenario, n, res.Outcomes.OK)
		}
	}
	serverEnds(t, s)
}

// serverEnds ends a server and looks for its token where it must not be.
func serverEnds(t *testing.T, s *serving) {
	t.Helper()
	secret := secretIn(t, s.token)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := exitOf(t, s.cmd); status != exitOK {
		t.Errorf("the server ends with status %d\n%s", status, s.stderr)
	}
	if strings.Contains(s.stderr.String()+s.stdout.String(), secret) {
		t.Error("the server says its token")
	}
}

// TIME_WAIT that gathers at the server is in the generator's result.
func TestTimeWaitAtTheServer(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t, "--close", "server-fin")
	cfg := farConfig("churn", step.ServerFIN, farAddr+":7000")
	for i := range 2 { // what the first has left is not the second's
		var got last
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if err := runFar(ctx, cancel, cfg, secretIn(t, s.token), &got); err != nil {
			t.Fatalf("%v\n%s", err, s.stderr)
		}
		if n := got.res.Outcomes.OK; n == 0 || got.res.TimeWait.Listener != *got.res.Server.DistinctTuples || got.res.TimeWait.Generator != 0 {
			t.Errorf("run %d: %d connections, in TIME_WAIT: %+v", i, n, got.res.TimeWait)
		}
		if n := *got.res.Server.States.Established; n != 0 {
			t.Errorf("run %d: %d are open at its end", i, n)
		}
	}
}

// Link-local addresses, which each side names by its own link.
func TestScopedAddresses(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t, "--listen", "[fe80::2%far]:7000-7001")
	cfg := farConfig("churn", step.ClientRST, "[fe80::2%near]:7000", "[fe80::2%near]:7001")
	var got last
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := runFar(ctx, cancel, cfg, secretIn(t, s.token), &got); err != nil {
		t.Fatalf("%v\n%s", err, s.stderr)
	}
	if n := got.res.Outcomes.OK; n == 0 || got.res.Server.Accepted != n {
		t.Errorf("%d connected, and the server says %+v", n, got.res.Server)
	}
}

// A run whose server dies drains, keeps what it has measured, and says so.
func TestServerDiesAfterTheProof(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t)
	cfg := farConfig("churn", step.ClientRST, farAddr+":7000")
	cfg.Duration = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got last
	ended := make(chan error, 1)
	go func() { ended <- runFar(ctx, cancel, cfg, secretIn(t, s.token), &got) }()
	waitFor(t, "a consent", func() bool { return strings.Contains(s.stderr.String(), "may connect") })
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "the server at 10.9.0.2:7000 has ended its consent") {
		t.Errorf("the run ends by %v", err)
	}
	res := got.res
	if !res.Run.Interrupted || res.Verdict.OK || len(res.Warnings) == 0 || res.Warnings[0].Code != "server_gone" {
		t.Errorf("interrupted %v, %+v, %+v", res.Run.Interrupted, res.Verdict, res.Warnings)
	}
	if !res.Server.Stale {
		t.Errorf("the last word of a server that has gone is told as its total: %+v", res.Server)
	}
	if res.Server.States != nil || res.TimeWait != nil {
		t.Errorf("of a server that has gone: %+v, %+v", res.Server.States, res.TimeWait)
	}
}

// A proxy in front of a server is loaded where the server says so, and nowhere
// else.
func TestThroughAProxy(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	front := inFront(t, proxy)
	other, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // nothing is lost
	go proxy(other, farAddr+":7000")
	for _, behind := range []bool{false, true} {
		var s *serving
		t.Run(fmt.Sprint(behind), func(t *testing.T) {
			args := []string{}
			if behind {
				args = []string{"--behind", front.Addr().String() + "," + other.Addr().String()}
			}
			s = elsewhere(t, args...)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var got last
			cfg := farConfig("churn", step.ClientFIN, front.Addr().String(), other.Addr().String())
			cfg.Rate = 50
			err := runFar(ctx, cancel, cfg, secretIn(t, s.token), &got)
			switch {
			case !behind && (err == nil || !strings.Contains(err.Error(), "has not consented for what is in between")):
				t.Errorf("%v, want a refusal", err)
			case behind && err == nil && got.res.Server.DistinctTuples != nil:
				t.Errorf("of two addresses the server tells %d tuples apart", *got.res.Server.DistinctTuples)
			case behind && (err != nil || got.res.Outcomes.OK == 0 || got.res.Server.Accepted == 0):
				t.Errorf("%v\n%s", err, s.stderr)
			}
			serverEnds(t, s)
			if link, err := netlink.LinkByName("near"); err == nil {
				_ = netlink.LinkDel(link)
			}
		})
	}
}

// inFront is a listener before the server elsewhere, whose connections are passed on.
func inFront(t *testing.T, pass func(front net.Listener, to string)) net.Listener {
	t.Helper()
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = front.Close() })
	go pass(front, farAddr+":7000")
	return front
}

// proxy passes connections on.
func proxy(l net.Listener, to string) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer near.Close() //nolint:errcheck // a test's
			far, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			defer far.Close() //nolint:errcheck // a test's
			go func() {
				_, _ = io.Copy(far, near)
				_ = far.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(near, far)
		}()
	}
}
