package loadgen

import (
	"strings"
	"testing"
	"time"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

func cpu(user, system time.Duration) kernel.CPUTime {
	return kernel.CPUTime{User: user, System: system}
}

func TestCost(t *testing.T) {
	const ms = time.Millisecond
	used := meter{
		at: int64(200 * ms), spent: 201 * ms, process: cpu(60*ms, 140*ms), generator: cpu(20*ms, 80*ms), listener: cpu(10*ms, 40*ms), slab: 80_000,
	}
	apart := &run{cfg: &Config{Ends: EndsApart}, engines: make([]engine.Engine, 2)}
	c := apart.cost(used, 1000)
	if c.CPUNSPerConn != 201_000 || *c.UserCPUNSPerConn != 60_000 || *c.SysCPUNSPerConn != 140_000 {
		t.Errorf("%+v, want 201, 60 and 140 µs", c)
	}
	if *c.Generator != (result.CPUPerConn{UserNS: 20_000, SysNS: 80_000}) || *c.Listener != (result.CPUPerConn{UserNS: 10_000, SysNS: 40_000}) {
		t.Errorf("generator %+v, listener %+v", c.Generator, c.Listener)
	}
	// 120 of 200 ms were the kernel's for connections; two threads ran for 100 of 400.
	if *c.ToolShare != 0.4 || *c.GeneratorBusy != 0.25 || *c.HostBusy <= 0 || *c.HostBusy > 1 {
		t.Errorf("shares %v %v %v", *c.ToolShare, *c.GeneratorBusy, *c.HostBusy)
	}
	together := &run{cfg: &Config{Ends: EndsTogether}, engines: make([]engine.Engine, 1)}
	used.listener = kernel.CPUTime{}
	if c := together.cost(used, 1000); c.Generator != nil || c.Listener != nil || c.ToolShare == nil {
		t.Errorf("together: %+v, want no ends told apart", c)
	}
	if c := apart.cost(used, 1000); c.Generator == nil || c.Listener != nil {
		t.Errorf("a listener elsewhere: %+v", c)
	}
	if c := apart.cost(used, 0); c != nil {
		t.Errorf("of no connection: %+v", c)
	}
	// What ticks did not find is 0, and measured; what they found later than it was
	// used is no more than all.
	used.generator, used.listener = cpu(0, 80*ms), cpu(50*ms, -10*ms)
	if c := apart.cost(used, 1000); *c.Generator != (result.CPUPerConn{SysNS: 80_000}) || *c.Listener != (result.CPUPerConn{UserNS: 40_000}) {
		t.Errorf("generator %+v, listener %+v", c.Generator, c.Listener)
	}
	used.process = cpu(0, 200*ms)
	if c := apart.cost(used, 1000); c.UserCPUNSPerConn == nil || *c.UserCPUNSPerConn != 0 || *c.SysCPUNSPerConn != 200_000 {
		t.Errorf("without a tick in user space: %+v", c)
	}
	used.spent, used.process = 51*ms, cpu(10*ms, 39*ms)
	if c := apart.cost(used, 1000); *c != (result.Cost{CPUNSPerConn: 51_000}) {
		t.Errorf("of 49 ms: %+v, want the total alone", c)
	}
}

func TestGrown(t *testing.T) {
	for _, c := range []struct {
		bytes, n int64
		want     int64 // 0: not told
	}{
		{78_000_000, 10_000, 7800},
		{78_000_000, 9_999, 0},
		{0, 10_000, 0},
		{-1, 10_000, 0},
	} {
		got := grown(c.bytes, c.n)
		if (got == nil) != (c.want == 0) || got != nil && *got != c.want {
			t.Errorf("%d bytes of %d: %v, want %d", c.bytes, c.n, got, c.want)
		}
	}
	before, after := meter{slab: 5_000}, meter{slab: 9_000}
	if got := after.since(before).slab; got != 4_000 {
		t.Errorf("grown by %d", got)
	}
	if got := after.since(meter{}).slab; got != 0 {
		t.Errorf("from a size that is not known grown by %d", got)
	}
}

// Of a churn, and by what the generator is known to have been its limit.
func TestGeneratorLimit(t *testing.T) {
	busy := func(generator, host float64) *result.Cost {
		return &result.Cost{GeneratorBusy: &generator, HostBusy: &host}
	}
	late := &result.ScheduleError{P99NS: int64(200 * time.Millisecond)}
	punctual := &result.ScheduleError{P99NS: int64(200*time.Millisecond) - 1, MaxNS: int64(time.Second)}
	for _, c := range []struct {
		name     string
		scenario string
		rate     float64
		res      result.Result
		want     string
	}{
		{"all threads ran", "churn", 0, result.Result{Cost: busy(0.95, 0.5)}, "its threads ran 95 %"},
		{"all processors", "churn", 0, result.Result{Cost: busy(0.7, 0.97)}, "all processors for 97 %"},
		{"something waited", "churn", 0, result.Result{Cost: busy(0.94, 0.94)}, ""},
		{"ports ran out", "churn", 0, result.Result{Cost: busy(1, 1), Outcomes: result.Outcomes{NoPort: 1}}, ""},
		{"too short to tell", "churn", 0, result.Result{Cost: &result.Cost{CPUNSPerConn: 1}}, ""},
		{"late", "churn", 100, result.Result{Attempts: 1000, ScheduleError: late}, "one attempt in a hundred began 200 ms late"},
		{"punctual", "churn", 100, result.Result{Attempts: 1000, ScheduleError: punctual, Cost: busy(1, 1)}, ""},
		{"late by little in all, much for a request", "churn", 1, result.Result{Attempts: 10, ScheduleError: &result.ScheduleError{P99NS: int64(199 * time.Millisecond)}}, ""},
		{"not all made", "churn", 100, result.Result{Attempts: 999, ScheduleError: punctual}, "999 of 1,000 due"},
		{"a fill", "fill", 0, result.Result{Cost: busy(1, 1)}, ""},
	} {
		c.res.Run.Scenario = c.scenario
		r := &run{cfg: &Config{Scenario: c.scenario, Rate: c.rate, Duration: 10 * time.Second}, complete: true}
		if got := r.generatorLimit(&c.res); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if r.generatorHint() == "" {
			t.Errorf("%s: no hint", c.name)
		}
	}
}

// costly makes a churn of more and more attempts, until they take enough processor
// time to tell what one costs.
func costly(t *testing.T, unrecorded bool) *result.Result {
	t.Helper()
	const most = 1_000_000
	for attempts := int64(5000); ; attempts *= 4 {
		cfg := churnConfig(fresh(t, 500), freshTarget(), 0, attempts)
		cfg.Close, cfg.Concurrency, cfg.Unrecorded = step.ClientRST, 1, unrecorded
		r, err := Run(t.Context(), cfg, listen(t, cfg.Targets[0], serves), &frames{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Attempts != attempts {
			t.Errorf("%d attempts, want %d", r.Attempts, attempts)
		}
		if r.Cost.GeneratorBusy != nil || attempts > most {
			return r
		}
	}
}

// A run tells what it cost, at each end; recording can be left out to tell what
// that costs, and then outcomes alone are known.
func TestCostOfARun(t *testing.T) {
	for _, unrecorded := range []bool{false, true} {
		r := costly(t, unrecorded)
		if r.Cost == nil || r.Cost.Generator == nil || r.Cost.Generator.UserNS+r.Cost.Generator.SysNS <= 0 {
			t.Fatalf("unrecorded %t: cost %+v", unrecorded, r.Cost)
		}
		if r.Cost.Listener != nil { // the stub does not tell
			t.Errorf("listener %+v", r.Cost.Listener)
		}
		if r.Outcomes.Sum() != r.Attempts || *r.Measured.Connections != r.Outcomes.OK {
			t.Errorf("unrecorded %t: %d attempts, outcomes %+v", unrecorded, r.Attempts, r.Outcomes)
		}
		recorded := r.Latency.Connect != nil && r.Ports != nil
		if recorded == unrecorded || warned(r, "not_recorded") != unrecorded || r.Config.Unrecorded != unrecorded {
			t.Errorf("unrecorded %t: latency %+v, ports %v, warnings %+v", unrecorded, r.Latency, r.Ports != nil, r.Warnings)
		}
	}
}

func TestProcessorsOfWorkers(t *testing.T) {
	all, err := kernel.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		cfg  Config
		want int // processors; 0: they are not kept on any
	}{
		{"one", Config{Scenario: "churn", Workers: 1, Ends: EndsTogether}, 0},
		{"a fill together", Config{Scenario: "fill", Workers: len(all), Ends: EndsTogether}, len(all)},
		{"a fill apart", Config{Scenario: "fill", Workers: len(all), Ends: EndsApart}, 0},
		{"a churn apart", Config{Scenario: "churn", Workers: len(all), Ends: EndsApart}, len(all)},
		{"more than processors", Config{Scenario: "churn", Workers: 3 * len(all), Ends: EndsApart}, len(all)},
		{"UDP", Config{Scenario: "churn", Workers: len(all), Ends: EndsApart, UDP: true}, 0},
	} {
		if len(all) < 2 && c.cfg.Workers < 2 {
			c.want = 0
		}
		got, err := c.cfg.CPUs()
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %v, %v, want %d processors", c.name, got, err, c.want)
		}
	}
}
