package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"lastport/reports/result"
)

// fullAt and fullTo are where the picture of latency by occupancy has the full
// range: beside the axis of percents, as wide as half a band.
const (
	fullAt = 101
	fullTo = 106
)

// usableBands returns the bands that make an axis: in their order, each after the
// one before, and the full range at last.
func usableBands(all []result.Band) (bands []result.Band) {
	end := 0.0
	for _, b := range all[:min(len(all), maxItems)] {
		if b.Count > 0 && b.P50NS > 0 && b.From >= end && (full(b) || b.To > b.From && b.To <= 1) {
			bands = append(bands, b)
			end = b.To
		}
	}
	return bands
}

// occupancyChart is p50 and p99 of connect by how full the range was, and at the
// end what a failing attempt costs.
func occupancyChart(r *result.Result) *chart {
	bands := usableBands(r.Occupancy)
	if len(bands) < 2 {
		return nil
	}
	c := &chart{X: axis{Kind: "percent", Label: "ports in use", Max: fullTo}}
	p50, p99 := line{Name: "p50", Form: "step"}, line{Name: "p99", Form: "step", Color: 1}
	failing := line{Name: "an attempt that finds no port, p50", Form: "step", Color: failColor}
	put := func(x, a, b, f float64) {
		c.X.Values = append(c.X.Values, x)
		p50.Values, p99.Values, failing.Values = append(p50.Values, a), append(p99.Values, b), append(failing.Values, f)
	}
	none := math.NaN()
	for i, b := range bands {
		if full(b) {
			put(fullAt, none, none, float64(b.P50NS))
			put(fullTo, none, none, float64(b.P50NS))
			c.Shades = append(c.Shades, shade{fullAt, fullTo, "full"})
			break
		}
		put(100*b.From, float64(b.P50NS), float64(b.P99NS), none)
		if i+1 == len(bands) || full(bands[i+1]) || bands[i+1].From != b.To {
			put(100*b.To, float64(b.P50NS), float64(b.P99NS), none)
		}
	}
	if k, found := findKnee(bands); found {
		c.Marks = []mark{{100 * k.from, "knee: " + digits3(k.factor) + " ×"}}
	}
	lines := []line{p50, p99}
	if failing.Values.some() {
		lines = append(lines, failing)
	}
	c.Panels = []panel{{Title: "connect latency", Unit: "ns", Log: true, Lines: lines}}
	return c
}

// occupancySays puts the picture in a sentence.
func occupancySays(r *result.Result) string {
	bands := usableBands(r.Occupancy)
	below := slices.DeleteFunc(slices.Clone(bands), full)
	if len(below) == 0 {
		return ""
	}
	text := fmt.Sprintf("p50 of connect goes from %s in an empty range to %s at the last ports", duration(below[0].P50NS), duration(below[len(below)-1].P50NS))
	if k, found := findKnee(bands); found {
		text = fmt.Sprintf("p50 of connect is %s until %s %% of the ports are in use, and %s from there on: a knee of %s ×",
			duration(k.before), percentile(k.from), duration(k.at), digits3(k.factor))
	}
	if last := bands[len(bands)-1]; full(last) {
		text += ". Once the range is full, an attempt fails after " + duration(last.P50NS)
	}
	return text
}

// perDecade is how many values a line of percentiles has from 90 % to 99 %, from 99 % to
// 99.9 %, and so on.
const perDecade = 24

// percentileChart is the usual plot of HdrHistogram: the value that a share of
// all does not exceed, over an axis on which each further nine takes as much
// room.
func percentileChart(timed []result.Timed) *chart {
	type curve struct {
		name  string
		h     *result.Histogram
		nines float64 // where its line ends
	}
	var curves []curve
	most := 0.0
	for _, t := range timed {
		if t.Summary == nil {
			continue
		}
		h, err := result.DecodeHistogram(t.Summary.HDR)
		if err != nil || h.Count() <= 0 {
			continue
		}
		c := curve{t.Name, h, slowestAt(h.Count())}
		curves, most = append(curves, c), max(most, c.nines)
	}
	if len(curves) == 0 {
		return nil
	}
	c := &chart{X: axis{Kind: "quantile", Label: "share of attempts that took no longer", Max: max(most, 1)}}
	for i := 0; float64(i) <= most*perDecade; i++ {
		c.X.Values = append(c.X.Values, float64(i)/perDecade)
	}
	c.X.Values = append(c.X.Values, c.X.Max)
	p := panel{Title: "latency", Unit: "ns", Log: true}
	for _, curve := range curves {
		l := line{Name: curve.name, Form: "line", Color: timedColor(curve.name)}
		for _, x := range c.X.Values {
			l.Values = append(l.Values, quantileAt(curve.h, x, curve.nines))
		}
		p.Lines = append(p.Lines, l)
	}
	c.Panels = []panel{p}
	return c
}

// slowestAt is where on the axis the slowest of n values stands: in the middle of
// the last n-th (Hazen's plotting position), as at the end of it no axis of
// nines comes to. What all but one do not exceed is so no further right than its own share.
func slowestAt(n int64) float64 { return math.Log10(2 * float64(n)) }

// quantileAt is the value at so many nines, and NaN beyond those that there are
// values for.
func quantileAt(h *result.Histogram, nines, most float64) float64 {
	if nines > most {
		return math.NaN()
	}
	return float64(h.Quantile(1 - math.Pow(10, -nines)))
}

// timedColor gives each thing that is timed its own colour.
func timedColor(name string) int {
	switch name {
	case "connect":
		return 0
	case "response":
		return 1
	case "bind":
		return 2
	case "close":
		return 3
	case "failure":
		return failColor
	}
	return 4
}

// percentileSays puts the picture in a sentence.
func percentileSays(timed []result.Timed) string {
	var all []string
	for _, t := range timed {
		if s := t.Summary; s != nil {
			all = append(all, fmt.Sprintf("%s: p50 %s, p99 %s, slowest %s", t.Name, duration(s.P50NS), duration(s.P99NS), duration(s.MaxNS)))
		}
	}
	return strings.Join(all, "; ")
}

// percentileTable is the picture in numbers, further out than the summary goes.
func percentileTable(timed []result.Timed) *grid {
	shares := []float64{0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 0.99999}
	t := table{head: []string{""}}
	for _, q := range shares {
		t.head = append(t.head, "p"+strconv.FormatFloat(100*q, 'g', 7, 64))
	}
	t.head = append(t.head, "max")
	for _, timed := range timed {
		if timed.Summary == nil {
			continue
		}
		h, err := result.DecodeHistogram(timed.Summary.HDR)
		if err != nil || h.Count() <= 0 {
			continue
		}
		row := []span{{text: timed.Name}}
		for _, q := range shares {
			text := ""
			if float64(h.Count())*(1-q) > 1-1e-6 || q == 0.5 { // of 10,000 values p99.99 leaves one out, or a little less in floating point
				text = duration(h.Quantile(q))
			}
			row = append(row, span{text: dash(text)})
		}
		t.add(append(row, span{text: duration(h.Max())})...)
	}
	return gridOf(t)
}
