package engine_test

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// path is something on the way that drops everything, or says so.
type path struct {
	asked   []asked
	delayed []int // what attempts that got through had lost
}

type asked struct {
	from, to netip.AddrPort
	sent     int
}

// Delayed has lost all of it but one.
func (p *path) Delayed(lost int) int {
	p.delayed = append(p.delayed, lost)
	return lost - 1
}

func (p *path) Failed(from, to netip.AddrPort, sent int) outcome.Code {
	p.asked = append(p.asked, asked{from, to, sent})
	return outcome.NATNoPort
}

// What had no answer is asked about by its tuple and the SYNs that it sent.
func TestPathIsAsked(t *testing.T) {
	sources := sourcePorts(t, 40000, 40099)
	target := deaf(t)
	p := &path{}
	r := newRig(t, setup{
		target: target.AddrPort(), sources: sources, mode: step.ClientRST, timeout: 200 * ms,
		change: func(o *engine.Options) { o.Path = p },
	})
	done := r.do(t, &script{batches: [][]step.Step{opens(5)}})
	if len(done) != 5 || outcomes(done)[outcome.NATNoPort] != 5 || len(p.asked) != 5 {
		t.Fatalf("outcomes %v, %d asked about", outcomes(done), len(p.asked))
	}
	for i, c := range done {
		a := p.asked[i]
		if a.from != netip.AddrPortFrom(netip.MustParseAddr(nstest.Addr), c.Port) || a.to != target.AddrPort() || a.sent != 1+int(c.Again) || c.Attempt == 0 {
			t.Errorf("attempt %d from port %d was asked about as %+v", c.Attempt, c.Port, a)
		}
	}
}

// An attempt that gets through by its second SYN tells of the first, and hears
// what of it was lost on the path.
func TestPathHearsOfDelays(t *testing.T) {
	sources := sourcePorts(t, 40000, 40099)
	listener, addr := listen(t, 0)
	p := &path{}
	r := newRig(t, setup{target: addr, sources: sources, mode: step.ClientRST, change: func(o *engine.Options) { o.Path = p }})
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
			_, _ = kernel.Accept(listener, &from) // there may be none
		}
	}()
	done := r.do(t, &script{batches: [][]step.Step{opens(4)}})
	close(stop)
	<-ended
	lost, long, want := 0, 0, 0
	for _, c := range done {
		lost += int(c.Again)
		if c.End-c.Start >= int64(900*time.Millisecond) {
			long++
		}
	}
	for _, n := range p.delayed {
		want += n - 1
	}
	if len(p.delayed) == 0 || len(p.delayed) > long || lost != want || len(p.asked) != 0 {
		t.Errorf("%d attempts were long, told %v; they lost %d, want %d; %d asked about", long, p.delayed, lost, want, len(p.asked))
	}
}

// Each of an engine's threads enters, before it opens anything.
func TestEnter(t *testing.T) {
	var entered atomic.Int32
	_, addr := listen(t, backlog)
	r := newRig(t, setup{
		target: addr, sources: sourcePorts(t, 40000, 40099), mode: step.ClientRST,
		change: func(o *engine.Options) { o.Enter = func() error { entered.Add(1); return nil } },
	})
	if n := entered.Load(); n != 1 {
		t.Errorf("%d threads entered, want 1", n)
	}
	if done := r.do(t, &script{batches: [][]step.Step{opens(1)}}); outcomes(done)[outcome.OK] != 1 {
		t.Errorf("outcomes %v", outcomes(done))
	}
}
