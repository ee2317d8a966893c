package result

import "slices"

// MaxRows is how many rows the timeline of a file holds at most.
const MaxRows = 1200

// Timeline gathers samples at equal intervals into at most MaxRows rows: when
// all are in use, each two neighbours become one, and from then on a row takes
// twice as many samples. Nothing is lost from the sums. The zero value is
// empty. It belongs to one goroutine.
type Timeline struct {
	rows   []Row
	perRow int // samples that a full row holds
	inLast int // samples in the last row
}

// Add appends the sample that follows the last one.
func (t *Timeline) Add(sample Row) {
	if t.inLast < t.perRow {
		last := &t.rows[len(t.rows)-1]
		*last = join(*last, sample)
		t.inLast++
		return
	}
	if len(t.rows) == MaxRows {
		t.halve()
	}
	t.perRow = max(t.perRow, 1)
	t.rows = append(t.rows, sample)
	t.inLast = 1
}

// halve joins each two neighbours. It is called with an even number of rows,
// all of them full.
func (t *Timeline) halve() {
	for i := range len(t.rows) / 2 {
		t.rows[i] = join(t.rows[2*i], t.rows[2*i+1])
	}
	t.rows = t.rows[:len(t.rows)/2]
	t.perRow *= 2
}

// Rows returns a copy of the rows. The last one may hold fewer samples than the
// others.
func (t *Timeline) Rows() []Row { return slices.Clone(t.rows) }

// SamplesPerRow returns how many samples a full row holds: a power of two.
func (t *Timeline) SamplesPerRow() int { return max(t.perRow, 1) }

// join makes one row of two neighbours: counts and processor time add up, what
// is true of a moment (open, states) is the later one's, and p99 is the larger,
// an upper bound for both: percentiles cannot be averaged.
func join(a, b Row) Row {
	j := Row{
		TNS:       b.TNS,
		Opened:    a.Opened + b.Opened,
		Closed:    a.Closed + b.Closed,
		NoPort:    a.NoPort + b.NoPort,
		Failed:    a.Failed + b.Failed,
		Open:      b.Open,
		P99NS:     a.P99NS,
		States:    a.States,
		Kernel:    a.Kernel.Plus(b.Kernel),
		UserCPUNS: a.UserCPUNS + b.UserCPUNS,
		SysCPUNS:  a.SysCPUNS + b.SysCPUNS,
	}
	if b.States != nil {
		j.States = b.States
	}
	if a.P99NS == nil || b.P99NS != nil && *b.P99NS > *a.P99NS {
		j.P99NS = b.P99NS
	}
	return j
}
