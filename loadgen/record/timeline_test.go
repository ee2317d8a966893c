package record_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"

	"lastport/loadgen/outcome"
	"lastport/loadgen/record"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

func number(n int64) *int64 { return &n }

// rowsOf ends the timeline at the moment and returns it.
func rowsOf(c *record.Collector, end int64) []result.Row {
	c.End(end)
	return filled(c).Timeline
}

func TestTimelineRows(t *testing.T) {
	c := newCollector(t, 1, 100)
	slow := opened(250*ms, 2, 40002)
	slow.Start = 240 * ms
	write(c, c.Writer(),
		opened(1*ms, 0, 40000), opened(99*ms, 1, 40001), // 0 to 100 ms
		failed(100*ms, outcome.Refused, 3), // exactly at a bound: the row that begins
		slow, failed(260*ms, outcome.NoPort, 4), closed(299*ms),
	)
	rows := rowsOf(c, 310*ms)
	want := []result.Row{
		{TNS: 100 * ms, Opened: 2, Open: 2},
		{TNS: 200 * ms, Failed: 1, Open: 2},
		{TNS: 300 * ms, Opened: 1, NoPort: 1, Closed: 1, Open: 2},
		{TNS: 400 * ms, Open: 2},
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	for i, row := range rows {
		p99 := row.P99NS
		row.P99NS = nil
		if !reflect.DeepEqual(row, want[i]) || (p99 != nil) != (row.Opened > 0) {
			t.Errorf("row %d: %+v, p99 %v, want %+v", i, row, p99, want[i])
		}
	}
	if got := *rows[2].P99NS; got < 10*ms || got > 10*ms+10*ms/1000 {
		t.Errorf("p99 of one connect of 10 ms: %d ns", got)
	}
}

// A sample belongs to the interval that it ends, though it comes a little late.
func TestSamples(t *testing.T) {
	c := newCollector(t, 1, 100)
	states := &result.States{Established: number(7)}
	c.Sample(record.Sample{TNS: 100*ms + 200_000, States: states, UserCPUNS: 3, SysCPUNS: 4})
	// The observer was held up, and caught up with two samples in one interval.
	c.Sample(record.Sample{TNS: 460 * ms, UserCPUNS: 10, SysCPUNS: 20})
	c.Sample(record.Sample{TNS: 500 * ms, States: states, UserCPUNS: 1, SysCPUNS: 2})
	rows := rowsOf(c, 499*ms)
	want := []result.Row{
		{TNS: 100 * ms, States: states, UserCPUNS: 3, SysCPUNS: 4},
		{TNS: 200 * ms},
		{TNS: 300 * ms},
		{TNS: 400 * ms},
		{TNS: 500 * ms, States: states, UserCPUNS: 11, SysCPUNS: 22},
	}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("rows %+v, want %+v", rows, want)
	}
}

