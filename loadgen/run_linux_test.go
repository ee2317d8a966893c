package loadgen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// must makes a run and checks what holds of every run.
func must(t *testing.T, cfg Config, peer Peer, sink Sink) *result.Result {
	t.Helper()
	r, err := Run(t.Context(), cfg, peer, sink)
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcomes.Sum() != r.Attempts {
		t.Errorf("outcomes sum to %d, attempts are %d", r.Outcomes.Sum(), r.Attempts)
	}
	var opened, closed int64
	for _, row := range r.Timeline {
		opened += row.Opened
		closed += row.Closed
	}
	if opened != r.Outcomes.OK || closed != opened {
		t.Errorf("timeline: %d opened and %d closed of %d", opened, closed, r.Outcomes.OK)
	}
	if cfg.Scenario == "fill" && r.Witness != nil && *r.Measured.Connections != r.Outcomes.OK {
		t.Errorf("%d open at the fullest moment, and %d were opened before the release", *r.Measured.Connections, r.Outcomes.OK)
	}
	return r
}

func warned(r *result.Result, code string) bool {
	for _, w := range r.Warnings {
		if w.Code == code {
			return true
		}
	}
	return false
}

func TestThreeWitnessesAgree(t *testing.T) {
	defer goleak.VerifyNone(t)
	cfg := config(setRange(t, 40000, 40499), "198.18.0.1:2001")
	peer := listen(t, cfg.Targets[0], keeps)
	defer func() { _ = peer.Close() }()
	sink := &frames{}
	r := must(t, cfg, peer, sink)
	if *r.Measured.Connections != 500 || *r.Residual.Connections != 0 || r.Measured.FirstNoPort.Attempt != 501 {
		t.Errorf("measured %d, residual %d, first no_port %+v", *r.Measured.Connections, *r.Residual.Connections, r.Measured.FirstNoPort)
	}
	if w := r.Witness; !w.Agree || *w.SockDiag != 500 || *w.ServerOpen != 500 || *w.DistinctPeers != 500 {
		t.Errorf("witnesses: %+v", w)
	}
	if !r.Verdict.OK || !*r.Measured.Recovered || r.Run.Interrupted {
		t.Errorf("verdict %+v, recovered %v, interrupted %v", r.Verdict, *r.Measured.Recovered, r.Run.Interrupted)
	}
	if last := sink.all[len(sink.all)-1]; !last.Final || last.Result != r {
		t.Error("the last frame is not the final result")
	}
	for _, f := range sink.all[:len(sink.all)-1] {
		if f.Final || f.Result != nil && !f.Result.Run.Interrupted {
			t.Error("a frame before the last one is not marked as interrupted")
		}
	}
}

func TestRefused(t *testing.T) {
	cfg := config(setRange(t, 40000, 40499), "198.18.0.1:2002")
	peer := &stub{addr: cfg.Targets[0], stop: make(chan struct{})} // nobody listens
	r := must(t, cfg, peer, &frames{})
	if r.Outcomes.OK != 0 || r.Outcomes.Refused != r.Attempts || r.Attempts > 64 {
		t.Errorf("%d attempts, outcomes %+v", r.Attempts, r.Outcomes)
	}
	if r.Verdict.OK || !strings.Contains(r.Verdict.Text, "refused") || !warned(r, "gave_up") || r.Residual.Connections != nil {
		t.Errorf("verdict %+v, residual %v, warnings %v", r.Verdict, r.Residual.Connections, r.Warnings)
	}
}

func TestNeverAnswers(t *testing.T) {
	cfg := config(setRange(t, 40000, 40499), "198.18.0.1:2003")
	cfg.Timeout = 100 * time.Millisecond
	r := must(t, cfg, listen(t, cfg.Targets[0], ignores), &frames{})
	if r.Outcomes.TimedOut == 0 || r.Outcomes.NoPort != 0 || r.Verdict.OK {
		t.Errorf("outcomes %+v, verdict %+v", r.Outcomes, r.Verdict)
	}
	if r.Latency.Failure == nil || r.Latency.Failure.Count != r.Outcomes.TimedOut || r.Latency.Failure.MinNS < int64(cfg.Timeout) {
		t.Errorf("failures: %+v, timed out %d", r.Latency.Failure, r.Outcomes.TimedOut)
	}
}

func TestResets(t *testing.T) {
	cfg := config(setRange(t, 40000, 40099), "198.18.0.1:2004")
	r := must(t, cfg, listen(t, cfg.Targets[0], resets), &frames{})
	if r.Verdict.OK || r.Witness.Agree || r.Attempts > 1000 {
		t.Errorf("%d attempts, verdict %+v, witnesses %+v", r.Attempts, r.Verdict, r.Witness)
	}
}

