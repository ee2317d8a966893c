package loadgen

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"pgregory.net/rapid"

	"lastport/loadgen/kernel/nstest"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/loadgen/scenario"
	"lastport/reports/result"
)

// reachConfig asks for a reach over ports that no other test has. Its attempts
// are short: on one host an answer comes within the call, or never.
func reachConfig(r ports.Ranges) Config {
	cfg := config(r, freshTarget())
	cfg.Scenario, cfg.Strategy, cfg.Tries, cfg.Timeout = "reach", "sequential", 3, 400*time.Millisecond
	return cfg
}

// blocking puts a firewall of the place's kind before the namespace of the tests,
// until the test has ended.
func blocking(t *testing.T, cfg *Config) {
	t.Helper()
	err := (&place.Hosts{}).Block(place.Firewall{Target: cfg.Targets[0], Out: cfg.Block, Back: cfg.BlockIn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn, err := nftables.New()
		if err == nil {
			conn.FlushRuleset() // of this namespace
			err = conn.Flush()
		}
		if err != nil {
			t.Error(err)
		}
	})
}

// Over UDP there is no handshake that could tell where something was dropped.
func TestReachOverUDPIsRefused(t *testing.T) {
	cfg := reachConfig(setRange(t, 40000, 40009))
	cfg.UDP = true
	_, err := Run(t.Context(), cfg, nil, &frames{})
	var refused *ProtocolError
	if !errors.As(err, &refused) || !refused.Usage() || refused.Hint() != "--proto tcp" {
		t.Errorf("a reach over UDP: %v", err)
	}
}

// from returns n ports, beginning with the i-th of the range.
func from(r ports.Ranges, i, n int) ports.Ranges {
	low := r.Hull().Low + uint16(i)
	return ports.Of(ports.Range{Low: low, High: low + uint16(n) - 1})
}

