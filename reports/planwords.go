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
	toward := " toward " + planToward(d.Space)
	open := d.Asked.Sources == 0 || d.Asked.Targets == 0
	switch {
	case d.Demand == nil:
		return answer{strong, "SUSTAINS", planSustains(d)}
	case d.Demand.Holds && d.Sustain.ReuseNS == nil:
		return answer{caution, "MAY HOLD", planWish(d) + toward + ", if closed ports come back in time: how soon is not stated"}
	case d.Demand.Holds:
		return answer{good, "HOLDS", planWish(d) + toward + ", with " + share(1-d.Demand.Occupancy.Max) + " of the ports free"}
	case open && planOptions(d) != "":
		return answer{caution, "NEEDS", planSets(d) + " for " + planWish(d) + ": " + planOptions(d)}
	}
	text := planWish(d) + " cannot be sustained as asked: " + planSides(d.Space) + " sustain " + planMost(d)
	if options := planOptions(d); options != "" {
		text += "; " + options + " would do"
	}
	return answer{bad, "DOES NOT HOLD", text}
}

// planSustains is the capacity, in words.
func planSustains(d *result.Plan) string {
	toward := " toward " + planToward(d.Space)
	connections := counts(d.Sustain.Connections)
	rate := planRate(d.Sustain)
	switch {
	case rate == "" && d.Sustain.ReuseNS == nil:
		return connections + " connections open at a time" + toward + "; the rate cannot be told"
	case rate == "":
		return "any rate" + toward + ", as far as ports go; " + connections + " connections open at a time"
	}
	sustained := strings.TrimSuffix(rate, "/s") + " new connections per second" + toward
	if d.Sustain.Open != nil {
		return sustained + ", with " + counts(*d.Sustain.Open) + " open at a time"
	}
	return sustained + ", or " + connections + " connections that stay open"
}

// planSets is how many times one source and one target are needed.
func planSets(d *result.Plan) string {
	if d.Demand.Needed.TupleSets == 0 {
		return "more"
	}
	sets := plural(d.Demand.Needed.TupleSets, "tuple set")
	if d.Sustain.ReuseNS == nil {
		return "at least " + sets // closed ports come on top
	}
	return sets
}

// planMost is what the space gives of what was wanted.
func planMost(d *result.Plan) string {
	if d.Asked.RatePerS > 0 && d.Sustain.SafePerS != nil {
		return floorRate(*d.Sustain.SafePerS) + "/s" + planLess(d)
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
	sources := nonZero(int64(n.Sources), func(n int64) string { return addresses(n) })
	switch {
	case a.Targets == 0 && a.Sources > 0:
		sources = ""
	case a.Sources == 0 && a.Targets > 0:
		targets = ""
	}
	if targets != "" && sources != "" {
		return targets + ", or " + sources
	}
	return targets + sources
}

func addresses(n int64) string {
	if n == 1 {
		return "1 source address"
	}
	return count(n) + " source addresses"
}

// planToward says where connections go, and from where if that is several.
func planToward(s result.Space) string {
	to := "one target"
	if s.Targets > 1 {
		to = count(int64(s.Targets)) + " targets"
	}
	if s.Sources > 1 {
		to += " from " + addresses(int64(s.Sources))
	}
	return to
}

// planSides are the two sides of a tuple space.
func planSides(s result.Space) string {
	from := "one source"
	if s.Sources > 1 {
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
	switch {
	case a.RatePerS > 0 && a.HoldNS > 0:
		return floorRate(a.RatePerS) + "/s held for " + duration(a.HoldNS)
	case a.RatePerS > 0:
		return floorRate(a.RatePerS) + "/s"
	case a.Concurrency > 0:
		return plural(a.Concurrency, "connection") + " at a time"
	case a.HoldNS > 0:
		return "held for " + duration(a.HoldNS)
	}
	return ""
}

// planLaw is Little's law with the numbers of the demand.
func planLaw(d *result.Plan) string {
	a, taken := d.Asked, counts(d.Demand.Tuples)
	if a.RatePerS == 0 {
		return taken + ": each connection that stays open takes one"
	}
	law := floorRate(a.RatePerS) + "/s × "
	switch reuse := d.Sustain.ReuseNS; {
	case reuse == nil:
		return law + duration(a.HoldNS) + " open = " + taken + ", and those not yet free again"
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
	return between(share(o.Min), share(o.Max)) + " of what " + planSides(d.Space) + " have"
}

// planBeside says with how many of the other side a number is enough.
func planBeside(other int, what string) string {
	if other > 1 {
		return ", with " + count(int64(other)) + " " + what
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

// share writes a share in whole percent, in tenths below ten.
func share(v float64) string {
	if v > 0 && v < 0.1 {
		return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
	}
	if !(math.Abs(v) < 1e13) {
		return percent(v)
	}
	return count(int64(math.Round(100*v))) + " %"
}
