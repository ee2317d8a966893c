package engine_test

import (
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
)

var closeModes = []step.CloseMode{step.ClientFIN, step.ClientRST, step.ServerFIN, step.ServerRST}

// clients counts the generator's ends by state, as sock_diag sees them.
func clients(t testing.TB, target netip.AddrPort) map[diag.State]int {
	t.Helper()
	n := map[diag.State]int{}
	err := diag.TCP(unix.AF_INET, diag.All, func(s *diag.Socket) {
		if s.Remote == target {
			n[s.State]++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Every port of the range opens, the next attempt finds none, and after the
// release the states are those of the close mode.
func TestFillAndRelease(t *testing.T) {
	// With the two ends on different processors segments overtake each other, and
	// the RST that answers one would end some connections' TIME_WAIT (RFC 1337).
	if err := kernel.WriteSysctl("net.ipv4.tcp_rfc1337", "1"); err != nil {
		t.Fatal(err)
	}
	for _, together := range []bool{true, false} {
		for _, strategy := range []string{"connect", "socket-range"} {
			for _, mode := range closeModes {
				t.Run(fmt.Sprintf("together=%v/%s/%v", together, strategy, mode), func(t *testing.T) {
					fillAndRelease(t, together, strategy, mode)
				})
			}
		}
	}
}

func fillAndRelease(t *testing.T, together bool, strategy string, mode step.CloseMode) {
	const n = 100
	s := setup{sources: sourcePorts(t, 40000, 40000+n-1), strategy: strategy, mode: mode}
	var accepted func() int64
	if together {
		s.together, s.target = listen(t, backlog)
	} else {
		p := newPeer(t, mode.RST())
		s.target, accepted = p.addr, p.accepted.Load
	}
	r := newRig(t, s)
	if together {
		accepted = r.accepted.Load
	}
	fill := opening(n)
	done := r.do(t, fill)
	if got := outcomes(done); got[outcome.OK] != n || got[outcome.NoPort] != 1 || len(done) != n+1 {
		t.Fatalf("outcomes %v, want %d ok and one no_port", got, n)
	}
	for i, c := range done {
		if int(c.Attempt) != i+1 || int(c.Open) != i || c.Start > c.End || i > 0 && c.Start < done[i-1].End {
			t.Errorf("attempt %d: %+v", i+1, c)
		}
	}
	waitFor(t, "the listener to accept all", func() bool { return accepted() == n })
	if distinct(done) != n || r.tally.Open() != n || clients(t, s.target)[diag.Established] != n {
		t.Errorf("%d distinct ports, %d open by the tally, sock_diag says %v", distinct(done), r.tally.Open(), clients(t, s.target))
	}
	closes := r.do(t, scenario.NewRelease(fill.Conns()))
	if len(closes) != n || r.tally.Open() != 0 {
		t.Errorf("%d closed, %d open by the tally", len(closes), r.tally.Open())
	}
	for i, c := range closes {
		if c.Op != step.Close || c.Port == 0 || c.End < c.Start {
			t.Fatalf("close %d: %+v", i, c)
		}
	}
	want := 0
	if mode == step.ClientFIN {
		want = n
	}
	waitFor(t, "the clients' ends to settle", func() bool {
		states := clients(t, s.target)
		return states[diag.TimeWait] == want && len(states) <= 1
	})
}

// Each port is asked for alone, by a window of one.
func TestStepPort(t *testing.T) {
	listener, target := listen(t, backlog)
	r := newRig(t, setup{target: target, together: listener, sources: sourcePorts(t, 40000, 40009), mode: step.ClientRST})
	for _, port := range []uint16{40007, 40000, 40009} {
		one := []step.Step{{Op: step.Open, Port: port, Probe: true}}
		done := r.do(t, &script{batches: [][]step.Step{one, one}})
		if done[0].Outcome != outcome.OK || done[0].Port != port || done[1].Outcome != outcome.NoPort {
			t.Errorf("port %d: %+v, then %+v", port, done[0], done[1])
		}
		if !done[0].Probe || done[0].Attempt != 0 {
			t.Errorf("port %d: a probe came back as %+v", port, done[0])
		}
	}
	if got := r.collector.Attempts(); got != 0 || r.tally.Open() != 3 {
		t.Errorf("%d attempts counted, %d open, want none and 3", got, r.tally.Open())
	}
}

// More connections than one descriptor table holds, with each connection's two
// ends in the same table, go over several threads.
func TestManyTables(t *testing.T) {
	lowLimit(t, 64)
	const n = 300
	for _, mode := range closeModes {
		listener, target := listen(t, backlog)
		r := newRig(t, setup{target: target, together: listener, sources: sourcePorts(t, 40000, 40000+n-1), mode: mode, connections: n})
		fill := opening(n)
		done := r.do(t, fill)
		if got := outcomes(done); got[outcome.OK] != n || got[outcome.NoPort] != 1 || distinct(done) != n {
			t.Fatalf("%v: outcomes %v, %d distinct ports", mode, got, distinct(done))
		}
		if got := clients(t, target)[diag.Established]; got != n || r.accepted.Load() != n {
			t.Errorf("%v: %d established, %d accepted", mode, got, r.accepted.Load())
		}
		if closes := r.do(t, scenario.NewRelease(fill.Conns())); len(closes) != n || r.tally.Open() != 0 {
			t.Errorf("%v: %d closed, %d open", mode, len(closes), r.tally.Open())
		}
	}
}

// The same with a listener of its own that closes first: closes wait on all the
// tables at once.
func TestManyTablesApart(t *testing.T) {
	const n = 150
	p := newPeer(t, false)
	sources := sourcePorts(t, 40000, 40000+n-1)
	lowLimit(t, 64)
	r := newRig(t, setup{target: p.addr, sources: sources, mode: step.ServerFIN, connections: n})
	lowLimit(t, 1000) // the listener's table is the process's
	fill := opening(n)
	if got := outcomes(r.do(t, fill)); got[outcome.OK] != n || got[outcome.NoPort] != 1 {
		t.Fatalf("outcomes %v", got)
	}
	if closes := r.do(t, scenario.NewRelease(fill.Conns())); len(closes) != n || r.tally.Open() != 0 {
		t.Errorf("%d closed, %d open", len(closes), r.tally.Open())
	}
}