// reserve makes the kernel keep ports from those that it chooses.
func reserve(t *testing.T, text string) {
	t.Helper()
	write := func(text string) {
		if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_reserved_ports", []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	t.Cleanup(func() { write("") })
}

func wantPorts(t *testing.T, what string, got result.PortRanges, want ports.Ranges) {
	t.Helper()
	if strings.Join(got, ",") != want.String() {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// What the firewall drops is found, exactly, and in its own direction.
func TestReachFindsWhatIsBlocked(t *testing.T) {
	all := fresh(t, 100)
	cfg := reachConfig(all)
	cfg.Block = from(all, 10, 5).Union(from(all, 40, 1))
	cfg.BlockIn = from(all, 40, 1).Union(from(all, 60, 3)).Union(from(all, 99, 1))
	blocking(t, &cfg)
	r := must(t, cfg, listen(t, cfg.Targets[0], serves), &frames{})
	if r.Reach == nil {
		t.Fatalf("verdict %+v", r.Verdict)
	}
	back := cfg.BlockIn.Minus(cfg.Block)
	dropped := cfg.Block.Union(back)
	wantPorts(t, "through", r.Reach.Through, all.Minus(dropped))
	wantPorts(t, "dropped", r.Reach.Dropped, dropped)
	wantPorts(t, "out", r.Reach.DroppedOut, cfg.Block)
	wantPorts(t, "back", r.Reach.DroppedBack, back)
	wantPorts(t, "differs", r.Reach.Differs, nil)
	if !r.Verdict.OK || *r.Measured.Connections != 90 || *r.Residual.Connections != 0 || r.Reach.Unsure != "" || !*r.Reach.Listening {
		t.Errorf("verdict %+v, %d connections, unsure %q", r.Verdict, *r.Measured.Connections, r.Reach.Unsure)
	}
	// A port that is silent is tried three times before it is called dropped; on a
	// slow machine others may be, too.
	if r.Outcomes.OK < 90 || r.Outcomes.TimedOut < 30 || r.Server.Requests < 90 {
		t.Errorf("outcomes %+v of %d attempts, %d requests answered", r.Outcomes, r.Attempts, r.Server.Requests)
	}
	if len(r.Reach.Rules) != 2 {
		t.Fatalf("rules %+v", r.Reach.Rules)
	}
	wantPorts(t, "missing on the way out", r.Reach.Rules[0].Missing, cfg.Block)
	wantPorts(t, "missing on the way back", r.Reach.Rules[1].Missing, back)
	wantPorts(t, "not known of the way out", r.Reach.Rules[0].Unknown, nil)
	wantPorts(t, "not known of the way back", r.Reach.Rules[1].Unknown, cfg.Block)
}

// A set of more ranges than one message of netlink holds is blocked port for port.
func TestReachOfManyRanges(t *testing.T) {
	all := fresh(t, 50)
	cfg := reachConfig(all)
	var every []ports.Range
	for port := all.Hull().Low - 4000; port < all.Hull().High; port += 2 {
		every = append(every, ports.Range{Low: port, High: port})
	}
	cfg.Block = ports.Of(every...)
	cfg.BlockIn = ports.Of(ports.Range{Low: all.Hull().High, High: ports.Max}) // up to the last port there is
	blocking(t, &cfg)
	r := must(t, cfg, listen(t, cfg.Targets[0], serves), &frames{})
	wantPorts(t, "out", r.Reach.DroppedOut, cfg.Block.Intersect(all))
	wantPorts(t, "back", r.Reach.DroppedBack, cfg.BlockIn.Minus(cfg.Block).Intersect(all))
	if !r.Verdict.OK || r.Reach.Through.Count()+r.Reach.Dropped.Count() != 50 {
		t.Errorf("verdict %+v", r.Verdict)
	}
}

// Ports that this host keeps from its programs are not tried, and the path is
// not blamed for them.
func TestReachLeavesOutWhatTheHostKeeps(t *testing.T) {
	all := fresh(t, 20)
	cfg := reachConfig(all)
	cfg.Range = all.Union(ports.Of(ports.Range{Low: 1000, High: 1030}))
	reserve(t, from(all, 3, 2).String())
	listen(t, netip.AddrPortFrom(netip.MustParseAddr(nstest.Addr), all.Hull().High), keeps)
	r := must(t, cfg, listen(t, cfg.Targets[0], serves), &frames{})
	wantPorts(t, "through", r.Reach.Through, from(all, 0, 19).Minus(from(all, 3, 2)).Union(ports.Of(ports.Range{Low: 1024, High: 1030})))
	want := map[string]string{"reserved": from(all, 3, 2).String(), "below": "1000-1023", "held": from(all, 19, 1).String()}
	for _, n := range r.Reach.NotTried {
		word, _, _ := strings.Cut(n.Why, " ")
		if want[word] != strings.Join(n.Ports, ",") {
			t.Errorf("not tried: %+v, want one of %v", n, want)
		}
		delete(want, word)
	}
	for _, rule := range r.Reach.Rules { // of what a socket holds today nothing is known tomorrow
		wantPorts(t, "not known", rule.Unknown, from(all, 19, 1))
	}
	if len(want) > 0 || !r.Verdict.OK || *r.Residual.Connections != 0 {
		t.Errorf("not said: %v; verdict %+v", want, r.Verdict)
	}
}

// Without a listener every port is refused, and that is not the path's doing.
func TestReachWithoutAListener(t *testing.T) {
	cfg := reachConfig(fresh(t, 10))
	peer := listen(t, netip.MustParseAddrPort(freshTarget()), serves) // elsewhere
	r := must(t, cfg, peer, &frames{})
	wantPorts(t, "refused", r.Reach.Refused, cfg.Range)
	wantPorts(t, "missing", r.Reach.Rules[0].Missing, nil)
	wantPorts(t, "not known of the way out", r.Reach.Rules[0].Unknown, cfg.Range)
	if *r.Reach.Listening || r.Verdict.OK || !strings.HasPrefix(r.Verdict.Text, "nobody listens on "+cfg.Targets[0].String()) {
		t.Errorf("listening %v, verdict %+v", *r.Reach.Listening, r.Verdict)
	}
}

// What connects and does not answer as the bundled listener does is something
// else.
func TestReachOfSomethingElse(t *testing.T) {
	for _, does := range []behaviour{keeps, resets} {
		cfg := reachConfig(fresh(t, 10))
		r := must(t, cfg, listen(t, cfg.Targets[0], does), &frames{})
		wantPorts(t, "other", r.Reach.Other, cfg.Range)
		wantPorts(t, "differs", r.Reach.Differs, cfg.Range)
		if r.Verdict.OK || r.Reach.Through.Count() != 0 {
			t.Errorf("verdict %+v", r.Verdict)
		}
	}
}

// A listener whose queue is full drops SYNs as a firewall does. Nothing is said of
// the way out then.
func TestReachOfAFullQueue(t *testing.T) {
	cfg := reachConfig(fresh(t, 10))
	r := must(t, cfg, listen(t, cfg.Targets[0], ignores), &frames{})
	if len(r.Reach.DroppedOut) != 0 || r.Reach.Dropped.Count() == 0 || r.Reach.Unsure == "" || r.Verdict.OK {
		t.Errorf("dropped %v, out %v, unsure %q, verdict %+v", r.Reach.Dropped, r.Reach.DroppedOut, r.Reach.Unsure, r.Verdict)
	}
}

func TestReachOfPrivilegedPortsAlone(t *testing.T) {
	cfg := reachConfig(ports.Of(ports.Range{Low: 100, High: 200}))
	_, err := Run(t.Context(), cfg, listen(t, cfg.Targets[0], serves), &frames{})
	if err == nil || !strings.Contains(err.Error(), "ip_unprivileged_port_start") {
		t.Errorf("%v", err)
	}
}

// Whatever became of ports, each is in one list, a dropped one in at most one
// direction, and what came out as the firewall wants differs in nothing.
func TestFatesAreTold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var list []scenario.PortFate
		answered := map[uint16]bool{}
		for port := range uint16(rapid.IntRange(1, 60).Draw(rt, "ports")) {
			fate := scenario.Fate(rapid.IntRange(0, int(scenario.FateWanting)).Draw(rt, "fate"))
			list = append(list, scenario.PortFate{Port: 40000 + port, Fate: fate, Tries: 1})
			if rapid.Bool().Draw(rt, "answered") {
				answered[40000+port] = true
			}
		}
		unsure := rapid.SampledFrom([]string{"", "the queue was full"}).Draw(rt, "unsure")
		f := byFate(list, answered, unsure)
		all := []ports.Ranges{f.through, f.refused, f.dropped, f.strange, f.unusable, f.wanting, f.untried}
		if got := ports.Of(slices.Concat(all...)...).Size(); got != len(list) {
			rt.Fatalf("%d ports are told of, of %d", got, len(list))
		}
		if f.out.Size()+f.back.Size()+f.astray().Size() != f.dropped.Size() {
			rt.Fatalf("dropped %v: out %v, back %v", f.dropped, f.out, f.back)
		}
		if unsure == "" && f.astray().Size() > 0 || unsure != "" && f.out.Size() > 0 {
			rt.Fatalf("unsure %q, out %v, of no direction %v", unsure, f.out, f.astray())
		}
		wrong := f.differs(f.out, f.back.Union(f.astray()))
		if want := f.refused.Union(f.strange); wrong.String() != want.String() {
			rt.Fatalf("differs %v, want %v", wrong, want)
		}
		if wrong = f.differs(f.through, nil); wrong.Intersect(f.through).Size() != f.through.Size() {
			rt.Fatalf("blocked ports got through, and differ in %v", wrong)
		}
	})
}

