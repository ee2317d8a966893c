package reports_test

import (
	"time"

	"lastport/reports/result"
)

const second = int64(time.Second)

// churnAt is a churn of ports at a rate, without what was measured.
func churnAt(rate, closeMode string, ports int, lasts int64) *result.Result {
	r := base("churn", "connect")
	r.Run.Ended = r.Run.Started.Add(time.Duration(lasts + 40e6))
	r.Config.Range, r.Config.Rate, r.Config.Close = "40000-40399", rate, closeMode
	r.Config.DurationNS, r.Config.TimeoutNS, r.Config.Workers = lasts, 3*second, 1
	r.Space = result.Space{Ports: ports, PortsUsable: ports, Sources: 1, Targets: 1, Tuples: int64(ports)}
	r.Host.Changed = nil
	return r
}

// exhausted is 400 ports at 80 attempts per second: each port comes back when
// the timer of its TIME_WAIT, of 60 s and up to 2.048 s, has ended.
func exhausted() *result.Result {
	const perRow, ports, grain = 8, 400, 20
	r := churnAt("80", "client-fin", ports, 90*second)
	var back [10000]int64 // ports that come back, by row
	free := int64(ports)
	for i := range int64(900) {
		free += back[i]
		ok := min(free, perRow)
		free -= ok
		back[(i+600)/grain*grain+grain] += ok // all timers of a grain end together
		row := result.Row{TNS: (i + 1) * second / 10, Opened: ok, Closed: ok, NoPort: perRow - ok}
		if ok > 0 {
			row.P99NS = ptr(13_000 + 60*(int64(ports)-free))
		}
		if i%5 == 0 {
			row.States = &result.States{TimeWait: ptr(int64(ports) - free)}
		}
		r.Timeline = append(r.Timeline, row)
		r.Outcomes.OK += ok
		r.Outcomes.NoPort += perRow - ok
		r.Attempts += perRow
	}
	r.Predicted = result.Predicted{
		Connections: &result.Interval{Min: 800, Max: 800}, NoPort: &result.Interval{Min: 6400, Max: 6400},
		FirstNoPort: &result.Interval{Min: 401, Max: 401}, FirstNoPortNS: &result.Interval{Min: 5 * second, Max: 5 * second},
		RatePerS: &result.RateInterval{Min: 6.446, Max: 6.667}, ReuseNS: &result.Interval{Min: 60 * second, Max: 62_048_000_000},
		Why: []string{"a closed port is in TIME_WAIT for 60 s, and at 250 Hz its timer ends up to 2.05s late"},
	}
	r.Measured = result.Measured{
		Connections: &r.Outcomes.OK, RatePerS: ptr(float64(r.Outcomes.OK) / 90), FirstNoPort: &result.NoPort{TNS: 5_011_300_000, Attempt: 401},
	}
	r.Residual.Connections = ptr(int64(0))
	r.Latency = result.Latency{
		Connect:  &result.Summary{Count: 800, MinNS: 12_600, MeanNS: 19_000, P50NS: 18_100, P90NS: 30_200, P99NS: 38_900, P999NS: 102_000, MaxNS: 102_000},
		Response: &result.Summary{Count: 800, MinNS: 31_000, MeanNS: 88_000, P50NS: 84_000, P90NS: 112_000, P99NS: 241_000, P999NS: 1_120_000, MaxNS: 1_120_000},
		Close:    &result.Summary{Count: 800, MinNS: 4_900, MeanNS: 8_100, P50NS: 7_900, P90NS: 9_600, P99NS: 14_200, P999NS: 41_000, MaxNS: 41_000},
		Failure:  &result.Summary{Count: 6400, MinNS: 51_000, MeanNS: 61_000, P50NS: 60_000, P90NS: 72_000, P99NS: 95_000, P999NS: 140_000, MaxNS: 402_000},
	}
	r.ScheduleError = &result.ScheduleError{P50NS: 61_000, P99NS: 198_000, MaxNS: 1_090_000}
	r.TimeWait = &result.TimeWait{Generator: 400}
	r.Server = &result.Server{Accepted: 800, Closed: ptr(int64(800)), DistinctPeers: ptr(int64(400))}
	r.Ports = &result.Ports{Even: 200, Odd: 200, Distinct: 400}
	r.Kernel = result.Counters{"ActiveOpens": 800, "PassiveOpens": 800, "TW": 800}
	r.Cost = &result.Cost{CPUNSPerConn: 943_000, UserCPUNSPerConn: ptr(int64(212_000)), SysCPUNSPerConn: ptr(int64(731_000))}
	r.Verdict = result.Verdict{OK: true, Text: "ports ran out at attempt 401: 800 connections of 7,200 attempts"}
	return r
}

