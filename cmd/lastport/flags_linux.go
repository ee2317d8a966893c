package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
	"lastport/reports/result"
)

// runFlags are the flags that mean the same on every verb that runs. They are
// kept as they were typed and understood by config, so that every error names
// its flag and the accepted form.
type runFlags struct {
	ranges, exclude string
	sources         []string
	targets         []string
	v4, v6          bool
	proto           string
	strategy, close string
	windowSize      int
	windowMoves     int
	tradeoff        int
	connections     int64
	hold            time.Duration
	timeout         time.Duration
	duration        time.Duration
	workers         int
	workersGiven    bool
	repeat          int
	shard           string
	engine, ends    string
	keepFree        int
	waitClean       bool
	census          *place.Census               // of the host, once it was asked for
	keeps           func(*loadgen.Config) error // of fill: whether --leave goes with --keep-free
	token           string                      // of servers elsewhere, once it was read
	tokenFile       string
	resolve         string
	placeFlags
	sysctls  []string
	held     string
	linger   time.Duration
	expect   []string
	seed     uint64
	out      string
	progress string
	output   output
}

// setDefault gives a flag another default.
func setDefault(fs *pflag.FlagSet, name, value string) {
	flag := fs.Lookup(name)
	flag.DefValue = value
	_ = flag.Value.Set(value) // a constant of ours, of the flag's type
}

// add adds the flags that say what a run opens, and those that say how.
func (f *runFlags) add(fs *pflag.FlagSet) {
	f.addWhat(fs)
	f.addTroubles(fs)
	f.addHow(fs)
	f.addFar(fs)
	f.addHost(fs)
}

// addHost adds the flags for a run on the real host.
func (f *runFlags) addHost(fs *pflag.FlagSet) {
	fs.IntVar(&f.keepFree, "keep-free", keepEnough, "with --place host, a `NUMBER` of ports of the host's range to leave to others (default: a twentieth of it, 1000 at least, and never more than half)")
	fs.BoolVar(&f.waitClean, "wait-clean", false, "with --place host, wait until no port is in TIME_WAIT toward the targets, two minutes at the most")
	fs.Lookup("keep-free").DefValue = "0" // which says that the default is in the words
}

// addFar adds the flags for a target that is not the run's own listener.
func (f *runFlags) addFar(fs *pflag.FlagSet) {
	fs.StringVar(&f.tokenFile, "token-file", "", "`FILE` with the token of the server at --target, where that is not this run's own listener (default: LASTPORT_TOKEN)")
	fs.StringVar(&f.resolve, "resolve", "", "the `ADDRESS` to take where a --target is a name that has several")
}

func (f *runFlags) addWhat(fs *pflag.FlagSet) {
	fs.StringVar(&f.ranges, "range", hostWord, "source `PORTS`: host, LOW-HIGH[,LOW-HIGH], or a profile: "+strings.Join(profileNames(), ", "))
	fs.StringVar(&f.exclude, "exclude", "", "`PORTS` of the range to leave out")
	fs.StringSliceVar(&f.sources, "source", nil, "source `ADDRESSES`: ADDRESS, ADDRESS/BITS or LOW-HIGH, several separated by commas (default: the kernel's choice)")
	fs.StringSliceVar(&f.targets, "target", nil, "`ADDRESS:PORT[-PORT]` of the bundled listener, or with --place host of a server elsewhere, several separated by commas (default: 198.18.0.1 or [2001:2::1], outside the range)")
	fs.BoolVarP(&f.v4, "ipv4", "4", false, "over IPv4 (the default)")
	fs.BoolVarP(&f.v6, "ipv6", "6", false, "over IPv6")
	fs.StringVar(&f.proto, "proto", "tcp", "the protocol, a `NAME` of tcp, udp")
	fs.StringVar(&f.strategy, "strategy", "", "how the source port is chosen: a `NAME`[,NAME] of "+strings.Join(strategy.Names(), ", ")+", or all: one run each (default: connect; with --source late-bind)")
	fs.IntVar(&f.windowSize, "window-size", 0, fmt.Sprintf("a `NUMBER` of ports in a window, of the strategy window (default: %d, or all if there are fewer)", strategy.DefaultWindow))
	fs.IntVar(&f.windowMoves, "window-moves", strategy.DefaultMoves, "a `NUMBER` of windows that are tried at random before all are tried in turn, of the strategy window")
	fs.IntVar(&f.tradeoff, "tradeoff", strategy.DefaultTradeoff, "a `NUMBER`, the longest step of the strategy random-increment")
	fs.StringVar(&f.close, "close", "", "who closes, and how: a `MODE` of "+strings.Join(step.CloseModes(), ", "))
	fs.DurationVar(&f.hold, "hold", 0, "how `LONG` connections stay open before they are closed")
	fs.DurationVar(&f.duration, "duration", 0, "bound of the whole run, a `TIME` (default: none)")
	fs.Uint64Var(&f.seed, "seed", 0, "a `NUMBER` from which strategies that choose at random begin (default: another one each time)")
}

