package loadgen

import (
	"errors"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel/nstest"
	"lastport/loadgen/kernel/uring"
	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// fastest is a churn as fast as it goes, which a ring can do.
func fastest(t *testing.T) Config {
	t.Helper()
	r, err := ports.Parse("40000-40999")
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Scenario: "churn", Range: r, Targets: []netip.AddrPort{netip.MustParseAddrPort("198.18.0.1:1000")}, Strategy: "connect",
		Workers: 2, Ends: EndsTogether, Duration: time.Second, Timeout: time.Second,
	}
}

// What a ring cannot do, or would not measure, auto leaves to direct calls and
// says why; whoever asks for the ring is told before the run.
func TestWhatARingCannotDo(t *testing.T) {
	tests := map[string]struct {
		change func(*Config)
		why    string // "": direct is no fallback, and needs no reason
	}{
		"fill":          {func(c *Config) { c.Scenario = "fill" }, ""},
		"rate":          {func(c *Config) { c.Rate = 10 }, ""},
		"hold":          {func(c *Config) { c.Hold = time.Second }, "--hold 1s"},
		"requests":      {func(c *Config) { c.Requests = 3 }, "--requests 3"},
		"udp":           {func(c *Config) { c.UDP = true }, "--proto udp"},
		"concurrency":   {func(c *Config) { c.Concurrency = 2*engine.MaxInFlight + 1 }, "at most 1024"},
		"own port":      {func(c *Config) { c.Targets[0] = netip.MustParseAddrPort("198.18.0.1:40100") }, "connects to itself"},
		"tries":         {func(c *Config) { c.Strategy = "random" }, "--strategy random"},
		"windows":       {func(c *Config) { c.Strategy = "window" }, "--strategy window"},
		"latency":       {func(c *Config) { c.Expect = []string{"ok>1", "failure.p99<1s"} }, `"failure.p99<1s"`},
		"occupancy":     {func(c *Config) { c.Expect = []string{"occupancy.full.p50<1s"} }, "occupancy"},
		"peers":         {func(c *Config) { c.Ends, c.Expect = EndsApart, []string{"server.distinct_peers>1"} }, "distinct_peers"},
		"ports":         {func(c *Config) { c.Ends, c.Expect = EndsApart, []string{"ports.even>1"} }, "ports.even"},
		"not forbidden": {func(c *Config) { c.Expect = []string{"server.distinct_peers>1", "rate>1"} }, "fits"},
	}
	for name, test := range tests {
		c := fastest(t)
		test.change(&c)
		asked := c
		asked.Engine = EngineURing
		err := CheckEngine(&asked)
		if test.why == "fits" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		refused, ok := errors.AsType[*EngineError](err)
		if !ok || !refused.Usage() || refused.Hint() == "" || !strings.Contains(refused.Error(), test.why) {
			t.Errorf("%s: %v", name, err)
		}
		if err := asked.Settle(); !errors.As(err, &refused) {
			t.Errorf("%s: settled with %v", name, err)
		}
		if err := c.Settle(); err != nil || c.Engine != EngineDirect || !strings.Contains(c.Chosen.Why, test.why) || (c.Chosen.Why == "") != (test.why == "") {
			t.Errorf("%s: %v, %+v", name, err, c.Chosen)
		}
	}
}

func TestSettle(t *testing.T) {
	nstest.NeedRing(t, uring.ProbeBind())
	for name, test := range map[string]struct {
		change func(*Config)
		used   Engine
		atOnce int
	}{
		"together":            {func(*Config) {}, EngineURing, 32},
		"apart":               {func(c *Config) { c.Ends = EndsApart }, EngineURing, 128},
		"few ports":           {func(c *Config) { c.Range = ports.Of(ports.Range{Low: 40000, High: 40019}) }, EngineURing, 5},
		"fewer":               {func(c *Config) { c.Range = ports.Of(ports.Range{Low: 40000, High: 40003}) }, EngineURing, 2},
		"asked for 7":         {func(c *Config) { c.Concurrency = 7 }, EngineURing, 7},
		"direct":              {func(c *Config) { c.Engine = EngineDirect }, EngineDirect, 2},
		"compared, asked for": {func(c *Config) { c.Compared, c.Engine = true, EngineURing }, EngineURing, 32},
		"a source": {func(c *Config) {
			c.Strategy, c.Sources = "late-bind", []netip.Addr{netip.MustParseAddr("198.18.0.1")}
		}, EngineURing, 32},
	} {
		c := fastest(t)
		test.change(&c)
		asked := c.Engine.String()
		for range 2 { // the second changes nothing
			want := result.Engine{Asked: asked, Used: test.used.String()}
			if err := c.Settle(); err != nil || c.Engine != test.used || c.Concurrency != test.atOnce || c.Chosen != want {
				t.Errorf("%s: %v, %v by %+v, %d at a time", name, err, c.Engine, c.Chosen, c.Concurrency)
			}
		}
	}
}

