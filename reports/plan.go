package reports

import (
	"slices"
	"strings"

	"lastport/reports/result"
)

// plan puts a plan on the page: the answer first, then why, then what would be
// enough or give more, and last what was asked.
func (p *page) plan(d *result.Plan) {
	p.planAnswer(d)
	p.heading("Why")
	if d.Binds != "" {
		p.note(d.Binds)
	}
	list(p, d.Why, p.note)
	if d.Fleet != nil {
		p.planFleet(d)
	} else {
		p.planNumbers(d)
	}
	p.planNeeds(d)
	p.planTargets(d)
	p.planBurst(d)
	p.planCost(d)
	p.planWays(d)
	p.planAsked(d)
	p.heading("Know also")
	list(p, d.Notes, p.note)
}

// planAnswer is the plan in one line.
func (p *page) planAnswer(d *result.Plan) {
	a := planAnswerOf(d)
	p.para(span{a.tone, a.label + "  "}, a.text)
	if n := d.Asked.PortsPerVM; n > 0 {
		p.note("these are the ports of one address for all machines behind it: one machine has " + count(int64(n)) + " of them, unless it is given more")
	}
	if busy := planBusy(d); busy != "" {
		p.note(busy)
	}
	if d.Demand == nil || d.Demand.Holds || d.Sustain.SafePerS == nil {
		return
	}
	if rate := d.Asked.RatePerS; d.Demand.Occupancy.Min <= 1-d.Asked.Headroom && rate > 0 && d.Sustain.ReuseNS != nil {
		p.note("timers decide: with luck the ports are just enough, and that is nothing to count on")
	}
}

// planNumbers is what one source and one target sustain, and all of those asked
// about where they are more.
func (p *page) planNumbers(d *result.Plan) {
	t := table{head: []string{"", "one source, one target"}}
	several := d.Space.Sources > 1 || d.Space.Targets > 1
	if several {
		t.head = append(t.head, planSides(d))
	}
	row := func(name string, value func(result.Sustained) string) {
		if value(d.Each) == "" {
			return
		}
		cells := []span{{text: name}, {text: value(d.Each)}}
		if several {
			cells = append(cells, span{text: value(d.Sustain)})
		}
		t.add(cells...)
	}
	row("connections at a time", func(s result.Sustained) string { return counts(s.Connections) })
	row("connections per second", planRate)
	row("open at that rate", func(s result.Sustained) string { return optional(s.Open, counts) })
	row("to count on", func(s result.Sustained) string { return planSafe(d, s) })
	row("a closed port is back", func(s result.Sustained) string { return optional(s.ReuseNS, planReuse) })
	row("but in TIME_WAIT at most", func(s result.Sustained) string { return optional(s.MaxTimeWait, count) })
	p.heading("What the ports sustain")
	p.table(t)
}

// planNeeds sets the demand against the space: Little's law.
func (p *page) planNeeds(d *result.Plan) {
	if d.Demand == nil {
		return
	}
	n := d.Demand.Needed
	p.heading("What it takes")
	p.fact("ports held", planLaw(d))
	p.fact("occupancy", planOccupancy(d))
	set := ", each of one source and one target"
	if d.Asked.Gateway != nil {
		set = ", each of one outside address and one target"
	}
	if d.Asked.Proto == "udp" {
		set = ", each of one source, whatever its targets"
	}
	p.fact("tuple sets", planLeast(d)+count(n.TupleSets)+set)
	if d.Demand.Holds && n.TupleSets <= 1 {
		return
	}
	enough := func(n int, beside string) string {
		if n == 0 {
			return "no number is enough"
		}
		return planLeast(d) + count(int64(n)) + beside
	}
	if len(d.Targets) == 0 {
		p.fact("or targets", enough(n.Targets, planBeside(d.Space.Sources, "sources")))
	}
	p.fact("or sources", enough(n.Sources, planBeside(d.Space.Targets, "targets")))
	if d.Fleet == nil {
		p.fact("or ports", enough(n.Ports, " in one range"))
	}
}