// stalled is a churn within what the ports sustain, whose listener stops
// accepting for a second and a half: calls wait, and attempts behind them.
func stalled() *result.Result {
	r := churnAt("200", "server-fin", 28232, 10*second)
	r.Config.Range, r.Config.RangeName, r.Config.Requests = "32768-60999", "linux", 4
	for i := range int64(100) {
		row := result.Row{TNS: (i + 1) * second / 10, Opened: 20, Closed: 20, P99NS: ptr(15_000 + i%7*900)}
		switch {
		case i >= 40 && i < 55:
			row.Opened, row.Closed, row.P99NS = 0, 0, nil
			row.Kernel = result.Counters{"ListenOverflows": 3, "ListenDrops": 3}
		case i >= 55 && i < 60:
			row.Opened, row.Closed, row.P99NS = 80, 80, ptr(int64(1_031_000_000))
		}
		r.Timeline = append(r.Timeline, row)
	}
	r.Attempts, r.Outcomes.OK = 2000, 2000
	r.Predicted = result.Predicted{
		Connections: &result.Interval{Min: 2000, Max: 2000}, NoPort: &result.Interval{}, ReuseNS: &result.Interval{},
	}
	r.Measured = result.Measured{Connections: ptr(int64(2000)), RatePerS: ptr(199.7)}
	r.Residual.Connections = ptr(int64(0))
	r.Latency = result.Latency{
		Connect:  &result.Summary{Count: 2000, MinNS: 12_600, MeanNS: 2_100_000, P50NS: 15_100, P90NS: 31_200, P99NS: 88_900, P999NS: 1_031_000_000, MaxNS: 1_031_000_000},
		Response: &result.Summary{Count: 2000, MinNS: 31_000, MeanNS: 141_000_000, P50NS: 104_000, P90NS: 890_000_000, P99NS: 1_480_000_000, P999NS: 1_561_000_000, MaxNS: 1_561_000_000},
		Close:    &result.Summary{Count: 2000, MinNS: 9_900, MeanNS: 12_100, P50NS: 11_900, P90NS: 14_600, P99NS: 34_200, P999NS: 81_000, MaxNS: 81_000},
		Request:  &result.Summary{Count: 7996, MinNS: 9_090, MeanNS: 10_300, P50NS: 9_380, P90NS: 18_600, P99NS: 76_600, P999NS: 485_000, MaxNS: 2_560_000},
	}
	r.ScheduleError = &result.ScheduleError{P50NS: 61_000, P99NS: 1_470_000_000, MaxNS: 1_548_000_000}
	r.Requests = &result.Requests{Answered: 7996, Failed: 4}
	r.TimeWait = &result.TimeWait{Listener: 1996}
	r.Server = &result.Server{Accepted: 2000, Closed: ptr(int64(2000)), DistinctPeers: ptr(int64(2000)), Requests: 7996}
	r.Kernel = result.Counters{"ListenOverflows": 45, "ListenDrops": 45, "TCPSynRetrans": 48, "PAWSTimewait": 3, "ActiveOpens": 2000, "PassiveOpens": 2000, "TW": 1996}
	r.Verdict = result.Verdict{OK: true, Text: "no port ran out: 2,000 connections, 200 per second"}
	return r
}

