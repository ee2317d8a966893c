package reports

import (
	"slices"

	"lastport/reports/result"
)

// Which values of a quantity are the better ones.
const (
	betterLess = "less"
	betterMore = "more"
)

// comparedMetrics are the quantities that runs of a scenario are compared by, and
// those that an expectation names.
func comparedMetrics(scenario string, expect []result.ChangeExpectation) []metric {
	var all []metric
	for _, f := range slices.Concat(scenarioFields(scenario), commonFields()) {
		if q, ok := result.LookupQuantity(f[0]); ok {
			all = append(all, metric{Quantity: q, better: f[1]})
		}
	}
	for _, e := range expect {
		name := e.Field()
		i := slices.IndexFunc(all, func(m metric) bool { return m.Name() == name })
		if i < 0 {
			i = len(all)
			all = append(all, metric{Quantity: e.Quantity()})
		}
		all[i].asked = true
	}
	return all
}

// scenarioFields are names of quantities, each with which values are better, in
// the order in which a reader asks for them.
func scenarioFields(scenario string) [][2]string {
	switch scenario {
	case "churn":
		return [][2]string{
			{"connections", ""},
			{"rate", betterMore},
			{"measured.first_no_port.attempt", betterMore},
			{"response.p50", betterLess},
			{"response.p99", betterLess},
			{"response.p999", betterLess},
			{"request.p50", betterLess},
			{"request.p99", betterLess},
			{"schedule_error.p99", betterLess},
			{"time_wait.generator", betterLess},
			{"time_wait.listener", betterLess},
		}
	case "reuse":
		return [][2]string{
			{"reuse.count", betterMore},
			{"reuse.min", betterLess},
			{"reuse.p50", betterLess},
			{"reuse.max", betterLess},
			{"reuse.at_once", betterMore},
			{"reuse.lost", betterLess},
		}
	case "survey":
		return [][2]string{
			{"survey.held.picks", betterMore},
			{"survey.held.distinct", betterMore},
			{"survey.held.other_parity_at", ""},
			{"survey.released.distinct", ""},
			{"survey.released.median_step", ""},
			{"survey.released.guess.best", betterLess},
			{"survey.released.repeats.first", ""},
			{"survey.targets.same_step", ""},
		}
	case "reach":
		return [][2]string{
			{"reach.through", betterMore}, {"reach.refused", betterLess}, {"reach.dropped", betterLess}, {"reach.other", betterLess},
		}
	}
	return [][2]string{
		{"connections", betterMore},
		{"rate", betterMore},
		{"measured.fill", betterLess},
		{"occupancy.0-10.p50", betterLess},
		{"occupancy.50-60.p50", betterLess},
		{"occupancy.90-100.p50", betterLess},
		{"occupancy.90-100.p99", betterLess},
		{"recovery.after", betterLess},
		{"nat.tracked", betterMore},
		{"nat.syns_lost", betterLess},
	}
}

// commonFields are those of every scenario.
func commonFields() [][2]string {
	return [][2]string{
		{"connect.p50", betterLess},
		{"connect.p99", betterLess},
		{"connect.p999", betterLess},
		{"bind.p50", betterLess},
		{"bind.p99", betterLess},
		{"close.p50", betterLess},
		{"close.p99", betterLess},
		{"failure.p50", betterLess},
		{"failure.p99", betterLess},
		{"no_port", ""},
		{"port_busy", betterLess},
		{"tuple_busy", betterLess},
		{"refused", betterLess},
		{"reset", betterLess},
		{"timed_out", betterLess},
		{"nat_no_port", ""},
		{"no_fd", betterLess},
		{"no_memory", betterLess},
		{"unreachable", betterLess},
		{"denied", betterLess},
		{"canceled", ""},
		{"other", betterLess},
		{"kernel.TCPTimeWaitOverflow", betterLess},
		{"kernel.TCPSynRetrans", betterLess},
		{"kernel.ListenDrops", betterLess},
		{"cost.cpu_per_conn", betterLess},
		{"cost.user_cpu_per_conn", betterLess},
		{"cost.sys_cpu_per_conn", betterLess},
		{"cost.kernel_bytes_per_conn", betterLess},
		{"cost.user_bytes_per_conn", betterLess},
	}
}
