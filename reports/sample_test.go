package reports_test

import (
	"time"

	"lastport/reports/result"
)

// The samples are what real runs measured on one machine, with a fixed clock.

func ptr[T any](v T) *T { return &v }

func base(scenario, strategy string) *result.Result {
	started := time.Date(2026, 11, 23, 3, 20, 13, 250e6, time.UTC)
	return &result.Result{
		Schema: result.Schema,
		Tool:   result.Tool{Version: "0.1.0", Go: "go1.26.8"},
		Run:    result.Run{ID: "7f3a21", Scenario: scenario, Started: started, Ended: started.Add(11480 * time.Millisecond)},
		Host: result.Host{
			Kernel: "6.18.3", HZ: 250, CPUs: 2, MemoryBytes: 24 << 30, Place: "private",
			Limits: result.Limits{NoFile: 20000},
			Changed: map[string]result.Change{
				"net.core.somaxconn":           {Host: "4096", Run: "65535", Why: "room for the listener's queue"},
				"net.ipv4.tcp_max_syn_backlog": {Host: "2048", Run: "65535", Why: "room for the listener's queue"},
			},
		},
		Config: result.Config{
			Range: "linux", Targets: []string{"198.18.0.1:1000"}, Proto: "tcp", Strategy: strategy, Close: "client-rst",
			TimeoutNS: 1e9, Workers: 2, Engine: "direct", Ends: "together", Place: "private",
		},
		Space: result.Space{Ports: 28232, PortsUsable: 28232, Sources: 1, Targets: 1, Tuples: 28232},
	}
}

// bands spreads p50s in nanoseconds over ten bands, and the cost of failure.
func bands(count int64, full int64, p50s ...int64) []result.Band {
	var all []result.Band
	for i, p50 := range p50s {
		all = append(all, result.Band{
			From: float64(i) / 10, To: float64(i+1) / 10, Count: count,
			P50NS: p50, P99NS: p50 * 5 / 4, MaxNS: p50*2 + 90_000,
		})
	}
	return append(all, result.Band{From: 1, To: 1, Count: 200, P50NS: full, P99NS: full * 9 / 8, MaxNS: full * 3 / 2})
}

// filled is a run to the last port.
func filled(strategy string) *result.Result {
	r := base("fill", strategy)
	r.Predicted.Connections = &result.Interval{Min: 28232, Max: 28232}
	r.Predicted.ReuseNS = &result.Interval{}
	r.Measured = result.Measured{
		Connections: ptr(int64(28232)), FillNS: ptr(int64(9_860_000_000)), Recovered: ptr(true),
		FirstNoPort: &result.NoPort{TNS: 9_861_004_000, Attempt: 28233},
	}
	r.Residual.Connections = ptr(int64(0))
	r.Attempts = 28432
	r.Outcomes = result.Outcomes{OK: 28232, NoPort: 200}
	r.Latency = result.Latency{
		Connect: &result.Summary{Count: 28232, MinNS: 11_100, MeanNS: 331_000, P50NS: 341_000, P90NS: 668_000, P99NS: 712_000, P999NS: 868_000, MaxNS: 1_420_000},
		Close:   &result.Summary{Count: 28232, MinNS: 4_900, MeanNS: 8_100, P50NS: 7_900, P90NS: 9_600, P99NS: 14_200, P999NS: 41_000, MaxNS: 310_000},
		Failure: &result.Summary{Count: 200, MinNS: 4_610_000, MeanNS: 4_890_000, P50NS: 4_882_000, P90NS: 5_120_000, P99NS: 5_490_000, P999NS: 7_300_000, MaxNS: 7_300_000},
	}
	r.Occupancy = bands(2823, 4_882_000, 12_600, 12_600, 12_700, 12_700, 12_900, 647_000, 651_000, 658_000, 664_000, 681_000)
	r.Server = &result.Server{Accepted: 28233, Closed: ptr(int64(28233)), DistinctPeers: ptr(int64(28232))}
	r.Witness = &result.Witness{Generator: 28232, ServerOpen: ptr(int64(28232)), DistinctPeers: ptr(int64(28232)), SockDiag: ptr(int64(28232)), Agree: true}
	r.Recovery = &result.Recovery{Attempts: 1, Outcome: "ok", AfterNS: 140_000, ConnectNS: 13_100}
	r.Ports = &result.Ports{Even: 14116, Odd: 14116, Distinct: 28232}
	r.Kernel = result.Counters{"ActiveOpens": 28433, "PassiveOpens": 28233, "OutRsts": 28233, "TCPAbortOnData": 28233, "InSegs": 84699}
	r.Cost = &result.Cost{CPUNSPerConn: 340_900, UserCPUNSPerConn: ptr(int64(2_900)), SysCPUNSPerConn: ptr(int64(338_000)), UserBytesPerConn: ptr(int64(12)), KernelBytesPerConn: ptr(int64(7_790))}
	r.Observer = &result.Observer{Samples: 115, Dumps: 4, CPUNS: 71_000_000, Share: 0.0062}
	r.Verdict = result.Verdict{OK: true, Text: "28,232 connections, as many as predicted; attempt 28,233 found no port; recovered"}
	return r
}