func TestHeldPortsAreFoundAndNamed(t *testing.T) {
	cfg := config(setRange(t, 40000, 40099), "198.18.0.1:2005")
	for i, addr := range []string{"198.18.0.1:40003", "127.0.0.1:40050", "0.0.0.0:40097"} {
		fd, errno := kernel.StreamSocket(unix.AF_INET)
		sa := kernel.NewSockaddr(netip.MustParseAddrPort(addr))
		if errno == 0 {
			errno = kernel.Bind(fd, &sa)
		}
		if errno == 0 && i == 1 {
			errno = kernel.Listen(fd, 1)
		}
		if errno != 0 {
			t.Fatal(errno)
		}
		defer func() { _ = kernel.CloseFD(fd) }()
	}
	r := must(t, cfg, listen(t, cfg.Targets[0], keeps), &frames{})
	if *r.Measured.Connections != 97 || *r.Residual.Connections != 0 || r.Space.PortsUsable != 97 {
		t.Errorf("measured %d of %d usable", *r.Measured.Connections, r.Space.PortsUsable)
	}
	want := []result.Holder{
		{Port: 40003, Local: "198.18.0.1:40003", State: "BOUND"},
		{Port: 40050, Local: "127.0.0.1:40050", State: "LISTEN"},
		{Port: 40097, Local: "0.0.0.0:40097", State: "BOUND"},
	}
	if len(r.Space.Taken) != len(want) {
		t.Fatalf("taken: %+v", r.Space.Taken)
	}
	for i := range want {
		if r.Space.Taken[i] != want[i] {
			t.Errorf("taken: %+v, want %+v", r.Space.Taken[i], want[i])
		}
	}
}

// TestSelfConnectIsNoSuccess aims at a port of the range that nobody listens on:
// whoever comes to that port is connected to himself. One port after the other
// comes to it for certain, a search from anywhere may not.
func TestSelfConnectIsNoSuccess(t *testing.T) {
	for _, udp := range []bool{false, true} {
		for _, name := range []string{"connect", "sequential"} {
			cfg := config(setRange(t, 40000, 40009), "198.18.0.1:40005")
			cfg.Strategy, cfg.UDP = name, udp
			r := must(t, cfg, &stub{addr: cfg.Targets[0], stop: make(chan struct{})}, &frames{})
			if r.Outcomes.OK != 0 || r.Outcomes.Refused != r.Attempts || r.Attempts < 10 || r.Verdict.OK {
				t.Errorf("udp %t, %s: outcomes %+v of %d, verdict %+v", udp, name, r.Outcomes, r.Attempts, r.Verdict)
			}
			if name == "sequential" && !warned(r, "self_connect") {
				t.Errorf("udp %t: no warning that a socket met itself: %+v", udp, r.Warnings)
			}
		}
	}
}

func TestDrainReleasesAndSaysSo(t *testing.T) {
	cfg := config(setRange(t, 40000, 40099), "198.18.0.1:2006")
	cfg.Hold = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	peer := listen(t, cfg.Targets[0], keeps)
	sink := &frames{each: func(f Frame) {
		if f.Progress != nil && f.Progress.Phase == "hold" {
			cancel()
		}
	}}
	r, err := Run(ctx, cfg, peer, sink)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Run.Interrupted || *r.Measured.Connections != 100 || r.Latency.Close.Count != 100 || r.Measured.Recovered != nil {
		t.Errorf("interrupted %v, %d connections, close %+v", r.Run.Interrupted, *r.Measured.Connections, r.Latency.Close)
	}
}

// TestDurationEndsARunThatCannotEnd has a peer that never answers and attempts
// that would wait for it much longer.
func TestDurationEndsARunThatCannotEnd(t *testing.T) {
	cfg := config(setRange(t, 40000, 40499), "198.18.0.1:2007")
	cfg.Timeout, cfg.Duration = time.Minute, 2*time.Second
	r := must(t, cfg, listen(t, cfg.Targets[0], ignores), &frames{})
	if r.Outcomes.Canceled == 0 || r.Outcomes.TimedOut != 0 || !strings.Contains(r.Verdict.Text, "--duration") {
		t.Errorf("outcomes %+v, verdict %+v", r.Outcomes, r.Verdict)
	}
}

