package main

import (
	"fmt"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lastport/loadgen"
	"lastport/loadgen/capacity"
	"lastport/loadgen/kernel"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// benchVerb runs the standard suite.
func (a *app) benchVerb() *cobra.Command {
	var f runFlags
	var quick bool
	c := &cobra.Command{
		Use:   "bench",
		Short: "the standard suite: ways of using ports, side by side",
		Long: "bench compares ways of using ports in one table: by strategy, by who closes\n" +
			"first, by settings and by range. For each it measures how many connections\n" +
			"there can be, what rate they sustain, what connect costs while ports are free,\n" +
			"half used and nearly gone, how soon a port comes back and what a failing\n" +
			"connect costs, beside what arithmetic predicts; and it says which way gives\n" +
			"most, and its price. A second table compares all strategies.\n\n" +
			"Every run is in a private place of its own. The set and every run of it are\n" +
			"saved. It takes two to three minutes, of which one is a TIME_WAIT.",
		Example: "  lastport bench\n  lastport bench --quick\n  lastport bench --details\n  lastport bench --format json -o bench.json",
		RunE:    func(*cobra.Command, []string) error { return a.bench(&f, quick) },
	}
	f.addHow(c.Flags())
	f.output.detailsFlag(c.Flags())
	c.Flags().BoolVar(&quick, "quick", false, "leave out what has to wait for a TIME_WAIT, and say so")
	return c
}

// bench makes every run of the suite and reports them side by side.
func (a *app) bench(f *runFlags, quick bool) error {
	if f.place != place.Private.String() {
		return usagef("leave --place out", "--place %s: a bench compares settings and ranges, which only places of its own can have", f.place)
	}
	host, err := place.ReadHost(sysctlKeys(f.sysctls)...)
	if err != nil {
		return err
	}
	about, err := f.suiteHost(host)
	if err != nil {
		return err
	}
	plan, err := suite.Bench(about, quick)
	if err != nil {
		return err
	}
	parts, err := f.parts(plan, host)
	if err != nil {
		return err
	}
	s, err := makeSetFolder(f.out, "bench", "scenario", plan.Len())
	if err != nil {
		return err
	}
	s.set.Skipped, s.set.Rows = plan.Skipped, setRows(plan, parts)
	return a.concludeSet(s, a.inParts(s, plan, parts, host, f), &f.output)
}

// inParts makes the runs of one part after those of the other.
func (a *app) inParts(s *setFolder, plan suite.Suite, parts [][]namedRun, host place.Host, f *runFlags) error {
	for i, runs := range parts {
		var err error
		switch p := plan.Parts[i]; {
		case len(runs) == 0:
		case p.AtOnce:
			if p.Lasts > 0 {
				a.ui.waiting(len(runs), p.Lasts)
			} else {
				a.ui.together(len(runs))
			}
			err = a.allAtOnce(s, runs, host)
		default:
			err = a.oneByOne(s, runs, host, f)
		}
		if err != nil || a.status == exitInterrupted {
			return err
		}
	}
	return nil
}

// parts makes the suite's runs, so that what is wrong with a flag is known
// before the first of them.
func (f *runFlags) parts(plan suite.Suite, host place.Host) ([][]namedRun, error) {
	var parts [][]namedRun
	n := 0
	for _, p := range plan.Parts {
		var runs []namedRun
		for _, m := range p.Members {
			cfg, err := f.member(m, host)
			if err != nil {
				return nil, err
			}
			runs = append(runs, namedRun{n, m.Name, cfg})
			n++
		}
		parts = append(parts, runs)
	}
	return parts, nil
}

// member is one run of the suite.
func (f *runFlags) member(m *suite.Member, host place.Host) (loadgen.Config, error) {
	one := *f
	one.keepFree = keepEnough // a bench has no such flag
	one.ranges, one.strategy, one.duration = m.Range, m.Strategy, m.Duration
	one.sysctls = overridden(f.sysctls, m.Sysctls)
	one.v6 = m.IPv6
	one.sources = sourceWords(m.Sources)
	if m.UDP {
		one.proto = "udp"
	}
	switch {
	case m.Scenario == "reuse":
		one.connections = reuseConnections
	case m.Scenario == "churn" && m.Rate == 0:
		one.workers = max(one.workers, runtime.NumCPU())
	}
	cfg, err := one.config(m.Scenario, m.Close, host)
	for len(cfg.Targets) < m.Targets {
		last := cfg.Targets[len(cfg.Targets)-1]
		cfg.Targets = append(cfg.Targets, netip.AddrPortFrom(last.Addr().Next(), last.Port()))
	}
	cfg.RangeName, cfg.Rate, cfg.Attempts = m.Profile, m.Rate, m.Attempts
	if m.Scenario == "churn" && m.Rate == 0 {
		cfg.Concurrency = cfg.Workers
	}
	if err == nil {
		err = loadgen.CheckEngine(&cfg)
	}
	cfg.Compared = true // its rows are
	return cfg, err
}

// sourceWords are n source addresses as --source takes them; none for 0.
func sourceWords(n int) []string {
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("198.18.1.1-198.18.1.%d", n)}
}

