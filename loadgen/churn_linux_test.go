package loadgen

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
)

// churnConfig is a churn of so many attempts at a rate; it has all the time that
// it needs.
func churnConfig(r ports.Ranges, target string, rate float64, attempts int64) Config {
	cfg := config(r, target)
	cfg.Scenario, cfg.Close, cfg.Rate, cfg.Attempts = "churn", step.ClientFIN, rate, attempts
	cfg.Duration, cfg.Timeout = 30*time.Second, 10*time.Second
	return cfg
}

// Two hundred ports are gone at attempt 201, exactly, and TIME_WAIT has them.
//
// This listener closes about when the kernel acknowledges by itself, and at
// times a segment then finds no socket any more. The RST that answers it would
// end a TIME_WAIT before its time (RFC 1337), and give its port back.
func TestChurnRunsOutOfPorts(t *testing.T) {
	set(t, "net.ipv4.tcp_rfc1337", "1")
	cfg := churnConfig(fresh(t, 200), freshTarget(), 400, 400)
	r := must(t, cfg, listen(t, cfg.Targets[0], serves), &frames{})
	if r.Measured.FirstNoPort == nil || r.Measured.FirstNoPort.Attempt != 201 || r.Predicted.FirstNoPort.Min != 201 || r.Predicted.FirstNoPort.Max != 201 {
		t.Errorf("first no_port %+v, predicted %+v", r.Measured.FirstNoPort, r.Predicted.FirstNoPort)
	}
	if r.Attempts != 400 || r.Outcomes.OK != 200 || r.Outcomes.NoPort != 200 || *r.Residual.Connections != 0 || !r.Verdict.OK {
		t.Errorf("outcomes %+v, residual %d, verdict %+v", r.Outcomes, *r.Residual.Connections, r.Verdict)
	}
	if r.TimeWait == nil || r.TimeWait.Generator != 200 || r.TimeWait.Listener != 0 {
		t.Errorf("TIME_WAIT: %+v", r.TimeWait)
	}
	if r.Latency.Response.Count != 200 || r.Latency.Failure.Count != 200 || r.ScheduleError == nil {
		t.Errorf("latency %+v, schedule error %+v", r.Latency, r.ScheduleError)
	}
}

// A listener that closes first keeps TIME_WAIT, and the generator its ports.
func TestChurnServerFirst(t *testing.T) {
	cfg := churnConfig(fresh(t, 20), freshTarget(), 0, 50)
	cfg.Close, cfg.Concurrency, cfg.Requests = step.ServerFIN, 3, 2
	peer := listen(t, cfg.Targets[0], serves)
	r := must(t, cfg, peer, &frames{})
	if r.Outcomes.OK != 50 || r.Requests.Answered != 100 || r.Server.Requests != 100 || r.Latency.Request.Count != 100 {
		t.Errorf("outcomes %+v, requests %+v", r.Outcomes, r.Requests)
	}
	if r.TimeWait.Generator != 0 || r.TimeWait.Listener == 0 || r.TimeWait.Listener > 20 {
		t.Errorf("TIME_WAIT: %+v", r.TimeWait)
	}
}

// A listener that stops accepting fills its queue: the kernel drops what comes,
// and the churn ends without waiting for attempts that have a minute left.
func TestChurnWithAListenerThatStops(t *testing.T) {
	cfg := churnConfig(setRange(t, 40000, 40999), freshTarget(), 200, 0)
	cfg.Close, cfg.Duration, cfg.Timeout = step.ClientRST, time.Second, time.Minute
	r := must(t, cfg, listen(t, cfg.Targets[0], stops), &frames{})
	if r.Outcomes.NoPort != 0 || r.Outcomes.Canceled == 0 || r.Outcomes.TimedOut != 0 || r.Outcomes.OK < stopsAfter {
		t.Errorf("outcomes %+v", r.Outcomes)
	}
	if r.Kernel["ListenOverflows"] == 0 || r.Kernel["ListenDrops"] == 0 || !warned(r, "listen_overflow") {
		t.Errorf("counters %v, warnings %+v", r.Kernel, r.Warnings)
	}
	if r.Verdict.OK || strings.Contains(r.Verdict.Text, "ports ran out") {
		t.Errorf("verdict %+v", r.Verdict)
	}
}