// planWays lists what would give more of what was asked for: of both a rate and
// a number at a time if nothing was. What each of them is, and costs, is below.
func (p *page) planWays(d *result.Plan) {
	if len(d.Ways) == 0 {
		return
	}
	rates := d.Demand == nil || planFlows(d.Asked)
	t := table{head: []string{""}}
	if rates {
		t.head = append(t.head, "per second")
	}
	if d.Demand == nil || !rates {
		t.head = append(t.head, "at a time")
	}
	t.head = append(t.head, "gain")
	searched := slices.ContainsFunc(d.Ways, func(w result.PlanWay) bool { return w.Processors > 0 })
	if searched {
		t.head = append(t.head, "processors")
	}
	if d.Demand != nil {
		t.head = append(t.head, "enough")
	}
	for _, w := range d.Ways[:min(len(d.Ways), maxItems)] {
		row := map[string]span{
			"": {text: planWay(w)}, "per second": {text: planUnbounded(w.Sustain)},
			"at a time": {text: counts(w.Sustain.Connections)}, "gain": {text: planGain(w)}, "enough": planEnough(w),
			"processors": {text: dash(planSearchers(w))},
		}
		var cells []span
		for _, head := range t.head {
			cells = append(cells, row[head])
		}
		t.add(cells...)
	}
	p.heading("What would give more")
	p.table(t)
	if searched {
		p.note("processors: those that finding the ports takes at that rate, or at the one wished for; ports are one limit, this is another")
	}
	p.planRisks(d)
}

// planUnbounded is planRate, in words where there is none.
func planUnbounded(s result.Sustained) string {
	if rate := planRate(s); rate != "" {
		return rate
	}
	return "no limit by ports"
}

// planEnough says whether a change alone makes the demand hold.
func planEnough(w result.PlanWay) span {
	switch {
	case w.Holds != nil && *w.Holds:
		return span{good, "yes"}
	case w.TupleSets > 0:
		return span{text: plural(w.TupleSets, "tuple set")}
	}
	return span{text: "no"}
}

// planAsked is the wish as it was understood, and what the system brought.
func (p *page) planAsked(d *result.Plan) {
	a := d.Asked
	p.heading("Asked")
	usable := ""
	if d.Space.PortsUsable != d.Space.Ports {
		usable = count(int64(d.Space.PortsUsable)) + " usable"
	}
	name := shorten(a.Range, maxNameColumns)
	if a.RangeName != "" {
		name = a.RangeName + ", " + name
	}
	p.fact("range", phrases(name, named("without ", a.Exclude), plural(int64(d.Space.Ports), "port"), usable))
	p.fact("system", phrases(a.System, nonZero(int64(a.HZ), func(n int64) string { return "HZ " + count(n) })))
	if g := a.Gateway; g != nil {
		p.fact("behind it", phrases(plural(int64(g.Hosts), "machine"), "each with "+plural(int64(g.HostPorts), "port")+", "+shorten(g.HostRange, maxNameColumns)))
	}
	p.fact("wish", phrases(planWish(d), nonZero(a.ReuseNS, func(ns int64) string { return "ports out of use for " + duration(ns) }), nonZero(int64(a.Sources), func(n int64) string { return plural(n, "source") }),
		nonZero(int64(a.Targets), func(n int64) string { return plural(n, "target") }), planHeadroom(a)))
	p.fact("way", phrases(a.Proto, named("strategy ", a.Strategy), named("close by ", a.Close)))
	var settings []string
	for _, key := range sortedKeys(a.Settings) {
		settings = append(settings, strings.TrimPrefix(key, "net.ipv4.")+" "+a.Settings[key])
	}
	p.fact("settings", phrases(settings...))
	p.fact("from", a.SettingsFrom)
}

// ranges lists the named ranges.
func (p *page) ranges(d *result.Ranges) {
	t := table{head: []string{"range", "ports", "size", "reuse", "per target"}}
	for _, r := range d.Ranges {
		t.add(span{text: planNames(r)}, span{text: r.Ports}, span{text: count(int64(r.Size))},
			span{text: dash(nonZero(r.ReuseNS, setting))}, span{text: dash(nonZero(int64(r.PerTarget), count))})
	}
	p.table(t)
	p.heading("Whose they are, and where the numbers come from")
	for _, r := range d.Ranges {
		p.para(span{dim, "  " + pad(r.Name, 12) + " "}, phrases(r.System, r.Note, r.Source))
	}
	p.line()
	p.note("reuse is how long a closed port is out of use toward the same target; – is as many as there are ports, or no time stated")
}

// planNames are all the words for a range.
func planNames(r result.NamedRange) string {
	return strings.Join(append([]string{r.Name}, r.Aliases...), ", ")
}
