package reports

import (
	"math"
	"strconv"
	"strings"

	"lastport/reports/result"
)

// answer is a sentence with a word in front that says what kind of one it is.
type answer struct {
	tone        tone
	label, text string
}

// planAnswerOf says what the plan comes to.
func planAnswerOf(d *result.Plan) answer {
	toward := " toward " + planToward(d)
	open := d.Asked.Sources == 0 || d.Asked.Targets == 0
	switch {
	case d.Demand == nil:
		return answer{strong, "SUSTAINS", planSustains(d)}
	case d.Demand.Holds && planBlind(d):
		return answer{caution, "MAY HOLD", planWish(d) + toward + ": no time is stated for " + word(d.Asked.RangeName) +
			" until a closed port can be used again; --reuse TIME plans with one"}
	case d.Demand.Holds && planBusy(d) != "":
		return answer{caution, "PORTS HOLD", planWish(d) + toward + ", with " + share(1-d.Demand.Occupancy.Max) + " of them free; processors do not"}
	case d.Demand.Holds:
		return answer{good, "HOLDS", planWish(d) + toward + ", with " + share(1-d.Demand.Occupancy.Max) + " of the ports free"}
	case open && planOptions(d) != "":
		return answer{caution, "NEEDS", planLeast(d) + plural(d.Demand.Needed.TupleSets, "tuple set") + " for " + planWish(d) + ": " + planOptions(d)}
	}
	text := planWish(d) + " cannot be sustained as asked: " + planSides(d) + " sustain " + planMost(d)
	if options := planOptions(d); options != "" {
		text += "; " + options + " would do"
	}
	return answer{bad, "DOES NOT HOLD", text}
}

// planSustains is the capacity, in words.
func planSustains(d *result.Plan) string {
	toward := " toward " + planToward(d)
	connections := pluralOf(d.Sustain.Connections, "connection")
	rate := planRate(d.Sustain)
	switch {
	case rate == "" && d.Sustain.ReuseNS == nil:
		return connections + " open at a time" + toward + "; the rate cannot be told: no time is stated for " + planName(d) +
			" until a closed port can be used again; --reuse TIME plans with one"
	case rate == "":
		return "any rate" + toward + ", as far as ports go; " + connections + " open at a time"
	}
	sustained := strings.TrimSuffix(rate, "/s") + " new connections per second" + toward + planServed(d)
	if d.Sustain.Open != nil {
		return sustained + ", with " + counts(*d.Sustain.Open) + " open at a time"
	}
	if d.Sustain.Connections.Max == 1 {
		return sustained + ", or " + connections + " that stays open"
	}
	return sustained + ", or " + connections + " that stay open"
}

// planBlind says that the demand is a rate, and that it is not known how soon
// closed ports come back: they come on top of all numbers.
func planBlind(d *result.Plan) bool {
	return planFlows(d.Asked) && (d.Sustain.ReuseNS == nil || d.Fleet != nil && d.Fleet.Gateway.ReuseNS == nil)
}

// planName is what the ports are called.
func planName(d *result.Plan) string {
	if d.Asked.RangeName == "" {
		return "these ports"
	}
	return d.Asked.RangeName
}

// planLeast stands before a number that is needed at least.
func planLeast(d *result.Plan) string {
	if planBlind(d) {
		return "at least "
	}
	return ""
}

// planMost is what the space gives of what was wanted.
func planMost(d *result.Plan) string {
	if d.Asked.RatePerS > 0 && d.Sustain.SafePerS != nil && d.Asked.Burst == nil {
		return floorRate(*d.Sustain.SafePerS) + "/s" + planLess(d)
	}
	if b := d.Burst; b != nil && d.Asked.Burst != nil {
		return "such a burst " + planLasts(d)
	}
	return counts(d.Sustain.Connections) + " at a time" + planLess(d)
}

func planLess(d *result.Plan) string {
	if d.Asked.Headroom == 0 {
		return ""
	}
	return " with " + planHeadroom(d.Asked)
}

// planOptions are the numbers of addresses that would do, of those that were
// left open first.
func planOptions(d *result.Plan) string {
	n, a := d.Demand.Needed, d.Asked
	targets := nonZero(int64(n.Targets), func(n int64) string { return plural(n, "target") })
	sources := nonZero(int64(n.Sources), func(n int64) string { return planAddresses(d, n) })
	if targets != "" {
		targets += planWith(a.Sources, "sources")
	}
	if sources != "" {
		sources += planWith(a.Targets, "targets")
	}
	switch {
	case a.Targets == 0 && a.Sources > 0:
		sources = ""
	case a.Sources == 0 && a.Targets > 0:
		targets = ""
	}
	if len(d.Targets) > 0 {
		targets = planSplit(d)
	}
	return strings.Join(nonEmpty(targets, sources, planOfFleet(d)), ", or ")
}

