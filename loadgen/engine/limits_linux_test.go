package engine_test

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"lastport/loadgen/engine"
	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
)

// lowLimit lowers the descriptor limit for the rest of the test.
func lowLimit(t testing.TB, limit uint64) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			t.Error(err)
		}
	})
}

func TestLimitError(t *testing.T) {
	_, target := listen(t, backlog)
	sources := sourcePorts(t, 40000, 60999)
	lowLimit(t, 64)
	before := tables(t)
	_, err := tryRig(t, setup{target: target, sources: sources, connections: 1 << 20})
	var limit *engine.LimitError
	if !errors.As(err, &limit) || limit.Connections != 1<<20 || limit.Limit != 64 || !strings.Contains(limit.Hint(), "ulimit -n") {
		t.Fatalf("a million connections on a limit of 64: %v", err)
	}
	waitFor(t, "the threads of the attempt to end", func() bool { return tables(t) <= before })

	// What the hint names is enough, and one less is not.
	const n = 40_000
	_, err = tryRig(t, setup{target: target, sources: sources, connections: n})
	if !errors.As(err, &limit) {
		t.Fatalf("%d connections on a limit of 64: %v", n, err)
	}
	lowLimit(t, uint64(limit.Need)-1)
	if r, err := tryRig(t, setup{target: target, sources: sources, connections: n}); err == nil {
		closeRig(t, r)
		t.Errorf("a limit of %d was enough, the hint says %d", limit.Need-1, limit.Need)
	}
	lowLimit(t, uint64(limit.Need))
	newRig(t, setup{target: target, sources: sources, connections: n})
}

// A table without any room is an error, not a hang.
func TestNoRoomAtAll(t *testing.T) {
	_, target := listen(t, backlog)
	sources := sourcePorts(t, 40000, 40009)
	lowLimit(t, uint64(descriptors(t)+4))
	_, err := tryRig(t, setup{target: target, sources: sources, connections: 1})
	var limit *engine.LimitError
	if !errors.As(err, &limit) {
		t.Errorf("no room for a single connection: %v", err)
	}
}

// Nothing is left of an engine that is closed while its connections are open.
func TestCloseLeavesNothing(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	listener, target := listen(t, backlog)
	sources := sourcePorts(t, 40000, 40099)
	fds := descriptors(t)
	waitFor(t, "the threads of earlier tests to end", func() bool { return tables(t) == 0 })
	before := tables(t)
	r, err := tryRig(t, setup{target: target, together: listener, sources: sources, mode: step.ClientRST})
	if err != nil {
		t.Fatal(err)
	}
	r.do(t, opening(100))
	if got := descriptors(t); got != fds {
		t.Errorf("%d descriptors in the process's table, %d before: connections belong to the threads' tables", got, fds)
	}
	if tables(t) <= before {
		t.Error("the engine has no descriptor table of its own")
	}
	r.Close()
	waitFor(t, "the threads to end", func() bool { return tables(t) <= before })
	waitFor(t, "the kernel to close the sockets", func() bool {
		for state := range clients(t, target) {
			if state.String() == "ESTABLISHED" {
				return false
			}
		}
		return true
	})
	goleak.VerifyNone(t, ignore)
}

// churn opens and closes one connection after another.
type churn struct {
	left int
	conn uint32
	open bool
}

func (c *churn) Next(_ int64, steps []step.Step) (int, int64) {
	switch {
	case c.open:
		steps[0] = step.Step{Op: step.Close, Conn: c.conn}
	case c.left == 0:
		return 0, step.Done
	default:
		c.left--
		steps[0] = step.Step{Op: step.Open}
	}
	return 1, 0
}

func (c *churn) Take(done []step.Completion) {
	for i := range done {
		c.open = done[i].Op == step.Open && done[i].Outcome == outcome.OK
		c.conn = done[i].Conn
	}
}

// The hot loop allocates nothing, neither to open and close nor to fail.
func TestNoAllocationPerAttempt(t *testing.T) {
	eachStrategy(t, func(t *testing.T, k kind, name string) {
		modes := []step.CloseMode{step.ClientRST}
		if name == "connect" && !k.udp {
			modes = append(modes, step.ServerRST)
		}
		for _, mode := range modes {
			s := newSpace(t, k, 2, 2, 50)
			s.tuples = nil
			setup := s.setup(s.with(t, name), 0, nil)
			setup.mode = mode
			noAllocation(t, newRig(t, setup))
		}
	})
}

func noAllocation(t *testing.T, r *rig) {
	t.Helper()
	const attempts, failures = 100, 25 // to fail takes the kernel a millisecond over UDP
	work := &churn{left: 1000}         // then the list of the first 1,000 ports is full
	r.do(t, work)
	churning := r.allocations(t, func() step.Work {
		work.left = attempts
		return work
	})
	fill := opening(50)
	if got := outcomes(r.do(t, fill)); got[outcome.OK] != 50 || got[outcome.NoPort] != 1 {
		t.Fatalf("outcomes %v", got)
	}
	full := &scenario.Full{}
	failing := r.allocations(t, func() step.Work {
		full.Attempts = failures
		return full
	})
	r.do(t, scenario.NewRelease(fill.Conns())) // by RST: no TIME_WAIT is in the next test's way
	// The timeline grows by a row every 100 ms, and a run makes two closures.
	if churning > 10 || failing > 10 {
		t.Errorf("%v allocations in %d attempts that open, %v in %d that fail", churning, attempts, failing, failures)
	}
}

// allocations counts those of a work, and of what is made of its completions.
func (r *rig) allocations(t *testing.T, work func() step.Work) float64 {
	t.Helper()
	defer r.count()()
	return testing.AllocsPerRun(3, func() {
		if err := r.Run(work()); err != nil {
			t.Fatal(err)
		}
	})
}
