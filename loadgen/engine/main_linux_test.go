package engine_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/loadgen/kernel/uring"
	"lastport/loadgen/outcome"
	"lastport/loadgen/ports"
	"lastport/loadgen/record"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

func TestMain(m *testing.M) { os.Exit(nstest.Run(m)) }

const (
	ms = time.Millisecond
	// patience bounds how long a test waits for what must come. No test passes
	// because it ran out.
	patience = 20 * time.Second
	backlog  = 4096
)

// listeners counts the ports that tests have listened on: each test has one of
// its own, so that what an earlier one left in TIME_WAIT is not in its way.
var listeners atomic.Uint32

// listen opens a listener that is closed with the test.
func listen(t testing.TB, backlog int) (fd int, addr netip.AddrPort) {
	t.Helper()
	addr = unusedAddr()
	sa := kernel.NewSockaddr(addr)
	fd, errno := kernel.StreamSocket(sa.Family())
	if errno == 0 {
		errno = kernel.Bind(fd, &sa)
	}
	if errno == 0 {
		errno = kernel.Listen(fd, backlog)
	}
	if errno != 0 {
		t.Fatalf("listen on %v: %v", addr, errno)
	}
	t.Cleanup(func() { _ = kernel.CloseFD(fd) })
	return fd, addr
}

// unusedAddr is a target below every range of source ports.
func unusedAddr() netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(nstest.Addr), uint16(2000+listeners.Add(1)))
}

// sourcePorts sets the namespace's range.
func sourcePorts(t testing.TB, low, high uint16) ports.Ranges {
	t.Helper()
	if err := kernel.WriteSysctl("net.ipv4.ip_local_port_range", fmt.Sprintf("%d %d", low, high)); err != nil {
		t.Fatal(err)
	}
	return ports.Of(ports.Range{Low: low, High: high})
}

// end is the listener's side of --ends together.
type end struct {
	listener int
	peer     kernel.Sockaddr
	accepted *atomic.Int64
}

func (e *end) Accept() (fd int, port uint16, errno syscall.Errno) {
	fd, errno = kernel.Accept(e.listener, &e.peer)
	if errno == 0 {
		e.accepted.Add(1)
	}
	return fd, e.peer.Port(), errno
}

func (e *end) Socket() int { return e.listener }

func (e *end) Took(*kernel.Sockaddr) { e.accepted.Add(1) }

func (e *end) Answer(fd int) syscall.Errno {
	var request [16]byte
	n, errno := kernel.Read(fd, request[:])
	for ; errno == 0 && n > 0; n-- {
		errno = kernel.WriteByte(fd, 1)
	}
	return errno
}

func (e *end) Shut(fd int, rst bool) {
	if rst {
		_ = kernel.Reset(fd)
		return
	}
	_ = kernel.CloseFD(fd)
}

// rig is an engine and what is needed around it.
type rig struct {
	engine.Engine
	tally     *engine.Tally
	collector *record.Collector
	log       *record.Writer
	accepted  *atomic.Int64 // ends together
}

// setup says what a test wants of a rig. The zero value: 100 connections by
// connect, reset by the client, a timeout that no test reaches.
type setup struct {
	target      netip.AddrPort
	together    int // the listener, for --ends together; 0: ends apart
	sources     ports.Ranges
	strategy    string
	mode        step.CloseMode
	timeout     time.Duration
	connections int
	tally       *engine.Tally
	worker      int
	change      func(*engine.Options)
	ring        bool // the engine uring
}

func newRig(t testing.TB, s setup) *rig {
	t.Helper()
	r, err := tryRig(t, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeRig(t, r) })
	return r
}

func tryRig(t testing.TB, s setup) (*rig, error) {
	t.Helper()
	if s.ring {
		nstest.NeedRing(t, uring.ProbeBind())
	}
	if s.strategy == "" {
		s.strategy = "connect"
	}
	if s.timeout == 0 {
		s.timeout = patience
	}
	if s.connections == 0 {
		s.connections = 100
	}
	if s.tally == nil {
		s.tally = engine.NewTally(1, 1)
	}
	chosen, err := strategy.New(s.strategy, strategy.Space{Ranges: s.sources})
	if err != nil {
		t.Fatal(err)
	}
	clock := kernel.NewClock()
	r := &rig{tally: s.tally, accepted: &atomic.Int64{}}
	if r.collector, err = record.NewCollector(1, int64(s.connections), clock.Zero()); err != nil {
		t.Fatal(err)
	}
	r.log = r.collector.Writer()
	o := engine.Options{
		Clock: clock, Targets: []kernel.Sockaddr{kernel.NewSockaddr(s.target)}, Strategy: chosen.Worker(0), Traits: chosen.Traits(),
		CloseMode: s.mode, AskToClose: s.mode.ServerFirst(), Timeout: s.timeout, Connections: s.connections,
		Log: r.log, Tally: s.tally, Worker: s.worker,
	}
	if s.together != 0 {
		o.Ends = func(int) engine.End { return &end{listener: s.together, accepted: r.accepted} }
	}
	if s.change != nil {
		s.change(&o)
	}
	engineOf := engine.NewDirect
	if s.ring {
		engineOf = engine.NewURing
	}
	r.Engine, err = engineOf(o)
	return r, err
}

