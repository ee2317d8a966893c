package loadgen

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/ports"
	"lastport/reports/result"
)

func surveyConfig(r ports.Ranges, strategy string) Config {
	cfg := config(r, freshTarget())
	cfg.Scenario, cfg.Strategy = "survey", strategy
	return cfg
}

// surveyed makes a survey that must come out as predicted.
func surveyed(t *testing.T, cfg Config, peer Peer, held int64) *result.Result {
	t.Helper()
	r := must(t, cfg, peer, &frames{})
	if !r.Verdict.OK || *r.Residual.Connections != 0 || *r.Measured.Connections != held {
		t.Fatalf("verdict %+v, %d held, residual %d; want %d", r.Verdict, *r.Measured.Connections, *r.Residual.Connections, held)
	}
	if r.Survey == nil || r.Survey.Released == nil || r.Survey.Held == nil {
		t.Fatalf("survey %+v", r.Survey)
	}
	return r
}

// The kernel's search in steps of two shows: released, one parity alone; held,
// that parity to its last port and then the other.
func TestSurveyShowsOneParityFirst(t *testing.T) {
	cfg := surveyConfig(fresh(t, 100), "connect")
	r := surveyed(t, cfg, listen(t, cfg.Targets[0], serves), 100)
	if k := r.Survey.Held; k.Picks != 100 || k.Distinct != 100 || k.Even != 50 || k.Odd != 50 || *k.OtherParityAt != 51 || k.LongestParity != 50 ||
		k.Repeats != nil || !strings.HasPrefix(k.Text, "one parity first: all 50 even ports, then the odd") {
		t.Errorf("held: %+v", k)
	}
	if k := r.Survey.Released; k.Picks != 100 || k.Even != 100 || k.Odd != 0 || k.OtherParityAt != nil || k.Parity.P > 1e-9 || k.Repeats == nil ||
		k.Repeats.Count != k.Picks-k.Distinct || !strings.HasPrefix(k.Text, "even ports alone") {
		t.Errorf("released: %+v", k)
	}
	if r.Outcomes.OK != 200 || r.Attempts != 200 || r.Survey.Targets != nil {
		t.Errorf("outcomes %+v, targets %+v", r.Outcomes, r.Survey.Targets)
	}
	if m, err := result.DecodePortMap(r.Survey.Held.Order); err != nil || m.Uses(r.Survey.Held.First[0]) != 1 || m.Uses(r.Survey.Held.First[99]) != 255 {
		t.Errorf("the map does not say which port was picked first, and which last: %v", err)
	}
}

func TestSurveyShowsBothParities(t *testing.T) {
	cfg := surveyConfig(fresh(t, 100), "socket-range")
	r := surveyed(t, cfg, listen(t, cfg.Targets[0], serves), 100)
	// Steps are 1 to 8 at random: all 50 ports of a parity first is one case in 2^49.
	if k := r.Survey.Held; k.Distinct != 100 || k.LongestParity >= 50 || *k.OtherParityAt >= 50 || !strings.HasPrefix(k.Text, "both parities") {
		t.Errorf("held: %+v", k)
	}
	if k := r.Survey.Released; k.Even == 0 || k.Odd == 0 {
		t.Errorf("released: %+v", k)
	}
}

// What is never done is shown: two UDP sockets with one 4-tuple. TCP refuses.
func TestSurveyShowsTheTrap(t *testing.T) {
	cfg := surveyConfig(fresh(t, 20), "connect")
	r := surveyed(t, cfg, listen(t, cfg.Targets[0], serves), 20)
	trap := r.Survey.ReuseAddrTrap
	if trap == nil || *trap.UDPDuplicates != 1 || *trap.TCPDuplicates != 0 || !strings.Contains(trap.Text, "two UDP sockets the same 4-tuple") {
		t.Errorf("%+v", trap)
	}
	if r.Attempts != 40 || r.Server.Accepted > 40 || r.Kernel["ActiveOpens"] != 40 {
		t.Errorf("%d attempts, %d accepted, %d opened by the kernel's count: the trap's own are among them", r.Attempts, r.Server.Accepted, r.Kernel["ActiveOpens"])
	}
}

