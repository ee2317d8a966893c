package reports

import (
	"math"
	"strings"

	"lastport/reports/result"
)

// course draws a run over time: one line of small bars for what came of the
// attempts, for latency and for the ports that are kept, and says in words how
// long nothing connected.
func (p *page) course(rows []result.Row) {
	const label, peak = 11, 10 // columns before and after the bars
	room := p.width - gap - label - 1 - gap - peak
	slots := divide(rows, room)
	if len(slots) < 2 {
		return
	}
	p.heading("Course: one column is " + duration(slots[0].ns()))
	end := "0 s"
	if n := len(slots) - len(end); n >= 10 {
		end += padLeft(duration(slots[len(slots)-1].to), n)
	}
	if p.blocks != nil {
		p.courseTable(slots)
		p.drought(rows)
		return
	}
	indent := strings.Repeat(" ", gap+label+1)
	p.line(span{dim, indent + pad(end, len(slots)) + strings.Repeat(" ", gap) + padLeft("highest", peak)})
	for _, s := range seriesOf(slots) {
		p.line(span{dim, strings.Repeat(" ", gap) + pad(s.name, label) + " "}, span{s.tone, pad(s.bars(), len(slots))},
			span{text: strings.Repeat(" ", gap) + padLeft(shorten(s.peak(s.highest()), peak), peak)})
	}
	p.drought(rows)
}

// courseTable is the same as a table, for a form that aligns by itself.
func (p *page) courseTable(slots []slot) {
	t := table{head: []string{"", "0 s to " + duration(slots[len(slots)-1].to), "highest"}}
	for _, s := range seriesOf(slots) {
		t.add(span{text: s.name}, span{s.tone, strings.ReplaceAll(s.bars(), " ", "·")}, span{text: s.peak(s.highest())})
	}
	p.table(t)
}

// slot is one column: several neighbouring rows.
type slot struct {
	from, to               int64 // nanoseconds
	opened, noPort, failed float64
	p99, timeWait, dropped float64
}

func (s slot) ns() int64 { return max(s.to-s.from, 0) }

// perSecond makes a rate of a count; 0 if the slot has no length, as only a
// broken file has it.
func (s slot) perSecond(count float64) float64 {
	if s.ns() == 0 {
		return 0
	}
	return count / (float64(s.ns()) / 1e9)
}

// divide makes at most room slots of equally many rows each; the last one may
// have fewer.
func divide(rows []result.Row, room int) []slot {
	if room < 1 || len(rows) == 0 {
		return nil
	}
	each := (len(rows) + room - 1) / room
	slots := make([]slot, 0, room)
	var from int64
	var timeWait float64 // states are not read in every interval: the last one holds
	for i, row := range rows {
		if i%each == 0 {
			slots = append(slots, slot{from: from})
		}
		s := &slots[len(slots)-1]
		s.opened += float64(row.Opened)
		s.noPort += float64(row.NoPort)
		s.failed += float64(row.Failed)
		if row.P99NS != nil {
			s.p99 = max(s.p99, float64(*row.P99NS))
		}
		if row.States != nil && row.States.TimeWait != nil {
			timeWait = float64(*row.States.TimeWait)
		}
		s.timeWait = timeWait
		s.dropped += float64(max(row.Kernel["ListenOverflows"], row.Kernel["ListenDrops"])) // the second counts the first too
		s.to, from = row.TNS, row.TNS
	}
	return slots
}

// series is one line of the drawing.
type series struct {
	name   string
	tone   tone
	values []float64
	full   float64 // the value of a full bar
	peak   func(float64) string
}

// seriesOf lists the lines that have something to show. What came of attempts
// shares one scale, so that heights compare.
func seriesOf(slots []slot) []series {
	pick := func(value func(slot) float64) []float64 {
		values := make([]float64, len(slots))
		for i, s := range slots {
			values[i] = value(s)
		}
		return values
	}
	perSecond := func(v float64) string { return digits3(v) + "/s" }
	nanoseconds := func(v float64) string { return duration(int64(v)) }
	number := func(v float64) string { return count(int64(v)) }
	all := []series{
		{name: "ok", tone: good, values: pick(func(s slot) float64 { return s.perSecond(s.opened) }), peak: perSecond},
		{name: "no_port", tone: bad, values: pick(func(s slot) float64 { return s.perSecond(s.noPort) }), peak: perSecond},
		{name: "failed", tone: bad, values: pick(func(s slot) float64 { return s.perSecond(s.failed) }), peak: perSecond},
		{name: "connect p99", values: pick(func(s slot) float64 { return s.p99 }), peak: nanoseconds},
		{name: "listen drop", tone: bad, values: pick(func(s slot) float64 { return s.dropped }), peak: number},
		{name: "TIME_WAIT", values: pick(func(s slot) float64 { return s.timeWait }), peak: number},
	}
	attempts := max(all[0].highest(), all[1].highest(), all[2].highest())
	var shown []series
	for i, s := range all {
		s.full = s.highest()
		if i < 3 {
			s.full = attempts
		}
		if s.highest() > 0 || i == 0 {
			shown = append(shown, s)
		}
	}
	return shown
}

func (s series) highest() float64 {
	most := 0.0
	for _, v := range s.values {
		most = max(most, v)
	}
	return most
}

// bars draws each value as one character; a blank is nothing at all.
func (s series) bars() string {
	levels := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range s.values {
		if !(v > 0 && s.full > 0) {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(levels[min(max(int(math.Ceil(float64(len(levels))*v/s.full))-1, 0), len(levels)-1)])
	}
	return b.String()
}

// dry is a time without a connection, while attempts found no port.
type dry struct {
	from, to int64
	ended    bool // by a connection, not by the run
}

// longestDry finds the longest one, to the length of a row.
func longestDry(rows []result.Row) (longest dry) {
	var d dry
	var end int64
	within := false
	keep := func() {
		if within && d.to-d.from > longest.to-longest.from {
			longest = d
		}
	}
	for _, row := range rows {
		switch {
		case row.Opened > 0:
			d.ended = true
			keep()
			within = false
		case row.NoPort > 0 && !within:
			d = dry{from: end}
			within = true
		}
		end = row.TNS
		if within {
			d.to = end
		}
	}
	keep()
	return longest
}

// shortestDry is the least time worth a sentence: less passes between two ports
// that come back.
const shortestDry = 1_000_000_000

// drought says how long the ports were all gone.
func (p *page) drought(rows []result.Row) {
	d := longestDry(rows)
	switch length := d.to - d.from; {
	case length < shortestDry:
	case d.ended:
		p.para(span{bad, "  dry: "}, "no port was left from "+duration(d.from)+" to "+duration(d.to)+", for "+duration(length)+"; then ports came back")
	default:
		p.para(span{bad, "  dry: "}, "no port was left from "+duration(d.from)+" to the end, for "+duration(length))
	}
}
