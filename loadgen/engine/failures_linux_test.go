package engine_test

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
)

func TestTargetThatRefuses(t *testing.T) {
	target := unusedAddr()
	r := newRig(t, setup{target: target, sources: sourcePorts(t, 40000, 40009), mode: step.ClientRST})
	done := r.do(t, &script{batches: [][]step.Step{opens(20)}})
	for _, c := range done {
		if c.Outcome != outcome.Refused || c.Errno != uint16(syscall.ECONNREFUSED) || c.Self {
			t.Errorf("attempt %d: %v by %v", c.Attempt, c.Outcome, syscall.Errno(c.Errno))
		}
	}
	if len(done) != 20 || r.tally.Open() != 0 || len(clients(t, target)) != 0 {
		t.Errorf("%d attempts, %d open, sockets %v", len(done), r.tally.Open(), clients(t, target))
	}
}

// A listener that resets what it has accepted costs no port, and closing what
// it has reset is no error.
func TestTargetThatResets(t *testing.T) {
	const n = 20
	for _, mode := range closeModes {
		listener, target := listen(t, backlog)
		r := newRig(t, setup{target: target, sources: sourcePorts(t, 40000, 40000+n-1), mode: mode})
		fill := scenario.NewOpening(scenario.Opening{Connections: n, Expected: n, Timeout: patience})
		r.do(t, fill)
		var from kernel.Sockaddr
		for range n {
			waitFor(t, "a connection to accept", func() bool {
				fd, errno := kernel.Accept(listener, &from)
				return errno == 0 && kernel.Reset(fd) == 0
			})
		}
		if closes := r.do(t, scenario.NewRelease(fill.Conns())); len(closes) != n || r.tally.Open() != 0 || len(clients(t, target)) != 0 {
			t.Errorf("%v: %d closed, %d open, sockets %v", mode, len(closes), r.tally.Open(), clients(t, target))
		}
	}
}

// deafOwn is how many sockets deaf itself holds toward its listener.
const deafOwn = 2

// deaf is a listener whose queue is full: it answers no SYN.
func deaf(t *testing.T) kernel.Sockaddr {
	t.Helper()
	_, addr := listen(t, 0)
	sa := kernel.NewSockaddr(addr)
	for range deafOwn { // the queue takes one more than its length; the second may wait
		fd, errno := kernel.StreamSocket(sa.Family())
		if errno != 0 {
			t.Fatal(errno)
		}
		t.Cleanup(func() { _ = kernel.CloseFD(fd) })
		_ = kernel.Connect(fd, &sa)
	}
	return sa
}

// Nobody answers: each attempt ends as timed_out after its own timeout.
func TestTargetThatNeverAnswers(t *testing.T) {
	const timeout = 200 * ms
	sources := sourcePorts(t, 40000, 40099)
	target := deaf(t)
	r := newRig(t, setup{target: target.AddrPort(), sources: sources, mode: step.ClientRST, timeout: timeout})
	done := r.do(t, &script{batches: [][]step.Step{opens(10)}})
	if len(done) != 10 || outcomes(done)[outcome.TimedOut] != 10 {
		t.Fatalf("outcomes %v, want 10 timed_out", outcomes(done))
	}
	for _, c := range done {
		if took := time.Duration(c.End - c.Start); took < timeout {
			t.Errorf("attempt %d timed out after %v, before %v", c.Attempt, took, timeout)
		}
	}
	if n := clients(t, target.AddrPort())[diag.SynSent]; n > 1 { // one may be the test's own
		t.Errorf("%d sockets are left in SYN_SENT", n)
	}
}

// While attempts wait for a peer that is silent, the rest of the process, the
// garbage collector included, goes on: it stops the world more than once a
// collection, and if a thread that waits held its processor, that would have to
// wait for the end of the wait. So collections that begin and end within one wait
// show that it does not; on a busy machine not every one is as quick.
func TestCollectorGoesOnDuringWaits(t *testing.T) {
	for name, s := range map[string]setup{"direct": {}, "uring": {ring: true}} {
		t.Run(name, func(t *testing.T) { collectDuringWaits(t, s) })
	}
}