// stopped is a churn whose generator did not run for half a second.
func stopped() *result.Result {
	r := stalled()
	r.Config.Requests, r.Requests, r.Latency.Request, r.Timeline = 0, nil, nil, nil
	r.Latency.Connect.P999NS, r.Latency.Connect.MaxNS = 120_000, 310_000
	r.Latency.Response.P90NS, r.Latency.Response.P99NS = 180_000, 350_000
	r.Latency.Response.P999NS, r.Latency.Response.MaxNS = 498_000_000, 503_000_000
	r.ScheduleError = &result.ScheduleError{P50NS: 61_000, P99NS: 290_000, MaxNS: 502_000_000}
	r.Kernel = result.Counters{"ActiveOpens": 2000, "PassiveOpens": 2000}
	return r
}

// fastest is a churn without a rate.
func fastest(closeMode string, perSecond float64) *result.Result {
	r := churnAt("max", closeMode, 28232, 2*second)
	r.Config.Range, r.Config.RangeName, r.Config.Strategy = "32768-60999", "host", "socket-range"
	r.Config.Concurrency, r.Config.Ends = 16, "apart"
	opened := int64(2 * perSecond)
	for i := range int64(20) {
		r.Timeline = append(r.Timeline, result.Row{
			TNS: (i + 1) * second / 10, Opened: opened/20 + i%3*opened/400, P99NS: ptr(40_000 + i%4*9_000),
		})
	}
	r.Attempts, r.Outcomes.OK = opened, opened
	r.Predicted.ReuseNS = &result.Interval{}
	r.Measured = result.Measured{Connections: &opened, RatePerS: &perSecond}
	r.Latency.Connect = &result.Summary{Count: opened, MinNS: 12_500, MeanNS: 15_000, P50NS: 13_700, P90NS: 15_600, P99NS: 60_400, P999NS: 464_000, MaxNS: 4_210_000}
	r.TimeWait = &result.TimeWait{}
	r.Cost = &result.Cost{
		CPUNSPerConn: int64(1e9/perSecond) - 200, UserCPUNSPerConn: ptr(int64(2_700)), SysCPUNSPerConn: ptr(int64(1e9/perSecond) - 2_900), ToolShare: ptr(0.093), GeneratorBusy: ptr(0.71), HostBusy: ptr(0.97),
		Generator: &result.CPUPerConn{UserNS: 2_000, SysNS: 29_700}, Listener: &result.CPUPerConn{UserNS: 400, SysNS: 6_900},
	}
	r.Verdict = result.Verdict{OK: true, Text: "no port ran out"}
	if closeMode == "client-fin" {
		r.Outcomes.OK, r.Outcomes.NoPort = 28232, opened-28232
		r.Measured.Connections, r.Measured.RatePerS = ptr(int64(28232)), ptr(14_116.0)
		r.Measured.FirstNoPort = &result.NoPort{TNS: 1_310_000_000, Attempt: 28233}
		r.Predicted.ReuseNS = &result.Interval{Min: 60 * second, Max: 62_048_000_000}
		r.Predicted.RatePerS = &result.RateInterval{Min: 455, Max: 470.5}
		r.TimeWait.Generator = 28232
		r.Verdict.Text = "ports ran out at attempt 28,233"
	}
	return r
}

// reused is a reuse of 100 ports whose delays are given in nanoseconds.
func reused(closeMode string, predicted result.Interval, resolution int64, delay func(i int64) int64) *result.Result {
	r := base("reuse", "connect")
	r.Config.Mode = "close"
	r.Config.Close, r.Config.Connections, r.Config.Workers, r.Config.RangeName, r.Config.Range = closeMode, 100, 1, "host", "32768-60999"
	r.Host.Changed = nil
	r.Host.Sysctls = map[string]string{"net.ipv4.tcp_tw_reuse": "2", "net.ipv4.tcp_tw_reuse_delay": "1000", "net.ipv4.tcp_timestamps": "1"}
	h := result.NewHistogram()
	for i := range int64(100) {
		h.Record(delay(i))
	}
	s := h.Summary()
	r.Reuse = &result.Reuse{
		Count: s.Count, MinNS: s.MinNS, P50NS: s.P50NS, MaxNS: s.MaxNS, HDR: s.HDR, ResolutionNS: resolution, Probes: 24_319,
	}
	r.Attempts, r.Outcomes.OK = 100, 100
	r.Predicted = result.Predicted{Connections: &result.Interval{Min: 100, Max: 100}, ReuseNS: &predicted}
	r.Measured.Connections = ptr(int64(100))
	r.Residual = result.Residual{Connections: ptr(int64(0)), Reuse: ptr(0.0)}
	r.Verdict = result.Verdict{OK: true, Text: "after " + closeMode + " a port is free again as predicted"}
	return r
}

