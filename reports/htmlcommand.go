package reports

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"lastport/reports/result"
)

// command is the command line of a run, a word at a time.
type command []string

// flag adds a flag that has a value.
func (c *command) flag(name, value string) {
	if value != "" {
		*c = append(*c, "--"+name, shellWord(value))
	}
}

func (c *command) number(name string, n int64) {
	if n > 0 {
		c.flag(name, strconv.FormatInt(n, 10))
	}
}

func (c *command) time(name string, ns int64) {
	if ns > 0 {
		c.flag(name, time.Duration(ns).String())
	}
}

// pairs adds a repeatable flag for each KEY=VALUE.
func (c *command) pairs(name string, pairs map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(pairs))[:min(len(pairs), maxItems)] {
		c.flag(name, key+"="+pairs[key])
	}
}

// String is the command line as a shell takes it.
func (c command) String() string { return strings.Join(c, " ") }

// defaultTimeout is what --timeout is when it is not given, in nanoseconds.
func defaultTimeout(scenario string) int64 {
	if scenario == "reach" {
		return int64(1500 * time.Millisecond)
	}
	return int64(3 * time.Second)
}

// commandOf is the command that repeats a run: its flags as they were understood.
// It is empty where the file names no scenario that is a verb, and of a result
// that was merged: no one command makes all shards.
func commandOf(r *result.Result) string {
	if r.Merged != nil || !makesRuns(r.Run.Scenario) {
		return ""
	}
	cfg := r.Config
	c := command{"lastport", r.Run.Scenario}
	c.what(r)
	c.flag("rate", cfg.Rate)
	c.number("connections", cfg.Connections)
	c.number("attempts", cfg.Attempts)
	c.number("concurrency", int64(cfg.Concurrency))
	c.number("requests", int64(cfg.Requests))
	c.time("hold", cfg.HoldNS)
	c.time("duration", cfg.DurationNS)
	if cfg.TimeoutNS != defaultTimeout(r.Run.Scenario) {
		c.time("timeout", cfg.TimeoutNS)
	}
	c.time("user-timeout", cfg.UserTimeoutNS)
	if cfg.Workers > 1 || r.Run.Scenario == "churn" { // whose own number depends on the machine
		c.number("workers", int64(cfg.Workers))
	}
	c.where(cfg)
	if r.OnHost != nil {
		c.flag("keep-free", strconv.FormatInt(r.OnHost.KeepFree, 10))
	}
	c.number("leave", cfg.Leave)
	c.flag("held", cfg.Held)
	c.time("linger", cfg.LingerNS)
	if s := r.Run.Shard; s != nil {
		c.flag("shard", strconv.Itoa(s.Index)+"/"+strconv.Itoa(s.Count))
	}
	for _, expr := range cfg.Expect[:min(len(cfg.Expect), maxItems)] {
		c.flag("expect", expr)
	}
	if cfg.Seed > 0 && r.Run.Scenario != "reach" { // which takes its ports in ascending order
		c.flag("seed", strconv.FormatUint(cfg.Seed, 10))
	}
	if len(cfg.Command) > 0 {
		c = append(c, "--", shellWords(cfg.Command))
	}
	return c.String()
}

// makesRuns says whether a scenario is a verb, and can be typed.
func makesRuns(scenario string) bool {
	return slices.Contains([]string{"fill", "churn", "reuse", "survey", "reach"}, scenario)
}

// what adds which tuples the run uses, and how.
func (c *command) what(r *result.Result) {
	c.ports(r.Config)
	c.addresses(r)
	c.how(r)
}

// ports adds the range, by its name where that means the same everywhere.
func (c *command) ports(cfg result.Config) {
	if cfg.RangeName != "" && cfg.RangeName != "host" {
		c.flag("range", cfg.RangeName)
	} else {
		c.flag("range", cfg.Range)
	}
	c.flag("exclude", cfg.Exclude)
}

// portsBut is ports, without what is the default: the host's own range.
func (c *command) portsBut(cfg result.Config) {
	if cfg.RangeName == "host" {
		c.flag("exclude", cfg.Exclude)
		return
	}
	c.ports(cfg)
}

