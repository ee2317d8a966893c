package reports

import (
	"math"
	"slices"
	"strings"

	"lastport/reports/result"
)

// planBurst is what a burst comes to.
func (p *page) planBurst(d *result.Plan) {
	b := d.Burst
	if b == nil {
		return
	}
	p.heading("The burst")
	p.fact("before it", counts(b.BeforeTuples)+" ports held")
	p.fact("lasts", planLasts(d))
	p.fact("back", optional(b.BackNS, func(i result.Interval) string {
		return "no port is held for it any more " + durations(i) + " after its end"
	}))
	p.fact("again", planAgain(d))
}

// planLasts says for how long such a burst could go on.
func planLasts(d *result.Plan) string {
	b := d.Burst
	switch {
	case b.LastsMostNS == nil && (b.LastsNS == nil):
		return "for ever, as far as ports go"
	case b.LastsMostNS == nil:
		return "for " + duration(*b.LastsNS) + " for sure, and with luck for ever"
	case b.LastsNS == nil:
		return "for " + duration(*b.LastsMostNS) + " at most until ports run out"
	case *b.LastsMostNS <= 0:
		return "not at all: no port is left when it begins"
	}
	return "for " + durations(result.Interval{Min: *b.LastsNS, Max: *b.LastsMostNS}) + " until ports run out"
}

// planAgain says how often it may come.
func planAgain(d *result.Plan) string {
	b := d.Burst
	switch {
	case d.Asked.Burst == nil || b.BackNS == nil || b.LastsNS == nil:
		return ""
	case b.EveryNS == nil:
		return "not even one is held" + planLess(d)
	}
	return "every " + duration(ceilMillis(*b.EveryNS)) + " at most often, from begin to begin" + planLess(d)
}

// ceilMillis rounds a time up: what is promised is held.
func ceilMillis(ns int64) int64 {
	const ms = 1_000_000
	if ns > math.MaxInt64-ms {
		return ns
	}
	return (ns + ms - 1) / ms * ms
}

// planTargets lists the targets that have different shares.
func (p *page) planTargets(d *result.Plan) {
	if len(d.Targets) == 0 {
		return
	}
	t := table{head: []string{"target", "share"}}
	wanted := d.Demand != nil
	if wanted {
		t.head = append(t.head, "per second", "occupancy", "holds", "targets needed")
	}
	for i, target := range d.Targets[:min(len(d.Targets), maxItems)] {
		row := []span{{text: count(int64(i) + 1)}, {text: share(target.Share)}}
		if wanted {
			row = append(row,
				span{text: dash(planPerSecond(target.RatePerS))},
				span{text: dash(optional(target.Occupancy, func(o result.ShareInterval) string { return between(share(o.Min), share(o.Max)) }))},
				planHeld(target.Holds),
				span{text: dash(nonZero(int64(target.Needed), count))})
		}
		t.add(row...)
	}
	p.heading("Target by target")
	p.table(t)
	if more := len(d.Targets) - maxItems; more > 0 {
		p.note("… and " + count(int64(more)) + " more")
	}
}

// planPerSecond is a rate that there is.
func planPerSecond(rate float64) string {
	if !(rate > 0) {
		return ""
	}
	return floorRate(rate)
}

// planHeld says yes or no, where that is known.
func planHeld(holds *bool) span {
	switch {
	case holds == nil:
		return span{text: dash("")}
	case *holds:
		return span{good, "yes"}
	}
	return span{bad, "no"}
}

// planFleet sets the two sides of a gateway side by side.
func (p *page) planFleet(d *result.Plan) {
	f, g := d.Fleet, d.Asked.Gateway
	if f == nil || g == nil {
		return
	}
	machines := plural(int64(g.Hosts), "machine")
	t := table{head: []string{"", "gateway", machines, "each machine"}}
	row := func(name string, value func(result.Sustained) string) {
		cells := []span{{text: name}, {text: dash(value(f.Gateway))}, {text: dash(value(f.Hosts))}, {text: dash(value(f.Each))}}
		t.add(cells...)
	}
	row("connections at a time", func(s result.Sustained) string { return counts(s.Connections) })
	row("connections per second", planUnbounded)
	row("to count on", func(s result.Sustained) string { return optional(s.SafePerS, floorRate) })
	row("a closed port is back", func(s result.Sustained) string { return optional(s.ReuseNS, planReuse) })
	if f.GatewayHeld != nil {
		t.add(span{text: "holds"}, planHeld(f.GatewayHeld), planHeld(f.HostsHeld), span{})
	}
	p.heading("What each side of the gateway sustains")
	p.table(t)
	p.note("each machine: what it may use of the whole when all use alike")
	p.fact("dealt", planDealt(d))
	if f.GatewayHeld != nil && !*f.GatewayHeld && g.PortsPerHost > 0 {
		p.fact("or ports", planOrNo(f.Ports, " of the gateway's for each machine"))
	}
	if f.HostsHeld != nil && !*f.HostsHeld {
		p.fact("or hosts", planOrNo(f.Machines, " machines behind the gateway"))
	}
}

// planDealt says how many of the gateway's ports each machine has.
func planDealt(d *result.Plan) string {
	g := d.Asked.Gateway
	if g.PortsPerHost == 0 {
		return ""
	}
	return plural(g.PortsPerHost, "port") + " of the gateway's for each machine, which takes " +
		planAddresses(d, planOutside(d))
}

// planOrNo is a number that is enough, if one is.
func planOrNo(n int, what string) string {
	if n <= 0 {
		return "no number is enough"
	}
	return count(int64(n)) + what
}

// planRisks says what each change is and what it costs, and where that can be
// read.
func (p *page) planRisks(d *result.Plan) {
	described := slices.ContainsFunc(d.Ways, func(w result.PlanWay) bool { return w.Risk != "" })
	if !described { // a plan of an earlier version
		return
	}
	p.line()
	wide := 0
	for _, w := range d.Ways[:min(len(d.Ways), maxItems)] {
		wide = max(wide, columns(planWay(w)))
	}
	list(p, d.Ways, func(w result.PlanWay) {
		text := w.Change
		if w.Latency != nil && w.Latency.P50NS > 0 {
			text += ", by which connect takes " + duration(w.Latency.P50NS) + " at " + share(w.Latency.Occupancy)
		}
		text = strings.Join(nonEmpty(text, w.Risk), ": ")
		if w.Source != "" {
			text += " (" + w.Source + ")"
		}
		p.para(span{dim, "  " + pad(planWay(w), wide) + " "}, text)
	})
}

// planWay is what a change is called.
func planWay(w result.PlanWay) string {
	if w.Name == "" {
		return shorten(w.Change, maxNameColumns)
	}
	return shorten(w.Name, maxNameColumns)
}

// nonEmpty are the texts that there are.
func nonEmpty(all ...string) (some []string) {
	for _, text := range all {
		if text != "" {
			some = append(some, text)
		}
	}
	return some
}

// planFlows says whether a rate was asked for, all the time or for a while.
func planFlows(a result.Asked) bool { return a.RatePerS > 0 || a.Burst != nil }

// planGain is how many times as much a change gives.
func planGain(w result.PlanWay) string {
	switch {
	case w.Gain == nil && w.Sustain.RatePerS == nil:
		return "no limit"
	case w.Gain == nil:
		return dash("")
	case *w.Gain < 1.0005:
		return "sooner"
	case *w.Gain < 100:
		return digits3(*w.Gain) + "×"
	}
	return count(int64(*w.Gain)) + "×"
}
