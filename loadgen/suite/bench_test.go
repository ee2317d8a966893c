package suite_test

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
	"lastport/loadgen/suite"
)

// host is a Linux host as it comes, with two processors.
func host(low, high uint16) suite.Host {
	return suite.Host{
		Range: ports.Of(ports.Range{Low: low, High: high}), Processors: 2,
		Settings: capacity.Settings{
			TWReuse: 2, TWReuseDelay: time.Second, Timestamps: true, HZ: 250,
		},
	}
}

func standard(t *testing.T) suite.Matrix {
	t.Helper()
	m, err := suite.Standard()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func bench(t *testing.T, h suite.Host, m suite.Matrix, quick bool) suite.Suite {
	t.Helper()
	s, err := suite.Bench(h, m, quick)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func row(t *testing.T, s suite.Suite, name string) suite.Row {
	t.Helper()
	i := slices.IndexFunc(s.Rows, func(r suite.Row) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no row %s", name)
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
	s := bench(t, host(32768, 60999), standard(t), false)
	for name, want := range map[string][]string{
		"default": {"fill connect", "reuse connect client-fin"},
		"tw_reuse=1": {
			"fill connect", "churn connect 40000-40099 client-fin tcp_tw_reuse=1 97.8", "churn connect 40000-40099 client-fin tcp_tw_reuse=1 102",
			"reuse connect client-fin tcp_tw_reuse=1",
		},
		"tw_reuse=2": {"fill connect", "reuse connect client-fin tcp_tw_reuse=2"},
		"server-fin": {
			"fill connect", "churn connect server-fin max", "churn connect server-fin max turn 2", "churn connect server-fin max turn 3",
			"reuse connect server-fin",
		},
		"late-bind":    {"fill late-bind", "reuse late-bind client-fin"},
		"bind":         {"fill bind windows-xp", "churn bind 40000-40999 client-fin 15.7", "reuse bind client-fin"},
		"socket-range": {"fill socket-range", "churn socket-range client-fin 445", "churn socket-range client-fin 480", "reuse socket-range client-fin"},
		"window":       {"fill window", "reuse window client-fin"},
		"4 targets":    {"fill connect windows-xp 4 targets", "churn connect 40000-40999 4 targets client-fin 63.1", "reuse connect client-fin"},
		"2 sources":    {"fill late-bind windows-xp 2 sources", "churn late-bind 40000-40999 2 sources client-fin 31.5", "reuse late-bind client-fin"},
		"udp":          {"fill connect udp", "churn connect udp max", "churn connect udp max turn 2", "churn connect udp max turn 3", "reuse connect udp"},
		"100 requests": {"fill connect", "churn connect 40000-40999 client-fin 100 requests 15.7", "reuse connect client-fin"},
		"all":          {"fill socket-range all", "churn socket-range all client-fin 1018", "reuse socket-range client-fin"},
	} {
		if got := names(row(t, s, name).Members); !slices.Equal(got, want) {
			t.Errorf("%s: %q\n want %q", name, got, want)
		}
	}
}

// The standard matrix has what the manual promises.
func TestTheStandardMatrixIsWhole(t *testing.T) {
	m := standard(t)
	has := func(what string, is func(suite.Way) bool) {
		t.Helper()
		if !slices.ContainsFunc(m.Ways, is) {
			t.Errorf("no row has %s", what)
		}
	}
	for _, name := range strategy.Names() {
		has(name, func(w suite.Way) bool { return w.Strategy == name })
	}
	for _, mode := range step.CloseModes() {
		has(mode, func(w suite.Way) bool { return w.Close.String() == mode })
	}
	for _, n := range []int{2, 4} {
		has("sources", func(w suite.Way) bool { return w.Sources == n })
		has("targets", func(w suite.Way) bool { return w.Targets == n })
	}
	for _, n := range []int{10, 100} {
		has("requests", func(w suite.Way) bool { return w.Requests == n })
	}
	for _, text := range []string{"0", "1", "2"} {
		has("tcp_tw_reuse="+text, func(w suite.Way) bool { return slices.Contains(w.Sysctls, suite.KeyTWReuse+"="+text) })
	}
	has("timestamps off", func(w suite.Way) bool { return slices.Contains(w.Sysctls, suite.KeyTimestamps+"=0") })
	has("the delay", func(w suite.Way) bool { return slices.Contains(w.Sysctls, suite.KeyTWReuseDelay+"=100") })
	has("the pair", func(w suite.Way) bool { return w.Place == "pair" })
	has("a gateway", func(w suite.Way) bool { return w.Place == suite.PlaceNAT && w.Gateway.Addresses == 0 })
	has("addresses of a gateway", func(w suite.Way) bool { return w.Gateway.Addresses == 2 })
	has("random ports of a gateway", func(w suite.Way) bool { return w.Gateway.Random })
	has("clients behind a gateway", func(w suite.Way) bool { return w.Gateway.Clients == 2 })
	has("udp", func(w suite.Way) bool { return w.UDP })
	has("ipv6", func(w suite.Way) bool { return w.IPv6 })
	if first := m.Ways[0]; first.Name != "default" || first.Range != "host" || first.Strategy != "connect" {
		t.Errorf("the first row is %+v", first)
	}
}

// By the estimate the whole takes less than three minutes, and a quick bench less
// than one.
func TestTheStandardMatrixEndsInTime(t *testing.T) {
	for quick, most := range map[bool]time.Duration{false: 3 * time.Minute, true: time.Minute} {
		s := bench(t, host(32768, 60999), standard(t), quick)
		if d := s.Lasts(); d > most {
			t.Errorf("quick %v: %v, want less than %v", quick, d, most)
		}
	}
}

// A member belongs to one part, and what waits for a TIME_WAIT is not in turn
// with the others.
func TestEachRunIsMadeOnce(t *testing.T) {
	s := bench(t, host(32768, 60999), standard(t), false)
	seen := map[*suite.Member]bool{}
	byName := map[string]bool{}
	for _, p := range s.Parts {
		for _, m := range p.Members {
			if seen[m] || byName[m.Name] {
				t.Errorf("%s is made twice", m.Name)
			}
			seen[m], byName[m.Name] = true, true
			waits := m.Scenario == "reuse" || m.Rate > 0 && m.Takes > 5*time.Second
			if waits != p.AtOnce {
				t.Errorf("%s: side by side %v, want %v", m.Name, p.AtOnce, waits)
			}
		}
	}
	for _, r := range s.Rows {
		for _, m := range r.Members {
			if !seen[m] {
				t.Errorf("%s of row %s is in no part", m.Name, r.Name)
			}
		}
	}
	if s.Len() != len(seen) || len(s.Skipped) != 0 {
		t.Errorf("%d runs, %d of them different; skipped %q", s.Len(), len(seen), s.Skipped)
	}
}

// What the processors bound is made round by round, never twice in a row.
func TestRepeatsTakeTurns(t *testing.T) {
	turns := []int{}
	for _, m := range bench(t, host(32768, 60999), standard(t), false).Parts[0].Members {
		if m.Turn > 0 {
			turns = append(turns, m.Turn)
		}
	}
	if !slices.IsSorted(turns) || len(turns) < 6 || turns[len(turns)-1] != 3 {
		t.Errorf("turns %v", turns)
	}
}

func TestQuickLeavesOutWhatWaitsAndSaysSo(t *testing.T) {
	whole, quick := bench(t, host(32768, 60999), standard(t), false), bench(t, host(32768, 60999), standard(t), true)
	waiting := 0
	for _, p := range whole.Parts {
		for _, m := range p.Members {
			if m.Takes > 30*time.Second {
				waiting++
			}
		}
	}
	if len(quick.Skipped) != 1 || !strings.HasPrefix(quick.Skipped[0], "28 runs ") || waiting != 28 {
		t.Errorf("%d runs wait; left out: %q", waiting, quick.Skipped)
	}
	for _, p := range quick.Parts {
		for _, m := range p.Members {
			if m.Takes > 30*time.Second || m.Turn > 1 {
				t.Errorf("%s takes %v, turn %d", m.Name, m.Takes, m.Turn)
			}
		}
	}
}

// The rates on both sides of what is predicted must be what their runs show:
// by the same arithmetic the lower needs no more ports than there are, whatever
// the timers do, and the upper runs out for certain.
func TestRatesBracketThePrediction(t *testing.T) {
	m := parse(t, "rows: [{strategy: socket-range}, {name: soon, sysctl: {net.ipv4.tcp_tw_reuse: 1, net.ipv4.tcp_tw_reuse_delay: [100, 1000]}},\n"+
		"  {hold: 2s, name: held}, {targets: 3, name: more}, {strategy: bind}]")
	for _, h := range []suite.Host{host(32768, 60999), host(40000, 40009), host(40000, 40000), host(40000, 40999), host(1024, 65535)} {
		for _, r := range bench(t, h, m, false).Rows {
			for _, m := range r.Members {
				if m.Rate == 0 {
					continue
				}
				c := r.Predicted.Course(m.Rate, r.Hold, time.Duration(float64(m.Attempts)/m.Rate*float64(time.Second)))
				if !m.Over && (!c.Sustained || c.NoPort.Max != 0) {
					t.Errorf("%s over %v: not sustained: %+v", m.Name, r.Ports, c)
				}
				if m.Over && (c.FirstNoPort == nil || !c.FirstNoPort.Certain) {
					t.Errorf("%s over %v: does not run out for certain: %+v", m.Name, r.Ports, c)
				}
				if !m.Over && m.Attempts <= r.Predicted.Connections.Max {
					t.Errorf("%s: %d attempts use no port twice", m.Name, m.Attempts)
				}
				if float64(m.Attempts)/m.Rate >= m.Duration.Seconds() {
					t.Errorf("%s: %d attempts do not fit into %v", m.Name, m.Attempts, m.Duration)
				}
			}
		}
	}
}

// What a row holds, and what it gains, follows from what it is.
func TestRowsAreOfTheirSpace(t *testing.T) {
	s := bench(t, host(32768, 60999), standard(t), false)
	for name, want := range map[string]int64{"2 targets": 56464, "4 sources": 112928, "ipv6": 28232, "udp": 28232, "iana": 16384} {
		if r := row(t, s, name); r.Predicted.Connections.Min != want {
			t.Errorf("%s: %v connections predicted, want %d", name, r.Predicted.Connections, want)
		}
	}
	for name, want := range map[string]float64{
		"default": 1, "tw_reuse=0": 1, "tw_reuse=2": 1, "timestamps=0": 1, "tw_reuse=1, ts=0": 1, "bind, tw_reuse=1": 1, "tw_reuse=1": 61.92,
		"tw_reuse=1/100ms": 608.3, "2 targets": 2, "4 sources": 4, "10 requests": 10, "100 requests": 100, "iana": 0.58, "all": 2.285,
		"server-fin": 0, "random": 0, "udp": 0, // ports set no limit
	} {
		if r := row(t, s, name); math.Abs(r.Gain-want) > 0.005*want {
			t.Errorf("%s: gain %v, want %v", name, r.Gain, want)
		}
	}
	for name, want := range map[string]string{"2 targets": "windows-xp", "default": "", "late-bind": ""} {
		if r := row(t, s, name); r.On["fill"] != want {
			t.Errorf("%s is filled over %q, want %q", name, r.On["fill"], want)
		}
	}
	if r := row(t, bench(t, host(32768, 60999), standard(t), true), "late-bind"); r.On["fill"] != "windows-xp" {
		t.Errorf("quick: late-bind is filled over %q", r.On["fill"])
	}
}

// Where the host's own settings give ports back soon, nothing waits but what
// they do nothing for.
func TestAHostThatReusesEarly(t *testing.T) {
	h := host(32768, 60999)
	h.Settings.TWReuse = 1
	for _, p := range bench(t, h, standard(t), false).Parts {
		for _, m := range p.Members {
			off := slices.Contains(m.Sysctls, suite.KeyTWReuse+"=0") || slices.Contains(m.Sysctls, suite.KeyTWReuse+"=2") || slices.Contains(m.Sysctls, suite.KeyTimestamps+"=0")
			if waits := m.Takes > 30*time.Second; waits && !off && m.Strategy != "bind" && m.Place != suite.PlaceNAT {
				t.Errorf("%s waits %v", m.Name, m.Takes)
			}
		}
	}
}

// A kernel without a setting has the row, and no run of it.
func TestASettingThatIsNotThere(t *testing.T) {
	h := host(32768, 60999)
	h.Lacks = map[string]bool{suite.KeyTWReuseDelay: true}
	s := bench(t, h, standard(t), false)
	if r := row(t, s, "tw_reuse=1/100ms"); len(r.Members) != 0 || r.Predicted.Usable != nil {
		t.Errorf("%q, %v", names(r.Members), r.Predicted.Connections)
	}
	if len(s.Skipped) != 1 || !strings.Contains(s.Skipped[0], suite.KeyTWReuseDelay) {
		t.Errorf("left out: %q", s.Skipped)
	}
}

func TestARateThatIsAskedFor(t *testing.T) {
	s := bench(t, host(40000, 40099), parse(t, "rows: [{name: a, rate: 1.5}, {name: b, rate: 50, duration: 7s}, {name: c, rate: 1000}]"), false)
	for name, want := range map[string]time.Duration{"a": 68 * time.Second, "b": 7 * time.Second, "c": 2 * time.Second} {
		i := slices.IndexFunc(row(t, s, name).Members, func(m *suite.Member) bool { return m.Scenario == "churn" })
		m := row(t, s, name).Members[i]
		if m.Attempts != 0 || m.Duration.Round(time.Second) != want {
			t.Errorf("%s: %d attempts, %v; want %v", name, m.Attempts, m.Duration, want)
		}
	}
}

// More than a machine bears goes on in several waves.
func TestWaves(t *testing.T) {
	m := parse(t, "rows: [{targets: ["+numbers(60)+"], runs: [churn]}]")
	for _, processors := range []int{1, 2, 64} {
		h := host(40000, 40099)
		h.Processors = processors
		s := bench(t, h, m, false)
		waves := s.Parts[1:]
		total := 0
		for _, p := range waves {
			load := 0.0
			for _, m := range p.Members {
				load += m.Load
			}
			if !p.AtOnce || len(p.Members) > 48 || load > 0.8*float64(processors) {
				t.Errorf("%d processors: %d runs side by side with a load of %.2f", processors, len(p.Members), load)
			}
			total += len(p.Members)
		}
		if total != 120 || s.Lasts() < time.Duration(len(waves))*time.Minute { // below and above
			t.Errorf("%d processors: %d runs in %d waves, %v", processors, total, len(waves), s.Lasts())
		}
	}
}

// numbers is 1, 2, 3 and so on to n.
func numbers(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strconv.Itoa(i + 1)
	}
	return strings.Join(list, ", ")
}

// What cannot be is an error of the row's line.
func TestBenchBlamesTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"rows:\n- {range: 40000-40009, exclude: 40000-40009}":                          "m.yaml:2: 40000-40009, without 40000-40009: ",
		"rows:\n- name: a\n- {name: b, sysctl: {net.ipv4.ip_local_reserved_ports: x}}": "m.yaml:3: b: sysctl net.ipv4.ip_local_reserved_ports: ",
	} {
		_, err := suite.Bench(host(32768, 60999), parse(t, text), false)
		if _, ok := errors.AsType[*suite.FileError](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s…", text, err, want)
		}
	}
}
