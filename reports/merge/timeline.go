package merge

import (
	"cmp"
	"slices"
	"time"

	"lastport/reports/result"
)

// shortest is the interval of a run's timeline before neighbours are joined; each
// time it is full its intervals double.
const shortest = int64(100 * time.Millisecond)

// lane is a shard's rows, as far as they have been taken.
type lane struct {
	began  int64
	rows   []result.Row
	next   int
	states *result.States // as they were last read
}

// timeline lays the shards' rows beside each other, by wall clock. Its intervals
// are as long as the longest of theirs: a row counts in the interval in which it
// ends, so that every sum is exact and no moment is off by more than one of them.
// What is true of a moment is the sum over the shards that ran then, each as it
// was last seen; p99 is the largest, an upper bound, as in rows that are joined.
func (w *whole) timeline() (rows []result.Row) {
	var lanes []*lane
	for i, r := range w.runs {
		lanes = append(lanes, &lane{began: w.began[i], rows: r.Timeline})
	}
	long := w.interval(lanes)
	for n := range w.end()/long + 1 {
		row := result.Row{TNS: (n + 1) * long}
		ran := false
		var states []*result.States
		for _, l := range lanes {
			if l.into(&row, &w.tally) {
				ran = true
				states = append(states, l.states)
			}
		}
		if !ran {
			continue // between two shards nothing was measured
		}
		if !slices.Contains(states, nil) {
			row.States = w.states(states)
		}
		rows = append(rows, row)
	}
	if len(rows) > 0 {
		last := &rows[len(rows)-1]
		last.TNS = min(last.TNS, w.end())
	}
	return rows
}

// interval is as long as the longest of the lanes', and long enough for all to be
// over within MaxRows.
func (w *whole) interval(lanes []*lane) int64 {
	long := shortest
	for _, l := range lanes {
		for long < l.typical()*3/4 { // which is not exactly a multiple
			long *= 2
		}
	}
	for w.end()/long+1 > result.MaxRows {
		long *= 2
	}
	return long
}

// typical is the median of a lane's intervals.
func (l *lane) typical() int64 {
	var all []int64
	last := int64(0)
	for _, row := range l.rows {
		all = append(all, row.TNS-last)
		last = row.TNS
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// into takes the lane's rows that end within an interval, and says whether the
// shard ran in it.
func (l *lane) into(row *result.Row, t *tally) (ran bool) {
	before := l.next
	for ; l.next < len(l.rows) && l.began+l.rows[l.next].TNS <= row.TNS; l.next++ {
		r := &l.rows[l.next]
		l.count(row, r, t)
		l.states = seen(l.states, r.States)
	}
	if l.next == 0 || l.next == before && l.next == len(l.rows) {
		return false // not yet, or no more
	}
	row.Open = t.plus("timeline.open", row.Open, l.rows[l.next-1].Open)
	return true
}

// seen is what is known of sockets after a further look, which may be at some
// states alone.
func seen(before, now *result.States) *result.States {
	if before == nil || now == nil {
		return cmp.Or(now, before)
	}
	return &result.States{
		SynSent: cmp.Or(now.SynSent, before.SynSent), Established: cmp.Or(now.Established, before.Established),
		FinWait1: cmp.Or(now.FinWait1, before.FinWait1), FinWait2: cmp.Or(now.FinWait2, before.FinWait2),
		CloseWait: cmp.Or(now.CloseWait, before.CloseWait), LastAck: cmp.Or(now.LastAck, before.LastAck),
		Closing: cmp.Or(now.Closing, before.Closing), TimeWait: cmp.Or(now.TimeWait, before.TimeWait),
	}
}

// count adds what a row counts.
func (l *lane) count(row, r *result.Row, t *tally) {
	add := func(what string, into *int64, n int64) { *into = t.plus("timeline."+what, *into, n) }
	add("opened", &row.Opened, r.Opened)
	add("closed", &row.Closed, r.Closed)
	add("no_port", &row.NoPort, r.NoPort)
	add("failed", &row.Failed, r.Failed)
	add("user_cpu_ns", &row.UserCPUNS, r.UserCPUNS)
	add("sys_cpu_ns", &row.SysCPUNS, r.SysCPUNS)
	for name, n := range r.Kernel {
		if row.Kernel == nil {
			row.Kernel = result.Counters{}
		}
		row.Kernel[name] = t.plus("timeline.kernel", row.Kernel[name], n)
	}
	if r.P99NS != nil && (row.P99NS == nil || *r.P99NS > *row.P99NS) {
		row.P99NS = r.P99NS
	}
}