func collectDuringWaits(t *testing.T, s setup) {
	const enough, most = 3, 500
	s.sources = sourcePorts(t, 40000, 40099)
	target := deaf(t)
	s.target, s.mode, s.timeout = target.AddrPort(), step.ClientRST, time.Minute
	r := newRig(t, s)
	var ended atomic.Bool
	attempts := opens(10)
	if s.ring {
		for i := range attempts {
			attempts[i].Op = step.Cycle
		}
	}
	work := &script{batches: [][]step.Step{attempts}, stop: ended.Load}
	within := make(chan int)
	go func() {
		n := 0
		for i := 0; i < most && n < enough; i++ {
			before := work.asked.Load()
			runtime.GC()
			if before > 0 && work.asked.Load() == before {
				n++
			}
		}
		ended.Store(true)
		within <- n
	}()
	done := r.do(t, work)
	if n := <-within; n < enough {
		t.Errorf("%d of %d garbage collections ended within the wait in which they began", n, most)
	}
	if len(done) != 10 || outcomes(done)[outcome.Canceled] != 10 {
		t.Errorf("outcomes %v, want 10 canceled", outcomes(done))
	}
}

// A work that says Done does not wait for the answers: they are canceled.
func TestPendingIsCanceled(t *testing.T) {
	sources := sourcePorts(t, 40000, 40099)
	target := deaf(t)
	r := newRig(t, setup{target: target.AddrPort(), sources: sources, mode: step.ClientRST})
	var stop atomic.Bool
	time.AfterFunc(50*ms, func() { stop.Store(true) })
	done := r.do(t, &script{batches: [][]step.Step{opens(10)}, stop: stop.Load})
	if len(done) != 10 || outcomes(done)[outcome.Canceled] != 10 || r.tally.Open() != 0 {
		t.Errorf("outcomes %v, %d open, want 10 canceled", outcomes(done), r.tally.Open())
	}
}

// An answer that comes late is a success all the same, timed from the start.
func TestLateAnswer(t *testing.T) {
	sources := sourcePorts(t, 40000, 40099)
	listener, addr := listen(t, 0)
	r := newRig(t, setup{target: addr, sources: sources, mode: step.ClientRST})
	var accepted atomic.Int64
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() { // makes room in the queue, now and then
		defer close(ended)
		var from kernel.Sockaddr
		for {
			select {
			case <-stop:
				return
			default:
				kernel.Sleep(20 * ms)
			}
			if _, errno := kernel.Accept(listener, &from); errno == 0 {
				accepted.Add(1)
			}
		}
	}()
	done := r.do(t, &script{batches: [][]step.Step{opens(3)}})
	close(stop)
	<-ended
	if outcomes(done)[outcome.OK] != 3 || r.tally.Open() != 3 || distinct(done) != 3 {
		t.Fatalf("outcomes %v, %d open", outcomes(done), r.tally.Open())
	}
	// A lost SYN is sent again after a second: the queue had no room for all.
	if last := done[len(done)-1]; last.End-last.Start < int64(500*ms) {
		t.Errorf("the last answer came after %v", time.Duration(last.End-last.Start))
	}
}

// A listener that is asked to close first and does not is given up after the
// timeout: the connection is reset and its port is free.
func TestListenerThatDoesNotClose(t *testing.T) {
	const n = 10
	_, target := listen(t, backlog) // never accepts, so never closes
	r := newRig(t, setup{target: target, sources: sourcePorts(t, 40000, 40000+n-1), mode: step.ServerFIN, timeout: 100 * ms})
	for range 2 { // the second time proves that the ports came back
		fill := opening(n)
		if got := outcomes(r.do(t, fill)); got[outcome.OK] != n {
			t.Fatalf("outcomes %v", got)
		}
		closes := r.do(t, scenario.NewRelease(fill.Conns()))
		if len(closes) != n || r.tally.Open() != 0 || len(clients(t, target)) != 0 {
			t.Errorf("%d closed, %d open, sockets %v", len(closes), r.tally.Open(), clients(t, target))
		}
	}
}
