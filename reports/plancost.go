package reports

import (
	"math"

	"lastport/reports/result"
)

// planCost is what a connect costs when all goes as planned.
func (p *page) planCost(d *result.Plan) {
	c := d.Latency
	if c == nil {
		return
	}
	p.heading("What a connect costs")
	at := "at " + share(c.Occupancy)
	if c.TupleSets > 1 {
		at += " of " + plural(c.TupleSets, "tuple set")
	} else {
		at += " of the ports"
	}
	if c.P50NS > 0 {
		p.note(at + ": " + planLatency(c) + planTimes(c))
	}
	if planSearches(c) && c.Closed >= 0.005 {
		measured := "measured with open connections"
		if planWaits(c) {
			measured += ": " + planMedian(c)
		}
		p.note(measured + "; here " + share(c.Closed) + " of the ports taken are in TIME_WAIT, and a search passes over those about three times as slowly")
	}
	if c.FullNS > 0 {
		p.note("an attempt that finds no port: " + duration(c.FullNS))
	}
	p.fact("processors", planProcessors(d))
	p.fact("from", c.From)
}

// planWaits says that what was measured is less than what a search takes here.
func planWaits(c *result.PlanCost) bool {
	return planSearches(c) && c.Closed >= 0.005 && c.SearchNS > c.P50NS
}

// planLatency is what a connect takes: the search among ports in TIME_WAIT where
// that is what it is here.
func planLatency(c *result.PlanCost) string {
	if planWaits(c) {
		return duration(c.SearchNS)
	}
	return planMedian(c)
}

// planMedian is a median and what one in a hundred exceeds.
func planMedian(c *result.PlanCost) string {
	text := duration(c.P50NS)
	if c.P99NS > 0 {
		text += ", p99 " + duration(c.P99NS)
	}
	return text
}

// planTimes compares with an empty range.
func planTimes(c *result.PlanCost) string {
	if !planSearches(c) {
		return ", as from an empty range"
	}
	return ", " + count(int64(math.Round(float64(max(c.P50NS, c.SearchNS))/float64(c.EmptyNS)))) + " times as much as from an empty range"
}

// planSearches says that it takes a search to find a free port.
func planSearches(c *result.PlanCost) bool { return c.EmptyNS > 0 && c.P50NS/2 >= c.EmptyNS }

// planProcessors says how many it takes to find the ports, and why.
func planProcessors(d *result.Plan) string {
	c := d.Latency
	if !(c.Processors > 0) {
		return ""
	}
	each := ""
	if d.Asked.Gateway != nil {
		each = " on each machine"
	}
	if d.Asked.Burst != nil {
		each += " at the end of a burst"
	}
	text := planCPUs(c.Processors) + " to find a port " + floorRate(c.RatePerS) + " times per second" + each
	if c.InVain > 0 && planSearches(c) {
		text += ", or more: " + share(c.InVain) + " of connects search all ports of one parity in vain, " + duration(max(c.P50NS, c.SearchNS)) +
			" each, and the others find one at once"
	}
	return text
}

// planCPUs is a number of processors in few digits.
func planCPUs(n float64) string {
	if n > 0 && n < 0.01 {
		return "less than 0.01"
	}
	return digits3(n)
}

// planBusy says that ports allow more than this host can find; "" if they do not.
func planBusy(d *result.Plan) string {
	c := d.Latency
	if c == nil || c.MostPerS == nil || c.HostProcessors <= 0 {
		return ""
	}
	whose := "this host has "
	if d.Asked.Gateway != nil {
		whose = "this machine, if each is like it, has "
	}
	return "ports alone allow that: to find one " + floorRate(c.RatePerS) + " times per second takes " + planCPUs(c.Processors) +
		" processors or more, and " + whose + count(int64(c.HostProcessors)) + ", which find " + floorRate(*c.MostPerS) + "/s at the most"
}

// planSearchers are the processors that a change takes to find the ports.
func planSearchers(w result.PlanWay) string {
	if !(w.Processors > 0) {
		return ""
	}
	if w.Processors < 0.01 {
		return "<0.01"
	}
	return digits3(w.Processors)
}
