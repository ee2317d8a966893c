package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"lastport/reports/result"
)

// occupancy shows connect latency by how full the range was, a bar for each
// band, and says in words where it jumps.
func (p *page) occupancy(r *result.Result) {
	bands := slices.DeleteFunc(slices.Clone(r.Occupancy), func(b result.Band) bool { return b.Count <= 0 })
	if len(bands) == 0 {
		return
	}
	k, found := findKnee(bands)
	t := table{head: []string{"occupancy", "count", "p50", "p99", "max"}}
	for _, b := range bands[:min(len(bands), maxItems)] {
		t.add(span{text: bandName(b)}, span{text: count(b.Count)}, span{text: duration(b.P50NS)},
			span{text: duration(b.P99NS)}, span{text: duration(b.MaxNS)})
	}
	p.heading("Connect latency by occupancy")
	p.addBars(&t, bands, k, found)
	p.table(t)
	p.lastPorts(r.AtOccupancy)
	if full(bands[len(bands)-1]) {
		p.note("full: what one attempt costs that finds no port")
	}
	switch {
	case found:
		p.line()
		means, todo := k.words(r)
		p.para(span{caution, "  knee: "}, means)
		if todo != "" {
			p.hint(todo + ": " + withoutKnee(r))
		}
	default:
		p.flat(bands)
	}
}

// lastPorts tells of the end of the last band, which is too wide for it.
func (p *page) lastPorts(points []result.Point) {
	const last = 0.99
	var all []string
	for _, at := range points[:min(len(points), maxItems)] {
		if at.At >= last && at.Count >= kneeCount {
			all = append(all, fmt.Sprintf("at %s p50 %s, p99 %s", percent(at.At), duration(at.P50NS), duration(at.P99NS)))
		}
	}
	if len(all) > 0 {
		p.note("the last ports: " + phrases(all...))
	}
}

func full(b result.Band) bool { return b.From >= 1 }

func bandName(b result.Band) string {
	if full(b) {
		return "full"
	}
	return percentile(b.From) + "-" + percentile(b.To) + " %"
}

// percentile writes a share as a whole number of percent.
func percentile(share float64) string { return strconv.FormatFloat(math.Round(100*share), 'g', 4, 64) }

// addBars adds a column of bars, as long as p50, if the page has room for it.
// The scale is that of the bands below the full range, which would dwarf them:
// its own bar ends in an arrow.
func (p *page) addBars(t *table, bands []result.Band, k knee, found bool) {
	if p.blocks != nil {
		return // it has a picture
	}
	room := p.width - gap
	for _, w := range t.widths(p.width) {
		room -= gap + w
	}
	var most int64
	for _, b := range bands {
		if !full(b) {
			most = max(most, b.P50NS)
		}
	}
	if room < 8 || most <= 0 {
		return
	}
	room = min(room, 34)
	t.head = append(t.head, pad("p50", room))
	for i := range t.rows {
		tn := plain
		if full(bands[i]) {
			tn = bad
		} else if found && bands[i].From >= k.from {
			tn = caution
		}
		t.rows[i] = append(t.rows[i], span{tn, pad(bar(bands[i].P50NS, most, room), room)})
	}
}

// bar is v on a scale where most is room columns.
func bar(v, most int64, room int) string {
	if v > most {
		return strings.Repeat("█", room-1) + "▶"
	}
	halves := int(math.Round(2 * float64(room) * max(float64(v), 0) / float64(most)))
	text := strings.Repeat("█", halves/2)
	if halves%2 == 1 || text == "" {
		text += "▌"
	}
	return text
}

// knee is where latency jumps: in the band that begins at from, p50 is factor
// times the median of the earlier bands' p50.
type knee struct {
	from       float64
	before, at int64 // p50 in nanoseconds
	factor     float64
}

// What makes a knee: a band's p50 of at least kneeFactor times the median of
// those before it, each of them over at least kneeCount attempts.
const (
	kneeFactor = 3
	kneeCount  = 10
)

// findKnee returns the first band that makes a knee.
func findKnee(bands []result.Band) (knee, bool) {
	var before []int64
	for _, b := range bands {
		if full(b) || b.Count < kneeCount {
			continue
		}
		if len(before) > 0 {
			slices.Sort(before)
			median := before[len(before)/2]
			if median > 0 && b.P50NS/kneeFactor >= median {
				return knee{b.From, median, b.P50NS, float64(b.P50NS) / float64(median)}, true
			}
		}
		before = append(before, b.P50NS)
	}
	return knee{}, false
}

// words say where the knee is and, where the strategy explains it, why, and what
// helps: withoutKnee shows it.
func (k knee) words(r *result.Result) (means, todo string) {
	strategy := r.Config.Strategy
	means = fmt.Sprintf("from %s %% on, p50 is %s × what it was (%s, before %s)",
		percentile(k.from), digits3(k.factor), duration(k.at), duration(k.before))
	halfway := k.from >= 0.4 && k.from <= 0.6
	switch {
	case halfway && (strategy == "connect" || strategy == "late-bind"):
		means += ". Here one parity is used up: without a bound port the kernel walks the range in steps" +
			" of two, first every port of the low end's parity, and from here on each attempt searches all of" +
			" those in vain before it comes to the others"
	case halfway && strategy == "bind":
		means += ". Here one parity is used up: bind to port 0 takes the ports of one parity first, and from here" +
			" on each attempt searches all of those in vain before it comes to the others"
	default:
		return means, ""
	}
	return means, "IP_LOCAL_PORT_RANGE on the socket (Linux 6.3) makes the step one: see the same range without the knee"
}

// flatBands is how many bands it takes to say that there is no knee.
const flatBands = 5

// flat says how far p50 moves where there is no knee.
func (p *page) flat(bands []result.Band) {
	var p50s []int64
	for _, b := range bands {
		if !full(b) && b.Count >= kneeCount && b.P50NS > 0 {
			p50s = append(p50s, b.P50NS)
		}
	}
	if len(p50s) >= flatBands {
		p.note(fmt.Sprintf("no knee: p50 stays between %s and %s up to the last port",
			duration(slices.Min(p50s)), duration(slices.Max(p50s))))
	}
}
