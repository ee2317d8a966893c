package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lastport/reports/result"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// latency lists the percentiles of all that was timed.
func (p *page) latency(r *result.Result) {
	t := table{head: []string{"", "count", "min", "p50", "p90", "p99", "p99.9", "max"}}
	var clipped []string
	for _, timed := range r.Latency.All() {
		s := timed.Summary
		if s == nil {
			continue
		}
		t.add(span{text: timed.Name}, span{text: count(s.Count)}, span{text: duration(s.MinNS)}, span{text: duration(s.P50NS)},
			span{text: duration(s.P90NS)}, span{text: duration(s.P99NS)}, span{text: duration(s.P999NS)}, span{text: duration(s.MaxNS)})
		if s.Clipped > 0 {
			clipped = append(clipped, plural(s.Clipped, "value")+" of "+timed.Name)
		}
	}
	if e := r.ScheduleError; e != nil {
		t.add(span{text: "start late"}, span{text: dash("")}, span{text: dash("")}, span{text: duration(e.P50NS)},
			span{text: dash("")}, span{text: duration(e.P99NS)}, span{text: dash("")}, span{text: duration(e.MaxNS)})
	}
	p.heading("Latency")
	if len(t.rows) == 0 {
		p.untimed(r)
		return
	}
	p.table(t)
	if len(clipped) > 0 {
		p.note(phrases(clipped...) + " beyond " + duration(result.LowestNS) + " to " + duration(result.HighestNS) + ", counted at the bound")
	}
}

// untimed says why nothing was timed, where that was so by design.
func (p *page) untimed(r *result.Result) {
	if e := r.Engine; e != nil && e.Used == "uring" {
		p.note("not measured: by io_uring a connection is opened and closed in one go, and many of them at a time")
		p.hint("--engine direct times every call")
	}
}

// outcomes says what came of the attempts, why, and what to do.
func (p *page) outcomes(r *result.Result) {
	if r.Attempts == 0 && r.Outcomes.Sum() == 0 {
		return
	}
	p.heading("Outcomes of " + plural(r.Attempts, "attempt"))
	for _, o := range r.Outcomes.All() {
		if o.N == 0 {
			continue
		}
		means, todo := outcomeWords(o.Name, r)
		p.meaning(span{outcomeTone(o.Name, r), pad(o.Name, 12)}, o.N, means, todo)
	}
	if sum := r.Outcomes.Sum(); sum != r.Attempts {
		p.para(span{bad, "  ! "}, fmt.Sprintf("the outcomes add up to %s, not to the attempts", count(sum)))
	}
}

func outcomeTone(name string, r *result.Result) tone {
	switch {
	case name == "ok":
		return good
	case name == "no_port" && (r.Run.Scenario == "fill" || r.Run.Scenario == "survey"), name == "canceled",
		name == "nat_no_port" && r.Run.Scenario == "fill":
		return plain // what is looked for
	case (name == "no_port" || name == "nat_no_port") && r.Predicted.NoPort != nil && r.Predicted.NoPort.Max > 0:
		return caution // as predicted
	}
	return bad
}

// meaning puts a name, a number and what they mean in three columns, and what
// to do below.
func (p *page) meaning(name span, n int64, means, todo string) {
	if p.blocks != nil {
		p.blocks.meaning(name, n, means, todo)
		return
	}
	label := span{name.tone, "  " + name.text + " " + padLeft(count(n), 9) + "  "}
	if columns(label.text) > p.width/2 {
		p.para(span{name.tone, "  " + name.text + " "}, count(n))
		label.text = "    "
	}
	p.para(label, means)
	p.hint(todo)
}

// hint says what to do about what stands above it.
func (p *page) hint(text string) {
	if text != "" {
		p.para(span{dim, "      hint: "}, text)
	}
}

// acceptedWhen says of what moment a server's count is.
func acceptedWhen(s *result.Server) string {
	if s.Stale {
		return " accepted when it was last heard"
	}
	return " accepted in all"
}

// witnesses sets side by side what each side counted on its own.
func (p *page) witnesses(r *result.Result) {
	p.heading("Counted independently")
	if s := r.Server; s != nil {
		p.fact("listener", phrases(count(s.Accepted)+acceptedWhen(s),
			optional(s.Closed, func(n int64) string { return count(n) + " closed" }), optional(s.DistinctPeers, func(n int64) string { return count(n) + " distinct peers" }),
			nonZero(s.Requests, func(n int64) string { return plural(n, "request") + " answered" }),
			nonZero(s.OverLimit, func(n int64) string { return count(n) + " reset, as too many were open" }),
			nonZero(s.IdleClosed, func(n int64) string { return count(n) + " closed for being idle" }),
			nonZero(s.NoFD, func(n int64) string { return plural(n, "accept") + " failed for want of a descriptor" })))
		p.elsewhere(s)
	}
	if u := r.Ports; u != nil {
		p.fact("ports", fmt.Sprintf("%s distinct: %s even, %s odd", count(u.Distinct), count(u.Even), count(u.Odd)))
	}
	if w := r.Witness; w != nil {
		p.note("open at the fullest moment, as seen by")
		p.fact("generator", count(w.Generator))
		p.fact("listener", witnessed(w))
		p.fact("gateway", optional(w.Translated, count))
		p.fact("sock_diag", optional(w.SockDiag, count))
		if w.Agree {
			p.para(span{good, "  they agree"}, "")
		} else {
			p.para(span{bad, "  they do not agree: "}, "do not trust the number of connections before you know why")
		}
	}
}

