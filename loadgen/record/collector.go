package record

import (
	"fmt"
	"strings"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

// bands is how many parts occupancy is divided into; one more is the full range.
const bands = 10

// Interval is the length of a timeline's sample in nanoseconds.
const Interval = int64(100 * time.Millisecond)

// Collector turns completions into everything that a result says of them. All
// its methods belong to one goroutine, and so do its histograms.
type Collector struct {
	full    chan Chunk
	usable  int64
	bands   [bands + 1]band // connect latency by occupancy; the last: what no_port costs on the full range
	points  []point         // the same close to single occupancies
	timings [timings]*timing

	outcomes   [outcome.Count]int64
	attempts   int64
	opened     int64
	closed     int64
	self       int64
	collided   int64 // attempts that lost a SYN on a gateway with more ports free than in use
	unanswered int64 // requests that failed
	firstPort  *result.NoPort
	began      int64 // start of the first attempt
	lastOpen   int64 // end of the last success

	uses  result.PortMap
	first []uint16
	rows  rows
	log   *intervalLog

	silent bool
	unkept []*unkept // of silent writers
}

// The things that are timed besides connect by occupancy.
const (
	connect = iota
	response
	bind
	closing
	failure
	request
	schedule // how late attempts began: start less due
	timings
)

// tags are their names in the interval log.
var tags = [timings]string{"connect", "response", "bind", "close", "failure", "request", "schedule_error"}

// timing is one histogram over the run, and one since the last log line.
// Encoding a histogram takes a millisecond, so the summary is made again only
// when there is something new in it.
type timing struct {
	run, interval *result.Histogram
	summary       *result.Summary
}

func (t *timing) summarize() *result.Summary {
	if n := t.run.Count(); n > 0 && (t.summary == nil || t.summary.Count != n) {
		t.summary = t.run.Summary()
	}
	return t.summary
}

// band is connect latency at one tenth of the occupancy.
type band struct {
	latency *result.Histogram
	summary result.Band
}

func (b *band) summarize(from, to float64) result.Band {
	if b.summary.Count != b.latency.Count() {
		b.summary = b.latency.Band(from, to)
	}
	return b.summary
}

func (t *timing) record(ns int64) {
	t.run.Record(ns)
	t.interval.Record(ns)
}

// NewCollector makes a collector for so many workers. usable is the number of
// connections that count as full occupancy, 0 if latency by occupancy is not
// asked for; started is the run's time 0.
func NewCollector(workers int, usable int64, started time.Time) (*Collector, error) {
	c := &Collector{full: make(chan Chunk, workers*chunks), usable: usable, began: -1}
	for i := range c.bands {
		c.bands[i].latency = newHistogram()
	}
	if usable > 0 {
		c.points = newPoints(usable)
	}
	for i := range c.timings {
		c.timings[i] = &timing{run: newHistogram(), interval: newHistogram()}
	}
	c.rows.init()
	var err error
	c.log, err = newIntervalLog(started)
	return c, err
}

// newHistogram makes a histogram whose memory is there: what a run takes while it
// goes on is then its connections', and not the recorder's.
func newHistogram() *result.Histogram {
	h := result.NewHistogram()
	h.Reset() // writes to all of it
	return h
}

// Writer makes one worker's writer.
func (c *Collector) Writer() *Writer {
	w := newWriter(c.full)
	if c.silent {
		w.unkept = &unkept{}
		c.unkept = append(c.unkept, w.unkept)
	}
	return w
}

// Chunks is where handed-over chunks wait for Take.
func (c *Collector) Chunks() <-chan Chunk { return c.full }

// Take counts a chunk and gives its memory back to its writer.
func (c *Collector) Take(ch Chunk) {
	for i := range ch.done {
		d := &ch.done[i]
		switch {
		case d.Probe:
		case d.Op == step.Open:
			c.open(d)
		case d.Op == step.Cycle:
			c.cycle(d)
		case d.Op == step.Request:
			c.answer(d)
		case d.Op == step.Await:
			c.close(d.End)
		case d.Op == step.Close:
			c.timings[closing].record(d.End - d.Start)
			c.close(d.End)
		}
	}
	ch.free <- ch.done[:0]
}

// TakeAll counts every chunk that waits.
func (c *Collector) TakeAll() {
	c.takeUnkept()
	for {
		select {
		case ch := <-c.full:
			c.Take(ch)
		default:
			return
		}
	}
}

// close counts a connection's end.
func (c *Collector) close(at int64) {
	c.closed++
	c.rows.at(at).closed++
}

// answer counts a request. One that failed was its connection's end.
func (c *Collector) answer(d *step.Completion) {
	if d.Outcome != outcome.OK {
		c.unanswered++
		c.close(d.End)
		return
	}
	c.timings[request].record(d.End - d.Start)
}

// cycle counts a connection that was opened and closed as one. No call of it was
// timed, so no histogram hears of it.
func (c *Collector) cycle(d *step.Completion) {
	row := c.attempt(d)
	switch d.Outcome {
	case outcome.OK:
		row.opened++
		c.close(d.End)
		if d.Port != 0 {
			c.port(d.Port)
		}
	case outcome.NoPort, outcome.NATNoPort:
		row.noPort++
	default:
		row.failed++
	}
}

// attempt counts what every attempt comes to, and returns the row of its end.
func (c *Collector) attempt(d *step.Completion) *row {
	c.attempts++
	c.outcomes[d.Outcome]++
	if c.began < 0 || d.Start < c.began {
		c.began = d.Start
	}
	switch d.Outcome {
	case outcome.OK:
		c.opened++
		c.lastOpen = max(c.lastOpen, d.End)
	case outcome.NoPort, outcome.NATNoPort:
		if c.firstPort == nil || d.Attempt < uint32(c.firstPort.Attempt) {
			c.firstPort = &result.NoPort{TNS: d.End, Attempt: int64(d.Attempt)}
		}
	}
	return c.rows.at(d.End)
}

func (c *Collector) open(d *step.Completion) {
	row := c.attempt(d)
	if d.Due != 0 {
		c.timings[schedule].record(d.Start - d.Due)
	}
	if d.BindNS != 0 {
		c.timings[bind].record(int64(d.BindNS))
	}
	took := d.End - d.Start
	switch d.Outcome {
	case outcome.OK:
		c.timings[connect].record(took)
		if d.Due != 0 {
			c.timings[response].record(d.End - d.Due)
		}
		if c.usable > 0 {
			c.bands[c.band(d.Open)].latency.Record(took)
			recordPoint(c.points, int64(d.Open), took)
		}
		c.port(d.Port)
		row.opened++
		row.connect.Record(took)
	case outcome.NoPort, outcome.NATNoPort:
		row.noPort++
		c.timings[failure].record(took)
		if c.usable > 0 {
			c.bands[bands].latency.Record(took)
		}
	default:
		row.failed++
		if took > 0 { // else no call was made: the engine itself had no room
			c.timings[failure].record(took)
		}
	}
	if d.Self {
		c.self++
	}
	if d.Again > 0 && d.Outcome == outcome.OK && int64(d.Open) < c.usable/2 {
		c.collided++
	}
}

// band returns the tenth of the usable connections that were open.
func (c *Collector) band(open uint32) int {
	return int(min(int64(open)*bands/c.usable, bands-1))
}

func (c *Collector) port(p uint16) {
	c.uses.Add(p)
	if len(c.first) < result.MaxFirst {
		c.first = append(c.first, p)
	}
}

// Attempts returns how many attempts there were, probes left out.
func (c *Collector) Attempts() int64 { return c.attempts }

// Opened returns how many attempts succeeded.
func (c *Collector) Opened() int64 { return c.opened }

// Closed returns how many connections were closed.
func (c *Collector) Closed() int64 { return c.closed }

// NoPort returns how many attempts found no port, their host's or a gateway's.
func (c *Collector) NoPort() int64 {
	return c.outcomes[outcome.NoPort] + c.outcomes[outcome.NATNoPort]
}

// Collided returns how many attempts got through a gateway by a second SYN or a
// later one, though less than half of its ports were in use.
func (c *Collector) Collided() int64 { return c.collided }

// Latest returns how late the latest attempt of a schedule began, in nanoseconds
// to three digits; 0 without a schedule.
func (c *Collector) Latest() int64 { return c.timings[schedule].run.Max() }

// SelfConnects returns how many sockets had connected to themselves.
func (c *Collector) SelfConnects() int64 { return c.self }

// FillNS returns the nanoseconds from the first attempt to the last success; 0
// without a success.
func (c *Collector) FillNS() int64 { return max(0, c.lastOpen-max(0, c.began)) }

// Fill writes what was counted so far to a result.
func (c *Collector) Fill(r *result.Result) {
	n := &c.outcomes
	r.Attempts = c.attempts
	r.Outcomes = result.Outcomes{
		OK: n[outcome.OK], NoPort: n[outcome.NoPort], PortBusy: n[outcome.PortBusy],
		TupleBusy: n[outcome.TupleBusy], Refused: n[outcome.Refused], Reset: n[outcome.Reset],
		TimedOut: n[outcome.TimedOut], NATNoPort: n[outcome.NATNoPort], NoFD: n[outcome.NoFD],
		NoMemory: n[outcome.NoMemory], Unreachable: n[outcome.Unreachable],
		Denied: n[outcome.Denied], Canceled: n[outcome.Canceled], Other: n[outcome.Other],
	}
	r.Latency = result.Latency{
		Connect:  c.timings[connect].summarize(),
		Response: c.timings[response].summarize(),
		Bind:     c.timings[bind].summarize(),
		Close:    c.timings[closing].summarize(),
		Failure:  c.timings[failure].summarize(),
		Request:  c.timings[request].summarize(),
	}
	if late := c.timings[schedule].summarize(); late != nil {
		r.ScheduleError = &result.ScheduleError{P50NS: late.P50NS, P99NS: late.P99NS, MaxNS: late.MaxNS}
	}
	if answered := c.timings[request].run.Count(); answered+c.unanswered > 0 {
		r.Requests = &result.Requests{Answered: answered, Failed: c.unanswered}
	}
	r.Occupancy = c.occupancy()
	r.AtOccupancy = summarizePoints(c.points)
	r.Measured.FirstNoPort = c.firstPort
	r.Timeline = c.rows.timeline.Rows()
	if len(c.first) > 0 {
		r.Ports = c.uses.Ports(c.first)
	}
}

// occupancy lists the bands that have values. The last one, 1 to 1, is the full
// range: what an attempt costs there that finds no port.
func (c *Collector) occupancy() []result.Band {
	var list []result.Band
	for i := range c.bands {
		if b := &c.bands[i]; b.latency.Count() > 0 {
			list = append(list, b.summarize(float64(i)/bands, float64(min(i+1, bands))/bands))
		}
	}
	return list
}

// Sample takes the kernel's side of an interval.
func (c *Collector) Sample(s Sample) { c.rows.sample(s) }

// End makes the timeline final up to now.
func (c *Collector) End(now int64) { c.rows.end(now) }

// FreshRows returns the timeline's rows that became final since the last call,
// one an interval.
func (c *Collector) FreshRows() []result.Row {
	fresh := c.rows.fresh
	c.rows.fresh = nil
	return fresh
}

// Log returns the lines of the interval log since the last call; now ends the
// interval.
func (c *Collector) Log(now int64) (string, error) { return c.log.lines(&c.timings, now) }

// intervalLog writes one line a tag and interval.
type intervalLog struct {
	text  strings.Builder
	w     *result.LogWriter
	since int64
}

func newIntervalLog(started time.Time) (*intervalLog, error) {
	l := &intervalLog{}
	var err error
	if l.w, err = result.NewLogWriter(&l.text, started); err != nil {
		return nil, fmt.Errorf("interval log: %w", err)
	}
	return l, nil
}

func (l *intervalLog) lines(all *[timings]*timing, now int64) (string, error) {
	for i, t := range all {
		if t.interval.Count() == 0 {
			continue
		}
		if err := l.w.Append(tags[i], l.since, now-l.since, t.interval); err != nil {
			return "", fmt.Errorf("interval log: %w", err)
		}
		t.interval.Reset()
	}
	l.since = now
	text := l.text.String()
	l.text.Reset()
	return text, nil
}
