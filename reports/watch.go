package reports

import (
	"fmt"
	"math"

	"lastport/reports/result"
)

// The shares of a pair's ports from which its line is coloured: from half on,
// connect searches every other port in vain.
const (
	watchCaution = 0.5
	watchBad     = 0.9
)

// soon is the time, in nanoseconds, below which a forecast is coloured.
const soon = 10 * 60 * 1e9

// maxWatched bounds the page of a hostile file.
const maxWatched = 1000

// watched puts a look at a host's ports on the page: the pair that is nearest to
// having no port left, then all that are told of, and who has the ports.
func (p *page) watched(w *result.Watch) {
	p.watchVerdict(w)
	p.note(watchPorts(w.Ports))
	total := plural(w.Connections, "connection") + " of " + plural(w.PairsTotal, "pair") + ", " + count(w.TimeWait) + " in TIME_WAIT"
	if w.OpenedPerS != nil {
		total += "; " + watchRate(*w.OpenedPerS) + " opened per second"
	}
	p.note(total)
	if len(w.Pairs) > 0 {
		p.line()
		p.table(watchTable(w))
	}
	p.watchedProcesses(w)
	p.expectations(w.Expect)
}

// watchVerdict is the look in one line.
func (p *page) watchVerdict(w *result.Watch) {
	f := w.Fullest()
	if f == nil {
		p.para(span{good, "NONE TAKEN  "}, "no connection is from a port of the range")
		return
	}
	p.para(span{watchTone(f), digits3(100*f.Occupancy) + " % TAKEN  "}, WatchLine(w))
}

// WatchLine is a look at a host's ports as one line of text, without its interval:
// the pair that is nearest to having no port left.
func WatchLine(w *result.Watch) string {
	f := w.Fullest()
	if f == nil {
		return clean("no connection from a port of " + w.Ports.Range)
	}
	s := fmt.Sprintf("toward %s from %s %s of %s taken, %s in TIME_WAIT",
		f.Target, f.Source, count(f.Taken), plural(w.Ports.Usable, "port"), count(f.TimeWait))
	if f.GrowthPerS != nil {
		s += ", " + watchGrowth(*f.GrowthPerS) + " per second"
	}
	switch in := f.ExhaustedInNS; {
	case in != nil && *in == 0:
		s += ", none left"
	case in != nil:
		s += ", at this rate none left in " + duration(*in)
	}
	return clean(shorten(s, maxText))
}

func watchPorts(w result.WatchPorts) string {
	return fmt.Sprintf("%s of %s toward each target: %s reserved, %s held by listeners",
		plural(w.Usable, "port"), w.Range, count(w.Reserved), count(w.Held))
}

// watchTable is the pairs, those nearest to having no port left first. What no pair
// has, such as rates after the first look, has no column.
func watchTable(w *result.Watch) table {
	columns := []struct {
		head string
		cell func(*result.WatchPair) span
	}{
		{"toward", func(r *result.WatchPair) span { return span{text: r.Target} }},
		{"from", func(r *result.WatchPair) span { return span{text: r.Source} }},
		{"taken", func(r *result.WatchPair) span { return span{watchTone(r), percent(r.Occupancy)} }},
		{"none left in", func(r *result.WatchPair) span { return span{watchTone(r), watchLeft(r)} }},
		{"ports", func(r *result.WatchPair) span { return span{text: count(r.Used)} }},
		{"TIME_WAIT", func(r *result.WatchPair) span { return span{text: count(r.TimeWait)} }},
		{"closed/s", func(r *result.WatchPair) span { return span{text: optional(r.ClosedPerS, watchRate)} }},
		{"growth/s", func(r *result.WatchPair) span { return span{text: optional(r.GrowthPerS, watchGrowth)} }},
		{"process", func(r *result.WatchPair) span { return span{text: r.Process} }},
	}
	pairs := w.Pairs[:min(len(w.Pairs), maxWatched)]
	t := table{rows: make([][]span, len(pairs))}
	for _, c := range columns {
		cells, empty := make([]span, len(pairs)), true
		for i := range pairs {
			cells[i] = c.cell(&pairs[i])
			empty = empty && cells[i].text == ""
		}
		if empty {
			continue
		}
		t.head = append(t.head, c.head)
		for i, cell := range cells {
			t.rows[i] = append(t.rows[i], cell)
		}
	}
	return t
}

// watchLeft is when no port is left. A rate that is known and leads nowhere says so.
func watchLeft(p *result.WatchPair) string {
	switch {
	case p.ExhaustedInNS != nil && *p.ExhaustedInNS == 0:
		return "now"
	case p.ExhaustedInNS != nil:
		return duration(*p.ExhaustedInNS)
	case p.GrowthPerS != nil:
		return "over a day"
	}
	return ""
}

func watchTone(p *result.WatchPair) tone {
	switch {
	case p.Occupancy >= watchBad:
		return bad
	case p.Occupancy >= watchCaution, p.ExhaustedInNS != nil && *p.ExhaustedInNS < soon:
		return caution
	}
	return good
}

// watchRate is a rate with a digit after the point where that tells something.
func watchRate(v float64) string {
	if math.Abs(v) < 9.95 {
		return fmt.Sprintf("%.1f", max(v, 0))
	}
	return count(int64(math.Round(min(v, 1e15))))
}

// watchGrowth is a rate with its sign.
func watchGrowth(v float64) string {
	switch {
	case v >= 0.05:
		return "+" + watchRate(v)
	case v <= -0.05:
		return "-" + watchRate(-v)
	}
	return "0"
}

// watchedProcesses shows who has connections, and how old that is.
func (p *page) watchedProcesses(w *result.Watch) {
	t := table{head: []string{"process", "user", "connections", "most toward"}}
	for _, q := range w.Processes[:min(len(w.Processes), maxWatched)] {
		t.add(span{text: processName(q)}, span{text: fmt.Sprint(q.UID)}, span{text: count(q.Connections)}, span{text: q.Target})
	}
	if len(t.rows) > 0 {
		p.line()
		p.table(t)
	}
	if w.ProcessNS > 1e9 && len(t.rows) > 0 {
		p.note("processes were looked for " + duration(w.ProcessNS) + " ago")
	}
	if w.Unattended != "" {
		p.note(w.Unattended)
	}
}
