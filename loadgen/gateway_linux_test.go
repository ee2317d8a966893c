package loadgen

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/loadgen/record"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

// behind is the place of the tests that go through a gateway: two clients, the
// first of which is the tests' own namespace, and ten ports on each of three
// addresses.
var behind = sync.OnceValues(func() (*place.Hosts, error) {
	one := func(addr string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(addr)} }
	hosts, _, err := place.Build(place.Spec{
		Kind: place.NAT, Host: place.Host{NetNS: "another"},
		Addresses: one("198.18.9.1/32"), Others: [][]netip.Prefix{one("198.18.9.2/32")},
		Server:  place.Server{Addresses: one("198.18.8.1/32")},
		Gateway: place.Gateway{Ports: tenPorts, Outside: outsides},
	})
	return hosts, err
})

var (
	tenPorts = ports.Range{Low: 2000, High: 2009}
	outsides = []netip.Addr{netip.MustParseAddr("198.19.255.1"), netip.MustParseAddr("198.19.255.2"), netip.MustParseAddr("198.19.255.3")}
)

// gatewayTargets counts the listeners behind the gateway: what one test leaves in
// its connection tracking is not in another's way, as ports are by target.
var gatewayTargets atomic.Uint32

// throughGateway is a small run through the gateway, and its peer.
func throughGateway(t *testing.T, does behaviour) (Config, Peer) {
	t.Helper()
	hosts, err := behind()
	if err != nil {
		t.Fatal(err)
	}
	var cfg Config
	for i := range 2 {
		err := hosts.Client(i).Do(func() error {
			cfg = config(setRange(t, 50000, 50999), "198.18.8.1:1")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	cfg.Targets[0] = netip.AddrPortFrom(cfg.Targets[0].Addr(), uint16(3000+gatewayTargets.Add(1)))
	cfg.NAT = &NAT{Range: tenPorts, Addresses: outsides}
	cfg.Timeout = 1200 * time.Millisecond // two SYNs
	cfg.Hosts = Hosts{
		Server: hosts.InServer, Gateway: hosts.InGateway,
		Client: func(i int, f func() error) error { return hosts.Client(i).Do(f) },
		Enter:  func(i int) error { return hosts.Client(i).Enter() },
	}
	var peer Peer
	err = hosts.InServer(func() error {
		peer = listen(t, cfg.Targets[0], does)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cfg, peer
}

// What is translated is proven by connection tracking, by the listener, and by
// the kernel's list of sockets; what is lost by as many SYNs as the gateway has
// counted.
func TestGatewayRunsOut(t *testing.T) {
	cfg, peer := throughGateway(t, serves)
	var told frames
	r := must(t, cfg, peer, &told)
	for _, f := range told.all {
		if f.Progress != nil && (f.Progress.Usable != 30 || f.Progress.Expected != 30) {
			t.Errorf("progress on %d ports of %d, want the gateway's 30", f.Progress.Expected, f.Progress.Usable)
		}
	}
	if o := r.Outcomes; o.OK != 30 || o.NATNoPort == 0 || o.OK+o.NATNoPort != r.Attempts {
		t.Errorf("outcomes %+v of %d attempts, want 30 ok and nat_no_port", o, r.Attempts)
	}
	if *r.Predicted.Connections != (result.Interval{Min: 30, Max: 30}) || *r.Residual.Connections != 0 || !r.Verdict.OK {
		t.Errorf("predicted %+v, residual %v, verdict %+v", r.Predicted.Connections, *r.Residual.Connections, r.Verdict)
	}
	if r.Measured.FirstNoPort == nil || r.Measured.FirstNoPort.Attempt != 31 || r.Measured.Recovered == nil || !*r.Measured.Recovered {
		t.Errorf("measured %+v", r.Measured)
	}
	if w := r.Witness; !w.Agree || *w.DistinctPeers != 30 || w.Translated == nil || *w.Translated != 30 {
		t.Errorf("witnesses %+v", w)
	}
	n := r.NAT
	for _, a := range n.Addresses {
		if *a.Connections != 10 || *a.Ports != 10 {
			t.Errorf("address %s: %d connections on %d ports, want 10 on 10", a.Address, *a.Connections, *a.Ports)
		}
	}
	if *n.SYNsLost < 2*r.Outcomes.NATNoPort || *n.SYNsExplained > *n.SYNsLost || *n.LostBeforeFull != 0 || *n.Untranslated != 0 {
		t.Errorf("%d SYNs lost, %d explained, %d before it was full, %d untranslated", *n.SYNsLost, *n.SYNsExplained, *n.LostBeforeFull, *n.Untranslated)
	}
}

// The observer sees the same connections on every host, each by the ports that
// it knows them by: thirty of the client's own are ten on the gateway's three
// addresses. What was reset is free at both ends, and still tracked.
func TestPortsByStateOnEveryHost(t *testing.T) {
	cfg, peer := throughGateway(t, serves)
	r := must(t, cfg, peer, &frames{})
	var fullest, last *result.PortMoment
	for i, m := range r.PortStates.Moments {
		if m.At == "fullest" {
			fullest = &r.PortStates.Moments[i]
		}
		last = &r.PortStates.Moments[i]
	}
	if fullest == nil || fullest.Gateway == nil {
		t.Fatalf("no look at the gateway at the fullest moment: %+v", r.PortStates)
	}
	for _, end := range fullest.Ends() {
		want := map[string]int64{"client": 30, "gateway": 10, "server": 10}[end.Name]
		if got := end.Ports.Counts["established"]; got != want {
			t.Errorf("%s: %d ports established, want %d: %v", end.Name, got, want, end.Ports.Counts)
		}
		states, err := result.DecodeStateMap(end.Ports.Map)
		if err != nil {
			t.Fatal(err)
		}
		for port := range 1 << 16 {
			of := cfg.Range.Contains(uint16(port))
			if end.Name != "client" {
				of = tenPorts.Contains(uint16(port))
			}
			if s := states.State(uint16(port)); s == result.PortEstablished && !of {
				t.Errorf("%s: port %d is established", end.Name, port)
			}
		}
	}
	if o := r.Observer; o.Interrupted > o.Dumps || o.Dumps > 0 && o.DumpNS <= 0 || o.DumpNS > o.CPUNS {
		t.Errorf("cost %+v", o)
	}
	if last.TNS < fullest.TNS {
		t.Errorf("the last look was at %d, the fullest moment at %d", last.TNS, fullest.TNS)
	}
}

// A peer that does not answer is no lack of ports, though there is a gateway.
func TestSilentPeerBehindAGateway(t *testing.T) {
	cfg, peer := throughGateway(t, ignores)
	cfg.Timeout = 100 * time.Millisecond
	r := must(t, cfg, peer, &frames{})
	if o := r.Outcomes; o.TimedOut == 0 || o.NATNoPort != 0 {
		t.Errorf("outcomes %+v", o)
	}
	if r.Verdict.OK || !warned(r, "gave_up") {
		t.Errorf("verdict %+v, warnings %v", r.Verdict, r.Warnings)
	}
}

func TestClientsShareAGateway(t *testing.T) {
	cfg, peer := throughGateway(t, serves)
	cfg.Clients, cfg.Workers = 2, 2
	cfg.Sources = []netip.Addr{netip.MustParseAddr("198.18.9.1"), netip.MustParseAddr("198.18.9.2")}
	r := must(t, cfg, peer, &frames{})
	if r.Outcomes.OK != 30 || *r.Residual.Connections != 0 || !r.Witness.Agree {
		t.Errorf("outcomes %+v, residual %d, witnesses %s", r.Outcomes, *r.Residual.Connections, toJSON(t, r.Witness))
	}
	if r.Space.Sources != 2 || r.NAT.Clients != 2 {
		t.Errorf("%d sources, %d clients", r.Space.Sources, r.NAT.Clients)
	}
}

// Closed by RST, or by FIN, a port of the gateway is found again within what
// connection tracking allows.
func TestReuseOfAGatewaysPorts(t *testing.T) {
	for _, mode := range []step.CloseMode{step.ClientRST, step.ClientFIN} {
		t.Run(mode.String(), func(t *testing.T) {
			cfg, peer := throughGateway(t, serves)
			cfg.Scenario, cfg.Close, cfg.Timeout = "reuse", mode, 100*time.Millisecond
			r := must(t, cfg, peer, &frames{})
			if u := r.Reuse; u == nil || u.Count != 30 || u.Lost != 0 || *r.Residual.Reuse != 0 || !r.Verdict.OK {
				t.Errorf("reuse %+v, residual %v, verdict %+v", u, r.Residual.Reuse, r.Verdict)
			}
			if p := r.Predicted.ReuseNS; p.Min != 0 || p.Max != r.NAT.TimeoutNS {
				t.Errorf("predicted %+v, the gateway's timeout is %d", p, r.NAT.TimeoutNS)
			}
		})
	}
}

// A gateway whose ports are all held finds none for a churn.
func TestChurnThroughAGateway(t *testing.T) {
	cfg, peer := throughGateway(t, serves)
	cfg.Scenario, cfg.Rate, cfg.Hold, cfg.Duration, cfg.Timeout = "churn", 40, 10*time.Second, 2*time.Second, 200*time.Millisecond
	r := must(t, cfg, peer, &frames{})
	if o := r.Outcomes; o.OK < 30 || o.NATNoPort == 0 || o.TimedOut+o.NoPort != 0 {
		t.Errorf("outcomes %+v of %d attempts", o, r.Attempts)
	}
	if n := r.Measured.FirstNoPort; n == nil || n.Attempt != 31 {
		t.Errorf("the first that found no port is %+v, want attempt 31", n)
	}
}

// At each end its own counters are told.
func TestCountersOfBothEnds(t *testing.T) {
	cfg, peer := throughGateway(t, serves)
	cfg.Connections = 20
	r := must(t, cfg, peer, &frames{})
	if r.Kernel["ActiveOpens"] < 20 || r.Kernel["PassiveOpens"] != 0 {
		t.Errorf("the generator's host has counted %v", r.Kernel)
	}
	if r.KernelPeer["PassiveOpens"] != 20 || r.KernelPeer["ActiveOpens"] != 0 {
		t.Errorf("the listener's host has counted %v", r.KernelPeer)
	}
}

// What the gateway has not dropped it has not lost, whatever was sent again: a
// link did, or a full table.
func TestOnlyWhatTheGatewayDroppedIsLostThere(t *testing.T) {
	cfg, _ := throughGateway(t, serves)
	g, err := newGateway(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	if here := g.Delayed(5); here != 0 || g.short != 5 {
		t.Errorf("%d of 5 SYNs lost on a gateway that dropped none, %d elsewhere", here, g.short)
	}
	g.before.InsertFailed -= 3 // as if it had dropped three since
	if here := g.Delayed(5); here != 3 || g.known != 3 || g.short != 7 {
		t.Errorf("%d of 5 SYNs lost on a gateway that dropped 3, %d known, %d elsewhere", here, g.known, g.short)
	}
}

// Where an outside address may be full while others are not, a SYN that is lost is
// no collision.
func TestCollisionsOnlyWhereTheyCanBeTold(t *testing.T) {
	cfg, peer := throughGateway(t, serves)
	cfg.Connections = 5
	if r := must(t, cfg, peer, &frames{}); r.NAT.LostWhileFree == nil || *r.NAT.LostWhileFree != 0 {
		t.Errorf("one worker: %v collisions, want 0", r.NAT.LostWhileFree)
	}
	run := run{cfg: &cfg, nat: natFull{addresses: []result.NATAddress{{}}}}
	var err error
	if run.counted, err = record.NewCollector(1, 10, time.Now()); err != nil {
		t.Fatal(err)
	}
	cfg.Workers, cfg.Targets = 3, append(cfg.Targets, cfg.Targets[0])
	if run.gateway, err = newGateway(&cfg); err != nil {
		t.Fatal(err)
	}
	var res result.Result
	if run.putGateway(&res); res.NAT.LostWhileFree != nil || res.NAT.LostBeforeFull == nil {
		t.Errorf("uneven: %v collisions, want none to be told: %+v", res.NAT.LostWhileFree, res.NAT)
	}
}

// A listener that closes first has the TIME_WAITs, and refuses SYNs for ports that
// the gateway has given to other connections: that is told, and as what it is.
func TestListenerRefusesPortsInTimeWait(t *testing.T) {
	cfg, peer := throughGateway(t, serves)
	cfg.Scenario, cfg.Close, cfg.Rate, cfg.Duration, cfg.Timeout = "churn", step.ServerFIN, 200, time.Second, 500*time.Millisecond
	r := must(t, cfg, peer, &frames{})
	if r.RefusedByTimeWait() == 0 || !warned(r, "time_wait_refused") {
		t.Errorf("%d SYNs refused, counters %v, warnings %v", r.RefusedByTimeWait(), r.KernelPeer, r.Warnings)
	}
	if !slices.ContainsFunc(r.Predicted.Why, func(why string) bool { return strings.Contains(why, "PAWS") }) {
		t.Errorf("the prediction does not say so: %q", r.Predicted.Why)
	}
}

// What connection tracking has room for is predicted, and is full occupancy.
func TestSmallTableIsPredicted(t *testing.T) {
	cfg := config(setRange(t, 50000, 50999), "198.18.8.1:1")
	cfg.NAT = &NAT{Range: ports.Range{Low: 2000, High: 2009}, Addresses: outsides}
	for entries, want := range map[int64]int64{0: 30, 29: 29, 30: 30, 262144: 30} {
		r := run{cfg: &cfg, gateway: &gateway{cfg: &cfg, entries: entries}}
		r.answer.Connections = capacity.Interval[int64]{Min: 1000, Max: 1000}
		if usable := r.goThrough(1000); usable != want || !r.shared || r.answer.Connections.Max != want {
			t.Errorf("room for %d entries: %v connections, %d are full occupancy; want %d", entries, r.answer.Connections, usable, want)
		}
	}
}

// How many entries there may be is read, and those that are there are not room.
func TestRoomOfTheTableIsRead(t *testing.T) {
	cfg, _ := throughGateway(t, serves)
	g, err := newGateway(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	if seen := g.seen(); g.entries < 1 || g.entries > *seen.MaxTracked {
		t.Errorf("room for %d entries of %d", g.entries, *seen.MaxTracked)
	}
	if (*gateway)(nil).full() || g.full() {
		t.Error("a table with room is full")
	}
}

func TestConntrackFullIsNoLackOfPorts(t *testing.T) {
	count, most := int64(100), int64(100)
	r := run{cfg: &Config{}}
	r.ends.end = 3 // gave up
	res := &result.Result{NAT: &result.NAT{Tracked: &count, MaxTracked: &most, Conntrack: result.Counters{"drop": 7, "insert_failed": 2}}}
	res.Measured.Connections = &count
	if v := r.fillVerdict(res); v.OK || !slices.ContainsFunc(r.gatewayWarnings(res), func(w result.Warning) bool { return w.Code == "conntrack_full" }) {
		t.Errorf("verdict %+v, warnings %v", v, r.gatewayWarnings(res))
	}
	res.NAT.Conntrack["drop"] = 2 // all of them collided
	if w := r.gatewayWarnings(res); len(w) != 0 {
		t.Errorf("warnings %v", w)
	}
}

func TestLCM(t *testing.T) {
	for _, c := range [][3]int{{1, 1, 1}, {2, 3, 6}, {4, 6, 12}, {3, 3, 3}} {
		if got := lcm(c[0], c[1]); got != c[2] {
			t.Errorf("lcm(%d, %d) = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

// toJSON is a value with what its pointers point to.
func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
