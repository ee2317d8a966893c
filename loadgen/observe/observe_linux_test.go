package observe

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/reports/result"
)

const (
	ms = time.Millisecond
	// patience bounds how long a test waits for what must come. No test passes
	// because it ran out.
	patience = 20 * time.Second
)

// pairs is a listener with connections, both ends of each.
type pairs struct {
	target         netip.AddrPort
	listener       int
	client, server []int
}

// connect makes n connections to a listener on the address.
func connect(t *testing.T, addr string, n int) *pairs {
	t.Helper()
	sa := kernel.NewSockaddr(netip.AddrPortFrom(netip.MustParseAddr(addr), 0))
	p := &pairs{}
	p.listener = opened(t)(kernel.StreamSocket(sa.Family()))
	if errno := kernel.Bind(p.listener, &sa); errno != 0 {
		t.Fatalf("bind: %v", errno)
	}
	if errno := kernel.Listen(p.listener, n); errno != 0 {
		t.Fatalf("listen: %v", errno)
	}
	if errno := kernel.LocalAddr(p.listener, &sa); errno != 0 {
		t.Fatal(errno)
	}
	p.target = sa.AddrPort()
	var peer kernel.Sockaddr
	for range n {
		fd := opened(t)(kernel.StreamSocket(sa.Family()))
		if errno := kernel.Connect(fd, &sa); errno != 0 && errno != syscall.EINPROGRESS {
			t.Fatalf("connect: %v", errno)
		}
		p.client = append(p.client, fd)
		end, errno := kernel.Accept(p.listener, &peer)
		for start := time.Now(); errno == syscall.EAGAIN && time.Since(start) < patience; end, errno = kernel.Accept(p.listener, &peer) {
			kernel.Sleep(ms)
		}
		p.server = append(p.server, opened(t)(end, errno))
	}
	return p
}

// opened closes the descriptor with the test.
func opened(t *testing.T) func(int, syscall.Errno) int {
	return func(fd int, errno syscall.Errno) int {
		t.Helper()
		if errno != 0 {
			t.Fatal(errno)
		}
		t.Cleanup(func() { _ = kernel.CloseFD(fd) })
		return fd
	}
}

// states are those that a test names; the others are 0.
type states struct{ established, finWait2, closeWait, lastAck, timeWait int64 }

func these(s result.States) states {
	return states{*s.Established, *s.FinWait2, *s.CloseWait, *s.LastAck, *s.TimeWait}
}

// count looks at both ends' states.
func count(targets []netip.AddrPort, udp bool) (client, server result.States, err error) {
	v := View{Targets: targets, UDP: udp}
	seen, err := v.LookWell()
	if err != nil {
		return client, server, err
	}
	return seen.Client, seen.Server, nil
}

// expect wants the counts, which may take the kernel a moment.
func expect(t *testing.T, targets []netip.AddrPort, client, server states) {
	t.Helper()
	var c, s result.States
	for start := time.Now(); time.Since(start) < patience/4; time.Sleep(ms) {
		var err error
		if c, s, err = count(targets, false); err != nil {
			t.Fatal(err)
		}
		if these(c) == client && these(s) == server {
			return
		}
	}
	t.Errorf("clients %+v, servers %+v, want %+v and %+v", these(c), these(s), client, server)
}

// Each end is counted on its own side, in its own state, and other people's
// sockets on neither.
func TestCountTellsTheEndsApart(t *testing.T) {
	connect(t, nstest.Addr, 5) // somebody else's
	for _, addr := range []string{nstest.Addr, nstest.Addr6, "127.0.0.1", "::1"} {
		p := connect(t, addr, 4)
		to := []netip.AddrPort{p.target}
		expect(t, to, states{established: 4}, states{established: 4})
		_ = kernel.CloseFD(p.client[0])
		expect(t, to, states{established: 3, finWait2: 1}, states{established: 3, closeWait: 1})
		_ = kernel.CloseFD(p.server[0])
		expect(t, to, states{established: 3, timeWait: 1}, states{established: 3})
		_ = kernel.CloseFD(p.server[1]) // the listener's end first: TIME_WAIT is its
		_ = kernel.CloseFD(p.client[1])
		expect(t, to, states{established: 2, timeWait: 1}, states{established: 2, timeWait: 1})
		_ = kernel.Reset(p.client[2])
		expect(t, to, states{established: 1, timeWait: 1}, states{established: 1, closeWait: 0, timeWait: 1})
	}
}

