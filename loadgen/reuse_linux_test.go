package loadgen

import (
	"strings"
	"testing"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/ports"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

func reuseConfig(r ports.Ranges, target string, mode step.CloseMode) Config {
	cfg := config(r, target)
	cfg.Scenario, cfg.Close, cfg.Connections, cfg.Timeout = "reuse", mode, 20, 10*time.Second
	return cfg
}

// set changes a setting of the namespace for the time of the test.
func set(t *testing.T, key, value string) {
	t.Helper()
	before, err := kernel.ReadSysctl(key)
	if err == nil {
		err = kernel.WriteSysctl(key, value)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kernel.WriteSysctl(key, before); err != nil {
			t.Error(err)
		}
	})
}

func TestReuseAtOnce(t *testing.T) {
	for _, mode := range []step.CloseMode{step.ClientRST, step.ServerFIN} {
		cfg := reuseConfig(fresh(t, 20), freshTarget(), mode)
		r := must(t, cfg, listen(t, cfg.Targets[0], serves), &frames{})
		u := r.Reuse
		if u == nil || u.Count != 20 || u.AtOnce != 20 || u.Lost != 0 || u.Probes != 20 || *r.Residual.Reuse != 0 || !r.Verdict.OK {
			t.Errorf("%v: %+v, residual %v, verdict %+v", mode, u, r.Residual.Reuse, r.Verdict)
		}
	}
}

// By tcp_tw_reuse_delay a port comes back after 100 ms, and never sooner, from when
// the stub has closed its end: TIME_WAIT begins then.
func TestReuseFollowsTheDelay(t *testing.T) {
	set(t, "net.ipv4.tcp_tw_reuse", "1")
	set(t, "net.ipv4.tcp_tw_reuse_delay", "100")
	set(t, "net.ipv4.tcp_rfc1337", "1") // with ends apart a stray RST may end a TIME_WAIT
	cfg := reuseConfig(fresh(t, 20), freshTarget(), step.ClientFIN)
	r := must(t, cfg, listen(t, cfg.Targets[0], serves), &frames{})
	if p := r.Predicted.ReuseNS; p.Min != 100e6 || p.Max != 102e6 {
		t.Errorf("predicted %+v, want 100 to 102 ms", p)
	}
	u := r.Reuse
	if u == nil || u.Count != 20 || u.Lost != 0 || u.MinNS < 100e6 || *r.Residual.Reuse != 0 {
		t.Errorf("%+v, residual %v, verdict %+v", u, r.Residual.Reuse, r.Verdict)
	}
	if r.Kernel["TWRecycled"] != 20 {
		t.Errorf("%d ports taken back from TIME_WAIT, want 20", r.Kernel["TWRecycled"])
	}
}

// What is known of a port whose probes had no answer is no more than its close,
// and no percentile is beyond the latest port.
func TestReturnsAreWrittenDown(t *testing.T) {
	const closed, delay = int64(time.Second), int64(61_610_000_001) // between two values of a histogram
	port := func(taken int64, probes int) scenario.Return {
		return scenario.Return{Closed: closed, Ended: closed, Taken: taken, Free: closed + delay, Found: closed + delay, Probes: probes}
	}
	r := &run{cfg: &Config{}, res: &result.Result{}}
	r.returned([]scenario.Return{port(0, 1), port(0, 3), port(closed+delay-5, 7)})
	u := r.res.Reuse
	if u.P50NS > u.MaxNS || u.P50NS < u.MinNS || u.MaxNS != delay {
		t.Errorf("from %d to %d, p50 %d", u.MinNS, u.MaxNS, u.P50NS)
	}
	if u.AtOnce != 1 || u.ResolutionNS != delay || u.Probes != 11 {
		t.Errorf("%d at once, known to %d ns, %d probes", u.AtOnce, u.ResolutionNS, u.Probes)
	}
}

// A bound shorter than TIME_WAIT ends the wait, and the run says so.
func TestReuseEndsByDuration(t *testing.T) {
	set(t, "net.ipv4.tcp_rfc1337", "1") // with ends apart a stray RST may end a TIME_WAIT
	cfg := reuseConfig(fresh(t, 20), freshTarget(), step.ClientFIN)
	cfg.Duration = 300 * time.Millisecond
	r := must(t, cfg, listen(t, cfg.Targets[0], serves), &frames{})
	if u := r.Reuse; u == nil || u.Lost != 20 || u.Count != 0 || r.Residual.Reuse != nil {
		t.Errorf("%+v, residual %v", r.Reuse, r.Residual.Reuse)
	}
	if r.Verdict.OK || !strings.Contains(r.Verdict.Text, "--duration") {
		t.Errorf("verdict %+v", r.Verdict)
	}
}
