package reports

import (
	"slices"
	"strconv"
	"strings"

	"lastport/reports/result"
)

// Marks behind a number of a bench's table.
const (
	markBest = "*"
	markOff  = "!" // not as predicted
	markNot  = "°" // not over the row's own range
	ditto    = `"`
)

// bench puts the one table of a bench on the page: of each way what was
// measured, and below it what was predicted.
func (p *page) bench(ways []way) {
	t := table{head: []string{""}, gap: 1}
	units := []span{{dim, ""}}
	columns := benchColumns()
	for _, c := range columns {
		t.head = append(t.head, c.head+" ")
		units = append(units, span{dim, c.unit + " "})
	}
	t.add(units...)
	measured := make([][]span, len(ways))
	foretold := make([][]span, len(ways))
	for i := range ways {
		measured[i] = []span{{text: ways[i].name()}}
		foretold[i] = []span{{dim, "  predicted"}}
	}
	for _, c := range columns {
		best := c.best(ways)
		for i := range ways {
			measured[i] = append(measured[i], c.cell(&ways[i], best[&ways[i]]))
			foretold[i] = append(foretold[i], c.foretold(&ways[i]))
		}
	}
	for i := range ways {
		t.add(measured[i]...)
		t.add(foretold[i]...)
	}
	p.line()
	p.table(t)
	p.benchNotes(ways)
}

// cell is what was measured. The last column of it is for its mark.
func (c *benchColumn) cell(w *way, best bool) span {
	text := c.measured(w)
	switch {
	case c.off != nil && c.off(w):
		return span{bad, dash(text) + markOff}
	case c.of == "fill" && w.above && text != "":
		return span{dim, ditto + " "}
	case c.of != "" && w.standsIn(c.of) && text != "":
		return span{text: text + markNot}
	case best:
		return span{good, text + markBest}
	}
	return span{text: dash(text) + " "}
}

// foretold is what was predicted.
func (c *benchColumn) foretold(w *way) span {
	if c.predicted == nil {
		return span{}
	}
	text := c.predicted(w)
	switch {
	case c.of == "fill" && w.above && text != "":
		text = ditto
	case c.boundless != nil && c.boundless(w):
		return span{good, text + markBest}
	}
	return span{dim, dash(text) + " "}
}

// benchNotes say what the columns are.
func (p *page) benchNotes(ways []way) {
	p.line()
	p.fact("at once", "connections open at the same time, to one target or as the row says")
	p.fact("sustained", "445-480: held for more than a round of all ports, and out of ports · ≥ held, and more was not tried "+
		"or is beyond this machine · ~ derived: ports by measured reuse delay")
	p.fact("gain", "connections per second, or the requests that they carry, as a multiple of those of "+ways[0].name()+
		", by what is predicted; ≥ where ports set no limit: what this machine made")
	p.fact("p50", "of connect while so many of the ports are taken")
	p.fact("reuse", "from close until the port can connect to the target again")
	p.fact("fail", "p50 of a connect that finds no port"+failNote(ways))
	p.fact(markBest, "the best, where they differ by a tenth or more; p50 and fail over the same range alone")
	p.fact(markNot, standIns(ways))
	p.fact(markOff+" "+ditto+" –", "not as predicted · the same run as in the row above · not measured")
}

// standIns says which ports were used in place of a range; "" if none were.
func standIns(ways []way) string {
	var parts []string
	if names := inPlaceOf(ways, "fill", "churn"); names != "" {
		parts = append(parts, "measured and predicted over a smaller range, which stands in for that of the row: "+names)
	}
	if names := inPlaceOf(ways, "reuse"); names != "" {
		parts = append(parts, "of a reuse: by one client through a gateway with fewer ports than that of the row: "+names)
	}
	return strings.Join(parts, "; ")
}

// inPlaceOf lists the ports of the scenarios' runs that are not a row's own.
func inPlaceOf(ways []way, scenarios ...string) string {
	var names []string
	for i := range ways {
		for _, scenario := range scenarios {
			if name := shorten(ways[i].row.StandIn[scenario], maxNameColumns); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return strings.Join(names[:min(len(names), maxItems)], " · ")
}

// dashed writes an interval in little room: "28,231-28,232".
func dashed(number func(int64) string) func(result.Interval) string {
	return func(i result.Interval) string { return joined(number(i.Min), number(i.Max)) }
}

func joined(low, high string) string {
	if low == high {
		return low
	}
	return low + "-" + high
}

func rateText(i result.RateInterval) string { return joined(perSecond(i.Min), perSecond(i.Max)) }

// perSecond is a rate in little room, rounded down below 10,000: 455, 1,040,
// 28.2k.
func perSecond(v float64) string {
	if v >= 10_000 && v < 1e15 {
		return digits3(v/1000) + "k"
	}
	return floorRate(v)
}

// delayText is a reuse delay in seconds.
func delayText(i result.Interval) string {
	if i == (result.Interval{}) {
		return "at once"
	}
	return dashed(seconds)(i)
}

func seconds(ns int64) string { return digits3(float64(ns) / 1e9) }

func millis(ns int64) string { return digits3(float64(ns) / 1e6) }

func micros(ns int64) string { return digits3(float64(ns) / 1e3) }

// rateOf is the rate of a churn: that at which attempts were due, or of one as
// fast as it goes that at which they connected.
func rateOf(r *result.Result) float64 {
	if rate, err := strconv.ParseFloat(r.Config.Rate, 64); err == nil {
		return rate
	}
	if r.Measured.RatePerS == nil {
		return 0
	}
	return *r.Measured.RatePerS
}

// optionally turns what may be absent into what may be absent.
func optionally[T, U any](v *T, turn func(T) U) *U {
	if v == nil {
		return nil
	}
	u := turn(*v)
	return &u
}
