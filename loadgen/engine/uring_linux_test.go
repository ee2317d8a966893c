package engine_test

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/server"
)

// cycles is a churn of whole connections that ends after so many attempts.
func cycles(attempts int64, concurrency int) *scenario.Churn {
	return scenario.NewChurn(scenario.Churn{
		Whole: true, Attempts: attempts, Concurrency: concurrency, Deadline: int64(time.Hour),
	})
}

// listening counts the listener's ends toward the generator, by state.
func listening(t testing.TB, target netip.AddrPort) map[diag.State]int {
	t.Helper()
	n := map[diag.State]int{}
	err := diag.TCP(unix.AF_INET, diag.All, func(sock *diag.Socket) {
		if sock.Local == target && sock.State != diag.Listen {
			n[sock.State]++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// settled waits for the closes that are under way, and counts both sides' ends.
func settled(t testing.TB, target netip.AddrPort) (client, listener map[diag.State]int) {
	t.Helper()
	over := func(ends map[diag.State]int) bool { return total(ends) == ends[diag.TimeWait] }
	waitFor(t, "the closes that are under way", func() bool {
		client, listener = clients(t, target), listening(t, target)
		return over(client) && over(listener)
	})
	return client, listener
}

// total is the number of sockets, whatever their state.
func total(ends map[diag.State]int) (n int) {
	for _, count := range ends {
		n += count
	}
	return n
}

// Both ends in one chain: whoever closes first by FIN, and nobody else, has
// TIME_WAIT, for every connection, however many are under way at a time.
func TestCyclesTogether(t *testing.T) {
	const n = 400
	for _, mode := range closeModes {
		for _, strategy := range []string{"connect", "socket-range"} {
			t.Run(fmt.Sprintf("%v/%s", mode, strategy), func(t *testing.T) {
				listener, target := listen(t, backlog)
				s := setup{target: target, together: listener, sources: sourcePorts(t, 40000, 40999), strategy: strategy, mode: mode, ring: true}
				r := newRig(t, s)
				done := r.do(t, cycles(n, 16))
				used := map[uint16]bool{}
				for _, c := range done {
					if c.Op != step.Cycle || c.Outcome != outcome.OK || c.Port < 40000 || c.Port > 40999 || c.End < c.Start {
						t.Fatalf("%+v", c)
					}
					used[c.Port] = true
				}
				if len(done) != n || r.accepted.Load() != n || r.tally.Open() != 0 {
					t.Errorf("%d ended, %d accepted, %d open", len(done), r.accepted.Load(), r.tally.Open())
				}
				client, server := 0, 0
				switch mode {
				case step.ClientFIN:
					client = n
				case step.ServerFIN:
					server = len(used) // a port that is used again takes its TIME_WAIT back
				}
				if c, l := settled(t, target); c[diag.TimeWait] != client || l[diag.TimeWait] != server {
					t.Errorf("generator's ends %v, want %d in TIME_WAIT; listener's %v, want %d", c, client, l, server)
				}
				if client == n && len(used) != n {
					t.Errorf("%d ports of %d connections, whose ports do not come back", len(used), n)
				}
			})
		}
	}
}

// The attempt after the last port is the first without one, although many are
// under way.
func TestCyclesRunOutOfPorts(t *testing.T) {
	const ports, inFlight = 100, 16
	listener, target := listen(t, backlog)
	r := newRig(t, setup{target: target, together: listener, sources: sourcePorts(t, 41000, 41000+ports-1), mode: step.ClientFIN, ring: true})
	done := r.do(t, cycles(ports+inFlight, inFlight))
	first := uint32(0)
	for _, c := range done {
		if c.Outcome == outcome.NoPort {
			if first == 0 || c.Attempt < first {
				first = c.Attempt
			}
			if c.Errno != uint16(syscall.EADDRNOTAVAIL) || c.Port != 0 {
				t.Errorf("%+v", c)
			}
		}
	}
	if got := outcomes(done); first != ports+1 || got[outcome.OK] != ports || got[outcome.NoPort] != inFlight {
		t.Errorf("first no_port at attempt %d, outcomes %v", first, got)
	}
	if c, l := settled(t, target); c[diag.TimeWait] != ports || len(l) != 0 {
		t.Errorf("generator's ends %v, want %d in TIME_WAIT; listener's %v", c, ports, l)
	}
}

// A target that refuses leaves nothing open.
func TestCyclesRefused(t *testing.T) {
	target := unusedAddr()
	r := newRig(t, setup{target: target, sources: sourcePorts(t, 40000, 40009), mode: step.ClientRST, ring: true})
	done := r.do(t, cycles(8, 4))
	for _, c := range done {
		if c.Outcome != outcome.Refused || c.Errno != uint16(syscall.ECONNREFUSED) {
			t.Errorf("attempt %d: %v by %v", c.Attempt, c.Outcome, syscall.Errno(c.Errno))
		}
	}
	if c, _ := settled(t, target); len(done) != 8 || len(c) != 0 {
		t.Errorf("%d attempts, sockets %v", len(done), c)
	}
}

// A listener that closes first is asked to and waited for; whoever it was has
// TIME_WAIT.
func TestCyclesApart(t *testing.T) {
	const n = 200
	for _, mode := range closeModes {
		t.Run(mode.String(), func(t *testing.T) {
			sources := sourcePorts(t, 40000, 40999)
			l, err := server.New(server.Config{Addrs: []netip.AddrPort{unusedAddr()}, ServerFirst: mode.ServerFirst(), Keep: true, RST: mode.RST(), Ring: !mode.ServerFirst()})
			if err == nil {
				err = l.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			target := l.Addrs()[0]
			r := newRig(t, setup{target: target, sources: sources, mode: mode, ring: true})
			done := r.do(t, cycles(n, 16))
			if err := l.Drain(); err != nil {
				t.Error(err)
			}
			if s := l.Stats(); s.Accepted != n || *s.Closed != n || s.NoFD != 0 || (s.DistinctPeers == nil) == mode.ServerFirst() {
				t.Errorf("listener %+v", s)
			}
			if got := outcomes(done); got[outcome.OK] != n || len(done) != n {
				t.Errorf("outcomes %v", got)
			}
			c, s := settled(t, target)
			switch mode {
			case step.ClientFIN: // an RST that overtakes may end a few (RFC 1337)
				if c[diag.TimeWait] == 0 || len(s) != 0 {
					t.Errorf("generator's ends %v, listener's %v", c, s)
				}
			case step.ServerFIN:
				if s[diag.TimeWait] == 0 || len(c) != 0 {
					t.Errorf("generator's ends %v, listener's %v", c, s)
				}
			default:
				if len(c)+len(s) != 0 {
					t.Errorf("generator's ends %v, listener's %v", c, s)
				}
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// flood is so many whole connections, as many at a time as the engine has room
// for and however they fail: a churn would back off.
type flood struct{ left, underWay int }

func (f *flood) Next(now int64, steps []step.Step) (int, int64) {
	n := min(f.left, len(steps))
	for i := range n {
		steps[i] = step.Step{Op: step.Cycle}
	}
	f.left, f.underWay = f.left-n, f.underWay+n
	if f.underWay == 0 {
		return 0, step.Done
	}
	return n, now + int64(time.Second)
}

func (f *flood) Take(done []step.Completion) { f.underWay -= len(done) }

// awaitDeafAlone waits until the sockets of attempts toward a deaf target are
// gone.
func awaitDeafAlone(t testing.TB, target netip.AddrPort) {
	t.Helper()
	waitFor(t, "the sockets of the attempts to be gone", func() bool {
		return total(clients(t, target)) == deafOwn
	})
}

// More time out at once than the ring has room to cancel, and each is counted
// once, as what it was.
func TestCyclesTimeOutTogether(t *testing.T) {
	const n = 4 * engine.MaxInFlight
	sources := sourcePorts(t, 40000, 47999)
	target := deaf(t)
	for _, mode := range []step.CloseMode{step.ClientFIN, step.ServerFIN} {
		t.Run(mode.String(), func(t *testing.T) {
			r := newRig(t, setup{target: target.AddrPort(), sources: sources, mode: mode, timeout: 20 * ms, ring: true, connections: engine.MaxInFlight})
			done := r.do(t, &flood{left: n})
			if got := outcomes(done); len(done) != n || got[outcome.TimedOut] != n {
				t.Errorf("%d attempts ended as %v, want %d timed_out", len(done), got, n)
			}
			if r.tally.Open() != 0 {
				t.Errorf("%d open", r.tally.Open())
			}
			awaitDeafAlone(t, target.AddrPort())
		})
	}
}

// Nobody answers: each attempt ends as timed_out after its own timeout.
func TestCyclesWithoutAnAnswer(t *testing.T) {
	const timeout = 200 * ms
	sources := sourcePorts(t, 40000, 40099)
	target := deaf(t)
	r := newRig(t, setup{target: target.AddrPort(), sources: sources, mode: step.ClientRST, timeout: timeout, ring: true})
	done := r.do(t, cycles(10, 10))
	for _, c := range done {
		if c.Outcome != outcome.TimedOut || c.End-c.Start < int64(timeout) {
			t.Errorf("attempt %d: %v after %v", c.Attempt, c.Outcome, time.Duration(c.End-c.Start))
		}
	}
	if len(done) != 10 {
		t.Errorf("%d attempts", len(done))
	}
	awaitDeafAlone(t, target.AddrPort())
}

// What is under way when the work is over ends as canceled, and at once.
func TestCyclesAreCanceled(t *testing.T) {
	sources := sourcePorts(t, 40000, 40099)
	target := deaf(t)
	r := newRig(t, setup{target: target.AddrPort(), sources: sources, mode: step.ClientRST, ring: true})
	var over atomic.Bool
	work := &script{batches: [][]step.Step{{{Op: step.Cycle}, {Op: step.Cycle}, {Op: step.Cycle}}}, stop: over.Load}
	time.AfterFunc(50*ms, func() { over.Store(true) })
	done := r.do(t, work)
	if got := outcomes(done); len(done) != 3 || got[outcome.Canceled] != 3 {
		t.Errorf("outcomes %v", got)
	}
	if got := outcomes(r.do(t, &script{batches: [][]step.Step{{}}})); len(got) != 0 {
		t.Errorf("later: %v", got)
	}
}

// The hot loop allocates nothing, neither to open and close nor to fail.
func TestCyclesAllocateNothing(t *testing.T) {
	const each = 500
	listener, target := listen(t, backlog)
	for _, refused := range []bool{false, true} {
		s := setup{target: target, together: listener, sources: sourcePorts(t, 40000, 40999), strategy: "socket-range", mode: step.ClientRST, ring: true}
		n := int64(each)
		if refused {
			s.target, s.together, n = unusedAddr(), 0, 4 // of which each waits longer
		}
		r := newRig(t, s)
		run := func() {
			if err := r.Run(cycles(n, 16)); err != nil {
				t.Fatal(err)
			}
			r.collector.TakeAll()
		}
		for range 5 {
			run() // the list of the first 1,000 ports is full then
		}
		// A run makes a work and two closures, and the timeline grows by a row every 100 ms.
		if got := testing.AllocsPerRun(3, run); got > 10 {
			t.Errorf("refused %v: %v allocations in %d attempts", refused, got, n)
		}
	}
}

// An engine that is closed leaves no descriptor, thread or connection.
func TestCyclesLeaveNothing(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	listener, target := listen(t, backlog)
	sources := sourcePorts(t, 40000, 40099)
	fds := descriptors(t)
	r, err := tryRig(t, setup{target: target, together: listener, sources: sources, mode: step.ClientRST, ring: true})
	if err != nil {
		t.Fatal(err)
	}
	r.do(t, cycles(100, 50))
	closeRig(t, r)
	if got := descriptors(t); got != fds {
		t.Errorf("%d descriptors in the process's table, %d before", got, fds)
	}
	if c, l := settled(t, target); len(c)+len(l) != 0 {
		t.Errorf("generator's ends %v, listener's %v", c, l)
	}
	goleak.VerifyNone(t, ignore)
}

func TestURingRefuses(t *testing.T) {
	_, target := listen(t, backlog)
	for name, s := range map[string]setup{
		"udp":     {change: func(o *engine.Options) { o.UDP = true }},
		"retries": {change: func(o *engine.Options) { o.Traits.Tries = true }},
	} {
		s.target, s.sources, s.ring = target, sourcePorts(t, 40000, 40009), true
		if r, err := tryRig(t, s); err == nil {
			closeRig(t, r)
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkCycles(b *testing.B) {
	for _, together := range []bool{true, false} {
		b.Run(fmt.Sprintf("together=%v", together), func(b *testing.B) {
			listener, target := listen(b, backlog)
			s := setup{target: target, sources: sourcePorts(b, 30000, 50000), strategy: "socket-range", mode: step.ClientRST, ring: true}
			if together {
				s.together = listener
			}
			r := newRig(b, s)
			b.ReportAllocs()
			defer r.count()()
			if err := r.Run(cycles(int64(b.N), 16)); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "conn/s")
		})
	}
}
