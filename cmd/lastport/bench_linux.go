package main

import (
	"fmt"
	"io"
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
)

// benchFlags are the flags of bench besides those of every run.
type benchFlags struct {
	runFlags
	quick   bool
	matrix  string
	print   bool
	without map[string]string // places of the matrix that cannot be had here, and why
}

// benchVerb compares the ways of a matrix.
func (a *app) benchVerb() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use:   "bench",
		Short: "the mitigations side by side, ranked; or a matrix of your own",
		Long: "bench compares ways of using ports in one table: settings, who closes first,\n" +
			"strategies, more addresses, keep-alive, other ranges. For each it measures how\n" +
			"many connections there can be, what rate they sustain, what connect costs\n" +
			"while ports are half used and nearly gone, how soon a port comes back and what\n" +
			"a failing connect costs, beside what arithmetic predicts. Then it ranks them:\n" +
			"the gain over the first row, and the price.\n\n" +
			"The rows are those of a file, --matrix FILE; without it the standard ones,\n" +
			"which --print-matrix prints. With expectations in the file, or --expect, it is\n" +
			"a gate: exit status 3 if one does not hold.\n\n" +
			"Every run is in a private place of its own; rows over a pair of hosts and through\n" +
			"a gateway have such places. The set and every run of it are saved. The standard\n" +
			"matrix takes two to three minutes where nothing else is at work, of which one\n" +
			"is a TIME_WAIT; with --quick less than one.",
		Example: "  lastport bench\n  lastport bench --quick\n  lastport bench --details\n" +
			"  lastport bench --print-matrix > matrix.yaml\n  lastport bench --matrix matrix.yaml --expect residual.connections==0\n" +
			"  lastport bench --format json -o bench.json",
		RunE: func(c *cobra.Command, _ []string) error { return a.bench(&f) },
	}
	f.addHow(c.Flags())
	f.output.detailsFlag(c.Flags())
	c.Flags().BoolVar(&f.quick, "quick", false, "leave out what has to wait for a TIME_WAIT, make each run once, and say so")
	c.Flags().StringVar(&f.matrix, "matrix", "", "the rows, as a `FILE` in YAML has them (default: the standard matrix)")
	c.Flags().BoolVar(&f.print, "print-matrix", false, "print the standard matrix, ready to be changed, and do nothing else")
	return c
}

// bench makes every run of the matrix and reports them side by side.
func (a *app) bench(f *benchFlags) error {
	if f.place == place.OnHost.String() {
		return usagef("leave --place out", "--place %s: a bench compares settings and ranges, which only places of its own can have", f.place)
	}
	if f.print {
		if f.matrix != "" {
			return usagef("lastport bench --print-matrix", "--print-matrix prints the standard matrix, and --matrix %s names another", f.matrix)
		}
		_, err := io.WriteString(a.stdout, suite.StandardText())
		return err
	}
	m, err := f.rows()
	if err != nil {
		return err
	}
	host, err := place.ReadHost(append(sysctlKeys(f.sysctls), matrixKeys(m)...)...)
	if err != nil {
		return err
	}
	if f.without, err = f.missing(m, host); err != nil {
		return err
	}
	plan, err := f.plan(m, host)
	if err != nil {
		return err
	}
	s, err := makeSetFolder(f.out, "bench", "scenario", plan.Len())
	if err != nil {
		return err
	}
	s.set.Skipped, s.set.Matrix, s.set.Rows = plan.Skipped, m.Name, plan.setRows()
	a.ui.expected(plan.Suite)
	err = a.inParts(s, plan, host, &f.runFlags)
	return a.concludeRows(s, plan, err, &f.output)
}

// benchPlan is the runs of a suite, ready to be made.
type benchPlan struct {
	suite.Suite
	parts [][]namedRun             // as those of the suite
	ids   map[*suite.Member]string // run.id of each
}

// plan makes the runs of a matrix, so that what is wrong with it or with a flag
// is known before the first of them.
func (f *benchFlags) plan(m suite.Matrix, host place.Host) (p benchPlan, err error) {
	if err := f.checkFlags(host); err != nil {
		return p, err
	}
	about, err := f.suiteHost(host)
	if err != nil {
		return p, err
	}
	if about.Lacks, err = lacking(m, host); err != nil {
		return p, err
	}
	about.Without = f.without
	if p.Suite, err = suite.Bench(about, m, f.quick); err != nil {
		return p, err
	}
	p.ids = map[*suite.Member]string{}
	for _, part := range p.Parts {
		var runs []namedRun
		for _, member := range part.Members {
			cfg, err := f.member(member, host)
			if err != nil {
				return p, p.Blame(m.Name, member, err)
			}
			runs = append(runs, namedRun{index: len(p.ids), name: member.Name, cfg: cfg})
			p.ids[member] = cfg.ID
		}
		p.parts = append(p.parts, runs)
	}
	return p, nil
}