// flat is the same range without a knee, and with expectations.
func flat() *result.Result {
	r := filled("socket-range")
	r.Occupancy = bands(2823, 3_801_000, 12_500, 12_500, 12_600, 12_600, 12_600, 12_700, 12_700, 12_900, 13_200, 13_900)
	r.Measured.FillNS = ptr(int64(612_000_000))
	r.Measured.FirstNoPort.TNS = 612_300_000
	r.Latency.Connect = &result.Summary{Count: 28232, MinNS: 11_000, MeanNS: 12_900, P50NS: 12_700, P90NS: 13_800, P99NS: 18_300, P999NS: 44_100, MaxNS: 402_000}
	r.Latency.Failure = &result.Summary{Count: 200, MinNS: 3_610_000, MeanNS: 3_810_000, P50NS: 3_801_000, P90NS: 4_010_000, P99NS: 4_300_000, P999NS: 4_700_000, MaxNS: 4_700_000}
	r.Cost.CPUNSPerConn, r.Cost.SysCPUNSPerConn = 22_300, ptr(int64(19_400))
	r.Expect = []result.Expected{
		{Expr: "connections>=28232", Value: "28232", Held: true},
		{Expr: "connect.p99<15us", Value: "18.3µs"},
		{Expr: "bind.p50<2us", Value: "not measured"},
	}
	return r
}

// odd is a range of odd size, part of it held by something else.
func odd() *result.Result {
	r := filled("connect")
	r.Config.Range, r.Config.Exclude = "40000-41000", "40500"
	r.Space = result.Space{
		Ports: 1000, PortsUsable: 997, Sources: 1, Targets: 1, Tuples: 997, Reserved: "40100-40101",
		Taken: []result.Holder{{Port: 40800, Local: "0.0.0.0:40800", State: "LISTEN", What: "nginx (4711)"}},
	}
	r.Predicted.Connections = &result.Interval{Min: 996, Max: 997}
	r.Predicted.Why = []string{
		"the range has an odd size: one search leaves one port out, and which one depends on the target",
		"2 ports are reserved by net.ipv4.ip_local_reserved_ports, 1 is held by a listener",
	}
	r.Measured.Connections = ptr(int64(994))
	r.Residual.Connections = ptr(int64(-2))
	r.Attempts, r.Outcomes = 1194, result.Outcomes{OK: 994, NoPort: 200}
	r.Occupancy = nil
	r.Witness = &result.Witness{Generator: 994, ServerOpen: ptr(int64(993)), DistinctPeers: ptr(int64(993)), SockDiag: ptr(int64(994))}
	r.Kernel = result.Counters{"ListenOverflows": 1, "ListenDrops": 1, "TCPSynRetrans": 3, "ActiveOpens": 1195, "RetransSegs": 3}
	r.Warnings = []result.Warning{{
		Code: "ports_taken", Message: "something else holds 1 port of the range, found before the run",
		Hint: "--exclude 40800 leaves it out",
	}}
	r.Verdict = result.Verdict{Text: "994 connections, 2 fewer than predicted (996 to 997)"}
	return r
}

// interrupted is what is on the disk after kill -9.
func interrupted() *result.Result {
	r := base("fill", "connect")
	r.Run.Interrupted, r.Run.Ended = true, time.Time{}
	r.Predicted.Connections = &result.Interval{Min: 28232, Max: 28232}
	r.Attempts, r.Outcomes.OK = 16_210, 16_210
	r.Measured.Connections = ptr(int64(16_210))
	r.Latency.Connect = &result.Summary{Count: 16_210, MinNS: 11_100, MeanNS: 90_000, P50NS: 12_900, P90NS: 644_000, P99NS: 690_000, P999NS: 801_000, MaxNS: 1_020_000}
	r.Host.Changed = nil
	return r
}

// refused is a run against a target where nothing listens.
func refused() *result.Result {
	r := base("fill", "connect")
	r.Config.Targets = []string{"127.0.0.1:9"}
	r.Predicted.Connections = &result.Interval{Min: 28232, Max: 28232}
	r.Measured.Connections = ptr(int64(0))
	r.Residual.Connections = ptr(int64(-28232))
	r.Attempts, r.Outcomes.Refused = 512, 512
	r.Latency.Failure = &result.Summary{Count: 512, Clipped: 2, MinNS: 1, MeanNS: 9_100, P50NS: 8_800, P90NS: 10_100, P99NS: 14_900, P999NS: 60_100, MaxNS: 60_100}
	r.Verdict.Text = "no connection: the target 127.0.0.1:9 refused all 512 attempts"
	r.Warnings = []result.Warning{{
		Code:    "loopback_reuse",
		Message: "between loopback addresses the kernel reuses ports in TIME_WAIT after one second: production does not",
		Hint:    "leave --target out: the bundled listener sits on 198.18.0.1",
	}}
	return r
}

// bench is a set over two ranges.
func bench() *result.Set {
	xp := flat()
	xp.Config.Range = "windows-xp"
	xp.Predicted.Connections = &result.Interval{Min: 3976, Max: 3976}
	xp.Measured.Connections = ptr(int64(3976))
	xp.Measured.FillNS = ptr(int64(51_000_000))
	xp.Latency.Failure.P50NS = 402_000
	bad := odd()
	return &result.Set{Schema: result.SetSchema, Axis: "strategy/profile", Runs: []*result.Result{filled("connect"), flat(), xp, bad}}
}