// The rules are ones that nft reads, and name the client's whole range.
func TestRules(t *testing.T) {
	asked := ports.Of(ports.Range{Low: 40000, High: 40999}, ports.Range{Low: 50000, High: 50009})
	f := fates{out: from(asked, 5, 1), back: from(asked, 7, 2)}
	f.dropped = f.out.Union(f.back)
	f.through = asked.Minus(f.dropped)
	for _, c := range []struct {
		client, target string
		out, back      string
		groups         []string
	}{
		{
			"198.18.1.1", "198.18.0.1:1000",
			"ip saddr 198.18.1.1 ip daddr 198.18.0.1 tcp sport { 40000-40999, 50000-50009 } tcp dport 1000 accept",
			"ip saddr 198.18.0.1 ip daddr 198.18.1.1 tcp sport 1000 tcp dport { 40000-40999, 50000-50009 } accept",
			[]string{"inbound tcp 40000-40999 from 198.18.0.1/32", "inbound tcp 50000-50009 from 198.18.0.1/32"},
		},
		{
			"2001:2::2", "[2001:2::1]:1000",
			"ip6 saddr 2001:2::2 ip6 daddr 2001:2::1 tcp sport { 40000-40999, 50000-50009 } tcp dport 1000 accept",
			"ip6 saddr 2001:2::1 ip6 daddr 2001:2::2 tcp sport 1000 tcp dport { 40000-40999, 50000-50009 } accept",
			[]string{"inbound tcp 40000-40999 from 2001:2::1/128", "inbound tcp 50000-50009 from 2001:2::1/128"},
		},
	} {
		path := passage{client: netip.MustParseAddr(c.client), target: netip.MustParseAddrPort(c.target), ports: asked}
		list := path.rules(f)
		out, back := list[0], list[1]
		if out.NFTables != c.out || back.NFTables != c.back || !slices.Equal(back.SecurityGroup, c.groups) {
			t.Errorf("out %q\nback %q %q", out.NFTables, back.NFTables, back.SecurityGroup)
		}
		if out.Missing[0] != "40005" || back.Missing[0] != "40007-40008" || !strings.HasSuffix(back.Text, ": missing is 40007-40008; not known is 40005") {
			t.Errorf("missing %v and %v: %s", out.Missing, back.Missing, back.Text)
		}
		if out.Needed != "" || !strings.Contains(back.Needed, "network ACL") || !strings.Contains(back.Needed, "no inbound port") {
			t.Errorf("needed: out %q, back %q", out.Needed, back.Needed)
		}
	}
}

