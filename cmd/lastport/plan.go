package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
	"lastport/reports/result"
)

// planFlags are the flags of plan, as they were typed.
type planFlags struct {
	ranges, exclude   string
	sources, targets  int
	strategy          string
	proto, close      string
	sysctls           []string
	hz                int
	hold, reuse       time.Duration
	rate, concurrency string
	headroom          string
	parts             planParts
	proving           proveFlags
	list              bool
	output            output

	given func(flag string) bool // by the user
	notIn string                 // ports of --exclude that are not in the range
}

// planVerb answers by arithmetic, without a run, on any system.
func (a *app) planVerb() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:     "plan",
		Short:   "capacity by arithmetic: what a range sustains, or what a rate needs",
		Long:    planLong(),
		Example: planExample(),
		RunE: func(c *cobra.Command, _ []string) error {
			f.given = c.Flags().Changed
			if err := cmp.Or(f.output.check(), f.output.notOver(f.parts.from)); err != nil {
				return err
			}
			if f.list {
				if err := aloneWith(c.Flags(), "ranges"); err != nil {
					return err
				}
				return f.output.render(a.stdout, namedRanges())
			}
			if err := f.proving.check(); err != nil {
				return err
			}
			if f.proving.on {
				return a.prove(&f)
			}
			d, err := f.plan(readPlanHost())
			if err != nil {
				return err
			}
			return f.output.render(a.stdout, d)
		},
	}
	f.add(c.Flags())
	return c
}

// planLong is what --help says first.
func planLong() string {
	return "plan answers by the arithmetic of every run's prediction, and opens nothing.\n" +
		"Given nothing, it says how many connections per second this host can open to\n" +
		"one target for long, and how many at once. Given a rate or a concurrency, it\n" +
		"says whether the ports hold it, and how many targets, source addresses or\n" +
		"ports it takes if they do not. An answer that says no is an answer: exit\n" +
		"status 0.\n\n" +
		"On Linux the range and the settings are this host's unless flags say\n" +
		"otherwise; elsewhere they are Linux's documented defaults. Targets are taken\n" +
		"not to be loopback addresses, for which tcp_tw_reuse=2 would do more."
}

// planExample are commands to start from.
func planExample() string {
	return "  lastport plan\n" +
		"  lastport plan --rate 2000\n" +
		"  lastport plan --rate 50k/s --hold 200ms --headroom 20%\n" +
		"  lastport plan --concurrency 100k --range 1024-65535\n" +
		"  lastport plan --rate 600 --share 70%,20%,10%\n" +
		"  lastport plan --rate 200 --burst 2000/s:5s:1m\n" +
		"  lastport plan --rate 800 --gateway azure-nat --fleet 10\n" +
		"  lastport plan --range windows\n" +
		"  lastport plan --rate 2000 --sysctl net.ipv4.tcp_tw_reuse=1\n" +
		"  lastport plan --rate 2000 --prove\n" +
		"  lastport plan --ranges"
}

func (f *planFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.ranges, "range", hostsOwn, "source `PORTS`: host, LOW-HIGH[,LOW-HIGH], or a profile (see --ranges)")
	fs.StringVar(&f.exclude, "exclude", "", "`PORTS` of the range to leave out")
	fs.IntVar(&f.sources, "sources", 0, "`NUMBER` of source addresses (default: to be found, from one)")
	fs.IntVar(&f.targets, "targets", 0, "`NUMBER` of target addresses and ports (default: to be found, from one)")
	fs.StringVar(&f.strategy, "strategy", "", "how the source port is chosen, a `NAME` of "+strings.Join(strategy.Names(), ", ")+" (default: connect; with several sources one that chooses)")
	fs.StringVar(&f.proto, "proto", "tcp", "a `PROTOCOL`: tcp or udp")
	fs.StringVar(&f.close, "close", "client-fin", "who closes, and how: a `MODE` of "+strings.Join(step.CloseModes(), ", "))
	fs.StringArrayVar(&f.sysctls, "sysctl", nil, "a `KEY=VALUE` to plan with instead of the host's (repeatable)")
	fs.IntVar(&f.hz, "hz", 0, "`NUMBER` of timer interrupts per second, the kernel's CONFIG_HZ (default: this kernel's)")
	fs.DurationVar(&f.hold, "hold", 0, "how `LONG` each connection stays open")
	fs.DurationVar(&f.reuse, "reuse", 0, "how `LONG` a port is out of use after a close, for a system that states no time, or another (default: by the system)")
	fs.StringVar(&f.rate, "rate", "", "a `RATE` of new connections: 2000, 50k/s, 3M/m")
	fs.StringVar(&f.concurrency, "concurrency", "", "a `NUMBER` of connections open at a time: 5000, 50k")
	fs.StringVar(&f.headroom, "headroom", "0%", "`SHARE` of the ports that is to stay free: 20%")
	f.parts.add(fs)
	f.proving.add(fs)
	fs.BoolVar(&f.list, "ranges", false, "list the named ranges: ports, reuse time, limit, source")
	f.output.flags(fs)
}

