package reports

import (
	"fmt"
	"strings"

	"lastport/reports/result"
)

// command tells how a program fared at the edge.
func (p *page) command(r *result.Result) {
	c := r.Command
	if c == nil {
		return
	}
	p.heading("Command at the edge")
	p.fact("command", strings.Join(r.Config.Command, " "))
	if c.Error != "" {
		p.fact("ended", "not started: "+c.Error)
		return
	}
	p.fact("ended", phrases(endOf(c), "after "+duration(c.TookNS)))
	out := "never seen"
	if c.PortsOutNS != nil {
		out = duration(*c.PortsOutNS) + " after its start"
	}
	p.fact("ports", fmt.Sprintf("%s left to it toward %s, %s in use at once", count(c.PortsLeft), c.Target, count(c.PortsMost)))
	p.fact("ran out", phrases(out, "looked every "+duration(c.LookNS)+" or sooner"))
	p.fact("connections", phrases(
		optional(c.Opened, func(n int64) string { return count(n) + " sent a SYN" }), count(c.Accepted)+" accepted by the listener",
		optional(c.Failed, func(n int64) string { return count(n) + " failed" }),
		nonZero(c.TimeWait, func(n int64) string { return count(n) + " left in TIME_WAIT" })))
	p.note("attempts that found no port cannot be seen from outside: see what the command says")
}

// endOf says how the command ended.
func endOf(c *result.Command) string {
	switch {
	case c.Ended == result.EndedKilled:
		return "killed: it outlived the hold, and SIGTERM"
	case c.Ended == result.EndedTerminated && c.ExitStatus != nil:
		return fmt.Sprintf("told to end at the end of the hold, with exit status %d", *c.ExitStatus)
	case c.Ended == result.EndedTerminated:
		return "told to end at the end of the hold"
	case c.ExitStatus != nil:
		return fmt.Sprintf("exit status %d", *c.ExitStatus)
	}
	return "by signal: " + c.Signal
}