// planSplit says which of the targets that have different shares must be several.
func planSplit(d *result.Plan) string {
	var all []string
	for i, t := range d.Targets[:min(len(d.Targets), maxItems)] {
		if t.Needed > 1 {
			all = append(all, plural(int64(t.Needed), "target")+" in place of target "+count(int64(i)+1))
		}
	}
	return strings.Join(all, " and ")
}

// planOfFleet are the numbers of machines, and of ports for each, that would do.
func planOfFleet(d *result.Plan) string {
	f, g := d.Fleet, d.Asked.Gateway
	if f == nil || g == nil {
		return ""
	}
	var machines, each string
	if f.HostsHeld != nil && !*f.HostsHeld && f.GatewayHeld != nil && *f.GatewayHeld {
		machines = nonZero(int64(f.Machines), func(n int64) string { return plural(n, "machine") })
	}
	if f.GatewayHeld != nil && !*f.GatewayHeld && f.HostsHeld != nil && *f.HostsHeld && f.Ports > 0 {
		each = plural(int64(f.Ports), "port") + " of the gateway for each machine"
	}
	return strings.Join(nonEmpty(machines, each), ", or ")
}

func addresses(n int64) string {
	if n == 1 {
		return "1 source address"
	}
	return count(n) + " source addresses"
}

// planAddresses are source addresses; of a gateway, they are outside.
func planAddresses(d *result.Plan, n int64) string {
	if d.Asked.Gateway == nil {
		return addresses(n)
	}
	return strings.Replace(addresses(n), "source", "outside", 1)
}

// planOutside is how many outside addresses a gateway has: those that dealing its
// ports out takes where no number was given.
func planOutside(d *result.Plan) int64 {
	n := int64(d.Space.Sources)
	if d.Fleet != nil && d.Asked.Sources == 0 {
		n = max(n, int64(d.Fleet.Addresses))
	}
	return n
}

// planServed is how many requests the connections serve, if that was asked.
func planServed(d *result.Plan) string {
	n := float64(d.Asked.Requests)
	if n == 0 || d.Sustain.SafePerS == nil {
		return ""
	}
	return ", for " + floorRate(n**d.Sustain.SafePerS) + " requests per second"
}

// planToward says where connections go, and from where if that is several.
func planToward(d *result.Plan) string {
	s := d.Space
	to := "one target"
	if s.Targets > 1 {
		to = count(int64(s.Targets)) + " targets"
	}
	if g := d.Asked.Gateway; g != nil {
		return to + " from " + plural(int64(g.Hosts), "machine") + " through " + planAddresses(d, planOutside(d)) + " of " + g.Name
	}
	if s.Sources > 1 {
		to += " from " + addresses(int64(s.Sources))
	}
	return to
}

// planSides are the two sides of a tuple space.
func planSides(d *result.Plan) string {
	s := d.Space
	from := "one source"
	switch g := d.Asked.Gateway; {
	case g != nil && d.Fleet != nil && d.Fleet.Limit == "hosts":
		from = plural(int64(g.Hosts), "machine")
	case g != nil:
		from = planAddresses(d, planOutside(d))
	case s.Sources > 1:
		from = count(int64(s.Sources)) + " sources"
	}
	to := "one target"
	if s.Targets > 1 {
		to = count(int64(s.Targets)) + " targets"
	}
	return from + " and " + to
}

// planWish is what was wanted.
func planWish(d *result.Plan) string {
	a := d.Asked
	held := ""
	if a.HoldNS > 0 {
		held = "held for " + duration(a.HoldNS)
	}
	switch {
	case planFlows(a):
		if a.RatePerS == 0 {
			return strings.Join(nonEmpty(planBursts(a), held), ", ")
		}
		return strings.Join(nonEmpty(planAskedRate(a), held), " ") + planBursts(a)
	case a.Concurrency > 0:
		return plural(a.Concurrency, "connection") + " at a time"
	}
	return held
}

// planAskedRate is the rate of connections, and of the requests that they serve.
func planAskedRate(a result.Asked) string {
	switch {
	case a.RatePerS == 0:
		return ""
	case a.Requests > 1:
		return floorRate(a.RatePerS*float64(a.Requests)) + " requests/s over " + floorRate(a.RatePerS) + " connections/s"
	}
	return floorRate(a.RatePerS) + "/s"
}

// planBursts is the rate of a while.
func planBursts(a result.Asked) string {
	b := a.Burst
	if b == nil {
		return ""
	}
	text := "bursts of "
	if b.EveryNS == 0 {
		text = "a burst of "
	}
	if a.RatePerS > 0 {
		text = " with " + text
	}
	text += floorRate(b.RatePerS) + "/s for " + duration(b.ForNS)
	if b.EveryNS > 0 {
		text += " every " + duration(b.EveryNS)
	}
	return text
}