// addresses adds those of both ends, unless they are what they would be without a
// flag.
func (c *command) addresses(r *result.Result) {
	cfg := r.Config
	if r.Space.Widened == "" { // else lastport adds them again by itself
		c.flag("source", flagList(cfg.Sources, address))
		c.target(cfg.Targets, cfg.Range)
	}
}

// how adds the way in which ports are used.
func (c *command) how(r *result.Result) {
	cfg := r.Config
	if r.Run.Scenario != "reach" { // which asks for each port by itself
		c.flag("strategy", cfg.Strategy)
		c.number("window-size", int64(cfg.WindowSize))
		c.flag("window-moves", optional(cfg.WindowMoves, strconv.Itoa))
		c.number("tradeoff", int64(cfg.Tradeoff))
	}
	switch {
	case cfg.Proto == "udp":
		c.flag("proto", cfg.Proto)
	case modeOf(cfg) != "":
		c.flag("mode", cfg.Mode)
	case r.Run.Scenario != "reach" && r.Run.Scenario != "survey": // which close in one way alone
		c.flag("close", cfg.Close)
	}
	if r.Run.Scenario == "reach" {
		c.flag("block", cfg.Block)
		c.flag("block-in", cfg.BlockIn)
		c.number("tries", int64(cfg.Tries))
	}
}

// usualPort is the listener's where no target is named, unless it is a port of the
// range.
const usualPort = 1000

// target adds the targets, unless they are what they would be without a flag.
func (c *command) target(targets []string, ranges string) {
	if len(targets) == 1 {
		at, err := netip.ParseAddrPort(targets[0])
		usual := err == nil && at.Port() == usualPort && !holds(ranges, usualPort)
		switch {
		case usual && at.Addr() == netip.AddrFrom4([4]byte{198, 18, 0, 1}):
			return
		case usual && at.Addr() == netip.MustParseAddr("2001:2::1"):
			*c = append(*c, "-6")
			return
		}
	}
	c.flag("target", flagList(targets, endpoint))
}

// holds says whether ranges such as "1-3,7" have a port.
func holds(ranges string, port uint64) bool {
	for part := range strings.SplitSeq(ranges, ",") {
		low, high, wide := strings.Cut(part, "-")
		if !wide {
			high = low
		}
		from, err := strconv.ParseUint(low, 10, 16)
		to, err2 := strconv.ParseUint(high, 10, 16)
		if err == nil && err2 == nil && from <= port && port <= to {
			return true
		}
	}
	return false
}

func flagList(list []string, n next) string { return strings.ReplaceAll(inRows(list, n), ", ", ",") }

// where adds what does the work, the place of the run and what is set there.
func (c *command) where(cfg result.Config) {
	if cfg.Engine != "direct" && cfg.Engine != "auto" {
		c.flag("engine", cfg.Engine)
	}
	c.flag("ends", cfg.Ends)
	c.place(cfg)
}

// place adds the place of the run and what is set there.
func (c *command) place(cfg result.Config) {
	if cfg.Place != "" && cfg.Place != "private" {
		c.flag("place", cfg.Place)
	}
	if cfg.Place == "nat" {
		if cfg.NATRangeName != "" {
			c.flag("nat-range", cfg.NATRangeName)
		} else {
			c.flag("nat-range", cfg.NATRange)
		}
		c.number("nat-addresses", int64(len(cfg.NATAddresses)))
		if cfg.NATRandom {
			*c = append(*c, "--nat-random")
		}
		for _, state := range slices.Sorted(maps.Keys(cfg.NATTimeoutsNS))[:min(len(cfg.NATTimeoutsNS), maxItems)] {
			c.flag("nat-timeout", state+"="+time.Duration(cfg.NATTimeoutsNS[state]).String())
		}
		if cfg.Clients > 1 {
			c.number("clients", int64(cfg.Clients))
		}
	}
	c.pairs("sysctl", cfg.Sysctls)
	c.pairs("peer-sysctl", cfg.PeerSysctls)
}
