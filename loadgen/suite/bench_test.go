package suite_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
	"lastport/loadgen/suite"
)

// host is a Linux host as it comes.
func host(low, high uint16) suite.Host {
	return suite.Host{
		Range: ports.Of(ports.Range{Low: low, High: high}),
		Settings: capacity.Settings{
			TWReuse: 2, TWReuseDelay: time.Second, Timestamps: true, HZ: 250,
		},
	}
}

func bench(t *testing.T, h suite.Host, quick bool) suite.Suite {
	t.Helper()
	s, err := suite.Bench(h, quick)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func row(t *testing.T, s suite.Suite, strategy, name string) suite.Row {
	t.Helper()
	i := slices.IndexFunc(s.Rows, func(r suite.Row) bool { return r.Strategy == strategy && r.Name == name })
	if i < 0 {
		t.Fatalf("no row %s, %s", strategy, name)
	}
	return s.Rows[i]
}

func names(members []*suite.Member) []string {
	var list []string
	for _, m := range members {
		list = append(list, m.Name)
	}
	return list
}

func TestRowsHaveTheRunsThatTellOfThem(t *testing.T) {
	s := bench(t, host(32768, 60999), false)
	for _, test := range []struct {
		strategy, name string
		want           []string
	}{
		{"connect", "connect", []string{"fill connect", "reuse connect client-fin"}},
		{"connect", "tcp_tw_reuse=1", []string{"fill connect", "churn connect client-fin tw_reuse max", "reuse connect client-fin tw_reuse"}},
		{"connect", "server-fin", []string{"fill connect", "churn connect server-fin max", "reuse connect server-fin"}},
		{"socket-range", "socket-range", []string{
			"fill socket-range", "churn socket-range client-fin 445", "churn socket-range client-fin 480", "reuse socket-range client-fin",
		}},
		{"socket-range", "all", []string{"fill socket-range all", "churn socket-range all client-fin 1018"}},
		{"socket-range", "2 targets", []string{"fill socket-range 2 targets", "reuse socket-range client-fin"}},
		{"socket-range", "2 sources", []string{"fill socket-range 2 sources", "reuse socket-range client-fin"}},
		{"socket-range", "ipv6", []string{"fill socket-range ipv6", "reuse socket-range ipv6 client-fin"}},
		{"socket-range", "udp", []string{"fill socket-range udp", "churn socket-range udp max", "reuse socket-range udp"}},
		{"window", "window", []string{"fill window", "reuse window client-fin"}},
		{"bind", "tcp_tw_reuse=1", []string{"reuse bind client-fin tw_reuse"}},
		{"random", "random", []string{"fill random", "churn random client-fin max", "reuse random client-fin"}},
	} {
		if got := names(row(t, s, test.strategy, test.name).Members); !slices.Equal(got, test.want) {
			t.Errorf("%s, %s: %q, want %q", test.strategy, test.name, got, test.want)
		}
	}
}

// A member belongs to one part, and what waits for a TIME_WAIT is not in turn
// with the others.
func TestEachRunIsMadeOnce(t *testing.T) {
	s := bench(t, host(32768, 60999), false)
	seen := map[string]bool{}
	for _, p := range s.Parts {
		for _, m := range p.Members {
			if seen[m.Name] {
				t.Errorf("%s is made twice", m.Name)
			}
			seen[m.Name] = true
			waits := m.Scenario == "reuse" || m.Rate > 0
			if waits != p.AtOnce {
				t.Errorf("%s: side by side %v, want %v", m.Name, p.AtOnce, waits)
			}
		}
	}
	for _, r := range s.Rows {
		for _, m := range r.Members {
			if !seen[m.Name] {
				t.Errorf("%s of row %s is in no part", m.Name, r.Name)
			}
		}
	}
	if s.Len() != len(seen) || len(s.Skipped) != 0 {
		t.Errorf("%d runs, %d of them different; skipped %q", s.Len(), len(seen), s.Skipped)
	}
}

func TestQuickLeavesOutWhatWaitsAndSaysSo(t *testing.T) {
	whole, quick := bench(t, host(32768, 60999), false), bench(t, host(32768, 60999), true)
	left := whole.Len() - quick.Len()
	if len(quick.Skipped) != 1 || !strings.HasPrefix(quick.Skipped[0], "12 runs ") || left != 12 {
		t.Errorf("%d runs left out: %q", left, quick.Skipped)
	}
	for _, p := range quick.Parts {
		if p.Lasts > 5*time.Second {
			t.Errorf("a quick bench waits %v", p.Lasts)
		}
		for _, m := range p.Members {
			rests := m.Scenario == "reuse" && m.Close == step.ClientFIN && !m.UDP && m.Strategy != "random"
			if m.Rate > 0 || rests && (len(m.Sysctls) == 0 || m.Strategy == "bind") {
				t.Errorf("%s waits for a TIME_WAIT", m.Name)
			}
		}
	}
}

// The rates on both sides of what is predicted must be what their runs show:
// by the same arithmetic the lower needs no more ports than there are, whatever
// the timers do, and the upper runs out for certain.
func TestRatesBracketThePrediction(t *testing.T) {
	for _, h := range []suite.Host{host(32768, 60999), host(40000, 40009), host(40000, 40000), host(1024, 65535)} {
		for _, r := range bench(t, h, false).Rows {
			for i, m := range r.Members {
				if m.Rate == 0 {
					continue
				}
				c := r.Predicted.Course(m.Rate, 0, time.Duration(float64(m.Attempts)/m.Rate*float64(time.Second)))
				lower := i == 1
				if lower && (!c.Sustained || c.NoPort.Max != 0) {
					t.Errorf("%s over %v: not sustained: %+v", m.Name, r.Ports, c)
				}
				if !lower && (c.FirstNoPort == nil || !c.FirstNoPort.Certain) {
					t.Errorf("%s over %v: does not run out for certain: %+v", m.Name, r.Ports, c)
				}
				if lower && m.Attempts <= int64(r.Ports.Size()) {
					t.Errorf("%s: %d attempts use no port twice", m.Name, m.Attempts)
				}
				if float64(m.Attempts)/m.Rate >= m.Duration.Seconds() {
					t.Errorf("%s: %d attempts do not fit into %v", m.Name, m.Attempts, m.Duration)
				}
			}
		}
	}
}

// Every strategy fills one and the same range, a smaller one if it is to be
// quick, and no other member differs from it in less.
func TestEveryStrategyFillsOneRange(t *testing.T) {
	for quick, want := range map[bool]string{false: "iana", true: "windows-xp"} {
		var filled []string
		for _, m := range bench(t, host(32768, 60999), quick).Parts[0].Members {
			if m.Scenario == "fill" && m.Profile == want && !m.UDP && !m.IPv6 && m.Sources+m.Targets == 0 {
				filled = append(filled, m.Strategy)
			}
		}
		if !slices.Equal(filled, strategy.Names()) {
			t.Errorf("quick %v: %s is filled by %q", quick, want, filled)
		}
	}
}

// What a row holds follows from sources, targets and protocol.
func TestRowsAreOfTheirSpace(t *testing.T) {
	s := bench(t, host(32768, 60999), false)
	for name, want := range map[string]int64{"2 targets": 56464, "2 sources": 56464, "ipv6": 28232, "udp": 28232} {
		r := row(t, s, "socket-range", name)
		if r.Predicted.Connections.Min != want {
			t.Errorf("%s: %v connections predicted, want %d", name, r.Predicted.Connections, want)
		}
	}
	if r := row(t, s, "bind", "tcp_tw_reuse=1"); r.Predicted.Reuse.Min != time.Minute {
		t.Errorf("bind with tcp_tw_reuse=1: reuse after %v", r.Predicted.Reuse)
	}
	if r := row(t, s, "random", "random"); r.Predicted.Rate != nil || r.Predicted.Reuse.Max != 0 {
		t.Errorf("random: reuse after %v, rate %v", r.Predicted.Reuse, r.Predicted.Rate)
	}
}

// Where the host's own settings give ports back soon, nothing waits but bind,
// for which they do nothing.
func TestAHostThatReusesEarlyWaitsForNothing(t *testing.T) {
	h := host(32768, 60999)
	h.Settings.TWReuse = 1
	s := bench(t, h, true)
	for _, p := range bench(t, h, false).Parts {
		for _, m := range p.Members {
			wants := m.Scenario == "reuse" && m.Strategy == "bind"
			has := slices.ContainsFunc(s.Parts, func(p suite.Part) bool { return slices.Contains(names(p.Members), m.Name) })
			if quickRange := m.Profile == "iana" && m.Strategy != "socket-range"; !quickRange && has == wants {
				t.Errorf("%s: made in a quick bench %v", m.Name, has)
			}
		}
	}
}
