package record_test

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/record"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

const ms = int64(time.Millisecond)

func newCollector(t testing.TB, workers int, usable int64) *record.Collector {
	t.Helper()
	c, err := record.NewCollector(workers, usable, time.UnixMilli(1_795_404_013_250))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// write hands completions over and counts them.
func write(c *record.Collector, w *record.Writer, list ...step.Completion) {
	for _, d := range list {
		w.Keep(append(w.Room(1), d))
		c.TakeAll()
	}
	w.Flush()
	c.TakeAll()
}

// opened is a success that took 10 µs at the time end, with so many open.
func opened(end int64, open uint32, port uint16) step.Completion {
	return step.Completion{Op: step.Open, Open: open, Port: port, Attempt: open + 1, Start: end - 10_000, End: end}
}

func failed(end int64, code outcome.Code, attempt uint32) step.Completion {
	return step.Completion{Op: step.Open, Outcome: code, Attempt: attempt, Start: end - 20_000, End: end}
}

func closed(end int64) step.Completion {
	return step.Completion{Op: step.Close, Start: end - 5_000, End: end}
}

func filled(c *record.Collector) *result.Result {
	var r result.Result
	c.Fill(&r)
	return &r
}

func TestNoAllocationPerAttempt(t *testing.T) {
	c := newCollector(t, 1, 1<<20)
	w := c.Writer()
	end := ms
	batch := func() {
		done := w.Room(record.MaxBatch)
		for i := range record.MaxBatch {
			d := opened(end, uint32(i), uint16(i))
			if i%4 == 3 {
				d = failed(end, outcome.NoPort, 1)
			}
			done = append(done, d)
		}
		w.Keep(done)
		c.TakeAll() // most batches stay in the chunk; one in four hands it over
	}
	for range 8 {
		batch() // the list of first ports and the first no_port are made once
	}
	if n := testing.AllocsPerRun(1000, batch); n != 0 {
		t.Errorf("%v allocations in %d attempts, want none", n, record.MaxBatch)
	}
}

// Several writers run far ahead of a collector that is slow: each waits, and
// every completion is counted once.
func TestEveryCompletionIsCountedOnce(t *testing.T) {
	const workers, each = 4, 25_000 // chunks hold 16,384 a worker
	c := newCollector(t, workers, workers*each)
	var group sync.WaitGroup
	for i := range workers {
		w := c.Writer()
		group.Go(func() {
			for k := 0; k < each; {
				done := w.Room(record.MaxBatch)
				for n := 0; n < 7 && k < each; n++ {
					d := opened(int64(k)*1000+10_000, uint32(i*each+k), uint16(i*each+k))
					switch k % 5 {
					case 3:
						d = failed(d.End, outcome.Code(k/5%int(outcome.Count)), uint32(k+1))
					case 4:
						d = closed(d.End)
					}
					done = append(done, d)
					k++
				}
				w.Keep(done)
			}
			w.Flush()
		})
	}
	ended := make(chan struct{})
	go func() { group.Wait(); close(ended) }()
	for waiting := true; waiting; {
		select {
		case ch := <-c.Chunks():
			time.Sleep(time.Millisecond) // a stalled collector
			c.Take(ch)
		case <-ended:
			waiting = false
		}
	}
	c.TakeAll()
	r := filled(c)
	const attempts, closes = workers * each * 4 / 5, workers * each / 5
	var want result.Outcomes
	// each/5 failures a worker cycle through the outcomes; the first is ok.
	perCode := func(code outcome.Code) (n int64) {
		for f := range each / 5 {
			if f%int(outcome.Count) == int(code) {
				n += workers
			}
		}
		return n
	}
	want = result.Outcomes{
		OK: workers*each*3/5 + perCode(outcome.OK), NoPort: perCode(outcome.NoPort), PortBusy: perCode(outcome.PortBusy),
		TupleBusy: perCode(outcome.TupleBusy), Refused: perCode(outcome.Refused), Reset: perCode(outcome.Reset),
		TimedOut: perCode(outcome.TimedOut), NATNoPort: perCode(outcome.NATNoPort), NoFD: perCode(outcome.NoFD),
		NoMemory: perCode(outcome.NoMemory), Unreachable: perCode(outcome.Unreachable), Denied: perCode(outcome.Denied),
		Canceled: perCode(outcome.Canceled), Other: perCode(outcome.Other),
	}
	if r.Outcomes != want || r.Attempts != attempts || r.Outcomes.Sum() != attempts {
		t.Errorf("%d attempts, outcomes %+v, want %d and %+v", r.Attempts, r.Outcomes, attempts, want)
	}
	if c.Closed() != closes || r.Latency.Close.Count != closes || c.Opened() != want.OK || c.Attempts() != attempts {
		t.Errorf("%d closed (%d timed), %d opened", c.Closed(), r.Latency.Close.Count, c.Opened())
	}
	if r.Latency.Connect.Count != want.OK || r.Latency.Failure.Count != attempts-want.OK {
		t.Errorf("%d connects and %d failures timed", r.Latency.Connect.Count, r.Latency.Failure.Count)
	}
}

// Writers of a silent collector count outcomes and hand nothing over.
func TestSilence(t *testing.T) {
	c := newCollector(t, 2, 100)
	c.Silence()
	probe := opened(ms, 0, 1)
	probe.Probe = true
	lost := failed(ms, outcome.Reset, 0)
	lost.Op = step.Request
	cycle := opened(ms, 0, 1)
	cycle.Op = step.Cycle
	for range 2 {
		write(c, c.Writer(), opened(ms, 0, 1), closed(2*ms), failed(ms, outcome.NoPort, 3), probe, lost, cycle)
	}
	for range 2 { // what is counted is counted once
		c.TakeAll()
		want := result.Outcomes{OK: 4, NoPort: 2}
		if r := filled(c); r.Attempts != 6 || r.Outcomes != want || r.Latency != (result.Latency{}) || r.Ports != nil || r.Occupancy != nil {
			t.Errorf("%+v, want 6 attempts, outcomes %+v and nothing recorded", r, want)
		}
		if c.Opened() != 4 || c.Closed() != 6 {
			t.Errorf("%d opened, %d closed, want 4 and 6", c.Opened(), c.Closed())
		}
	}
	w := c.Writer()
	if n := testing.AllocsPerRun(100, func() {
		w.Keep(append(w.Room(2), opened(ms, 0, 1), closed(ms)))
		w.Flush()
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestBandsOfOccupancy(t *testing.T) {
	for _, c := range []struct {
		usable int64
		open   uint32
		from   float64
	}{
		{100, 0, 0},
		{100, 9, 0},
		{100, 10, 0.1},
		{100, 49, 0.4},
		{100, 50, 0.5},
		{100, 99, 0.9},
		{100, 100, 0.9}, // more than usable: the prediction was too low
		{100, 4_000_000, 0.9},
		{28232, 2823, 0},
		{28232, 2824, 0.1},
		{1, 0, 0},
		{3, 1, 0.3},
	} {
		k := newCollector(t, 1, c.usable)
		write(k, k.Writer(), opened(ms, c.open, 40000))
		got := filled(k).Occupancy
		if len(got) != 1 || got[0].From != c.from || got[0].Count != 1 {
			t.Errorf("%d of %d open: %+v, want one band from %v", c.open, c.usable, got, c.from)
		}
	}
}

// A run that does not ask for latency by occupancy has none.
func TestNoOccupancy(t *testing.T) {
	c := newCollector(t, 1, 0)
	write(c, c.Writer(), opened(ms, 0, 40000), failed(2*ms, outcome.NoPort, 2))
	if r := filled(c); r.Occupancy != nil || r.Latency.Connect.Count != 1 || r.Latency.Failure.Count != 1 {
		t.Errorf("occupancy %+v, latency %+v", r.Occupancy, r.Latency)
	}
}

// The full range has the cost of no_port alone: a target that timed out says
// nothing of ports.
func TestFullBand(t *testing.T) {
	c := newCollector(t, 1, 10)
	slow := failed(6e9, outcome.TimedOut, 2)
	slow.Start = 1e9
	write(c, c.Writer(), opened(ms, 0, 40000), slow, failed(7e9, outcome.NoPort, 3), failed(7e9, outcome.NoPort, 4))
	r := filled(c)
	full := r.Occupancy[len(r.Occupancy)-1]
	if full.From != 1 || full.To != 1 || full.Count != 2 || full.MaxNS > 21_000 {
		t.Errorf("full range %+v, want two of 20 µs", full)
	}
	if r.Latency.Failure.Count != 3 || r.Latency.Connect.Count != 1 {
		t.Errorf("%d failures and %d connects timed", r.Latency.Failure.Count, r.Latency.Connect.Count)
	}
}

func TestFirstNoPortIsTheSmallestAttempt(t *testing.T) {
	c := newCollector(t, 2, 10)
	if r := filled(c); r.Measured.FirstNoPort != nil || r.Ports != nil || r.Latency.Connect != nil || r.Occupancy != nil {
		t.Errorf("of nothing something was measured: %+v", r)
	}
	write(c, c.Writer(), failed(30*ms, outcome.NoPort, 12), failed(40*ms, outcome.NoPort, 14))
	write(c, c.Writer(), failed(10*ms, outcome.Refused, 3), failed(20*ms, outcome.NoPort, 11), failed(50*ms, outcome.NoPort, 13))
	first := filled(c).Measured.FirstNoPort
	if first == nil || *first != (result.NoPort{TNS: 20 * ms, Attempt: 11}) || c.NoPort() != 4 {
		t.Errorf("first of %d: %+v, want attempt 11 at 20 ms", c.NoPort(), first)
	}
}

// What a scenario checks for itself is no part of the run.
func TestProbesAreNotCounted(t *testing.T) {
	c := newCollector(t, 1, 10)
	probe := opened(ms, 0, 40000)
	probe.Probe = true
	probeClose := closed(2 * ms)
	probeClose.Probe = true
	probeFull := failed(3*ms, outcome.NoPort, 0)
	probeFull.Probe = true
	write(c, c.Writer(), probe, probeClose, probeFull)
	c.End(5 * ms)
	r := filled(c)
	if r.Attempts != 0 || r.Outcomes.Sum() != 0 || r.Latency != (result.Latency{}) || r.Ports != nil || r.Measured.FirstNoPort != nil {
		t.Errorf("probes were counted: %+v", r)
	}
	if row := r.Timeline[0]; !reflect.DeepEqual(row, result.Row{TNS: record.Interval}) {
		t.Errorf("probes are in the timeline: %+v", row)
	}
}

func TestTimingsAndPorts(t *testing.T) {
	c := newCollector(t, 1, 10)
	late := opened(10*ms, 0, 40000)
	late.Due, late.BindNS = 4*ms, 700
	self := failed(11*ms, outcome.Refused, 2)
	self.Self, self.Port = true, 40001
	write(c, c.Writer(), late, self, opened(12*ms, 1, 40003), opened(13*ms, 2, 40003), closed(14*ms))
	r := filled(c)
	for _, got := range []struct {
		name     string
		s        *result.Summary
		count    int64
		min, max int64
	}{
		{"connect", r.Latency.Connect, 3, 10_000, 10_000},
		{"response", r.Latency.Response, 1, 6 * ms, 6 * ms}, // from when it was due
		{"bind", r.Latency.Bind, 1, 700, 700},
		{"close", r.Latency.Close, 1, 5_000, 5_000},
		{"failure", r.Latency.Failure, 1, 20_000, 20_000},
	} {
		if got.s == nil || got.s.Count != got.count || got.s.MinNS > got.min || got.s.MaxNS < got.max || got.s.MaxNS > got.max+got.max/1000 {
			t.Errorf("%s: %+v, want %d from %d to %d ns", got.name, got.s, got.count, got.min, got.max)
		}
	}
	if r.Ports.Distinct != 2 || r.Ports.Even != 1 || r.Ports.Odd != 1 || len(r.Ports.First) != 3 {
		t.Errorf("ports %+v, want 40000 once and 40003 twice", r.Ports)
	}
	if c.SelfConnects() != 1 || c.FillNS() != 13*ms-(10*ms-10_000) {
		t.Errorf("%d self-connects, filled in %d ns", c.SelfConnects(), c.FillNS())
	}
}

func TestFillTimeWithoutSuccess(t *testing.T) {
	c := newCollector(t, 1, 10)
	if c.FillNS() != 0 {
		t.Errorf("before the first attempt: %d ns", c.FillNS())
	}
	write(c, c.Writer(), failed(10*ms, outcome.Refused, 1))
	if c.FillNS() != 0 {
		t.Errorf("without a success: %d ns", c.FillNS())
	}
}

// A connection that was opened and closed as one counts as both and in no
// histogram; a port that is not known is none.
func TestCycles(t *testing.T) {
	c := newCollector(t, 1, 0)
	w := c.Writer()
	cycle := func(code outcome.Code, port uint16, attempt uint32) step.Completion {
		return step.Completion{Op: step.Cycle, Outcome: code, Port: port, Attempt: attempt, Start: ms, End: 2 * ms}
	}
	write(c, w, cycle(outcome.OK, 0, 1), cycle(outcome.NoPort, 0, 3), cycle(outcome.NoPort, 0, 2), cycle(outcome.Refused, 0, 4))
	r := filled(c)
	if r.Ports != nil {
		t.Errorf("ports %+v of none that is known", r.Ports)
	}
	write(c, w, cycle(outcome.OK, 40_000, 5))
	c.End(200 * ms)
	r = filled(c)
	if r.Attempts != 5 || r.Outcomes.OK != 2 || r.Outcomes.NoPort != 2 || r.Outcomes.Refused != 1 || c.Opened() != 2 || c.Closed() != 2 {
		t.Errorf("%d attempts, outcomes %+v, %d opened, %d closed", r.Attempts, r.Outcomes, c.Opened(), c.Closed())
	}
	if r.Measured.FirstNoPort == nil || r.Measured.FirstNoPort.Attempt != 2 {
		t.Errorf("first no_port %+v, want attempt 2", r.Measured.FirstNoPort)
	}
	if r.Latency != (result.Latency{}) || len(r.Occupancy) != 0 {
		t.Errorf("latency %+v, occupancy %+v of calls that nobody timed", r.Latency, r.Occupancy)
	}
	if r.Ports == nil || r.Ports.Distinct != 1 {
		t.Errorf("ports %+v, want one", r.Ports)
	}
	if row := r.Timeline[0]; row.Opened != 2 || row.Closed != 2 || row.NoPort != 2 || row.Failed != 1 || row.Open != 0 || row.P99NS != nil {
		t.Errorf("row %+v", row)
	}
}

// A gateway without ports is exhaustion too; SYNs that it loses while less than
// half of them are in use are collisions.
func TestGateway(t *testing.T) {
	c := newCollector(t, 1, 10)
	again := func(open uint32, n uint8) step.Completion {
		d := opened(ms, open, 40000)
		d.Again = n
		return d
	}
	write(c, c.Writer(), again(4, 1), again(4, 0), again(5, 2), failed(20*ms, outcome.NATNoPort, 5), failed(10*ms, outcome.NATNoPort, 6))
	r := filled(c)
	if c.NoPort() != 2 || r.Outcomes.NATNoPort != 2 || r.Measured.FirstNoPort == nil || r.Measured.FirstNoPort.Attempt != 5 {
		t.Errorf("%d without a port, first %+v", c.NoPort(), r.Measured.FirstNoPort)
	}
	if c.Collided() != 1 {
		t.Errorf("%d collisions, want 1", c.Collided())
	}
}
