// Package loadgen makes a run: it puts scenario, strategy, engine, recorder and
// observer together, and says in a result what was predicted and what was
// measured.
//
// A run happens where the process is: making a private place for it, and
// bringing a listener, is the caller's part. Words for people are not said
// here.
package loadgen

import (
	"cmp"
	"net/netip"
	"strconv"
	"time"

	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
	"lastport/reports/result"
)

// Config is a run as the command line asks for it.
type Config struct {
	ID       string
	Repeat   int           // which of the repeats of one run this is, from 1; 0: it is not repeated
	Shard    *result.Shard // which part of a distributed run this is; nil: it is a whole one
	Scenario string
	Tool     result.Tool
	Host     result.Host // as the place reports it

	RangeName   string       // its name, if it has one: "linux", "host"
	Range       ports.Ranges // the same, as ports
	Exclude     ports.Ranges
	UDP         bool
	Sources     []netip.Addr // empty: the kernel takes it from the route
	Targets     []netip.AddrPort
	Widened     string // how the tool has widened the space by itself; "": it has not
	Strategy    string
	WindowSize  int // of window: ports in a window; 0: the strategy's own
	WindowMoves int // of window: windows tried at random before they are tried in turn
	Tradeoff    int // of random-increment: the RFC's N; 0: the strategy's own
	Close       step.CloseMode
	Mode        ReuseMode     // of a reuse: what keeps the port taken
	UserTimeout time.Duration // of a reuse: TCP_USER_TIMEOUT; 0: not set
	Connections int64         // open no more than these; 0: no bound
	Attempts    int64         // make no more than these; 0: no bound
	Rate        float64       // attempts per second; 0: as fast as Concurrency allows
	Concurrency int           // connections open or opening at a time, without a rate; 0: as many as are good for the engine
	Requests    int           // over each connection
	Hold        time.Duration // how long all stay open before the release
	Timeout     time.Duration // of one attempt
	Duration    time.Duration // bound of the whole run; 0: none
	Workers     int
	Engine      Engine
	Compared    bool          // it is one run of several that are compared: auto takes the engine that does all of them
	Chosen      result.Engine // which it came to, and why; Settle's
	Ends        Ends
	Sysctls     map[string]string
	PeerSysctls map[string]string // of the listener's host, where it is another one
	NAT         *NAT              // nil: nothing is translated
	Clients     int               // hosts that connections come from, each with the same number of sources; 0 is one
	Block       ports.Ranges      // of a reach: source ports that the place's firewall drops on the way out
	BlockIn     ports.Ranges      // of a reach: likewise on the way back
	Tries       int               // of a reach: attempts before a silent port counts as dropped
	Expect      []string
	Seed        uint64
	Leave       int64          // of a fill: ports that are given back, toward its one target, before the hold
	Command     []string       // of a fill: what runs then, with its arguments
	Far         bool           // the targets are servers elsewhere, which must consent before anything is opened
	OnHost      *result.OnHost // of a run on the real host: what it has met there
	Unrecorded  bool           // count outcomes and record nothing, to tell what recording costs

	Held   ports.Ranges  // ports that a stranger in the place has bound
	Linger time.Duration // how late the listener closes its end; 0: at once

	Hosts Hosts `json:"-"` // of the place, as who calls Run there reaches them
}

// lateClose is how much longer a port is taken because the listener closes late:
// from when it is asked to close first, or else from the client's close. A fill
// and a reuse count from the close itself, which a listener that closes first has
// made by then.
func (c *Config) lateClose() time.Duration {
	if c.Close.ServerFirst() && c.Scenario != "churn" {
		return 0
	}
	return c.Linger
}

// Ports returns the ports that the run may use: the range less those excluded.
func (c *Config) Ports() ports.Ranges { return c.Range.Minus(c.Exclude) }

// space is what the strategy chooses from. Ports that are reserved are not: RFC
// 6056, section 3.2, wants a list of ports that are not to be chosen respected.
func (c *Config) space(reserved ports.Ranges) strategy.Space {
	return strategy.Space{
		Ranges: c.Ports().Minus(reserved), Sources: c.Sources, Targets: c.Targets, UDP: c.UDP, Workers: c.Workers,
		Seed: c.Seed, WindowSize: c.WindowSize, WindowMoves: c.WindowMoves, Tradeoff: c.Tradeoff,
	}
}

// CheckStrategy says what is wrong with the strategy over the space that c asks
// for. Errors that are wrong usage have a Hint.
func CheckStrategy(c *Config) error {
	t, err := c.Traits()
	if err != nil {
		return err
	}
	if c.chooses() && !t.Source {
		return &SourceError{c.Strategy}
	}
	return nil
}

// chooses says whether attempts have to choose a source: several clients with one
// source each leave it to the kernel of each.
func (c *Config) chooses() bool {
	return len(c.Sources) > 0 && len(c.Sources) != c.Clients
}

// Traits are those of the strategy that c asks for.
func (c *Config) Traits() (strategy.Traits, error) {
	run, err := strategy.New(c.Strategy, c.space(nil))
	if err != nil {
		return strategy.Traits{}, err
	}
	return run.Traits(), nil
}

// SourceError says that a strategy cannot choose a source address.
type SourceError struct{ Strategy string }

func (e *SourceError) Error() string {
	return "--strategy " + e.Strategy + " with --source: it never binds, so the kernel takes the source address from the route"
}