// overridden adds the settings of a member to those of --sysctl, which give way.
func overridden(sysctls, own []string) []string {
	var all []string
	for _, text := range sysctls {
		if key, _, _ := strings.Cut(text, "="); !setsKey(own, key) {
			all = append(all, text)
		}
	}
	return append(all, own...)
}

// setsKey says whether one of the settings is of the key.
func setsKey(settings []string, key string) bool {
	key = strings.ReplaceAll(strings.TrimSpace(key), "/", ".")
	for _, text := range settings {
		if strings.HasPrefix(text, key+"=") {
			return true
		}
	}
	return false
}

// suiteHost is what the suite must know of the host, under --sysctl.
func (f *runFlags) suiteHost(host place.Host) (suite.Host, error) {
	var c loadgen.Config
	if err := f.settings(&c, host); err != nil {
		return suite.Host{}, err
	}
	setting := func(key string) string {
		if v, ok := c.Sysctls[key]; ok {
			return v
		}
		return host.Settings[key]
	}
	number := func(key string) int {
		n, _ := strconv.Atoi(strings.TrimSpace(setting(key))) // a kernel without it: 0
		return n
	}
	own, err := hostRange(host)
	if err != nil {
		return suite.Host{}, err
	}
	reserved, err := ports.ParseSysctl(setting(keyReserved))
	if err != nil {
		return suite.Host{}, named("--sysctl "+keyReserved, err)
	}
	s := capacity.Settings{
		TWReuse:      number(suite.KeyTWReuse),
		TWReuseDelay: time.Duration(number("net.ipv4.tcp_tw_reuse_delay")) * time.Millisecond,
		Timestamps:   number("net.ipv4.tcp_timestamps") != 0,
		HZ:           kernel.HZ(),
	}
	if most, err := strconv.ParseInt(strings.TrimSpace(setting("net.ipv4.tcp_max_tw_buckets")), 10, 64); err == nil {
		s.MaxTimeWait = &most
	}
	return suite.Host{Range: own, Reserved: reserved, Settings: s}, nil
}

// setRows says which runs belong to which row of the table.
func setRows(plan suite.Suite, parts [][]namedRun) []result.SetRow {
	ids := map[*suite.Member]string{}
	for i, p := range plan.Parts {
		for j, m := range p.Members {
			ids[m] = parts[i][j].cfg.ID
		}
	}
	var rows []result.SetRow
	for _, r := range plan.Rows {
		row := result.SetRow{
			Name: r.Name, Strategy: r.Strategy, Range: r.Ports.String(), RangeName: r.Profile, Close: r.Close.String(),
			Sources: r.Sources, Targets: r.Targets, Predicted: predictedOf(r.Predicted), Runs: []string{},
		}
		if r.UDP {
			row.Proto = "udp"
		}
		if r.TWReuse {
			row.Sysctls = map[string]string{suite.KeyTWReuse: "1"}
		}
		for _, m := range r.Members {
			if id, made := ids[m]; made {
				row.Runs = append(row.Runs, id)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// predictedOf is what the arithmetic says, as a file keeps it.
func predictedOf(a capacity.Answer) result.Predicted {
	p := result.Predicted{
		Connections: &result.Interval{Min: a.Connections.Min, Max: a.Connections.Max},
		ReuseNS:     &result.Interval{Min: int64(a.Reuse.Min), Max: int64(a.Reuse.Max)},
		Why:         a.Why,
	}
	if a.Rate != nil {
		p.RatePerS = &result.RateInterval{Min: a.Rate.Min, Max: a.Rate.Max}
	}
	return p
}
