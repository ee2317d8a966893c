package engine_test

import (
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// talker is a listener apart that does one thing to each connection that has
// said something.
type talker int

const (
	answers talker = iota // each byte with a byte
	resets
	finishes // by FIN, without an answer
	mute     // reads nothing
)

// talk starts a talker. It ends with the test.
func talk(t *testing.T, does talker, s setup) setup {
	t.Helper()
	fd, addr := listen(t, backlog)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var held []int
		for {
			select {
			case <-stop:
				for _, fd := range held {
					_ = kernel.CloseFD(fd)
				}
				return
			default:
			}
			var peer kernel.Sockaddr
			if fd, errno := kernel.Accept(fd, &peer); errno == 0 {
				held = append(held, fd)
			}
			held = slices.DeleteFunc(held, func(fd int) bool { return does.hear(fd) })
			kernel.Sleep(ms / 10)
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
	s.target = addr
	return s
}

// hear does what the talker does, and says whether the connection is over.
func (d talker) hear(fd int) bool {
	if d == mute {
		return false
	}
	var said [16]byte
	n, errno := kernel.Read(fd, said[:])
	switch {
	case errno == syscall.EAGAIN:
		return false
	case errno != 0 || n == 0, d == finishes:
		_ = kernel.CloseFD(fd)
		return true
	case d == resets:
		_ = kernel.Reset(fd)
		return true
	}
	for ; n > 0; n-- {
		_ = kernel.WriteByte(fd, 1)
	}
	return false
}

// conversation opens a connection, sends requests over it one after the other,
// and closes it. It ends with a request that fails.
type conversation struct {
	requests int
	done     []step.Completion
	next     []step.Step
}

func newConversation(requests int) *conversation {
	return &conversation{requests: requests, next: []step.Step{{Op: step.Open, Tag: 100}}}
}

func (c *conversation) Next(now int64, steps []step.Step) (int, int64) {
	n := copy(steps, c.next)
	c.next = nil
	if n == 0 && c.over() {
		return 0, step.Done
	}
	return n, now + int64(ms)
}

func (c *conversation) over() bool {
	if len(c.done) == 0 {
		return false
	}
	last := c.done[len(c.done)-1]
	return last.Op == step.Close || last.Outcome != outcome.OK
}

func (c *conversation) Take(done []step.Completion) {
	for _, d := range done {
		c.done = append(c.done, d)
		if c.over() {
			continue
		}
		op := step.Request
		if c.requests == 0 {
			op = step.Close
		}
		c.requests--
		c.next = []step.Step{{Op: op, Conn: d.Conn, Tag: d.Tag + 1}}
	}
}

// check looks at what all conversations have in common: the tags of the steps
// come back, and so do the connection's name and port.
func (c *conversation) check(t *testing.T) {
	t.Helper()
	first := c.done[0]
	for i, d := range c.done {
		if d.Tag != uint64(100+i) || d.Conn != first.Conn || d.Port != first.Port || d.End < d.Start {
			t.Errorf("step %d: %+v, after %+v", i, d, first)
		}
	}
}

func TestRequestsAreAnswered(t *testing.T) {
	sources := sourcePorts(t, 40000, 40999)
	fd, addr := listen(t, backlog)
	for name, s := range map[string]setup{
		"together": {target: addr, together: fd, sources: sources, mode: step.ClientRST},
		"apart":    talk(t, answers, setup{sources: sources, mode: step.ClientRST}),
	} {
		r := newRig(t, s)
		c := newConversation(5)
		r.do(t, c)
		c.check(t)
		if len(c.done) != 7 || c.done[6].Op != step.Close || r.tally.Open() != 0 {
			t.Errorf("%s: %d steps done, %d open: %+v", name, len(c.done), r.tally.Open(), c.done)
		}
	}
}

// A request that fails ends its connection, and frees its port and its place.
func TestRequestsThatFail(t *testing.T) {
	sources := sourcePorts(t, 40000, 40000) // a second conversation needs the same port
	for does, want := range map[talker]outcome.Code{resets: outcome.Reset, finishes: outcome.Reset, mute: outcome.TimedOut} {
		s := setup{sources: sources, mode: step.ClientRST, connections: 1}
		if does == mute {
			s.timeout = 50 * ms
		}
		if does == finishes {
			// The listener's FIN comes first: TIME_WAIT is its own, and no matter here.
			s.mode = step.ServerFIN
		}
		r := newRig(t, talk(t, does, s))
		for range 3 {
			c := newConversation(2)
			r.do(t, c)
			c.check(t)
			if last := c.done[len(c.done)-1]; len(c.done) != 2 || last.Op != step.Request || last.Outcome != want {
				t.Fatalf("talker %d: %+v, want a request that is %v", does, c.done, want)
			}
			if does == mute && c.done[1].End-c.done[1].Start < int64(s.timeout) {
				t.Errorf("given up after %d ns", c.done[1].End-c.done[1].Start)
			}
			if r.tally.Open() != 0 {
				t.Errorf("talker %d: %d open", does, r.tally.Open())
			}
		}
	}
}

// A work that ends while a request waits gets it back as canceled, and the
// connection is over.
func TestPendingRequestIsCanceled(t *testing.T) {
	r := newRig(t, talk(t, mute, setup{sources: sourcePorts(t, 40000, 40999), mode: step.ClientRST}))
	c := newConversation(1)
	ends := &endsEarly{conversation: c}
	r.do(t, ends)
	c.check(t)
	if len(c.done) != 2 || c.done[1].Outcome != outcome.Canceled || r.tally.Open() != 0 {
		t.Errorf("%+v, %d open", c.done, r.tally.Open())
	}
}

// endsEarly is a conversation that ends as soon as its request has to wait.
type endsEarly struct {
	*conversation
	asked bool
}

func (e *endsEarly) Next(now int64, steps []step.Step) (int, int64) {
	n, wake := e.conversation.Next(now, steps)
	if n == 0 && e.asked {
		return 0, step.Done
	}
	e.asked = n > 0 && steps[0].Op == step.Request
	return n, wake
}

// Reset closes by RST whatever the close mode: no TIME_WAIT keeps the port.
func TestResetLeavesNoTimeWait(t *testing.T) {
	sources := sourcePorts(t, 40000, 40000)
	for _, mode := range []step.CloseMode{step.ClientFIN, step.ClientRST, step.ServerFIN, step.ServerRST} {
		for _, together := range []bool{true, false} {
			fd, addr := listen(t, backlog)
			s := setup{target: addr, sources: sources, mode: mode, connections: 1}
			if together {
				s.together = fd
			}
			r := newRig(t, s)
			for range 3 {
				done := r.do(t, &script{batches: [][]step.Step{opens(1)}})
				if done[0].Outcome != outcome.OK {
					t.Fatalf("%v, together %v: %v: the port is still taken", mode, together, done[0].Outcome)
				}
				done = r.do(t, &script{batches: [][]step.Step{{{Op: step.Close, Conn: done[0].Conn, Reset: true, Tag: 7}}}})
				if len(done) != 1 || done[0].Tag != 7 || r.tally.Open() != 0 {
					t.Errorf("%v, together %v: %+v, %d open", mode, together, done, r.tally.Open())
				}
			}
		}
	}
}

// A probe asks for one port, and is in none of the counts.
func TestProbeOfOnePort(t *testing.T) {
	fd, addr := listen(t, backlog)
	r := newRig(t, setup{target: addr, together: fd, sources: sourcePorts(t, 40000, 40009), mode: step.ClientRST})
	probe := []step.Step{{Op: step.Open, Port: 40007, Probe: true, Tag: 1}}
	done := r.do(t, &script{batches: [][]step.Step{probe, probe}})
	if len(done) != 2 || done[0].Port != 40007 || done[0].Outcome != outcome.OK || done[1].Outcome != outcome.NoPort {
		t.Errorf("%+v", done)
	}
	for _, d := range done {
		if !d.Probe || d.Attempt != 0 {
			t.Errorf("a probe counts: %+v", d)
		}
	}
	if r.collector.Attempts() != 0 {
		t.Errorf("%d attempts counted", r.collector.Attempts())
	}
}

// A pinned worker's threads run on their processor alone.
func TestPinnedWorkers(t *testing.T) {
	cpus, err := kernel.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	fd, addr := listen(t, backlog)
	for i, cpu := range cpus {
		var set unix.CPUSet
		r := newRig(t, setup{
			target: addr, together: fd, sources: sourcePorts(t, 40000, 40999), mode: step.ClientRST,
			change: func(o *engine.Options) { o.Pinned, o.CPU = true, cpu },
		})
		r.do(t, work(func() {
			if err := unix.SchedGetaffinity(0, &set); err != nil {
				t.Error(err)
			}
		}))
		if set.Count() != 1 || !set.IsSet(cpu) {
			t.Errorf("worker %d, for processor %d: may run on %d of them", i, cpu, set.Count())
		}
	}
}

// work is done with one call, on the worker's thread.
type work func()

func (w work) Next(int64, []step.Step) (int, int64) {
	w()
	return 0, step.Done
}

func (w work) Take([]step.Completion) {}
