package metrics_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"lastport/reports/metrics"
	"lastport/reports/result"
)

// gathered are the families that a collector serves, by name. A pedantic registry
// refuses what does not fit its description.
func gathered(t *testing.T, c prometheus.Collector) (map[string]*dto.MetricFamily, string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	list, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	families, text := make(map[string]*dto.MetricFamily), new(bytes.Buffer)
	for _, f := range list {
		families[f.GetName()] = f
		if _, err := expfmt.MetricFamilyToText(text, f); err != nil {
			t.Fatal(err)
		}
	}
	return families, text.String()
}

func looked() *result.Watch {
	return &result.Watch{
		Seen: time.Unix(1_700_000_000, 500_000_000), IntervalNS: 25e8, Ports: result.WatchPorts{Reserved: 2, Held: 230, Usable: 28000},
		Connections: 22000, TimeWait: 15000, OpenedPerS: new(412.4), PairsTotal: 7,
		Pairs: []result.WatchPair{
			{Source: "10.0.0.1", Target: "10.0.0.7:443", Used: 21500, TimeWait: 15000, Taken: 21000, Occupancy: 0.75, ClosedPerS: new(250.0), GrowthPerS: new(10.5), ExhaustedInNS: new(int64(7e11))},
			{Source: "::1", Target: "[::1]:80", Used: 900, Taken: 900, Occupancy: 0.03, ClosedPerS: new(0.0), GrowthPerS: new(-2.5)},
			{Source: "10.0.0.2", Target: "10.0.0.7:80", Used: 5, Taken: 5},
		},
		Processes: []result.Process{{Command: "proxy", PID: 42, Connections: 6000}, {Command: "proxy", PID: 43, Connections: 50}, {UID: 1000, Connections: 900}},
	}
}

func TestWatchIsServed(t *testing.T) {
	_, got := gathered(t, metrics.NewWatch(looked))
	for _, want := range []string{
		"lastport_usable_ports 28000", "lastport_reserved_ports 2", "lastport_held_ports 230", "lastport_connections 22000",
		"lastport_time_wait_connections 15000", "lastport_pairs 7", "lastport_look_interval_seconds 2.5", "lastport_last_look_timestamp_seconds 1.7000000005e+09",
		`lastport_pair_used_ports{source="10.0.0.1",target="10.0.0.7:443"} 21500`,
		`lastport_pair_taken_ports{source="10.0.0.1",target="10.0.0.7:443"} 21000`,
		`lastport_pair_time_wait_ports{source="10.0.0.1",target="10.0.0.7:443"} 15000`,
		`lastport_pair_occupancy_ratio{source="10.0.0.1",target="10.0.0.7:443"} 0.75`,
		`lastport_pair_closed_ports_rate{source="10.0.0.1",target="10.0.0.7:443"} 250`,
		`lastport_pair_taken_ports_growth{source="::1",target="[::1]:80"} -2.5`,
		`lastport_pair_exhausted_in_seconds{source="10.0.0.1",target="10.0.0.7:443"} 700`,
		`lastport_pair_exhausted_in_seconds{source="::1",target="[::1]:80"} +Inf`,
		`lastport_pair_used_ports{source="10.0.0.2",target="10.0.0.7:80"} 5`,
		`lastport_process_connections{process="proxy"} 6050`,
		`lastport_process_connections{process="unknown"} 900`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, `exhausted_in_seconds{source="10.0.0.2"`) {
		t.Error("a forecast without a rate")
	}
}

// ran is a run whose connects took so many nanoseconds.
func ran(id string, ns ...int64) *result.Result {
	h := result.NewHistogram()
	for _, v := range ns {
		h.Record(v)
	}
	return &result.Result{
		Run:    result.Run{ID: id, Scenario: "fill", Started: time.Unix(1_700_000_000, 0), Interrupted: true},
		Config: result.Config{Strategy: "connect"}, Host: result.Host{Place: "private"}, Space: result.Space{Tuples: 100},
		Predicted: result.Predicted{Connections: &result.Interval{Min: 100, Max: 100}},
		Attempts:  int64(len(ns)) + 3, Outcomes: result.Outcomes{OK: int64(len(ns)), NoPort: 3},
		Latency:  result.Latency{Connect: h.Summary(), Response: h.Summary(), Failure: h.Summary()},
		Timeline: []result.Row{{Open: 1}, {Open: 42, States: &result.States{TimeWait: new(int64(7))}}},
	}
}

