package record

import "lastport/reports/result"

// openRows is how many of the newest rows can still change: completions come
// up to flushAfter late, and a busy machine adds to that.
const openRows = 4

// rows gathers the timeline: what the workers did and what the kernel showed in
// each interval.
type rows struct {
	timeline result.Timeline
	fresh    []result.Row // final since they were last taken
	ring     [openRows]row
	next     int64 // index of the oldest row that can still change
	open     int64 // connections open at its beginning
}

// row is one interval.
type row struct {
	opened, closed, noPort, failed int64
	connect                        *result.Histogram
	sample                         Sample
}

// Sample is the kernel's side of one interval, seen at its end.
type Sample struct {
	TNS       int64
	States    *result.States // nil: not read in this interval
	Kernel    result.Counters
	UserCPUNS int64 // of the process, since the last sample
	SysCPUNS  int64
}

func (r *rows) init() {
	for i := range r.ring {
		r.ring[i].connect = newHistogram()
	}
}

// at returns the row of the moment t. What comes later than the row is kept
// open counts in the oldest open one: sums stay exact.
func (r *rows) at(t int64) *row {
	i := max(t/Interval, r.next)
	for i >= r.next+openRows {
		r.final()
	}
	return &r.ring[i%openRows]
}

// sample takes the kernel's side of the interval that has just ended: the one
// whose end is nearest, as a sample comes a little after the moment that it is
// for.
func (r *rows) sample(s Sample) {
	row := r.at(s.TNS - Interval/2)
	row.sample.States = s.States
	row.sample.Kernel = s.Kernel.Plus(row.sample.Kernel)
	row.sample.UserCPUNS += s.UserCPUNS
	row.sample.SysCPUNS += s.SysCPUNS
}

// end makes every row up to the moment t final.
func (r *rows) end(t int64) {
	r.at(t)
	for r.next <= t/Interval {
		r.final()
	}
}

// final closes the oldest row and opens its place for a new one.
func (r *rows) final() {
	w := &r.ring[r.next%openRows]
	r.next++
	r.open += w.opened - w.closed
	out := result.Row{
		TNS: r.next * Interval, Opened: w.opened, Closed: w.closed, NoPort: w.noPort, Failed: w.failed,
		Open: r.open, States: w.sample.States, Kernel: w.sample.Kernel, UserCPUNS: w.sample.UserCPUNS, SysCPUNS: w.sample.SysCPUNS,
	}
	if w.connect.Count() > 0 {
		p99 := w.connect.Quantile(0.99)
		out.P99NS = &p99
		w.connect.Reset()
	}
	*w = row{connect: w.connect}
	r.timeline.Add(out)
	r.fresh = append(r.fresh, out)
}