// Runs that are compared are done by direct calls unless a ring is asked for. What
// was asked stays, and the reason is told.
func TestSettleComparedRuns(t *testing.T) {
	c := fastest(t)
	c.Compared = true
	if err := c.Settle(); err != nil || c.Engine != EngineDirect || c.Chosen.Asked != "auto" || c.Chosen.Used != "direct" || !strings.Contains(c.Chosen.Why, "compared") {
		t.Errorf("%v, %v by %+v", err, c.Engine, c.Chosen)
	}
}

// A ring's table of descriptors is bounded by their limit: few are under way then,
// and more that are asked for take direct calls.
func TestRingsUnderALowDescriptorLimit(t *testing.T) {
	nstest.NeedRing(t, uring.ProbeBind())
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			t.Error(err)
		}
	}()
	c := fastest(t)
	c.Ends, c.Workers = EndsApart, 3
	more := c
	more.Concurrency = 3*32 + 1
	if err := c.Settle(); err != nil || c.Engine != EngineURing || c.Concurrency != 3*32 {
		t.Errorf("%v, %v, %d at a time", err, c.Engine, c.Concurrency)
	}
	if c.RingListener() {
		t.Error("the listener has a ring, whose table is smaller than its queue")
	}
	asked := more
	asked.Engine = EngineURing
	if err := CheckEngine(&asked); err == nil || !strings.Contains(err.Error(), "the descriptor limit leaves a ring 32 for each worker") {
		t.Errorf("asked for: %v", err)
	}
	if err := more.Settle(); err != nil || more.Engine != EngineDirect || !strings.Contains(more.Chosen.Why, "the descriptor limit") {
		t.Errorf("auto: %v, %+v", err, more.Chosen)
	}
}

// Where the kernel forbids rings auto says so and goes on; who asked for one gets
// the reason, which is no wrong usage.
func TestRingsAreForbidden(t *testing.T) {
	auto := fastest(t)
	asked := auto
	asked.Engine = EngineURing
	var autoErr, askedErr error
	withoutRings(t, func() { autoErr, askedErr = auto.Settle(), asked.Settle() })
	if autoErr != nil || auto.Engine != EngineDirect || !strings.Contains(auto.Chosen.Why, "seccomp") || auto.Concurrency != 2 {
		t.Errorf("auto: %v, %+v", autoErr, auto.Chosen)
	}
	refused, ok := errors.AsType[*uring.SupportError](askedErr)
	if !ok || refused.Hint() != "--engine direct" || !errors.Is(askedErr, unix.EPERM) {
		t.Errorf("asked for: %v", askedErr)
	}
	if told := NewFrameError(askedErr); told.HintText == "" || told.IsUsage {
		t.Errorf("told %+v", told)
	}
}

// withoutRings runs f on a thread on which a filter of system calls makes
// io_uring_setup EPERM, as in a container. The thread ends with f.
func withoutRings(t *testing.T, f func()) {
	t.Helper()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_IO_URING_SETUP, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // not unlocked: the thread ends with the goroutine
		err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		if err == nil {
			if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program))); errno != 0 {
				err = errno
			}
		}
		if err == nil {
			f()
		}
		failed <- err
	}()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

// A run by a ring counts what one by direct calls does, and invents no times.
func TestChurnByARing(t *testing.T) {
	nstest.NeedRing(t, uring.Probe())
	cfg := churnConfig(fresh(t, 200), freshTarget(), 0, 230)
	cfg.Engine, cfg.Concurrency = EngineURing, 8
	set(t, "net.ipv4.tcp_rfc1337", "1") // with ends apart a stray RST may end a TIME_WAIT
	r := must(t, cfg, listen(t, cfg.Targets[0], serves), &frames{})
	// Of eight in flight the last may find the last port.
	if first := r.Measured.FirstNoPort.Attempt; r.Attempts != 230 || r.Outcomes.OK != 200 || r.Outcomes.NoPort != 30 || first > 201 || first <= 201-8 {
		t.Errorf("outcomes %+v, first no_port %+v", r.Outcomes, r.Measured.FirstNoPort)
	}
	if r.Latency != (result.Latency{}) || r.Ports != nil || r.ScheduleError != nil {
		t.Errorf("latency %+v, ports %+v", r.Latency, r.Ports)
	}
	if *r.Engine != (result.Engine{Asked: "uring", Used: "uring"}) || r.Config.Engine != "uring" || r.Config.Concurrency != 8 || !r.Verdict.OK {
		t.Errorf("engine %+v, verdict %+v", r.Engine, r.Verdict)
	}
}

// Nobody answers: each attempt ends by its timeout, and so does the run.
func TestRingAndASilentPeer(t *testing.T) {
	nstest.NeedRing(t, uring.Probe())
	const attempts = 24
	cfg := churnConfig(fresh(t, 100), freshTarget(), 0, attempts)
	cfg.Engine, cfg.Concurrency, cfg.Timeout = EngineURing, 8, 50*time.Millisecond
	r := must(t, cfg, listen(t, cfg.Targets[0], ignores), &frames{})
	if r.Outcomes.TimedOut == 0 || r.Outcomes.OK+r.Outcomes.TimedOut != attempts || r.Attempts != attempts || r.Run.Interrupted {
		t.Errorf("outcomes %+v", r.Outcomes)
	}
}
