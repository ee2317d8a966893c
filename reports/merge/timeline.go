package merge

import (
	"cmp"
	"maps"
	"math/bits"
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
	next   int            // the first row that is not whole in what was taken
	states *result.States // as they were last read
}

// timeline lays the shards' rows beside each other, by wall clock. Its intervals
// are as long as the longest of theirs, but for the last one: what is left is an
// interval of its own, or a part of the one before if it is short. What a row counts
// is shared out evenly over the time that it spans, so that every sum is exact and no
// rate is higher than the shards' together. What is true of a moment is the sum over
// the shards that had begun, each as it was last seen; p99 is the largest, an upper
// bound, as in rows that are joined.
func (w *whole) timeline() (rows []result.Row) {
	lanes, end := w.lanes()
	long := interval(lanes, end)
	gap := false
	for from := int64(0); from < end; {
		to := from + long
		if end-to < long/2 {
			to = end
		}
		row, ran := w.row(lanes, from, to)
		switch {
		case ran && gap:
			rows = append(rows, result.Row{TNS: from}, row)
		case ran:
			rows = append(rows, row)
		}
		gap = !ran // between two shards nothing was measured: one row says so, and no rate is spread over it
		from = to
	}
	return rows
}

// lanes are the shards that have rows, and when the last of them ends.
func (w *whole) lanes() (lanes []*lane, end int64) {
	for i, r := range w.runs {
		if len(r.Timeline) > 0 {
			l := &lane{began: w.began[i], rows: r.Timeline}
			lanes, end = append(lanes, l), max(end, l.ends())
		}
	}
	return lanes, end
}

// row takes an interval of every lane, and says whether one of them ran in it. Of
// shards that ran together one that is over counts to the end as it was last seen:
// its last moments are the whole's.
func (w *whole) row(lanes []*lane, from, to int64) (row result.Row, ran bool) {
	row.TNS = to
	together := w.together()
	var states []*result.States
	for _, l := range lanes {
		runs := l.began < to && from < l.ends()
		ran = ran || runs
		if runs {
			l.into(&row, from, &w.tally)
		}
		if l.next > 0 && (runs || together) {
			row.Open = w.tally.plus("timeline.open", row.Open, l.rows[l.next-1].Open)
			states = append(states, l.states)
		}
	}
	if !slices.Contains(states, nil) {
		row.States = w.states(states)
	}
	return row, ran
}

// interval is as long as the longest of the lanes', and long enough for all to be
// over within MaxRows.
func interval(lanes []*lane, end int64) int64 {
	long := shortest
	for _, l := range lanes {
		for long < l.typical()*3/4 { // which is not exactly a multiple
			long *= 2
		}
	}
	for end/long+1 > result.MaxRows {
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

// ends is when the lane's last row ends.
func (l *lane) ends() int64 { return l.began + l.rows[len(l.rows)-1].TNS }

// into adds what the lane did in an interval: after that which was taken before, and
// up to the end of row.
func (l *lane) into(row *result.Row, from int64, t *tally) {
	from, to := max(from-l.began, 0), row.TNS-l.began
	for i := l.next; i < len(l.rows); i++ {
		r := &l.rows[i]
		p := part{whole: r.TNS}
		if i > 0 {
			p.whole -= l.rows[i-1].TNS
		}
		began := r.TNS - p.whole
		if began >= to {
			break
		}
		p.from, p.to = max(from-began, 0), min(to-began, p.whole)
		p.count(row, r, t)
		if p.to == p.whole {
			l.next = i + 1
			l.states = seen(l.states, r.States)
		}
	}
}

// part is from when to when of a whole row, in nanoseconds after its start.
type part struct{ from, to, whole int64 }

// of is as much of a row's count as falls into the part: the parts of a row add up
// to it, as each is the distance of two numbers that were rounded alike.
func (p part) of(n int64) int64 { return before(n, p.to, p.whole) - before(n, p.from, p.whole) }

// before is n × at / whole, rounded toward 0; at is no more than whole.
func before(n, at, whole int64) int64 {
	size := uint64(n)
	if n < 0 { // which only a broken file has
		size = -size
	}
	high, low := bits.Mul64(size, uint64(at))
	quotient, _ := bits.Div64(high, low, uint64(whole))
	if n < 0 {
		return -int64(quotient)
	}
	return int64(quotient)
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

// count adds what a row counts in the part.
func (p part) count(row, r *result.Row, t *tally) {
	add := func(what string, into *int64, n int64) { *into = t.plus("timeline."+what, *into, p.of(n)) }
	add("opened", &row.Opened, r.Opened)
	add("closed", &row.Closed, r.Closed)
	add("no_port", &row.NoPort, r.NoPort)
	add("failed", &row.Failed, r.Failed)
	add("user_cpu_ns", &row.UserCPUNS, r.UserCPUNS)
	add("sys_cpu_ns", &row.SysCPUNS, r.SysCPUNS)
	for _, name := range slices.Sorted(maps.Keys(r.Kernel)) { // so that it is always the same sum that does not fit
		n := p.of(r.Kernel[name])
		if n == 0 {
			continue
		}
		if row.Kernel == nil {
			row.Kernel = result.Counters{}
		}
		row.Kernel[name] = t.plus("timeline.kernel", row.Kernel[name], n)
	}
	if r.P99NS != nil && (row.P99NS == nil || *r.P99NS > *row.P99NS) {
		row.P99NS = r.P99NS
	}
}