// timeWaited is a reuse that waits for TIME_WAIT.
func timeWaited() *result.Result {
	r := reused("client-fin", result.Interval{Min: 60 * second, Max: 62_048_000_000}, 1_210_000, func(i int64) int64 {
		return 60_400_000_000 + i*i*140_000
	})
	r.Predicted.RatePerS = &result.RateInterval{Min: 455, Max: 470.5}
	r.Predicted.Why = []string{"a closed port is in TIME_WAIT for 60 s, and at 250 Hz its timer ends up to 2.05s late"}
	r.Kernel = result.Counters{"ActiveOpens": 200, "PassiveOpens": 200, "TW": 100}
	r.Verdict.Text = "after client-fin a port is free again after 1m0.4s to 1m1.8s; 1m0s to 1m2.05s predicted"
	return r
}

// recycled is the same under tcp_tw_reuse=1, with two ports that did not come
// back and one that came too soon.
func recycled() *result.Result {
	r := reused("client-fin", result.Interval{Min: second, Max: 1_002_000_000}, 1_080_000, func(i int64) int64 {
		if i == 0 {
			return 21_000
		}
		return 1_000_200_000 + i*11_000
	})
	r.Host.Sysctls["net.ipv4.tcp_tw_reuse"] = "1"
	r.Host.Changed = map[string]result.Change{"net.ipv4.tcp_tw_reuse": {Host: "2", Run: "1", Why: "--sysctl"}}
	r.Predicted.Why = []string{"tcp_tw_reuse gives a port back 1s after the close (tcp_tw_reuse_delay)"}
	r.Reuse.Count, r.Reuse.Lost, r.Reuse.AtOnce = 98, 2, 1
	r.Residual.Reuse = ptr(-0.998)
	r.Kernel = result.Counters{"ActiveOpens": 198, "PassiveOpens": 198, "TW": 100, "TWRecycled": 97}
	r.Verdict = result.Verdict{Text: "2 of 100 ports did not come back"}
	return r
}

// atOnce is a reuse after a close that keeps nothing.
func atOnce(closeMode string) *result.Result {
	r := reused(closeMode, result.Interval{}, 0, func(i int64) int64 { return 21_000 + i*40 })
	r.Reuse.AtOnce, r.Reuse.Probes = 100, 100
	return r
}

// vanished is a reuse that waits for something else than a close.
func vanished() *result.Result {
	r := reused("client-fin", result.Interval{Min: 5 * second, Max: 5_452_000_000}, 1_100_000, func(i int64) int64 {
		return 5_020_000_000 + i*4_000_000
	})
	r.Config.Mode, r.Config.UserTimeoutNS = "in-flight", 5*second
	r.Host.Sysctls["net.ipv4.tcp_retries2"] = "15"
	return r
}

// closes is what reuse --close all makes.
func closes() *result.Set {
	return &result.Set{Schema: result.SetSchema, Axis: "close", Planned: 4, Runs: []*result.Result{
		timeWaited(), atOnce("client-rst"), atOnce("server-fin"), atOnce("server-rst"),
	}}
}

// mixed is what a bench makes, ended early.
func mixed() *result.Set {
	lost := recycled()
	lost.Config.Close = "server-fin"
	slow := filled("connect")
	slow.Config.RangeName, slow.Config.Range = "host", "32768-60999"
	quick := flat()
	quick.Config.RangeName, quick.Config.Range = "host", "32768-60999"
	return &result.Set{
		Schema: result.SetSchema, Axis: "scenario", Planned: 12, Interrupted: true,
		Skipped: []string{"reuse client-fin: it waits a minute for TIME_WAIT"},
		Runs: []*result.Result{
			slow, quick, fastest("client-fin", 21_450), fastest("client-rst", 26_930), fastest("server-fin", 23_140),
			atOnce("client-rst"), lost,
		},
	}
}