func (f *runFlags) addHow(fs *pflag.FlagSet) {
	fs.DurationVar(&f.timeout, "timeout", 3*time.Second, "how `LONG` one attempt may take")
	fs.IntVar(&f.workers, "workers", 1, "`NUMBER` of threads that open connections")
	fs.StringVar(&f.engine, "engine", "auto", "what does the work, a `NAME` of auto, direct, uring")
	fs.StringVar(&f.ends, "ends", "auto", "does one thread do both ends of a connection: a `WORD` of auto, together, apart")
	f.placeFlags.add(fs)
	fs.StringArrayVar(&f.sysctls, "sysctl", nil, "a `KEY=VALUE` to set in the private place (repeatable)")
	fs.StringArrayVar(&f.expect, "expect", nil, "an `EXPR` that must hold, such as 'connections>=28232' or 'connect.p99<1ms'; exit status 3 if not (repeatable)")
	fs.StringVar(&f.out, "out", "", "folder `DIR` for the results (default: ./lastport-TIME-VERB)")
	fs.StringVar(&f.progress, "progress", "auto", "what is said while the run goes on: a `WORD` of auto, plain, none")
	f.output.runFlags(fs)
}

// hostWord as a range is the host's own.
const hostWord = "host"

// rangeName keeps the word for a range that has one.
func rangeName(spec string) string {
	if _, ok := ports.Lookup(spec); ok || spec == hostWord {
		return spec
	}
	return ""
}

func profileNames() []string {
	var names []string
	for _, p := range ports.Profiles() {
		names = append(names, p.Name)
	}
	return names
}

