package reports

import (
	"fmt"
	"strings"
	"time"

	"lastport/reports/result"
)

// asked is what was asked of the run, and of which host.
func (p *page) asked(r *result.Result) {
	c := r.Config
	p.heading("Asked")
	when := ""
	if !r.Run.Started.IsZero() {
		when = r.Run.Started.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	took := ""
	if r.Run.Ended.After(r.Run.Started) && !r.Run.Started.IsZero() {
		took = "took " + duration(r.Run.Ended.Sub(r.Run.Started).Nanoseconds())
	}
	p.fact("scenario", phrases(r.Run.Scenario, when, took))
	p.fact("shards", shardsOf(r))
	p.fact("range", rangeOf(r))
	p.taken(r.Space)
	p.fact("strategy", phrases(c.Strategy, stepsOf(c), keptBy(c), c.Proto))
	p.fact("target", inRows(c.Targets, endpoint))
	p.fact("source", inRows(c.Sources, address))
	p.fact("widened", r.Space.Widened)
	p.fact("rate", paceOf(c))
	p.fact("limits", phrases(
		nonZero(c.Connections, func(n int64) string { return plural(n, "connection") + " at most" }),
		nonZero(c.Attempts, func(n int64) string { return plural(n, "attempt") + " at most" }),
		nonZero(int64(c.Tries), func(n int64) string { return plural(n, "attempt") + " before a silent port counts as dropped" }),
		nonZero(int64(c.Requests), func(n int64) string { return plural(n, "request") + " over each" }),
		nonZero(c.HoldNS, func(ns int64) string { return "hold " + setting(ns) }),
		nonZero(c.DurationNS, func(ns int64) string { return "end after " + setting(ns) }),
		nonZero(c.UserTimeoutNS, func(ns int64) string { return "TCP_USER_TIMEOUT " + setting(ns) }),
		nonZero(c.TimeoutNS, func(ns int64) string { return "timeout of one attempt " + setting(ns) })))
	p.fact("firewall", phrases(named("drops on the way out ", portWords(c.Block)), named("drops on the way back ", portWords(c.BlockIn))))
	p.fact("place", phrases(c.Place, more(int64(c.Clients), 1, func(n int64) string { return count(n) + " clients" }), named("engine ", c.Engine), named("ends ", c.Ends),
		nonZero(int64(c.Workers), func(n int64) string { return plural(n, "worker") })))
	p.engine(r)
	p.fact("host", hostOf(r.Host))
	p.fact("tool", phrases(named("lastport ", r.Tool.Version), shorten(r.Tool.Commit, 12), r.Tool.Go))
}

// shardsOf says which part of a run it is, or of which parts it was made.
func shardsOf(r *result.Result) string {
	switch m, shard := r.Merged, r.Run.Shard; {
	case m != nil:
		return fmt.Sprintf("%d of %s, each with what follows · begun within %s of each other", len(m.Shards), count(int64(m.Count)), duration(m.SkewNS))
	case shard != nil:
		return fmt.Sprintf("%d/%d: a part of a run", shard.Index, shard.Count)
	}
	return ""
}

// engine says why the engine is not the one that could have been.
func (p *page) engine(r *result.Result) {
	if e := r.Engine; e != nil && e.Why != "" {
		p.fact("engine", named(word(e.Used)+", not uring: ", e.Why))
	}
}

// stepsOf says how a strategy that has numbers of its own goes on.
func stepsOf(c result.Config) string {
	return phrases(
		nonZero(int64(c.WindowSize), func(n int64) string { return "windows of " + plural(n, "port") }),
		optional(c.WindowMoves, func(n int) string { return plural(int64(n), "window") + " at random before all in turn" }),
		nonZero(int64(c.Tradeoff), func(n int64) string { return "steps of 1 to " + count(n) }))
}

// keptBy says what the ports were given up by: a close, or a mode that keeps them.
func keptBy(c result.Config) string {
	if mode := modeOf(c); mode != "" {
		return "mode " + mode
	}
	return named("close by ", c.Close)
}

// paceOf says when attempts are made, of a run that has a rate.
func paceOf(c result.Config) string {
	switch c.Rate {
	case "":
		return ""
	case "max":
		return phrases("as fast as possible", nonZero(int64(c.Concurrency), func(n int64) string {
			return plural(n, "connection") + " at a time (closed loop)"
		}))
	}
	return c.Rate + " attempts per second, each with its due time (open loop)"
}

// setting writes a duration as a flag takes it: 1s, 1m30s.
func setting(ns int64) string { return time.Duration(ns).String() }

// named puts a name before a value that is there.
func named(name, value string) string {
	if value == "" {
		return ""
	}
	return name + value
}

// rangeName is the range, with its name if it has one: "linux, 32768-60999".
func rangeName(c result.Config) string {
	if c.RangeName == "" {
		return c.Range
	}
	return c.RangeName + ", " + c.Range
}

func rangeOf(r *result.Result) string {
	usable := ""
	if r.Space.PortsUsable != r.Space.Ports {
		usable = count(int64(r.Space.PortsUsable)) + " usable"
	}
	sides := ""
	if r.Space.Sources > 1 || r.Space.Targets > 1 {
		sides = plural(int64(r.Space.Sources), "source") + " × " + plural(int64(r.Space.Targets), "target") +
			": " + plural(r.Space.Tuples, "tuple")
	}
	return phrases(rangeName(r.Config), named("without ", r.Config.Exclude),
		nonZero(int64(r.Space.Ports), func(n int64) string { return plural(n, "port") }), usable, sides)
}

// taken names the ports that the run could not have.
func (p *page) taken(s result.Space) {
	p.fact("reserved", named("net.ipv4.ip_local_reserved_ports: ", s.Reserved))
	list(p, s.Taken, func(h result.Holder) {
		p.fact("taken", phrases(fmt.Sprintf("port %d", h.Port), h.Local, h.State, h.What))
	})
}

func hostOf(h result.Host) string {
	return phrases(
		named("Linux ", strings.TrimPrefix(h.Kernel, "Linux ")),
		nonZero(int64(h.HZ), func(n int64) string { return "HZ " + count(n) }),
		nonZero(int64(h.CPUs), func(n int64) string { return plural(n, "CPU") }),
		nonZero(h.MemoryBytes, size),
		nonZero(int64(min(h.Limits.NoFile, 1<<62)), func(n int64) string { return "descriptor limit " + count(n) }))
}

// settings are those that the run changed, and those of the host that it could
// not have.
func (p *page) settings(h result.Host) {
	p.changes("Settings changed for the run", h.Changed)
	p.changes("Settings of the host that this place does not have", h.Differs)
	if peer := h.Peer; peer != nil {
		p.changes("Settings changed on the listener's host", peer.Changed)
	}
}

func (p *page) changes(title string, changes map[string]result.Change) {
	p.heading(title)
	list(p, sortedKeys(changes), func(key string) {
		c := changes[key]
		p.para(span{text: "  "}, key+": "+quoteEmpty(c.Host)+" → "+quoteEmpty(c.Run))
		if c.Why != "" {
			p.para(span{dim, "    why: "}, c.Why)
		}
	})
}

func quoteEmpty(s string) string {
	if strings.TrimSpace(s) == "" {
		return "(empty)"
	}
	return s
}