// planLaw is Little's law with the numbers of the demand.
func planLaw(d *result.Plan) string {
	a, taken := d.Asked, counts(d.Demand.Tuples)
	switch {
	case a.Burst != nil:
		return taken + " at the end of a burst"
	case a.RatePerS == 0:
		return taken + ": each connection that stays open takes one"
	}
	law := floorRate(a.RatePerS) + "/s × "
	switch reuse := d.Sustain.ReuseNS; {
	case reuse == nil && a.HoldNS == 0:
		return ""
	case reuse == nil:
		return law + duration(a.HoldNS) + " open = " + taken + ", and those not yet free again"
	case d.Sustain.MaxTimeWait != nil && a.HoldNS == 0:
		return "1 at a time + at most " + count(*d.Sustain.MaxTimeWait) + " in TIME_WAIT: " + taken
	case d.Sustain.MaxTimeWait != nil:
		return law + duration(a.HoldNS) + " open + at most " + count(*d.Sustain.MaxTimeWait) + " in TIME_WAIT: " + taken
	case a.HoldNS == 0:
		return law + durations(*reuse) + " = " + taken
	case *reuse == (result.Interval{}):
		return law + duration(a.HoldNS) + " open = " + taken
	default:
		return law + "(" + duration(a.HoldNS) + " open + " + durations(*reuse) + " closed) = " + taken
	}
}

// planOccupancy is the share of the ports that the demand takes.
func planOccupancy(d *result.Plan) string {
	o := d.Demand.Occupancy
	if planBlind(d) && d.Asked.HoldNS == 0 {
		return ""
	}
	of := planSides(d) + " have"
	switch g := d.Asked.Gateway; {
	case len(d.Targets) > 0:
		of = "the busiest target has"
	case g != nil && g.PortsPerHost > 0 && d.Fleet != nil && d.Fleet.Limit == "gateway":
		of = "the gateway has for each machine"
	}
	return planLeast(d) + between(share(o.Min), share(o.Max)) + " of what " + of
}

// planBeside says with how many of the other side a number is enough.
func planBeside(other int, what string) string {
	if with := planWith(other, what); with != "" {
		return "," + with
	}
	return ""
}

func planWith(other int, what string) string {
	if other > 1 {
		return " with " + count(int64(other)) + " " + what
	}
	return ""
}

func planHeadroom(a result.Asked) string {
	if a.Headroom == 0 {
		return ""
	}
	return share(a.Headroom) + " headroom"
}

// planSafe is the rate to count on.
func planSafe(d *result.Plan, s result.Sustained) string {
	if s.SafePerS == nil || s.ReuseNS == nil {
		return ""
	}
	return floorRate(*s.SafePerS) + "/s" + planLess(d)
}

// planRate is the rate that is sustained; "" if ports set none or it is not
// known. Where no reuse time is stated it can only be a bound.
func planRate(s result.Sustained) string {
	switch {
	case s.RatePerS == nil && s.SafePerS != nil: // a port may be back at once, or need not
		return "at least " + floorRate(*s.SafePerS) + "/s"
	case s.RatePerS == nil:
		return ""
	}
	if s.ReuseNS == nil {
		return "at most " + floorRate(s.RatePerS.Max) + "/s"
	}
	return between(floorRate(s.RatePerS.Min), floorRate(s.RatePerS.Max)) + "/s"
}

// planReuse is when a closed port can be used again.
func planReuse(i result.Interval) string {
	if i == (result.Interval{}) {
		return "at once"
	}
	return "after " + durations(i)
}

// floorRate writes a rate rounded down, to whole connections from 100 on: what is
// promised is sustained. The small addition keeps 2 from becoming 1.99.
func floorRate(v float64) string {
	if !(math.Abs(v) < 1e15) {
		return digits3(v)
	}
	v += 1e-9 * math.Abs(v)
	digits := 0
	switch {
	case v > 0 && v < 0.1: // two digits that count
		digits = min(1-int(math.Floor(math.Log10(v))), 12)
	case v < 10:
		digits = 2
	case v < 100:
		digits = 1
	default:
		return count(int64(v))
	}
	scale := math.Pow10(digits)
	return strconv.FormatFloat(math.Floor(v*scale)/scale, 'f', -1, 64)
}

// share writes a share in whole percent, in tenths below ten and where it would
// else be taken for all there is.
func share(v float64) string {
	switch {
	case v >= 0.995 && v < 1:
		return strconv.FormatFloat(math.Min(math.Floor(1000*v), 999)/10, 'f', 1, 64) + " %"
	case v > 1 && v < 1.005:
		return strconv.FormatFloat(math.Max(math.Ceil(1000*v), 1001)/10, 'f', 1, 64) + " %"
	case v > 0 && v < 0.1:
		return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
	}
	if !(math.Abs(v) < 1e13) {
		return percent(v)
	}
	return count(int64(math.Round(100*v))) + " %"
}