// config understands the flags. host is the machine's settings; nothing is
// changed or started here.
func (f *runFlags) config(scenario string, closeMode step.CloseMode, host place.Host) (loadgen.Config, error) {
	c := loadgen.Config{
		ID: fmt.Sprintf("%016x", rand.Uint64()), Scenario: scenario, Tool: tool(), RangeName: rangeName(f.ranges),
		Close: closeMode, WindowSize: f.windowSize, WindowMoves: f.windowMoves, Tradeoff: f.tradeoff, Connections: f.connections, Hold: f.hold, Timeout: f.timeout,
		Duration: f.duration, Workers: f.workers, Expect: f.expect, Seed: f.seed,
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	for _, understand := range []func(*loadgen.Config, place.Host) error{
		f.ports, f.words, f.numbers, f.threads, f.settings, f.addresses, f.hosts, f.troubles, f.chosen, f.widen, f.expectations, f.part,
	} {
		if err := understand(&c, host); err != nil {
			return c, err
		}
	}
	return c, nil
}

// ports reads --range and --exclude.
func (f *runFlags) ports(c *loadgen.Config, host place.Host) (err error) {
	if f.ranges == hostWord {
		c.Range, err = hostRange(host)
	} else {
		c.Range, err = ports.Parse(f.ranges)
	}
	if err != nil {
		return named("--range", err)
	}
	if f.exclude != "" {
		if c.Exclude, err = ports.Parse(f.exclude); err != nil {
			return named("--exclude", err)
		}
	}
	if c.Ports().Size() == 0 {
		return usagef("leave --exclude out", "--exclude %s leaves no port of the range %s", f.exclude, c.Range)
	}
	return nil
}

// words reads the flags that take one of a few words.
func (f *runFlags) words(c *loadgen.Config, _ place.Host) (err error) {
	switch f.proto {
	case "", "tcp": // bench has no flag for it
	case "udp":
		if c.UDP = true; f.close != "" {
			return usagef("leave --close out", "--close %s: UDP has no close to agree on, and no TIME_WAIT", f.close)
		}
		c.Close = step.ClientFIN // an ordinary close(2), which sends nothing
	default:
		return usagef("--proto tcp", "--proto %q: not one of tcp, udp", f.proto)
	}
	if f.close != "" {
		if c.Close, err = parseClose(f.close); err != nil {
			return err
		}
	}
	if c.Engine, err = loadgen.ParseEngine(f.engine); err != nil {
		return err
	}
	if c.Ends, err = loadgen.ParseEnds(f.ends); err != nil {
		return err
	}
	kind, err := place.Parse(f.place)
	if err != nil {
		return named("--place", err)
	}
	c.Host.Place = kind.String()
	if err := f.hostFlags(c); err != nil {
		return err
	}
	if !slices.Contains([]string{"auto", "plain", "none"}, f.progress) {
		return usagef("--progress plain", "--progress %q: not one of auto, plain, none", f.progress)
	}
	return f.output.check()
}

// numbers checks the flags that take a number or a time.
func (f *runFlags) numbers(*loadgen.Config, place.Host) error {
	switch {
	case f.connections < 0:
		return usagef("--connections 1000", "--connections %d: want 1 or more, or 0 for as many as there are ports", f.connections)
	case f.hold < 0:
		return usagef("--hold 10s", "--hold %v: a time cannot be below 0", f.hold)
	case f.timeout < time.Millisecond || f.timeout > time.Minute:
		return usagef("--timeout 3s", "--timeout %v: want 1ms to 1m", f.timeout)
	case f.duration < 0:
		return usagef("--duration 1m", "--duration %v: a time cannot be below 0", f.duration)
	}
	return nil
}

// threads checks --workers, and decides what depends on it.
func (f *runFlags) threads(c *loadgen.Config, _ place.Host) error {
	most, cpus := c.Ports().Size(), runtime.NumCPU()
	switch {
	case f.workers < 1 || f.workers > maxWorkers:
		return usagef("--workers 1", "--workers %d: want 1 to %d", f.workers, maxWorkers)
	case f.workers > most:
		return usagef(fmt.Sprintf("--workers %d", most), "--workers %d: more than the range has ports (%d)", f.workers, most)
	case f.connections > 0 && int64(f.workers) > f.connections:
		return usagef(fmt.Sprintf("--workers %d", f.connections), "--workers %d: more than --connections %d", f.workers, f.connections)
	case f.workers > cpus && c.Ends == loadgen.EndsTogether:
		return usagef("--ends apart", "--ends together takes a processor for each worker: %d workers, %d processors", f.workers, cpus)
	}
	if c.Ends == loadgen.EndsAuto {
		c.Ends = loadgen.EndsTogether
		if f.workers > cpus {
			c.Ends = loadgen.EndsApart
		}
	}
	return nil
}

// maxWorkers bounds the threads of a run: more than a machine has processors
// only wait for one another.
const maxWorkers = 256

// expectations reads --expect, so that a wrong one is known before the run.
func (f *runFlags) expectations(*loadgen.Config, place.Host) error {
	for _, text := range f.expect {
		if _, err := result.ParseExpect(text); err != nil {
			return err
		}
	}
	return nil
}

// listenerPort returns a port outside the range for the listener: a listener
// inside costs its port. In a range without an outside it costs one.
func listenerPort(r ports.Ranges) uint16 {
	const usual = 1000
	for p := uint16(usual); p > 0; p-- {
		if !r.Contains(p) {
			return p
		}
	}
	if high := r.Hull().High; high < ports.Max {
		return high + 1
	}
	return usual
}