// hostsOwn as a range is that of this host.
const hostsOwn = "host"

// aloneWith refuses flags beside one that answers by itself.
func aloneWith(fs *pflag.FlagSet, flag string) (err error) {
	fs.Visit(func(other *pflag.Flag) {
		if err == nil && !slices.Contains([]string{flag, "format", "output"}, other.Name) {
			err = usagef("--"+flag, "--%s lists what there is and plans nothing, so --%s has no meaning", flag, other.Name)
		}
	})
	return err
}

// plan understands the flags and solves what they leave open.
func (f *planFlags) plan(host planHost) (*result.Plan, error) {
	_, d, err := f.solve(host)
	return d, err
}

// solve is plan, with the answer as the arithmetic has it beside its document.
func (f *planFlags) solve(host planHost) (capacity.Plan, *result.Plan, error) {
	w, env, err := f.wish(host)
	if err != nil {
		return capacity.Plan{}, nil, err
	}
	p, err := capacity.NewPlan(w)
	if err != nil {
		return capacity.Plan{}, nil, err
	}
	d := f.document(p, env)
	if err := f.cost(p, d, host.processors); err != nil {
		return capacity.Plan{}, nil, err
	}
	return p, d, nil
}

// wish understands the flags.
func (f *planFlags) wish(host planHost) (w capacity.Wish, env planEnv, err error) {
	for _, understand := range []func(*capacity.Wish) error{f.times, f.amounts, f.varied} {
		if err := understand(&w); err != nil {
			return w, env, err
		}
	}
	if env, err = f.surroundings(host); err != nil {
		return w, env, err
	}
	for _, understand := range []func(*capacity.Wish, planEnv) error{f.space, f.words, f.addresses, f.behind} {
		if err := understand(&w, env); err != nil {
			return w, env, err
		}
	}
	return w, env, nil
}

// times reads for how long a port is taken.
func (f *planFlags) times(w *capacity.Wish) error {
	w.Hold, w.Reuse = f.hold, f.reuse
	switch {
	case f.hold < 0:
		return usagef("--hold 10s", "--hold %v: a time cannot be below 0", f.hold)
	case f.hold > capacity.MaxHold:
		return usagef("--hold 24h", "--hold %v: at most %v", f.hold, capacity.MaxHold)
	case f.given("reuse") && (f.reuse <= 0 || f.reuse > capacity.MaxHold):
		return usagef("--reuse 60s", "--reuse %v: want more than 0 and at most %v", f.reuse, capacity.MaxHold)
	}
	return nil
}

// amounts reads how much is wanted.
func (f *planFlags) amounts(w *capacity.Wish) error {
	var ok bool
	if f.given("rate") {
		if w.Rate, ok = parseRate(f.rate); !ok {
			return usagef("--rate "+asNumber(f.rate, "2000")+"/s", "--rate %q: want %s", f.rate, rateForm)
		}
		if !(w.Rate >= minPlanRate && w.Rate <= capacity.MaxRate) {
			return usagef("--rate 2000/s", "--rate %s: want more than 0 and at most 1000M/s: no range can hold more", f.rate)
		}
	}
	if f.given("concurrency") {
		if w.Open, ok = parseCount(f.concurrency); !ok {
			return usagef("--concurrency 50k", "--concurrency %q: want %s", f.concurrency, countForm)
		}
		if w.Open < 1 {
			return usagef("--concurrency 50k", "--concurrency %s: want 1 or more", f.concurrency)
		}
	}
	if w.Headroom, ok = parseShare(f.headroom); !ok {
		return usagef("--headroom "+asNumber(f.headroom, "20")+"%", "--headroom %q: want %s", f.headroom, shareForm)
	}
	if w.Headroom < 0 || w.Headroom > maxHeadroom {
		return usagef("--headroom 20%", "--headroom %s: want 0%% to 99%%: with more no port is left to use", f.headroom)
	}
	return nil
}

// Bounds of a plan: slower is once in 30 years, and with more headroom no port
// is left to use.
const (
	minPlanRate = 1e-9
	maxHeadroom = 0.99
)