// In each direction a port was seen to pass, is missing, is not known, or is kept
// by the host. A rule of which nothing is missing says so only where all the others
// passed.
func TestRulesAreOfWhatWasSeen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const low, n = 40000, 40
		p := passage{
			client: netip.MustParseAddr("198.18.1.1"), target: netip.MustParseAddrPort("198.18.0.1:1000"),
			ports: ports.Of(ports.Range{Low: low, High: low + n - 1}),
		}
		var list []scenario.PortFate
		var kept []ports.Range
		answered := map[uint16]bool{}
		for port := uint16(low); port < low+n; port++ {
			if rapid.IntRange(0, 9).Draw(rt, "kept") == 0 {
				kept = append(kept, ports.Range{Low: port, High: port})
				continue
			}
			fate := rapid.SampledFrom([]scenario.Fate{
				scenario.FateThrough, scenario.FateThrough, scenario.FateThrough, scenario.FateThrough,
				scenario.FateRefused, scenario.FateSilent, scenario.FateStrange, scenario.FateUntried, scenario.FateWanting, scenario.FateUnusable,
			}).Draw(rt, "fate")
			list = append(list, scenario.PortFate{Port: port, Fate: fate, Tries: 1})
			answered[port] = rapid.Bool().Draw(rt, "answered") && fate == scenario.FateSilent
			if !answered[port] {
				delete(answered, port)
			}
		}
		p.kept = ports.Of(kept...)
		f := byFate(list, answered, "")
		for _, way := range []struct {
			got             result.Rule
			passed, missing ports.Ranges
		}{
			{p.rules(f)[0], f.through.Union(f.back), f.out.Union(f.refused)},
			{p.rules(f)[1], f.through, f.back},
		} {
			unknown := p.ports.Minus(p.kept).Minus(way.passed).Minus(way.missing)
			if got := strings.Join(way.got.Missing, ","); got != way.missing.String() {
				rt.Fatalf("%s: missing %s, want %s", way.got.Direction, got, way.missing)
			}
			if got := strings.Join(way.got.Unknown, ","); got != unknown.String() {
				rt.Fatalf("%s: not known %s, want %s", way.got.Direction, got, unknown)
			}
			if all := way.passed.Size() == n; strings.HasSuffix(way.got.Text, ": nothing of it is missing") != all {
				rt.Fatalf("%d of %d ports passed: %s", way.passed.Size(), n, way.got.Text)
			}
			if fine := way.missing.Size()+unknown.Size() == 0; strings.Contains(way.got.Text, "nothing") != fine {
				rt.Fatalf("missing %s, not known %s: %s", way.missing, unknown, way.got.Text)
			}
		}
	})
}
