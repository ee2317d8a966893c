package main

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

// againstFar makes the run against the server and returns its result.
func againstFar(t *testing.T, s *serving, cfg *loadgen.Config) *result.Result {
	t.Helper()
	var got last
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := runFar(ctx, cancel, cfg, secretIn(t, s.token), &got); err != nil {
		t.Fatalf("%s: %v\n%s", cfg.Scenario, err, s.stderr)
	}
	return got.res
}

// A run whose targets are elsewhere is never one against a listener of its own,
// whatever became of its token.
func TestFarRunNeedsItsToken(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	r := request{Config: *farConfig("churn", step.ClientRST, "127.0.0.1:7000")}
	r.Config.Far = true
	before := opened(t)
	err := r.run(t.Context(), func() {}, &last{})
	if n := opened(t) - before; err == nil || !strings.Contains(err.Error(), "token") || n != 0 {
		t.Errorf("without a token: %v, after %d connections", err, n)
	}
}

// A port is free again when the other end has closed, and the prediction counts from
// there: the way to a server and back is not the port's.
func TestReuseAgainstAServerElsewhere(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	for i, mode := range []step.CloseMode{step.ClientFIN, step.ServerFIN} {
		s := elsewhere(t, "--close", mode.String())
		for _, strategy := range []string{"sequential", "window"} {
			if strategy == "window" && mode == step.ClientFIN {
				continue // a TIME_WAIT
			}
			cfg := farConfig("reuse", mode, farAddr+":7000")
			cfg.Strategy, cfg.Connections, cfg.Duration = strategy, 20, 0
			res := againstFar(t, s, cfg)
			if u := res.Reuse; u == nil || u.Count != 20 || res.Predicted.ReuseNS.Max != 0 || *res.Residual.Reuse != 0 || !res.Verdict.OK {
				t.Errorf("%v by %s: %+v, %+v", mode, strategy, res.Verdict, u)
			}
		}
		serverEnds(t, s)
		if i == 0 {
			removeLink(t)
		}
	}
}

// What a path drops is found toward a server elsewhere too. On which way is not known
// there, and that somebody listens is: it has consented.
func TestReachAgainstAServerElsewhere(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t)
	reachConfig := func() *loadgen.Config {
		cfg := farConfig("reach", step.ClientRST, farAddr+":7000")
		cfg.Strategy, cfg.Tries, cfg.Timeout, cfg.Duration = "sequential", 3, 400*time.Millisecond, 0
		cfg.Range = ports.Of(ports.Range{Low: 40000, High: 40039})
		return cfg
	}
	res := againstFar(t, s, reachConfig())
	if r := res.Reach; !res.Verdict.OK || r.Listening == nil || !*r.Listening || strings.Join(r.Through, ",") != "40000-40039" {
		t.Errorf("an open path: %+v, %+v", res.Verdict, r)
	}
	dropped := ports.Of(ports.Range{Low: 40010, High: 40014})
	if err := (&place.Hosts{}).Block(place.Firewall{Target: netip.MustParseAddrPort(farAddr + ":7000"), Out: dropped}); err != nil {
		t.Fatal(err)
	}
	res = againstFar(t, s, reachConfig())
	if r := res.Reach; res.Verdict.OK || strings.Join(r.Dropped, ",") != "40010-40014" || len(r.DroppedOut)+len(r.DroppedBack) > 0 ||
		!strings.Contains(r.Unsure, "another machine") || !strings.HasPrefix(res.Verdict.Text, "not as predicted at 5 ports") {
		t.Errorf("5 ports are dropped: %+v, %+v", res.Verdict, r)
	}
	serverEnds(t, s)
}

// Each connection that the generator closes by FIN is in TIME_WAIT at the end, and each
// has been accepted: through a proxy too, which comes to it a while later.
func TestChurnCountsWhatTheServerComesTo(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	front := inFront(t, slowProxy)
	s := elsewhere(t, "--behind", front.Addr().String())
	for _, target := range []string{farAddr + ":7000", front.Addr().String()} {
		cfg := farConfig("churn", step.ClientFIN, target)
		cfg.Rate, cfg.Concurrency, cfg.Attempts, cfg.Duration, cfg.Timeout = 0, 1, 50, time.Minute, 10*time.Second
		res := againstFar(t, s, cfg)
		if res.Outcomes.OK != 50 || res.Server.Accepted != 50 || *res.Server.Closed != 50 || res.Server.Stale || warnedOf(res, "server_behind") {
			t.Errorf("%s: %+v, the server says %+v; %+v", target, res.Outcomes, res.Server, res.Warnings)
		}
		if w := res.TimeWait; w == nil || w.Closing != nil || w.Generator != 50 {
			t.Errorf("%s: TIME_WAIT %+v", target, w)
		}
	}
	serverEnds(t, s)
}

func warnedOf(res *result.Result, code string) bool {
	return slices.ContainsFunc(res.Warnings, func(w result.Warning) bool { return w.Code == code })
}

// slowProxy is a proxy that begins to pass connections on when 40 have come, the first
// of which it passes on at once: a lease.
func slowProxy(front net.Listener, to string) {
	back := &backlog{Listener: front, most: 40}
	proxy(back, to)
}

// backlog keeps connections back.
type backlog struct {
	net.Listener
	most int
	kept []net.Conn
	n    int
}

func (b *backlog) Accept() (net.Conn, error) {
	b.n++
	switch b.n {
	case 1:
		return b.Listener.Accept()
	case 2:
		for len(b.kept) < b.most {
			conn, err := b.Listener.Accept()
			if err != nil {
				return nil, err
			}
			b.kept = append(b.kept, conn)
		}
	}
	if len(b.kept) == 0 {
		return b.Listener.Accept()
	}
	conn := b.kept[0]
	b.kept = b.kept[1:]
	return conn, nil
}