// As fast as it goes toward a listener that is silent, as many attempts are under
// way as may be, and each ends by its timeout. That the process lives meanwhile is
// the engine's to show (TestCollectorGoesOnDuringWaits).
func TestChurnTowardASilentListener(t *testing.T) {
	const attempts = 24
	cfg := churnConfig(setRange(t, 40000, 40999), freshTarget(), 0, attempts)
	cfg.Close, cfg.Timeout, cfg.Concurrency = step.ClientRST, 50*time.Millisecond, 20
	r := must(t, cfg, listen(t, cfg.Targets[0], ignores), &frames{})
	if r.Attempts != attempts || r.Outcomes.TimedOut == 0 || r.Outcomes.TimedOut+r.Outcomes.OK != attempts {
		t.Errorf("outcomes %+v", r.Outcomes)
	}
}

// Attempts that the listener never answers end by their timeout.
func TestChurnTimesOut(t *testing.T) {
	cfg := churnConfig(setRange(t, 40000, 40999), freshTarget(), 200, 60)
	cfg.Close, cfg.Timeout = step.ClientRST, 50*time.Millisecond
	r := must(t, cfg, listen(t, cfg.Targets[0], ignores), &frames{})
	if r.Attempts != 60 || r.Outcomes.TimedOut == 0 || r.Outcomes.TimedOut+r.Outcomes.OK != 60 {
		t.Errorf("outcomes %+v", r.Outcomes)
	}
	if r.Latency.Failure.Count != r.Outcomes.TimedOut || r.Latency.Failure.MinNS < int64(cfg.Timeout)*999/1000 { // to three digits
		t.Errorf("failures %+v", r.Latency.Failure)
	}
}

// Where others hold every port there is nothing to measure, and the run says who.
func TestChurnWithoutAnyPort(t *testing.T) {
	cfg := churnConfig(fresh(t, 20), freshTarget(), 100, 10)
	for port := range cfg.Range.All() {
		fd, errno := kernel.StreamSocket(unix.AF_INET)
		sa := kernel.NewSockaddr(netip.AddrPortFrom(cfg.Targets[0].Addr(), port))
		if errno == 0 {
			errno = kernel.Bind(fd, &sa)
		}
		if errno != 0 {
			t.Fatal(errno)
		}
		defer func() { _ = kernel.CloseFD(fd) }()
	}
	_, err := Run(t.Context(), cfg, listen(t, cfg.Targets[0], serves), &frames{})
	if _, ok := errors.AsType[*NoPortsError](err); !ok {
		t.Errorf("error %v, want a NoPortsError", err)
	}
}

// A closed loop that has used up its ports makes few attempts from then on: each
// costs milliseconds of processor time on a large range.
func TestClosedLoopIsCheapWithoutPorts(t *testing.T) {
	set(t, "net.ipv4.tcp_rfc1337", "1") // as above
	cfg := churnConfig(fresh(t, 10), freshTarget(), 0, 0)
	cfg.Concurrency, cfg.Duration = 1, 500*time.Millisecond
	r := must(t, cfg, listen(t, cfg.Targets[0], serves), &frames{})
	if r.Outcomes.OK != 10 || r.Outcomes.NoPort == 0 || r.Outcomes.NoPort > 15 || r.Measured.FirstNoPort.Attempt != 11 {
		t.Errorf("outcomes %+v, first no_port %+v", r.Outcomes, r.Measured.FirstNoPort)
	}
	if !r.Verdict.OK {
		t.Errorf("verdict %+v", r.Verdict)
	}
}
