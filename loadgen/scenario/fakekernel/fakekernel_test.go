package fakekernel_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario/fakekernel"
	"lastport/loadgen/step"
)

// list is a work that has its steps written down: those of one batch are done
// before the next is asked for.
type list struct {
	batches [][]step.Step
	wake    int64 // the answer between batches
	done    []step.Completion
	asked   int
}

func (l *list) Next(now int64, steps []step.Step) (int, int64) {
	if l.asked > len(l.done) {
		return 0, now + int64(time.Second)
	}
	if len(l.batches) == 0 {
		return 0, l.wake
	}
	n := copy(steps, l.batches[0])
	l.batches = l.batches[1:]
	l.asked += n
	return n, 0
}

func (l *list) Take(done []step.Completion) { l.done = append(l.done, done...) }

func openClose(port uint16) *list {
	return &list{wake: step.Done, batches: [][]step.Step{
		{{Op: step.Open, Port: port}}, {{Op: step.Close, Conn: 1}}, {{Op: step.Open, Port: port}},
	}}
}

// Who closes first decides whether a port is free again.
func TestTupleRules(t *testing.T) {
	for mode, want := range map[step.CloseMode]outcome.Code{
		step.ClientFIN: outcome.NoPort, step.ClientRST: outcome.OK,
		step.ServerFIN: outcome.OK, step.ServerRST: outcome.OK,
	} {
		k := fakekernel.New(fakekernel.Config{Ports: 1, Close: mode, Reuse: time.Minute})
		work := openClose(0)
		if err := k.Run(work); err != nil {
			t.Fatal(err)
		}
		if got := work.done[2].Outcome; got != want {
			t.Errorf("%v: the port's second use is %v, want %v", mode, got, want)
		}
	}
}

func TestTimeWaitEndsAndPortsAreChosen(t *testing.T) {
	k := fakekernel.New(fakekernel.Config{Ports: 3, Reuse: time.Microsecond})
	work := openClose(fakekernel.FirstPort + 2)
	if err := k.Run(work); err != nil {
		t.Fatal(err)
	}
	if last := work.done[2]; last.Outcome != outcome.OK || last.Port != fakekernel.FirstPort+2 {
		t.Errorf("after TIME_WAIT: %+v", last)
	}
	beyond := &list{wake: step.Done, batches: [][]step.Step{{{Op: step.Open, Port: fakekernel.FirstPort + 3}}}}
	if err := k.Run(beyond); err != nil || beyond.done[0].Outcome != outcome.NoPort {
		t.Errorf("a port beyond the range: %+v, %v", beyond.done, err)
	}
}

// A close by RST leaves no TIME_WAIT whatever the mode, and a request gives its
// tag back.
func TestResetAndRequest(t *testing.T) {
	k := fakekernel.New(fakekernel.Config{Ports: 1, Reuse: time.Minute})
	work := &list{wake: step.Done, batches: [][]step.Step{
		{{Op: step.Open, Tag: 1}}, {{Op: step.Request, Conn: 1, Tag: 2}}, {{Op: step.Close, Conn: 1, Reset: true, Tag: 3}}, {{Op: step.Open, Tag: 4}},
	}}
	if err := k.Run(work); err != nil {
		t.Fatal(err)
	}
	for i, c := range work.done {
		if c.Outcome != outcome.OK || c.Tag != uint64(i+1) || c.End <= c.Start {
			t.Errorf("step %d: %+v", i, c)
		}
	}
	if k.Open() != 1 {
		t.Errorf("%d open, want 1", k.Open())
	}
}

// What waits for an answer holds its port, and ends in the order of the answers.
func TestPendingSteps(t *testing.T) {
	fates := []fakekernel.Fate{{After: 3 * time.Second}, {After: time.Second}, fakekernel.Silent()}
	k := fakekernel.New(fakekernel.Config{
		Ports: 3, Timeout: 10 * time.Second,
		Fate: func(attempt, _ int64) fakekernel.Fate { return fates[attempt-1] },
	})
	work := &list{wake: step.Done, batches: [][]step.Step{{{Op: step.Open}, {Op: step.Open}, {Op: step.Open}}}}
	if err := k.Run(work); err != nil {
		t.Fatal(err)
	}
	var order []uint32
	for _, c := range work.done {
		order = append(order, c.Attempt)
	}
	if !slices.Equal(order, []uint32{2, 1, 3}) || k.Outcome(outcome.TimedOut) != 1 || k.Taken() != 2 {
		t.Errorf("ended in the order %v, %d timed out, %d ports taken", order, k.Outcome(outcome.TimedOut), k.Taken())
	}
	if took := work.done[2].End - work.done[2].Start; took != int64(10*time.Second) {
		t.Errorf("a silent peer was given %v", time.Duration(took))
	}
}

// A work that breaks the rules of the seam is found out.
func TestBrokenWorks(t *testing.T) {
	for want, work := range map[string]*list{
		"not open":          {wake: step.Done, batches: [][]step.Step{{{Op: step.Close, Conn: 7}}}},
		"over connection 7": {wake: step.Done, batches: [][]step.Step{{{Op: step.Request, Conn: 7}}}},
		"would spin":        {wake: 0},
		"unknown operation": {wake: step.Done, batches: [][]step.Step{{{}}}},
		"not done after":    {wake: 1 << 62},
	} {
		err := fakekernel.New(fakekernel.Config{Ports: 1}).Run(work)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}