// Hint says what to type.
func (e *SourceError) Hint() string { return "--strategy late-bind" }

// Usage says that the command line is wrong.
func (e *SourceError) Usage() bool { return true }

// proto is the protocol in a result.
func (c *Config) proto() string {
	if c.UDP {
		return "udp"
	}
	return "tcp"
}

// Echo returns every flag as it was understood.
func (c *Config) Echo() result.Config {
	echo := result.Config{
		Range:         c.Range.String(),
		RangeName:     c.RangeName,
		Exclude:       c.Exclude.String(),
		Proto:         c.proto(),
		Strategy:      c.Strategy,
		Mode:          c.Mode.echo(c.Scenario),
		UserTimeoutNS: int64(c.UserTimeout),
		Close:         c.Close.String(),
		Connections:   c.Connections,
		Attempts:      c.Attempts,
		Requests:      c.Requests,
		HoldNS:        int64(c.Hold),
		TimeoutNS:     int64(c.Timeout),
		DurationNS:    int64(c.Duration),
		Workers:       c.Workers,
		Engine:        c.Engine.String(),
		Ends:          c.Ends.String(),
		Place:         c.Host.Place,
		Sysctls:       c.Sysctls,
		PeerSysctls:   c.PeerSysctls,
		Clients:       c.Clients,
		Block:         c.Block.String(),
		BlockIn:       c.BlockIn.String(),
		Tries:         c.Tries,
		Expect:        c.Expect,
		Seed:          c.Seed,
		Leave:         c.Leave,
		Command:       c.Command,
		Unrecorded:    c.Unrecorded,
		Held:          c.Held.String(),
		LingerNS:      int64(c.Linger),
	}
	switch c.Mode {
	case ModeSYN, ModeInFlight, ModeKeepalive:
		echo.TimeoutNS = 0 // the kernel's own timeout is what is measured
	}
	if c.Scenario == "churn" {
		echo.Rate = "max"
		echo.Concurrency = c.Concurrency
		if c.Rate > 0 {
			echo.Rate = strconv.FormatFloat(c.Rate, 'g', -1, 64)
			echo.Concurrency = 0
		}
	}
	c.echoStrategy(&echo)
	c.NAT.echo(&echo)
	for _, s := range c.Sources {
		echo.Sources = append(echo.Sources, s.String())
	}
	for _, t := range c.Targets {
		echo.Targets = append(echo.Targets, t.String())
	}
	return echo
}

// echoStrategy adds what the strategy was asked for beyond its name. A window's
// size is not there if it was left to the strategy, which cuts it to the ports
// that it finds.
func (c *Config) echoStrategy(to *result.Config) {
	switch c.Strategy {
	case "window":
		to.WindowSize, to.WindowMoves = c.WindowSize, &c.WindowMoves
	case "random-increment":
		to.Tradeoff = cmp.Or(c.Tradeoff, strategy.DefaultTradeoff)
	}
}

// Engine names an engine.
type Engine uint8

// The engines.
const (
	EngineAuto   Engine = iota
	EngineDirect        // ordinary system calls, one at a time
	EngineURing         // whole connections by io_uring, as many as go
)

// Ends says whether one thread does both ends of a connection.
type Ends uint8

// The ways to place the two ends.
const (
	EndsAuto     Ends = iota
	EndsTogether      // the thread that opens a connection accepts it too: the cleanest latency
	EndsApart         // the listener has threads of its own
)

// ReuseMode says what keeps a port taken after its use.
type ReuseMode uint8

// The modes of a reuse.
const (
	ModeClose     ReuseMode = iota // the close: TIME_WAIT, or nothing
	ModeSYN                        // a connect to a peer that never answers
	ModeInFlight                   // data in flight to a peer that has vanished
	ModeKeepalive                  // an idle connection to a peer that has vanished
	ModeFINWait1                   // a close that a peer that has vanished never acknowledges
	ModeFINWait2                   // a close after which the peer never closes
)

var (
	modeWords = words{"mode", []string{"close", "syn", "in-flight", "keepalive", "fin-wait-1", "fin-wait-2"}}

	engineWords = words{"engine", []string{"auto", "direct", "uring"}}
	endsWords   = words{"ends", []string{"auto", "together", "apart"}}
)

// ParseReuseMode reads a word of the command line.
func ParseReuseMode(s string) (ReuseMode, error) { return parseWord[ReuseMode](modeWords, s) }

// ReuseModes lists the words that ParseReuseMode takes.
func ReuseModes() []string { return append([]string(nil), modeWords.list...) }

// String returns the word of the command line.
func (m ReuseMode) String() string { return modeWords.name(int(m)) }

// echo is the mode in a result; only a reuse has one.
func (m ReuseMode) echo(scenario string) string {
	if scenario != "reuse" {
		return ""
	}
	return m.String()
}

// ParseEngine reads a word of the command line.
func ParseEngine(s string) (Engine, error) { return parseWord[Engine](engineWords, s) }

// Engines lists the words that ParseEngine takes.
func Engines() []string { return append([]string(nil), engineWords.list...) }

// ParseEnds reads a word of the command line.
func ParseEnds(s string) (Ends, error) { return parseWord[Ends](endsWords, s) }

// String returns the word of the command line.
func (e Engine) String() string { return engineWords.name(int(e)) }

// String returns the word of the command line.
func (e Ends) String() string { return endsWords.name(int(e)) }