// closeRig closes the engine and waits until the kernel has closed its tables,
// so that no test meets another's connections.
func closeRig(t testing.TB, r *rig) {
	t.Helper()
	before := tables(t)
	r.Close()
	waitFor(t, "the engine's threads to end", func() bool { return tables(t) < before })
}

// tables counts the threads that have a descriptor table of an engine's: it has
// a poller, or a ring, more than the process's. To count threads would not do, the runtime
// starts some of its own at any time.
func tables(t testing.TB) int {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/fd")
	if err != nil {
		t.Fatal(err)
	}
	n, own := 0, pollers("/proc/self/fd")
	for _, task := range tasks {
		if pollers(task) > own {
			n++
		}
	}
	return n
}

// pollers counts the descriptors of epoll and of rings in a directory of links; what is gone
// meanwhile has none.
func pollers(dir string) int {
	list, _ := os.ReadDir(dir)
	n := 0
	for _, entry := range list {
		if to, _ := os.Readlink(filepath.Join(dir, entry.Name())); to == "anon_inode:[eventpoll]" || to == "anon_inode:[io_uring]" {
			n++
		}
	}
	return n
}

func waitFor(t testing.TB, what string, ready func() bool) {
	t.Helper()
	for start := time.Now(); !ready(); time.Sleep(ms) {
		if time.Since(start) > patience {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// seen keeps what a work is told.
type seen struct {
	step.Work
	done []step.Completion
}

func (s *seen) Take(done []step.Completion) {
	s.done = append(s.done, done...)
	s.Work.Take(done)
}

// do runs the work and returns what came of it.
func (r *rig) do(t testing.TB, w step.Work) []step.Completion {
	t.Helper()
	s := &seen{Work: w}
	counted := r.count()
	err := r.Run(s)
	counted()
	if err != nil {
		t.Fatal(err)
	}
	return s.done
}

// count takes what the engine hands over, until the function that it returns is
// called. Nobody else may use the collector meanwhile.
func (r *rig) count() (stop func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case c := <-r.collector.Chunks():
				r.collector.Take(c)
			case <-over:
				r.collector.TakeAll()
				return
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}

// opening is a fill of the expected number of connections.
func opening(expected int) *scenario.Opening {
	return scenario.NewOpening(scenario.Opening{Expected: expected, Timeout: patience})
}

// script does one batch of steps after the other.
type script struct {
	batches [][]step.Step
	waiting int
	asked   atomic.Int64 // how often it had nothing to do but to wait
	stop    func() bool  // gives up what is pending
}

func (s *script) Next(now int64, steps []step.Step) (int, int64) {
	switch {
	case s.stop != nil && s.stop():
		return 0, step.Done
	case s.waiting > 0:
		s.asked.Add(1)
		return 0, now + int64(time.Second)
	case len(s.batches) == 0:
		return 0, step.Done
	}
	s.waiting = copy(steps, s.batches[0])
	s.batches = s.batches[1:]
	return s.waiting, 0
}

func (s *script) Take(done []step.Completion) { s.waiting -= len(done) }

// opens is a batch of n attempts.
func opens(n int) []step.Step {
	steps := make([]step.Step, n)
	for i := range steps {
		steps[i] = step.Step{Op: step.Open}
	}
	return steps
}

// outcomes counts how the attempts ended.
func outcomes(done []step.Completion) map[outcome.Code]int {
	n := map[outcome.Code]int{}
	for _, c := range done {
		if c.Op == step.Open || c.Op == step.Cycle {
			n[c.Outcome]++
		}
	}
	return n
}

// distinct counts the source ports of the connections that opened.
func distinct(done []step.Completion) int {
	used := map[uint16]bool{}
	for _, c := range done {
		if c.Op == step.Open && c.Outcome == outcome.OK {
			used[c.Port] = true
		}
	}
	return len(used)
}

// descriptors counts what is open in the process's table.
func descriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func (*end) Serve() {}