func TestRunsAreServed(t *testing.T) {
	_, got := gathered(t, metrics.NewRuns(func() []*result.Result { return []*result.Result{ran("a", 20_000), ran("b", 3e6, 5e6)} }))
	for _, want := range []string{
		`lastport_run_info{place="private",run="a",scenario="fill",strategy="connect"} 1`,
		`lastport_run_start_timestamp_seconds{run="a"} 1.7e+09`, `lastport_run_finished{run="a"} 0`,
		`lastport_run_usable_ports{run="a"} 100`, `lastport_run_predicted_connections{run="b"} 100`,
		`lastport_run_attempts_total{run="b"} 5`, `lastport_run_outcomes_total{outcome="no_port",run="b"} 3`, `lastport_run_outcomes_total{outcome="ok",run="b"} 2`,
		`lastport_run_open_connections{run="a"} 42`, `lastport_run_time_wait_connections{run="a"} 7`,
		`lastport_run_connect_duration_seconds_bucket{run="b",le="0.0025"} 0`, `lastport_run_connect_duration_seconds_bucket{run="b",le="0.005"} 2`,
		`lastport_run_connect_duration_seconds_bucket{run="a",le="1e-05"} 0`, `lastport_run_connect_duration_seconds_bucket{run="a",le="2.5e-05"} 1`,
		`lastport_run_connect_duration_seconds_count{run="b"} 2`, `lastport_run_failed_connect_duration_seconds_count{run="a"} 1`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}

// One look is enough to know that no port is left, and not for when that will be.
func TestFirstLookOfPortsAllTaken(t *testing.T) {
	_, got := gathered(t, metrics.NewWatch(func() *result.Watch {
		return &result.Watch{Pairs: []result.WatchPair{
			{Source: "10.0.0.1", Target: "10.0.0.7:443", Occupancy: 1, ExhaustedInNS: new(int64(0))}, {Source: "10.0.0.1", Target: "10.0.0.8:443", Occupancy: 0.9},
		}}
	}))
	if want := `lastport_pair_exhausted_in_seconds{source="10.0.0.1",target="10.0.0.7:443"} 0` + "\n"; !strings.Contains(got, want) {
		t.Errorf("%s is missing in\n%s", want, got)
	}
	if strings.Contains(got, `exhausted_in_seconds{source="10.0.0.1",target="10.0.0.8:443"}`) || strings.Contains(got, "growth{") {
		t.Errorf("what one look cannot know is served:\n%s", got)
	}
}

// What there is none of yet is not served, and is no error.
func TestNothingYet(t *testing.T) {
	for _, c := range []prometheus.Collector{
		metrics.NewWatch(func() *result.Watch { return nil }), metrics.NewRuns(func() []*result.Result { return nil }),
	} {
		if families, _ := gathered(t, c); len(families) != 0 {
			t.Errorf("%T serves %d families", c, len(families))
		}
	}
	empty := metrics.NewRuns(func() []*result.Result { return []*result.Result{{}} })
	if families, _ := gathered(t, empty); families["lastport_run_connect_duration_seconds"] != nil || families["lastport_run_open_connections"] != nil {
		t.Error("what an empty run has not measured is served")
	}
}

// Names, units and help texts are as Prometheus wants them.
func TestConventions(t *testing.T) {
	for _, c := range []prometheus.Collector{
		metrics.NewWatch(looked), metrics.NewRuns(func() []*result.Result { return []*result.Result{ran("a", 5000)} }),
	} {
		_, text := gathered(t, c)
		problems, err := promlint.New(strings.NewReader(text)).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("%T: %v, %v", c, problems, err)
		}
	}
}

// A histogram that cannot be decoded is an error to the scraper, and nothing else is
// lost of the program.
func TestHistogramThatIsNone(t *testing.T) {
	r := ran("a", 5000)
	r.Latency.Connect.HDR = "AAAA"
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.NewRuns(func() []*result.Result { return []*result.Result{r} }))
	if _, err := registry.Gather(); err == nil || !strings.Contains(err.Error(), "decode histogram") {
		t.Error(err)
	}
}

// Every value is in the native bucket that has it, and in every classic one from its
// own on.
func TestNativeHistogram(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 10 {
		values := make([]int64, 1+10*round)
		for i := range values { // a microsecond to three seconds, as many of each size
			values[i] = int64(1000 * math.Pow(3e6, random.Float64()))
		}
		r := ran("a", values...)
		r.Latency.Response, r.Latency.Failure = nil, nil
		families, _ := gathered(t, metrics.NewRuns(func() []*result.Result { return []*result.Result{r} }))
		h := families["lastport_run_connect_duration_seconds"].Metric[0].Histogram
		surely, perhaps := make(map[int]int64), make(map[int]int64)
		for _, v := range values { // kept to three digits, so one at an end may be beside
			low, high := nativeBucket(float64(v)*0.999), nativeBucket(float64(v)*1.001)
			perhaps[low]++
			if low == high {
				surely[low]++
			} else {
				perhaps[high]++
			}
		}
		got, so := spread(h), 0
		for i := -170; i < 30; i++ {
			so += int(got[i])
			if got[i] < surely[i] || got[i] > perhaps[i] {
				t.Fatalf("bucket %d has %d values, want %d to %d", i, got[i], surely[i], perhaps[i])
			}
		}
		if so != len(values) || h.GetSampleCount() != uint64(len(values)) || h.GetSchema() != 3 {
			t.Fatalf("%d in buckets, %d in all, want %d", so, h.GetSampleCount(), len(values))
		}
		for _, b := range h.Bucket {
			var low, high uint64
			for _, v := range values {
				if float64(v) <= b.GetUpperBound()*1e9*0.999 {
					low++
				}
				if float64(v) <= b.GetUpperBound()*1e9*1.001 {
					high++
				}
			}
			if n := b.GetCumulativeCount(); n < low || n > high {
				t.Fatalf("%d up to %v s, want %d to %d", n, b.GetUpperBound(), low, high)
			}
		}
	}
}

// nativeBucket is the bucket of a time: the i-th ends at 2^(i/8) seconds, and has its
// end.
func nativeBucket(ns float64) int {
	i := -170 // below a microsecond
	for math.Pow(2, float64(i)/8) < ns/1e9 {
		i++
	}
	return i
}

// spread reads spans and deltas as a scraper does.
func spread(h *dto.Histogram) map[int]int64 {
	counts, at, n, k := make(map[int]int64), 0, int64(0), 0
	for _, s := range h.PositiveSpan {
		at += int(s.GetOffset())
		for range s.GetLength() {
			n += h.PositiveDelta[k]
			k++
			if n > 0 {
				counts[at] = n
			}
			at++
		}
	}
	return counts
}

func Example() {
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.NewWatch(func() *result.Watch { return &result.Watch{Ports: result.WatchPorts{Usable: 28232}} }))
	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range families {
		if f.GetName() == "lastport_usable_ports" {
			fmt.Println(f.GetName(), f.Metric[0].Gauge.GetValue())
		}
	}
	// Output: lastport_usable_ports 28232
}
