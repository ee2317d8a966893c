package engine_test

import (
	"net/netip"
	"testing"

	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
)

// Without a listener on a target port that is a source port too, one attempt of
// the range connects to itself, and over UDP hears itself. It counts as refused,
// and leaves nothing.
func TestSelfConnect(t *testing.T) {
	eachStrategy(t, func(t *testing.T, k kind, name string) {
		s := newSpace(t, k, 1, 0, 10)
		s.Targets = []netip.AddrPort{netip.AddrPortFrom(k.addr(), s.port(4))}
		setup := s.setup(s.with(t, name), 0, nil)
		apart(&setup)
		r := newRig(t, setup)
		selves := 0
		for range 3 { // a search begins anywhere: not every round meets the port
			for _, c := range r.do(t, &script{batches: [][]step.Step{opens(32)}}) {
				if c.Outcome != outcome.Refused {
					t.Errorf("%+v", c)
				}
				if c.Self {
					selves++
				}
			}
		}
		one := []step.Step{{Op: step.Open, Port: s.port(4)}}
		if c := r.do(t, &script{batches: [][]step.Step{one}})[0]; !c.Self || c.Outcome != outcome.Refused || c.Port != s.port(4) {
			t.Errorf("asked to connect to itself: %+v", c)
		}
		if got := r.collector.SelfConnects(); got != int64(selves)+1 || r.tally.Open() != 0 || len(clients(t, s.Targets[0])) != 0 {
			t.Errorf("%d counted of %d, %d open, sockets %v", got, selves+1, r.tally.Open(), clients(t, s.Targets[0]))
		}
	})
}

// A listener inside the range costs its port and no more: nobody connects to
// himself there.
func TestListenerInsideTheRange(t *testing.T) {
	eachStrategy(t, func(t *testing.T, k kind, name string) {
		s := newSpace(t, k, 1, 0, 10)
		s.addTarget(t, netip.AddrPortFrom(k.addr(), s.port(4)))
		r := newRig(t, s.setup(s.with(t, name), 0, nil))
		fill := opening(9)
		done := r.do(t, fill)
		if got := outcomes(done); got[outcome.OK] != 9 || got[outcome.NoPort] != 1 || len(done) != 10 || s.clients() != 9 {
			t.Errorf("outcomes %v, %d accepted, want 9 ok and one no_port", got, s.clients())
		}
		for _, c := range done {
			if c.Self || c.Port == s.port(4) {
				t.Errorf("%+v", c)
			}
		}
		r.do(t, scenario.NewRelease(fill.Conns())) // by RST: nothing is in the next listener's way
	})
}

// crossing opens from the second target to the first, waits until the first is
// free, and then opens from there to the second.
type crossing struct {
	ports   [2]uint16
	waiting chan struct{} // closed when the first is under way
	free    chan struct{} // closed when its target is free
	begun   int
	done    []step.Completion
}

func (c *crossing) Next(now int64, steps []step.Step) (int, int64) {
	switch {
	case len(c.done) == 2:
		return 0, step.Done
	case c.begun == 0:
		steps[0] = step.Step{Op: step.Open, Port: c.ports[1], Target: 0}
		c.begun++
		return 1, 0
	case c.begun == 1:
		c.begun++
		close(c.waiting)
		<-c.free
		steps[0] = step.Step{Op: step.Open, Port: c.ports[0], Target: 1}
		return 1, 0
	}
	return 0, now + int64(ms)
}

func (c *crossing) Take(done []step.Completion) { c.done = append(c.done, done...) }

// Two sockets that are each other's target take each other's opening for an
// answer: a simultaneous open (RFC 9293, section 3.5). Nobody has accepted them.
func TestSocketsThatMeet(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newSpace(t, k, 1, 0, 10)
		work := &crossing{ports: [2]uint16{s.port(2), s.port(6)}, waiting: make(chan struct{}), free: make(chan struct{})}
		for _, port := range work.ports {
			s.Targets = append(s.Targets, netip.AddrPortFrom(k.addr(), port))
		}
		setup := s.setup(newLedger(s), 0, nil)
		apart(&setup)
		setup.timeout = 200 * ms
		r := newRig(t, setup)
		release := silent(t, s, s.Targets[0])
		go func() {
			<-work.waiting
			release()
			close(work.free)
		}()
		done := r.do(t, work)
		selves := 0
		for _, c := range done {
			if c.Outcome == outcome.OK {
				t.Errorf("a success with nobody: %+v", c)
			}
			if c.Self {
				selves++
			}
		}
		if selves == 0 || r.tally.Open() != 0 {
			t.Errorf("%d met, %d open: %+v", selves, r.tally.Open(), done)
		}
	})
}

// silent holds an address and answers nothing there, until it is released. The
// threads that were there before have no copy of its sockets.
func silent(t *testing.T, s *space, at netip.AddrPort) (release func()) {
	t.Helper()
	sa := kernel.NewSockaddr(at)
	fds := []int{socket(t, s.udp, sa.Family())}
	if errno := kernel.Bind(fds[0], &sa); errno != 0 {
		t.Fatal(errno)
	}
	if !s.udp {
		if errno := kernel.Listen(fds[0], 0); errno != 0 {
			t.Fatal(errno)
		}
		for range 2 { // the queue takes one more than its length; the second may wait
			fd := socket(t, s.udp, sa.Family())
			if errno := kernel.SetLocalPortRange(fd, s.port(8), s.port(9)); errno != 0 {
				t.Fatal(errno)
			}
			_ = kernel.Connect(fd, &sa)
			fds = append(fds, fd)
		}
	}
	return func() {
		for i := range fds {
			_ = kernel.Reset(fds[len(fds)-1-i])
		}
	}
}