func TestCountOverTargets(t *testing.T) {
	a, b := connect(t, nstest.Addr, 2), connect(t, "::1", 3)
	expect(t, []netip.AddrPort{a.target, b.target}, states{established: 5}, states{established: 5})
	expect(t, nil, states{}, states{})
}

// Samples come at the interval's multiples and show what the sockets are.
func TestSamples(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	p := connect(t, nstest.Addr, 7)
	clock := kernel.NewClock()
	const interval = 10 * ms
	o := Start(clock, View{Targets: []netip.AddrPort{p.target}}, interval)
	seen, last := 0, int64(0)
	for seen < 3 {
		s := <-o.Samples()
		if s.TNS <= last || s.TNS < int64(interval) {
			t.Errorf("a sample at %d after one at %d", s.TNS, last)
		}
		if last = s.TNS; s.States == nil || s.States.TimeWait == nil {
			t.Fatalf("sample %+v: TIME_WAIT is in every one", s)
		}
		if s.CPU.User < 0 || s.CPU.System < 0 {
			t.Errorf("processor time %+v", s.CPU)
		}
		if s.States.Established == nil { // this one has no list
			continue
		}
		seen++
		if *s.States.Established != 7 || *s.States.SynSent != 0 {
			t.Errorf("%d established, %d in SYN_SENT, want 7 and 0", *s.States.Established, *s.States.SynSent)
		}
	}
	cost := o.Stop()
	if cost.Dumps < 3 || cost.Samples+1 < cost.Dumps || cost.DumpNS <= 0 || cost.Interrupted != 0 || cost.CPUNS <= 0 || cost.Share <= 0 {
		t.Errorf("cost %+v", cost)
	}
	goleak.VerifyNone(t, ignore)
}

// Samples that nobody takes stop nothing, and their processor time is in a
// later one.
func TestSamplesThatNobodyTakes(t *testing.T) {
	began := kernel.ProcessCPU()
	o := Start(kernel.NewClock(), View{}, ms)
	time.Sleep(20 * ms)
	var told kernel.CPUTime
	for range 3 {
		s := <-o.Samples()
		told.User, told.System = told.User+s.CPU.User, told.System+s.CPU.System
	}
	spent := kernel.ProcessCPU().Sub(began)
	if told.Total() > spent.Total() {
		t.Errorf("samples tell of %v, the process used %v", told, spent)
	}
	if cost := o.Stop(); cost.Samples < 3 {
		t.Errorf("cost %+v", cost)
	}
}

func TestUntilNext(t *testing.T) {
	for _, c := range []struct{ now, want time.Duration }{
		{0, 100 * ms}, {1, 100*ms - 1}, {99 * ms, ms}, {100 * ms, 100 * ms}, {250 * ms, 50 * ms},
	} {
		if got := untilNext(int64(c.now), 100*ms); got != c.want {
			t.Errorf("at %v: %v to the next, want %v", c.now, got, c.want)
		}
	}
}

// However long a list takes, lists take at most a hundredth of the time, and come
// again.
func TestListsAreBounded(t *testing.T) {
	for _, took := range []time.Duration{0, 1, 15 * ms, 3 * time.Second} {
		const ended = int64(time.Minute)
		next := afterDump(ended, took)
		if pause := time.Duration(next - ended); pause < 99*took || pause > 101*took {
			t.Errorf("a list of %v comes again after %v", took, pause)
		}
	}
}