// Completions come in any order, some of them long after the rows that they
// belong to are final, and with gaps of seconds: the sums are exact all the same.
func TestTimelineSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, err := record.NewCollector(1, 100, time.UnixMilli(0))
		if err != nil {
			t.Fatal(err)
		}
		w := c.Writer()
		var want result.Row
		now := int64(0)
		ends := rapid.SliceOfN(rapid.Int64Range(-700, 300), 1, 200).Draw(t, "moves, ms")
		if rapid.Bool().Draw(t, "a gap") {
			ends = append(ends, rapid.Int64Range(1000, 200_000).Draw(t, "gap, ms"), 1, 1)
		}
		for i, move := range ends {
			end := max(0, now+move*ms)
			now = max(now, end)
			var d step.Completion
			switch i % 4 {
			case 0, 1:
				d = opened(end, uint32(i), uint16(i))
				want.Opened++
			case 2:
				d = closed(end)
				want.Closed++
			case 3:
				d = failed(end, []outcome.Code{outcome.NoPort, outcome.Reset}[i%8/4], uint32(i))
				if d.Outcome == outcome.NoPort {
					want.NoPort++
				} else {
					want.Failed++
				}
			}
			write(c, w, d)
		}
		c.End(now)
		fresh := c.FreshRows()
		var sum result.Row
		for i, row := range fresh {
			if row.TNS != int64(i+1)*record.Interval {
				t.Fatalf("row %d ends at %d", i, row.TNS)
			}
			sum.Opened, sum.Closed = sum.Opened+row.Opened, sum.Closed+row.Closed
			sum.NoPort, sum.Failed = sum.NoPort+row.NoPort, sum.Failed+row.Failed
			if row.Open != sum.Opened-sum.Closed {
				t.Fatalf("row %d: %d open, %d opened and %d closed so far", i, row.Open, sum.Opened, sum.Closed)
			}
		}
		if !reflect.DeepEqual(sum, want) {
			t.Fatalf("sums %+v, want %+v", sum, want)
		}
		if last := fresh[len(fresh)-1].TNS; last <= now || last > now+record.Interval {
			t.Fatalf("the last row ends at %d, the run at %d", last, now)
		}
		if more := c.FreshRows(); len(more) != 0 {
			t.Fatalf("%d rows were told twice", len(more))
		}
	})
}

// A run of an hour keeps the sums of its timeline in a bounded number of rows.
func TestLongTimeline(t *testing.T) {
	c := newCollector(t, 1, 100)
	w := c.Writer()
	const hour = 3600 * 1000 * ms
	for end := int64(0); end < hour; end += 5000 * ms {
		write(c, w, opened(end+ms, 0, 40000), closed(end+2*ms))
	}
	rows := rowsOf(c, hour)
	var sum int64
	for _, row := range rows {
		sum += row.Opened
	}
	if len(rows) > result.MaxRows || sum != 720 || int64(len(c.FreshRows())) != hour/record.Interval+1 {
		t.Errorf("%d rows with %d opened, want at most %d with 720", len(rows), sum, result.MaxRows)
	}
}

// The interval log, read by the HdrHistogram library, adds up to the run.
func TestIntervalLog(t *testing.T) {
	c := newCollector(t, 1, 100)
	w := c.Writer()
	var log strings.Builder
	next := func(now int64) {
		text, err := c.Log(now)
		if err != nil {
			t.Fatal(err)
		}
		log.WriteString(text)
	}
	for i := range 5 {
		at := int64(i) * 1000 * ms
		for k := range 50 {
			d := opened(at+int64(k)*ms+20_000, uint32(k), 40000)
			d.Start -= int64(k * i * 100)
			write(c, w, d)
		}
		write(c, w, failed(at+60*ms, outcome.NoPort, 51), closed(at+70*ms))
		next(at + 1000*ms)
	}
	next(6000 * ms) // nothing happened: no line
	sums := map[string]*hdrhistogram.Histogram{}
	reader := hdrhistogram.NewHistogramLogReader(strings.NewReader(log.String()))
	lines := 0
	for {
		h, err := reader.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		lines++
		if h.EndTimeMs()-h.StartTimeMs() != 1000 {
			t.Errorf("interval of %d ms", h.EndTimeMs()-h.StartTimeMs())
		}
		if sums[h.Tag()] == nil {
			sums[h.Tag()] = hdrhistogram.New(result.LowestNS, result.HighestNS, 3)
		}
		if dropped := sums[h.Tag()].Merge(h); dropped != 0 {
			t.Errorf("%s: %d values lost", h.Tag(), dropped)
		}
	}
	r := filled(c)
	for tag, want := range map[string]*result.Summary{"connect": r.Latency.Connect, "failure": r.Latency.Failure, "close": r.Latency.Close} {
		got := sums[tag]
		if got == nil || got.TotalCount() != want.Count || got.Max() != want.MaxNS || got.ValueAtPercentile(50) != want.P50NS {
			t.Errorf("%s: the log adds up to %v, the run to %+v", tag, got, want)
		}
	}
	if lines != 15 {
		t.Errorf("%d lines, want 3 an interval", lines)
	}
}