// witnessed is what the listener saw at the fullest moment, as far as it knows. A peer
// that came to several targets is several tuples; else the two numbers are one.
func witnessed(w *result.Witness) string {
	how, seen := "from ", optional(w.DistinctPeers, func(n int64) string { return count(n) + " distinct peers" })
	if seen == "" {
		how = "on "
	}
	if w.DistinctTuples != nil && (w.DistinctPeers == nil || *w.DistinctTuples != *w.DistinctPeers) {
		seen = strings.Join(nonEmpty(seen, count(*w.DistinctTuples)+" distinct tuples"), " on ")
	}
	open := optional(w.ServerOpen, count)
	if open == "" || seen == "" {
		return open + seen
	}
	return open + ", " + how + seen
}

// kernel lists the counters that say something, the telling ones with what they
// mean.
func (p *page) kernel(title string, counters result.Counters) {
	var known []counterWord
	others := int64(0)
	words := counterWords()
	for _, name := range sortedKeys(counters) {
		i := slices.IndexFunc(words, func(w counterWord) bool { return w.name == name })
		switch {
		case counters[name] == 0:
		case i < 0:
			others++
		default:
			known = append(known, words[i])
		}
	}
	p.heading(title)
	slices.SortStableFunc(known, func(a, b counterWord) int { return cmp.Compare(b.tone, a.tone) })
	for _, w := range known {
		p.meaning(span{w.tone, pad(w.name, 20)}, counters[w.name], w.means, w.todo)
	}
	if others > 0 && len(known) > 0 {
		p.note(plural(others, "other counter") + " moved: see the result file")
	}
}

// cost is what a connection cost, and what watching cost.
func (p *page) cost(r *result.Result) {
	c, o := r.Cost, r.Observer
	p.heading("Cost")
	if c != nil {
		p.costOfTime(r)
		p.fact("memory", phrases(
			optional(c.UserBytesPerConn, func(n int64) string { return size(n) + " user" }),
			optional(c.KernelBytesPerConn, func(n int64) string { return size(n) + " kernel, per connection" })))
	}
	if o != nil {
		p.fact("observer", phrases(fmt.Sprintf("%s, %s by sock_diag", plural(o.Samples, "sample"), count(o.Dumps)),
			nonZero(o.DumpNS, func(n int64) string { return duration(n) + " for lists" }),
			nonZero(o.Interrupted, func(n int64) string { return plural(n, "list") + " of a table that changed meanwhile" }),
			fmt.Sprintf("%s CPU, %s of one processor", duration(o.CPUNS), percent(o.Share))))
	}
}

// costOfTime is the processor time of a connection: of each end, if they can be
// told apart, and what part of it is the tool's own.
func (p *page) costOfTime(r *result.Result) {
	c, about := r.Cost, ", per connection"
	if r.Config.Ends == "together" {
		about += ", both ends by one thread"
	}
	if r.Run.Scenario == "churn" && r.Outcomes.OK < r.Attempts {
		about += ", failed attempts included"
	}
	share := func(ns *int64, where string) string {
		if ns == nil || *ns == 0 { // not found by the kernel's ticks
			return ""
		}
		return duration(*ns) + where
	}
	split := func(user, sys *int64) string { return phrases(share(user, " user"), share(sys, " kernel")) }
	end := func(e result.CPUPerConn) string { return split(&e.UserNS, &e.SysNS) }
	p.fact("CPU", phrases(duration(c.CPUNSPerConn)+about, split(c.UserCPUNSPerConn, c.SysCPUNSPerConn)))
	p.fact("generator", optional(c.Generator, end))
	p.fact("listener", optional(c.Listener, end))
	p.fact("lastport", phrases(
		optional(c.ToolShare, func(s float64) string { return percent(s) + " of it; the rest is the kernel's work for connections" }),
		optional(c.GeneratorBusy, func(s float64) string { return "opening threads ran " + percent(s) + " of the time" })))
}

// expectations says which expressions held.
func (p *page) expectations(all []result.Expected) {
	p.heading("Expectations")
	list(p, all, func(e result.Expected) {
		if e.Held {
			p.para(span{good, "  held      "}, e.Expr+" (measured: "+e.Value+")")
			return
		}
		p.para(span{bad, "  NOT HELD  "}, e.Expr+" (measured: "+e.Value+")")
	})
}

// warnings says what a reader must know to trust the numbers.
func (p *page) warnings(all []result.Warning) {
	p.heading("Warnings")
	list(p, all, func(w result.Warning) {
		p.para(span{caution, "  ! "}, named("", w.Message)+" ("+word(w.Code)+")")
		p.hint(w.Hint)
	})
}
