package reports

import (
	"fmt"
	"math"
	"strconv"

	"lastport/reports/result"
)

// How much of a set is drawn.
const (
	mostOverlaid = 8  // lines of one picture
	mostInFull   = 12 // runs that have all of their own sections and pictures
	fewestTimes  = 200
)

// setSections are what the runs of a set come to side by side.
func setSections(s *result.Set, pics *pictures) []section {
	sections := recorded(func(p *page) { p.set(s) })
	over := section{Title: "Runs side by side"}
	b := &runBuilder{prefix: "set", pictures: pics}
	if fills := overlaid(s.Runs, hasBands); fills != nil {
		c, table := overlaidOccupancy(fills)
		over.Blocks = append(over.Blocks, b.chart("occupancy", c, figure{
			Title: "p50 of connect while so many of the ports are in use", Says: linesSay(c), Table: table,
			Reading: "Lower is better. Where one line jumps and another does not, the strategy makes the difference." + notDrawn(s.Runs, fills, hasBands),
		}))
	}
	timed := overlaid(s.Runs, hasPercentiles)
	if c, table := overlaidPercentiles(timed); c != nil {
		over.Blocks = append(over.Blocks, b.chart("percentiles", c, figure{
			Title: "connect latency by percentile", Says: linesSay(c), Table: table,
			Reading: "Lower is better. Lines that part far to the right differ for the slowest attempts alone." + notDrawn(s.Runs, timed, hasPercentiles),
		}))
	}
	if len(over.Blocks) > 0 {
		at := min(1, len(sections))
		sections = append(sections[:at:at], append([]section{over}, sections[at:]...)...)
	}
	return numbered("set", sections)
}

// lineNames names runs by what they differ in, so that no two lines have one name.
func lineNames(runs []*result.Result) []string {
	axis := differing(runs)
	if len(byScenario(runs)) > 1 {
		axis = "scenario/" + axis
	}
	names := make([]string, len(runs))
	for i, r := range runs {
		names[i] = shown(runName(r, axis))
	}
	return oneEach(names)
}

// titles names runs by what was done with which ports, where they are from, and
// which of the repeats they are.
func titles(runs []*result.Result) []string {
	names := make([]string, len(runs))
	for i, r := range runs {
		names[i] = phrases(runTitle(r), shown(r.Run.Folder))
		if r.Run.Repeat > 0 {
			names[i] = phrases(names[i], repeatName(r))
		}
	}
	return oneEach(names)
}

// oneEach numbers names that are there already.
func oneEach(names []string) []string {
	seen := map[string]int{}
	for i, name := range names {
		if seen[name]++; seen[name] > 1 {
			names[i] += " (" + strconv.Itoa(seen[name]) + ")"
		}
	}
	return names
}

// overlaid picks the runs of which a picture has a line, and at least two: where
// there are such, those that differ in the strategy alone, which tell most.
func overlaid(runs []*result.Result, has func(*result.Result) bool) (picked []*result.Result) {
	if alike := byStrategy(runs); len(alike) > 1 {
		runs = alike
	}
	for _, r := range runs {
		if has(r) && len(picked) < mostOverlaid {
			picked = append(picked, r)
		}
	}
	if len(picked) < 2 {
		return nil
	}
	return picked
}

func hasBands(r *result.Result) bool { return len(usableBands(r.Occupancy)) > 1 }

func hasPercentiles(r *result.Result) bool {
	return r.Latency.Connect != nil && r.Latency.Connect.HDR != ""
}

// notDrawn says of how many runs a picture has a line, if it is not of all.
func notDrawn(runs, picked []*result.Result, has func(*result.Result) bool) string {
	able := 0
	for _, r := range runs {
		if has(r) {
			able++
		}
	}
	if able == len(picked) {
		return ""
	}
	text := fmt.Sprintf(" Of %s the picture has %d: ", plural(int64(able), "run"), len(picked))
	if len(byStrategy(runs)) > 1 {
		return text + "those that differ in the strategy alone, of each strategy the first."
	}
	return text + "the first."
}

// overlaidOccupancy is p50 of each run by how full its range was, over bands of
// tenths.
func overlaidOccupancy(runs []*result.Result) (*chart, *grid) {
	c := &chart{X: axis{Kind: "percent", Label: "ports in use", Max: fullTo}, Shades: []shade{{fullAt, fullTo, "full"}}}
	t := table{head: []string{""}}
	for tenth := range 11 {
		c.X.Values = append(c.X.Values, float64(10*tenth))
		t.head = append(t.head, bandName(result.Band{From: float64(tenth) / 10, To: float64(tenth+1) / 10}))
	}
	c.X.Values = append(c.X.Values, (100+fullAt)/2.0, fullAt, fullTo) // between the last port and none a line ends
	p := panel{Title: "connect p50", Unit: "ns", Log: true}
	for i, name := range lineNames(runs) {
		l, row := line{Name: name, Form: "step", Color: i}, []span{{text: name}}
		for tenth := range 10 {
			v := bandP50(float64(tenth) / 10)(runs[i])
			l.Values = append(l.Values, maybe(v))
			row = append(row, span{text: dash(optional(v, duration))})
		}
		failing := bandP50(1)(runs[i])
		l.Values = append(l.Values, l.Values[9], math.NaN(), maybe(failing), maybe(failing))
		t.add(append(row, span{text: dash(optional(failing, duration))})...)
		p.Lines = append(p.Lines, l)
	}
	c.Panels = []panel{p}
	return c, gridOf(t)
}

// overlaidPercentiles is the percentiles of connect of each run. Its table asks the
// histograms, not the picture, whose values stand at the places of its axis.
func overlaidPercentiles(runs []*result.Result) (*chart, *grid) {
	if runs == nil {
		return nil, nil
	}
	var timed []result.Timed
	for i, name := range lineNames(runs) {
		timed = append(timed, result.Timed{Name: name, Summary: runs[i].Latency.Connect})
	}
	c := percentileChart(timed)
	if c == nil || len(c.Panels[0].Lines) < 2 {
		return nil, nil
	}
	for i := range c.Panels[0].Lines {
		c.Panels[0].Lines[i].Color = i
	}
	return c, percentileTable(timed)
}

// linesSay tells where each line of a picture begins and ends.
func linesSay(c *chart) string {
	text := ""
	for _, l := range c.Panels[0].Lines {
		first, last := l.Values.ends()
		text += fmt.Sprintf("%s: from %s to %s. ", l.Name, duration(int64(first)), duration(int64(last)))
	}
	return text
}

// ends returns the first and the last number; 0 where there is none.
func (n numbers) ends() (first, last float64) {
	for _, v := range n {
		if !drawn(v) {
			continue
		}
		if first == 0 {
			first = v
		}
		last = v
	}
	return first, last
}