// checkFlags finds what is wrong with the flags, whatever the rows are.
func (f *benchFlags) checkFlags(host place.Host) error {
	one := f.runFlags
	one.ranges = hostWord
	cfg, err := one.config(string(suite.Fill), 0, host)
	if err != nil {
		return err
	}
	if err := f.output.checkSet(); err != nil {
		return err
	}
	return loadgen.CheckEngine(&cfg)
}

// inParts makes the runs of one part after those of the other.
func (a *app) inParts(s *setFolder, plan benchPlan, host place.Host, f *runFlags) error {
	for i, runs := range plan.parts {
		var err error
		switch p := plan.Parts[i]; {
		case len(runs) == 0:
		case len(runs) == 1:
			err = a.oneByOne(s, runs, host, f)
		case p.AtOnce && p.Lasts > 10*time.Second:
			a.ui.waiting(len(runs), p.Lasts.Round(time.Second))
			err = a.allAtOnce(s, runs, host, f.progress)
		case p.AtOnce:
			a.ui.together(len(runs))
			err = a.allAtOnce(s, runs, host, f.progress)
		default:
			err = a.oneByOne(s, runs, host, f)
		}
		if err != nil || a.status == exitInterrupted {
			return err
		}
	}
	return nil
}

// member is one run of the suite.
func (f *runFlags) member(m *suite.Member, host place.Host) (loadgen.Config, error) {
	one := *f
	one.ranges, one.exclude, one.strategy, one.duration = m.Range, m.Exclude, m.Strategy, m.Duration
	one.sysctls = overridden(f.sysctls, m.Sysctls)
	one.v6, one.hold, one.connections = m.IPv6, m.Hold, m.Connections
	one.expect = nil // they are held against rows
	one.sources = sourceWords(m.Sources, m.IPv6)
	var err error
	if one.targets, err = targetWords(m, host); err != nil {
		return loadgen.Config{}, err
	}
	if m.UDP {
		one.proto = "udp"
	}
	if err := one.settle(m, host); err != nil {
		return loadgen.Config{}, err
	}
	fastest := m.Scenario == string(suite.Churn) && m.Rate == 0
	if fastest {
		one.workers = max(one.workers, runtime.NumCPU())
	}
	cfg, err := one.config(m.Scenario, m.Close, host)
	if err != nil {
		return cfg, err
	}
	if m.Timeout > 0 && !f.given("timeout") {
		cfg.Timeout = m.Timeout
	}
	cfg.RangeName, cfg.Rate, cfg.Attempts, cfg.Requests = m.Profile, m.Rate, m.Attempts, m.Requests
	if fastest {
		cfg.Concurrency = cfg.Workers
	}
	if err := loadgen.CheckEngine(&cfg); err != nil {
		return cfg, err
	}
	cfg.Compared = true // rows are
	return cfg, nil
}

// sourceWords are n source addresses as --source takes them; none for 0.
func sourceWords(n int, v6 bool) []string {
	switch {
	case n == 0:
		return nil
	case v6:
		return []string{fmt.Sprintf("2001:2::1:1-2001:2::1:%x", n)}
	}
	return []string{fmt.Sprintf("198.18.1.1-198.18.%d.%d", 1+n/256, n%256)}
}

// targetWords are the member's targets as --target takes them: addresses of the
// bundled listener, all at one port outside of the range.
func targetWords(m *suite.Member, host place.Host) (words []string, err error) {
	set, err := hostRange(host)
	if m.Range != hostWord {
		set, err = ports.Parse(m.Range)
	}
	addr, port := listenerAddr4, listenerPort(set)
	for i := 0; err == nil && i < max(1, m.Targets); i++ {
		if m.IPv6 {
			words = append(words, fmt.Sprintf("[2001:2::%x]:%d", i+1, port))
			continue
		}
		words = append(words, fmt.Sprintf("%s:%d", addr, port))
		addr = addr.Next()
	}
	return words, err
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
		TWReuseDelay: time.Duration(number(suite.KeyTWReuseDelay)) * time.Millisecond,
		Timestamps:   number(suite.KeyTimestamps) != 0,
		HZ:           kernel.HZ(),
	}
	if most, err := strconv.ParseInt(strings.TrimSpace(setting(suite.KeyMaxTimeWait)), 10, 64); err == nil {
		s.MaxTimeWait = &most
	}
	return suite.Host{Range: own, Reserved: reserved, Settings: s, Processors: runtime.NumCPU()}, nil
}
