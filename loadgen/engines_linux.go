package loadgen

import (
	"fmt"
	"slices"
	"strings"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/uring"
	"lastport/loadgen/strategy"
	"lastport/reports/result"
)

// Which engine does a run: direct calls where something is timed, a ring for a
// churn as fast as it goes.

// Connections of one worker that a ring has under way by default. Measured: with
// both ends together more bring nothing; apart they keep the other end busy while
// this one works.
const (
	ringTogether = 16
	ringApart    = 64
)

// EngineError says that --engine uring does not go with the rest of the command
// line.
type EngineError struct{ Why string }

func (e *EngineError) Error() string { return "--engine uring: " + e.Why }

// Hint says what to type.
func (e *EngineError) Hint() string { return "--engine direct" }

// Usage says that the command line is wrong.
func (e *EngineError) Usage() bool { return true }

// CheckEngine says whether the engine that is asked for goes with the rest of the
// configuration. Whether this kernel has it Settle finds out. The error is an
// *EngineError.
func CheckEngine(c *Config) error {
	if c.Engine != EngineURing {
		return nil
	}
	return c.unfit()
}

// Settle decides what --engine auto and a missing --concurrency leave open, and
// keeps why. It asks the kernel, so it is called where the run is to happen; a
// second call changes nothing. The error says why --engine uring cannot be used.
func (c *Config) Settle() error {
	if c.Chosen.Used != "" {
		return nil
	}
	asked, traits := c.Engine, strategy.Traits{}
	if run, err := strategy.New(c.Strategy, c.space(nil)); err == nil {
		traits = run.Traits()
	}
	why := c.whyNoRing(traits)
	switch {
	case asked == EngineURing && why != nil:
		return why
	case asked == EngineDirect || why != nil:
		c.Engine = EngineDirect
	default:
		c.Engine = EngineURing
	}
	c.Chosen = result.Engine{Asked: asked.String(), Used: c.Engine.String()}
	if asked == EngineAuto && why != nil && c.fastest() {
		c.Chosen.Why = strings.TrimPrefix(why.Error(), "--engine uring: ")
	}
	if c.fastest() && c.Concurrency == 0 {
		c.Concurrency = c.atATime(traits)
	}
	return nil
}

// whyNoRing says why the run is not done by a ring, whatever was asked for: nil if
// it can be.
func (c *Config) whyNoRing(t strategy.Traits) error {
	why := c.unfit()
	switch {
	case why != nil || c.Engine == EngineDirect:
		return why
	case c.Engine == EngineAuto && c.Compared:
		return &EngineError{"runs that are compared are done the same way, and direct calls do all of them"}
	}
	return probeRing(t)
}

// probeRing asks the kernel for what the ring needs.
func probeRing(t strategy.Traits) error {
	if t.Source {
		return uring.ProbeBind()
	}
	return uring.Probe()
}

// fastest says whether attempts follow one another as fast as they can.
func (c *Config) fastest() bool { return c.Scenario == "churn" && c.Rate == 0 }

// atATime is the default of --concurrency: with a ring many, but few beside the
// ports, which they hold meanwhile.
func (c *Config) atATime(t strategy.Traits) int {
	each := 1
	switch {
	case c.Engine != EngineURing:
	case c.Ends == EndsApart:
		each = ringApart
	default:
		each = ringTogether
	}
	const share = 4 // of the ports
	tuples := c.Ports().Size() * c.space(nil).Pools(t).Count()
	if c.Engine == EngineURing {
		each = max(1, min(each, ringBound()))
	}
	return max(c.Workers, min(each*c.Workers, tuples/share))
}

// ringBound is how many connections one worker's ring can hold: its descriptors
// count by RLIMIT_NOFILE, two for each (io_uring_register(2)).
func ringBound() int {
	limit, err := kernel.NoFileLimit()
	if err != nil {
		return engine.MaxInFlight
	}
	return int(min(limit/2, engine.MaxInFlight))
}

// RingListener says whether the listener is to accept by a ring too. One that
// closes first must hear what asks it to, which threads do. A ring accepts all that
// waits in its queues, and the kernel drops what finds no descriptor in its table:
// where the descriptor limit keeps that small threads accept, which let it wait.
func (c *Config) RingListener() bool {
	if c.Engine != EngineURing || c.Ends != EndsApart || c.Close.ServerFirst() || c.Linger > 0 {
		return false
	}
	limit, err := kernel.NoFileLimit()
	return err == nil && limit >= uint64(min(mostQueued, number("net.core.somaxconn")*len(c.Targets)))
}

// mostQueued is about as many connections as ever wait at once to be accepted.
const mostQueued = 16_384

// unfit says why a ring cannot do the run, or would not measure what is asked
// for: nil if it can. The error is an *EngineError.
func (c *Config) unfit() error {
	no := func(format string, args ...any) error { return &EngineError{fmt.Sprintf(format, args...)} }
	switch {
	case c.Scenario != "churn":
		return no("a %s times single calls, and a ring does not", c.Scenario)
	case c.Rate > 0:
		return no("at a rate response times are measured, and a ring does not time single calls")
	case c.Hold > 0:
		return no("--hold %v: a ring closes at once", c.Hold)
	case c.Requests > 0:
		return no("--requests %d: a ring closes at once", c.Requests)
	case c.NAT != nil:
		return no("--place nat: a gateway loses SYNs, and whose they were is told of single calls")
	case c.UDP:
		return no("--proto udp: a ring does whole TCP connections")
	case c.Concurrency > engine.MaxInFlight*c.Workers:
		return no("--concurrency %d: a ring does at most %d for each worker", c.Concurrency, engine.MaxInFlight)
	case c.Concurrency > ringBound()*c.Workers:
		return no("--concurrency %d: the descriptor limit leaves a ring %d for each worker", c.Concurrency, ringBound())
	}
	return c.unfitForAny(no)
}

// unfitForAny says what one of the run's targets, strategies or expectations asks
// of a ring that it cannot do.
func (c *Config) unfitForAny(no func(string, ...any) error) error {
	for _, t := range c.Targets {
		if c.Ports().Contains(t.Port()) {
			return no("--target %s: its port is in the range, and a ring could not tell a socket that connects to itself", t)
		}
	}
	if run, err := strategy.New(c.Strategy, c.space(nil)); err == nil && run.Traits().Tries {
		return no("--strategy %s makes several tries in one attempt, and in a ring attempts overlap", c.Strategy)
	}
	for _, text := range c.Expect {
		if e, err := result.ParseExpect(text); err == nil && c.unseen(e.Field()) {
			return no("--expect %q: a ring does not measure it", text)
		}
	}
	return nil
}

// unseen says whether a field is one that a run by a ring does not have.
func (c *Config) unseen(field string) bool {
	part, rest, _ := strings.Cut(field, ".")
	timed := slices.ContainsFunc((result.Latency{}).All(), func(t result.Timed) bool { return t.Name == part })
	peers := part == "ports" || part == "server" && strings.HasPrefix(rest, "distinct")
	return timed || part == "occupancy" || peers && c.Ends == EndsApart
}
