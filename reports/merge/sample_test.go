package merge_test

import (
	"fmt"
	"time"

	"lastport/reports/merge"
	"lastport/reports/result"
)

func ptr[T any](v T) *T { return &v }

// begun is when the first shard of the tests begins.
func begun() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// histogramOf has the values 1 µs, 2 µs and so on, n of them, times by.
func histogramOf(n, by int64) *result.Histogram {
	h := result.NewHistogram()
	for i := range n {
		h.Record((i + 1) * by * 1000)
	}
	return h
}

// shard is one of a fill's: each opens 10 connections more than the one before,
// began 50 ms after it, and uses ports of its own and one that all do.
func shard(index, count int) *result.Result {
	r := bare(index, count)
	n := *r.Measured.Connections
	uses := new(result.PortMap)
	uses.Add(40000)
	uses.Add(uint16(40001 + index))
	r.Ports = uses.Ports([]uint16{40000, uint16(40001 + index)})
	r.Latency = result.Latency{Connect: histogramOf(n, int64(index+1)).Summary(), Failure: histogramOf(3, 5).Summary()}
	r.Occupancy = []result.Band{histogramOf(n, 1).Band(0, 0.1), histogramOf(3, 5).Band(1, 1)}
	return r
}

// bare is shard without what takes long to make: histograms and maps.
func bare(index, count int) *result.Result {
	n := int64(100 + 10*index)
	start := begun().Add(time.Duration(index) * 50 * time.Millisecond)
	return &result.Result{
		Schema: result.Schema,
		Tool:   result.Tool{Version: "1", Go: "go1"},
		Run: result.Run{
			ID: fmt.Sprintf("%016x", 7*index+1), Scenario: "fill", Started: start, Ended: start.Add(2 * time.Second),
			Shard: &result.Shard{Index: index, Count: count}, Seed: uint64(index),
		},
		Host:      result.Host{Kernel: "6.1.0", CPUs: 2, Place: "private", Sysctls: map[string]string{"a": "1"}, Limits: result.Limits{NoFile: 1000}},
		Config:    result.Config{Range: "40000-40999", Strategy: "connect", Targets: []string{"198.18.0.1:1000"}, Seed: uint64(index), Expect: []string{"connections>=100"}},
		Space:     result.Space{Ports: 1000, PortsUsable: 1000, Sources: 1, Targets: 1, Tuples: 1000},
		Predicted: result.Predicted{Connections: &result.Interval{Min: n, Max: n}, ReuseNS: &result.Interval{Min: int64(60 + index), Max: int64(70 + index)}, Why: []string{"because"}},
		Measured:  result.Measured{Connections: &n, RatePerS: ptr(float64(n)), Recovered: ptr(true), FirstNoPort: &result.NoPort{TNS: 5, Attempt: n + 1}, FillNS: ptr(int64(9))},
		Residual:  result.Residual{Connections: ptr(int64(0)), Reuse: ptr(0.0)},
		Attempts:  n + 3, Outcomes: result.Outcomes{OK: n, NoPort: 3},
		Timeline: []result.Row{
			{TNS: 100e6, Opened: n - 10, Open: n - 10, P99NS: ptr(int64(1000 * (index + 1))), States: &result.States{Established: ptr(n - 10)}},
			{TNS: 200e6, Opened: 10, NoPort: 3, Open: n, States: &result.States{TimeWait: ptr(int64(0))}, Kernel: result.Counters{"ActiveOpens": n}},
			{TNS: 300e6, Closed: n, Open: 0, States: &result.States{Established: ptr(int64(0)), TimeWait: ptr(int64(0))}},
		},
		Server:  &result.Server{Accepted: n, Closed: ptr(n)},
		Kernel:  result.Counters{"ActiveOpens": n},
		Expect:  []result.Expected{{Expr: "connections>=100", Value: fmt.Sprint(n), Held: true}},
		Verdict: result.Verdict{OK: true, Text: "as predicted"},
	}
}

// shards are all of a run, or those with the indexes that are given.
func shards(count int, indexes ...int) []merge.Part { return partsOf(shard, count, indexes) }

// bareShards is shards without what takes long to make.
func bareShards(count int, indexes ...int) []merge.Part { return partsOf(bare, count, indexes) }

func partsOf(one func(index, count int) *result.Result, count int, indexes []int) (parts []merge.Part) {
	if indexes == nil {
		for i := range count {
			indexes = append(indexes, i)
		}
	}
	for n, i := range indexes {
		parts = append(parts, merge.Part{From: fmt.Sprintf("folder-%d", n), Run: one(i, count)})
	}
	return parts
}