func TestSinkThatFailsEndsTheRun(t *testing.T) {
	cfg := config(setRange(t, 40000, 40099), "198.18.0.1:2008")
	cfg.Hold = time.Hour
	broken := errors.New("nobody listens")
	_, err := Run(t.Context(), cfg, listen(t, cfg.Targets[0], keeps), sinkFunc(func(Frame) error { return broken }))
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

type sinkFunc func(Frame) error

func (f sinkFunc) Frame(frame Frame) error { return f(frame) }

func TestNoPortsAtAll(t *testing.T) {
	cfg := config(setRange(t, 40000, 40099), "198.18.0.1:2009")
	cfg.Range = cfg.Range.Minus(cfg.Range)
	if _, err := Run(t.Context(), cfg, listen(t, cfg.Targets[0], keeps), &frames{}); err == nil {
		t.Error("a run without a port was made")
	}
}

func TestFramesComeThrough(t *testing.T) {
	var pipe bytes.Buffer
	w := NewFrameWriter(&pipe)
	for _, f := range []Frame{
		{Progress: &Progress{Phase: "open", Open: 3}},
		{Error: NewFrameError(&MemoryError{Connections: 10, Need: 20 << 20, Available: 10 << 20})},
		{Result: &result.Result{Schema: result.Schema}, Final: true},
	} {
		if err := w.Frame(f); err != nil {
			t.Fatal(err)
		}
	}
	whole := pipe.Len()
	pipe.WriteString(`{"progress":{"pha`) // the writer was killed here
	var got []Frame
	err := ReadFrames(&pipe, func(f Frame) error { got = append(got, f); return nil })
	if err != nil || len(got) != 3 || whole == 0 {
		t.Fatalf("%d frames, error %v", len(got), err)
	}
	if got[0].Progress.Open != 3 || got[1].Error.Hint() == "" || got[1].Error.Usage() || !got[2].Final {
		t.Errorf("frames: %+v", got)
	}
}

func TestFrameNoiseIsAnError(t *testing.T) {
	if err := ReadFrames(strings.NewReader("panic: oh\n"), func(Frame) error { return nil }); err == nil {
		t.Error("noise was taken for frames")
	}
}

// On a range of odd size an attempt beyond the one that found no port may still
// find one: it is counted with the others.
func TestOddRangeCountsThePortFoundLate(t *testing.T) {
	for i := range uint16(12) { // which port is missed is chance, and in which attempt
		low := 41000 + 20*i
		cfg := config(setRange(t, low, low+10), fmt.Sprintf("198.18.0.1:%d", 2100+i))
		cfg.Strategy = "bind"
		peer := listen(t, cfg.Targets[0], keeps)
		r := must(t, cfg, peer, &frames{})
		if err := peer.Close(); err != nil {
			t.Fatal(err)
		}
		if *r.Residual.Connections != 0 || !r.Witness.Agree {
			t.Errorf("%d: residual %d, witnesses %+v", low, *r.Residual.Connections, r.Witness)
		}
	}
}

// slowCounter is a listener whose count of tuples comes after that of connections, the
// first times that it is asked.
type slowCounter struct {
	*stub
	by int64
}

func (b *slowCounter) Stats() result.Server {
	s := b.stub.Stats()
	tuples := s.Accepted
	if s.Accepted > 0 && b.by > 0 {
		tuples -= b.by
		b.by--
	}
	s.DistinctTuples = &tuples
	return s
}

// The witnesses are asked once the listener has counted, and not in its middle.
func TestWitnessesWaitForTheListener(t *testing.T) {
	all := fresh(t, 20)
	cfg := config(all, freshTarget())
	r := must(t, cfg, &slowCounter{listen(t, cfg.Targets[0], keeps), 3}, &frames{})
	if w := r.Witness; !w.Agree || w.DistinctTuples == nil || *w.DistinctTuples != *r.Measured.Connections {
		t.Errorf("witnesses %+v, verdict %+v", w, r.Verdict)
	}
}

// knowsNobody is a listener that counts connections and does not know whose they are, as
// several servers do not know of each other.
type knowsNobody struct{ *stub }

func (b knowsNobody) Stats() result.Server {
	s := b.stub.Stats()
	s.DistinctPeers, s.DistinctTuples = nil, nil
	return s
}

// What the listener does not know is absent, and no 0 that disagrees.
func TestWitnessWithoutPeers(t *testing.T) {
	cfg := config(fresh(t, 20), freshTarget())
	r := must(t, cfg, knowsNobody{listen(t, cfg.Targets[0], keeps)}, &frames{})
	if w := r.Witness; !w.Agree || w.DistinctPeers != nil || w.DistinctTuples != nil || *w.ServerOpen != 20 {
		t.Errorf("witnesses %s", toJSON(t, w))
	}
	if text := toJSON(t, r.Witness); strings.Contains(text, "distinct") {
		t.Errorf("the result says %s", text)
	}
}