// space reads which ports there are.
func (f *planFlags) space(w *capacity.Wish, env planEnv) error {
	if f.ranges == hostsOwn {
		w.Range, w.Reserved, w.Held = ports.Of(env.system), env.reserved, env.held
		w.SystemRange = env.system
	} else {
		var err error
		if w.Range, err = ports.Parse(f.ranges); err != nil {
			return named("--range", err)
		}
		if env.rangeSet {
			return usagef("--range "+f.ranges, "--range and --sysctl %s both say which ports there are", keyPortRange)
		}
		// Of ports that the host's are not, the host's reservations say nothing.
		if env.reservedSet {
			w.Reserved = env.reserved
		}
		w.System = systemOf(f.ranges)
	}
	for _, flag := range []string{"sysctl", "hz"} {
		if w.System != nil && f.given(flag) {
			return usagef("leave --"+flag+" out", "--%s with --range %s: the kernel's settings are those of Linux", flag, f.ranges)
		}
	}
	if f.exclude == "" {
		return nil
	}
	exclude, err := ports.Parse(f.exclude)
	if err != nil {
		return named("--exclude", err)
	}
	left := w.Range.Minus(exclude)
	if left.Size() == 0 {
		return usagef("leave --exclude out", "--exclude %s leaves no port of the range %s", f.exclude, w.Range)
	}
	if none := exclude.Minus(w.Range); none.Size() > 0 {
		f.notIn = none.String()
	}
	w.SystemRange, w.Range = w.Range.Hull(), left // the kernel searches all of it and passes over what is excluded
	return nil
}

// words reads the flags that take one of a few words.
func (f *planFlags) words(w *capacity.Wish, _ planEnv) error {
	if !slices.Contains(protocols(), f.proto) {
		return usagef("--proto tcp", "--proto %q: not one of %s", f.proto, strings.Join(protocols(), ", "))
	}
	mode, err := step.ParseCloseMode(f.close)
	if err != nil {
		near, ok := ports.Nearest(f.close, step.CloseModes())
		if !ok {
			near = step.ClientFIN.String()
		}
		return usagef("--close "+near, "--close %q: not one of %s", f.close, strings.Join(step.CloseModes(), ", "))
	}
	if f.proto == "udp" && f.given("close") {
		return usagef("leave --close out", "--close %s with --proto udp: UDP has no close that is seen, and no TIME_WAIT", f.close)
	}
	if w.System != nil && w.System.Gateway && f.proto == "udp" {
		return usagef("--proto tcp", "--proto udp with --range %s: the stated numbers are those of TCP", f.ranges)
	}
	w.Proto, w.Close = f.proto, mode.String()
	if f.given("reuse") && !w.Rests() {
		return usagef("leave --reuse out", "--reuse %v: closed like this (%s) a port is free at once", f.reuse, phrase(f.proto, mode))
	}
	return nil
}

// phrase says how a connection is closed.
func phrase(proto string, mode step.CloseMode) string {
	if proto == "udp" {
		return "udp"
	}
	return "--close " + mode.String()
}

func protocols() []string { return []string{"tcp", "udp"} }

// addresses reads --sources and --targets, and the strategy, on which it
// depends whether there can be several sources.
func (f *planFlags) addresses(w *capacity.Wish, env planEnv) error {
	w.Settings = env.settings
	for _, n := range []struct {
		flag  string
		value int
	}{{"sources", f.sources}, {"targets", f.targets}} {
		if f.given(n.flag) && (n.value < 1 || n.value > capacity.MaxAddresses) {
			return usagef("--"+n.flag+" 1", "--%s %d: want 1 to %d, or leave it out to have it found", n.flag, n.value, capacity.MaxAddresses)
		}
	}
	w.Sources, w.Targets = f.sources, f.targets
	if w.System != nil {
		if f.given("strategy") {
			return usagef("leave --strategy out", "--strategy %s with --range %s: strategies are ways of Linux to choose a port", f.strategy, f.ranges)
		}
		return nil
	}
	own := f.sources
	if f.parts.gateway != "" { // sources are its outside addresses, and a machine has one
		own = 1
	}
	if !f.given("strategy") {
		f.strategy = defaultStrategy(own)
	}
	s, err := strategy.New(f.strategy, strategy.Space{Ranges: w.Range})
	if err != nil {
		return named("--strategy", err)
	}
	if own > 1 && !strategy.TakesSource(f.strategy) {
		return usagef("--strategy "+defaultStrategy(f.sources),
			"--sources %d with --strategy %s: it leaves the source address to the kernel, which uses one", f.sources, f.strategy)
	}
	w.Strategy = s.Traits()
	return nil
}

// defaultStrategy is what an ordinary program does: it binds to a source address
// only if there is a choice, and then leaves the port to connect.
func defaultStrategy(sources int) string {
	if sources <= 1 {
		return "connect"
	}
	if slices.Contains(strategy.Names(), "late-bind") {
		return "late-bind"
	}
	return "socket-range"
}