func TestSurveyAttempts(t *testing.T) {
	cfg := surveyConfig(fresh(t, 40), "connect")
	cfg.Attempts = 10
	r := surveyed(t, cfg, listen(t, cfg.Targets[0], serves), 10)
	if r.Predicted.Connections.Max != 10 || r.Survey.Held.Picks != 10 || r.Survey.Released.Picks != 10 {
		t.Errorf("predicted %+v, %d held, %d released", r.Predicted.Connections, r.Survey.Held.Picks, r.Survey.Released.Picks)
	}
	// More than there are ports: the range is full before.
	cfg = surveyConfig(fresh(t, 40), "connect")
	cfg.Attempts = 50
	r = surveyed(t, cfg, listen(t, cfg.Targets[0], serves), 40)
	if r.Survey.Released.Picks != 50 || r.Outcomes.NoPort != 1 || r.Measured.FirstNoPort.Attempt != 91 {
		t.Errorf("%d released, outcomes %+v, first no_port %+v", r.Survey.Released.Picks, r.Outcomes, r.Measured.FirstNoPort)
	}
}

// two is a peer of two stubs.
type two struct {
	Peer
	other Peer
}

func (p two) Addrs() []netip.AddrPort { return append(p.Peer.Addrs(), p.other.Addrs()...) }

func (p two) Stats() result.Server {
	s, o := p.Peer.Stats(), p.other.Stats()
	s.Accepted += o.Accepted
	return s
}

func (p two) Drain() error {
	if err := p.Peer.Drain(); err != nil {
		return err
	}
	return p.other.Drain()
}

// Toward two targets each pool is a sequence of its own, and the two are compared.
func TestSurveyTowardTwoTargets(t *testing.T) {
	cfg := surveyConfig(fresh(t, 100), "connect")
	cfg.Targets = append(cfg.Targets, netip.MustParseAddrPort(freshTarget()))
	r := surveyed(t, cfg, two{listen(t, cfg.Targets[0], serves), listen(t, cfg.Targets[1], serves)}, 200)
	if k := r.Survey.Held; k.Picks != 100 || k.Distinct != 100 || *k.OtherParityAt != 51 {
		t.Errorf("held: %+v", k)
	}
	across := r.Survey.Targets
	if across == nil || across.Pairs != 100 || across.First != cfg.Targets[0].String() || across.Second != cfg.Targets[1].String() || across.Text == "" {
		t.Errorf("across targets: %+v", across)
	}
}

func TestSurveyEndsByDuration(t *testing.T) {
	cfg := surveyConfig(fresh(t, 40), "connect")
	cfg.Attempts, cfg.Duration = 1_000_000, 50*time.Millisecond
	r := must(t, cfg, listen(t, cfg.Targets[0], serves), &frames{})
	if r.Verdict.OK || !strings.Contains(r.Verdict.Text, "--duration") || r.Survey == nil || r.Survey.Held != nil {
		t.Errorf("verdict %+v, survey %+v", r.Verdict, r.Survey)
	}
}

func TestSurveyGivesUp(t *testing.T) {
	cfg := surveyConfig(fresh(t, 40), "connect")
	r := must(t, cfg, nobody{cfg.Targets}, &frames{})
	if r.Verdict.OK || !strings.Contains(r.Verdict.Text, "refused") || r.Survey == nil || r.Survey.Released != nil || r.Survey.Held != nil {
		t.Errorf("verdict %+v, survey %+v", r.Verdict, r.Survey)
	}
}

// nobody is a peer that does not listen.
type nobody struct{ addrs []netip.AddrPort }

func (n nobody) Addrs() []netip.AddrPort { return n.addrs }
func (nobody) Stats() result.Server      { return result.Server{} }
func (nobody) CPUTime() kernel.CPUTime   { return kernel.CPUTime{} }
func (nobody) Drain() error              { return nil }
func (nobody) Close() error              { return nil }
