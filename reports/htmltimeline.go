package reports

import (
	"fmt"
	"math"

	"lastport/reports/result"
)

// mostTimes is how many values each line of a timeline has at most: two for each
// pixel of a wide screen.
const mostTimes = 2000

// rowsInOrder leaves out what no run writes: rows that do not follow the one
// before.
func rowsInOrder(rows []result.Row) (ordered []result.Row) {
	last := int64(0)
	for _, row := range rows {
		if row.TNS > last && row.TNS <= mostDrawn {
			ordered = append(ordered, row)
			last = row.TNS
		}
	}
	return ordered
}

// timelineLine is a line of the timeline: what a row says of it.
type timelineLine struct {
	name  string
	color int
	value func(row result.Row, seconds float64) float64
}

// timelinePanels are the panels with all lines that they may have.
func timelinePanels() []struct {
	panel
	lines []timelineLine
} {
	perSecond := func(n func(result.Row) int64) func(result.Row, float64) float64 {
		return func(row result.Row, seconds float64) float64 { return float64(n(row)) / seconds }
	}
	state := func(n func(*result.States) *int64) func(result.Row, float64) float64 {
		return func(row result.Row, _ float64) float64 {
			if row.States == nil {
				return math.NaN()
			}
			return maybe(n(row.States))
		}
	}
	return []struct {
		panel
		lines []timelineLine
	}{
		{panel{Title: "attempts per second", Unit: "per_s"}, []timelineLine{
			{"connected", 0, perSecond(func(r result.Row) int64 { return r.Opened })},
			{"closed", 3, perSecond(func(r result.Row) int64 { return r.Closed })},
			{"no_port", failColor, perSecond(func(r result.Row) int64 { return r.NoPort })},
			{"failed otherwise", 5, perSecond(func(r result.Row) int64 { return r.Failed })},
		}},
		{panel{Title: "connections by state", Unit: "count"}, []timelineLine{
			{"open", 0, func(r result.Row, _ float64) float64 { return float64(r.Open) }},
			{"TIME_WAIT", 1, state(func(s *result.States) *int64 { return s.TimeWait })},
			{"FIN_WAIT2", 2, state(func(s *result.States) *int64 { return s.FinWait2 })},
			{"CLOSE_WAIT", 4, state(func(s *result.States) *int64 { return s.CloseWait })},
			{"SYN_SENT", 5, state(func(s *result.States) *int64 { return s.SynSent })},
		}},
		{panel{Title: "connect p99", Unit: "ns", Log: true}, []timelineLine{
			{"p99", 0, func(r result.Row, _ float64) float64 { return maybe(r.P99NS) }},
		}},
		{panel{Title: "processors in use", Unit: "cores"}, []timelineLine{
			{"kernel", 0, func(r result.Row, seconds float64) float64 { return float64(r.SysCPUNS) / 1e9 / seconds }},
			{"user space", 1, func(r result.Row, seconds float64) float64 { return float64(r.UserCPUNS) / 1e9 / seconds }},
		}},
	}
}

func maybe(n *int64) float64 {
	if n == nil {
		return math.NaN()
	}
	return float64(*n)
}

// timelineChart is the run over time, with at most so many values to a line. A
// line that is 0 throughout is left out, and a panel without one.
func timelineChart(r *result.Result, most int) *chart {
	rows := rowsInOrder(r.Timeline)
	if len(rows) < 2 {
		return nil
	}
	at := make(numbers, len(rows))
	for i, row := range rows {
		at[i] = float64(row.TNS) / 1e9
	}
	c := &chart{X: axis{Kind: "s", Label: "time since the run began", Max: at[len(at)-1]}, Zoom: true}
	for _, p := range timelinePanels() {
		for i, l := range p.lines {
			values := l.over(rows)
			if i > 0 && !values.some() || i == 0 && p.Log && !values.some() {
				continue
			}
			x, thinned := thin(at, []numbers{values}, most)
			c.X.Values = x
			p.Lines = append(p.Lines, line{l.name, "line", l.color, thinned[0]})
		}
		if len(p.Lines) > 0 {
			c.Panels = append(c.Panels, p.panel)
		}
	}
	if n := r.Measured.FirstNoPort; n != nil && n.TNS > 0 && float64(n.TNS)/1e9 <= c.X.Max {
		c.Marks = []mark{{float64(n.TNS) / 1e9, "first no_port"}}
	}
	return c
}

// over reads the line from rows, whose times ascend.
func (l timelineLine) over(rows []result.Row) numbers {
	values := make(numbers, len(rows))
	last := int64(0)
	for i, row := range rows {
		values[i] = l.value(row, float64(row.TNS-last)/1e9)
		last = row.TNS
	}
	return values
}

// timelineSays puts the picture in a sentence.
func timelineSays(r *result.Result) string {
	rows := rowsInOrder(r.Timeline)
	if len(rows) == 0 {
		return ""
	}
	text := "the run took " + duration(rows[len(rows)-1].TNS)
	slots := divide(rows, timelineRows)
	for _, s := range seriesOf(slots) {
		text += fmt.Sprintf("; %s at most %s", s.name, s.peak(s.highest()))
	}
	return text
}

// timelineRows is how many rows the table of a timeline has at most.
const timelineRows = 40

// timelineTable is the picture in numbers, several rows of the file in one.
func timelineTable(r *result.Result) *grid {
	slots := divide(rowsInOrder(r.Timeline), timelineRows)
	all := seriesOf(slots)
	t := table{head: []string{"until"}}
	for _, s := range all {
		t.head = append(t.head, s.name)
	}
	for i, slot := range slots {
		row := []span{{text: duration(slot.to)}}
		for _, s := range all {
			row = append(row, span{text: s.peak(s.values[i])})
		}
		t.add(row...)
	}
	return gridOf(t)
}
