package suite_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/suite"
)

func TestKeysOfAPlace(t *testing.T) {
	m := parse(t, `
defaults: {peer-sysctl: {net.ipv4.tcp_timestamps: 1}, nat-timeout: {time_wait: 60s}, place: nat}
rows:
  - name: all of it
    nat-range: windows-xp
    stand-in: 41000-41099
    nat-stand-in: 2000-2009
    nat-addresses: 3
    nat-random: true
    nat-timeout: {close: 5s, time_wait: 1m}
    peer-sysctl: {net/ipv4/tcp_fin_timeout: 30, net.ipv4.tcp_timestamps: 0}
    clients: 2
`)
	w := m.Ways[0]
	g := w.Gateway
	switch {
	case w.Place != suite.PlaceNAT, g.Range != "windows-xp", g.StandIn != "2000-2009", g.Addresses != 3, !g.Random, g.Clients != 2:
	case !slices.Equal(g.Timeouts, []string{"close=5s", "time_wait=1m"}):
	case !slices.Equal(w.PeerSysctls, []string{"net.ipv4.tcp_fin_timeout=30", "net.ipv4.tcp_timestamps=0"}), len(w.Sysctls) != 0:
	default:
		return
	}
	t.Errorf("%+v", w)
}

func TestListsOfAPlaceMultiply(t *testing.T) {
	for text, want := range map[string][]string{
		"rows: [{place: [private, pair, nat]}]":                                              {"default", "over the pair", "gateway"},
		"defaults: {place: nat}\nrows: [{nat-addresses: [1, 2], nat-random: [true, false]}]": {"1 address, random", "1 address, in order", "2 addresses, random", "2 addresses, in order"},
		"rows: [{place: nat, clients: [1, 3], nat-range: 2000-2009}]":                        {"gateway, 1 client, 2000-2009", "gateway, 3 clients, 2000-2009"},
		"rows: [{place: nat, proto: [tcp, udp], nat-timeout: {established: 576h, udp: 9s}}]": {"gateway, tcp, established=576h, udp=9s", "gateway, udp, established=576h, udp=9s"},
		"rows: [{place: nat, nat-timeout: {time_wait: [30s, 60s]}}]":                         {"gateway, time_wait=30s", "gateway, time_wait=60s"},
		"rows: [{place: pair, name: a, peer-sysctl: {net.ipv4.tcp_timestamps: [0, 1]}}]":     {"a, peer tcp_timestamps=0", "a, peer tcp_timestamps=1"},
	} {
		if got := wayNames(parse(t, text)); !slices.Equal(got, want) {
			t.Errorf("%s: rows %q, want %q", text, got, want)
		}
	}
}

func TestAPlaceThatContradictsItself(t *testing.T) {
	for _, test := range []struct{ text, want, hint string }{
		{"rows: [{place: pear}]", `m.yaml:1: place: "pear": not one of private, pair, nat`, "place: "},
		{"rows: [{place: 7}]", `place: "7"`, "place: "},
		{"rows:\n- {}\n- nat-range: 2000-2009", "m.yaml:3: a gateway, or clients behind one, without place: nat", "place: nat"},
		{"rows: [{place: pair, clients: 2}]", "without place: nat", "place: nat"},
		{"rows: [{place: private, nat-addresses: 2}]", "without place: nat", "place: nat"},
		{"rows: [{nat-random: true}]", "without place: nat", "place: nat"},
		{"rows: [{nat-timeout: {close: 5s}}]", "without place: nat", "place: nat"},
		{"rows: [{peer-sysctl: {net.ipv4.tcp_timestamps: 0}}]", "peer-sysctl without place: pair or nat", "place: pair"},
		{"rows: [{place: private, peer-sysctl: {net.ipv4.tcp_timestamps: 0}}]", "peer-sysctl without place: pair or nat", "place: pair"},
		{"rows: [{place: nat, peer-sysctl: {kernel.pid_max: 1}}]", "peer-sysctl \"kernel.pid_max\": only settings of net.", "peer-sysctl: "},
		{"rows: [{place: nat, peer-sysctl: 5}]", `peer-sysctl: "5", want keys and values`, "peer-sysctl: {"},
		{"rows: [{place: nat, nat-range: '2000-2009,2020-2029'}]", "one range without gaps", "nat-range: 2000-2029"},
		{"rows: [{place: nat, nat-range: 2009-2000}]", "ends before it begins", "nat-range: "},
		{"rows: [{place: nat, nat-stand-in: 2000-2009}]", "nat-stand-in: 2000-2009 without stand-in", "stand-in: 40000-40099"},
		{"rows: [{place: nat, range: 40000-40199, nat-stand-in: 2000-2009}]", "nat-stand-in: 2000-2009 without stand-in", "stand-in: 40000-40099"},
		{"rows: [{place: nat, range: 50000-50009, nat-stand-in: 2000-2009}]", "nat-stand-in: 2000-2009 without stand-in", "stand-in: 50000-50004"},
		{"rows: [{place: nat, range: '65530-65535,2000-2999', nat-stand-in: 2000-2009}]", "nat-stand-in: 2000-2009 without stand-in", "stand-in: 2000-2099"},
		{"rows: [{place: nat, range: 65535, nat-stand-in: 2000-2009}]", "nat-stand-in: 2000-2009 without stand-in", "stand-in: 65535"},
		{"rows: [{place: nat, nat-timeout: {close: 577h}}]", `close: "577h", want whole seconds from 1s to 576h`, "nat-timeout: {close: 30s}"},
		{"rows: [{place: nat, proto: udp, nat-timeout: {close: 5s}}]", "nat-timeout: close=5s with proto: udp", "nat-timeout: {udp_stream: 30s}"},
		{"rows: [{place: nat, nat-timeout: {udp: 5s}}]", "nat-timeout: udp=5s with proto: tcp", "nat-timeout: {time_wait: 30s}"},
		{"rows: [{place: nat, nat-addresses: 65}]", `nat-addresses: "65", want a whole number from 1 to 64`, "nat-addresses: 2"},
		{"rows: [{place: nat, nat-random: often}]", `nat-random: "often", want true or false`, "nat-random: true"},
		{"rows: [{place: nat, clients: 0}]", `clients: "0"`, "clients: 2"},
		{"rows: [{place: nat, clients: 2, sources: 3, strategy: late-bind}]", "sources: 3 cannot be dealt to them evenly", "sources: 2"},
		{"rows: [{place: nat, nat-timeout: {time-wait: 30s}}]", `nat-timeout "time-wait": no such state`, "nat-timeout: {time_wait: 30s}"},
		{"rows: [{place: nat, nat-timeout: {close: 1500ms}}]", `close: "1500ms", want whole seconds`, "nat-timeout: {close: 30s}"},
		{"rows: [{place: nat, nat-timeout: {close: 0s}}]", `"0s"`, ""},
		{"rows: [{place: nat, nat-timeout: 30s}]", "want keys and values", "nat-timeout: {time_wait: 30s}"},
		{"rows: [{place: nat, nat-rnage: 2000-2009}]", `unknown key "nat-rnage"`, "nat-range: "},
	} {
		_, err := suite.ParseMatrix("m.yaml", []byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(hintOf(err), test.hint) {
			t.Errorf("%s:\n got  %v, hint %q\n want %q, hint %q", test.text, err, hintOf(err), test.want, test.hint)
		}
	}
}

func TestRowsThroughAGateway(t *testing.T) {
	s := bench(t, host(32768, 60999), standard(t), false)
	const fill = "fill connect 40000-40299 nat 2000-2099"
	for name, want := range map[string][]string{
		"over the pair": {"fill connect windows-xp pair", "churn connect 40000-40999 client-fin pair 15.7", "reuse connect client-fin pair"},
		"gateway":       {fill, "reuse connect all client-fin nat 32768-32787"},
		"gateway, 30 s": {
			fill, "churn connect 40000-40299 client-fin nat 2000-2099 time_wait=30s 3.26",
			"reuse connect all client-fin nat 32768-32787 time_wait=30s",
		},
		// How ports are chosen, and from how many addresses, is measured too.
		"gateway, 2 addr.": {fill + " 2 addresses", "reuse connect all client-fin nat 32768-32777 2 addresses"},
		"gateway, random":  {fill + " random", "reuse connect all client-fin nat 32768-32787 random"},
		"2 behind gateway": {fill + " 2 clients", "reuse connect client-fin nat 32768-32787"},
	} {
		if got := names(row(t, s, name).Members); !slices.Equal(got, want) {
			t.Errorf("%s: %q\n want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"over the pair": "", "gateway": "32768-32787", "gateway, 2 addr.": "32768-32777", "2 behind gateway": "32768-32787",
	} {
		if got := row(t, s, name).On["reuse"]; got != want {
			t.Errorf("%s: %q stands in for the ports of its reuse, want %q", name, got, want)
		}
	}
	// The gateway has as many ports as the default: half of its rate is certain, as
	// a port rests twice as long.
	for name, want := range map[string]struct {
		least, most int64
		reuse       time.Duration
		gain        float64
	}{
		"gateway": {28206, 28232, 120 * time.Second, 0.516}, "gateway, 30 s": {28206, 28232, 30 * time.Second, 2.066},
		"gateway, 2 addr.": {56412, 56464, 120 * time.Second, 1.033}, "2 behind gateway": {28206, 28232, 120 * time.Second, 0.516},
	} {
		r := row(t, s, name)
		if c := r.Predicted.Connections; c.Min != want.least || c.Max != want.most || r.Predicted.Reuse.Min != 0 || r.Predicted.Reuse.Max != want.reuse ||
			r.Gain < want.gain-0.001 || r.Gain > want.gain+0.001 {
			t.Errorf("%s: %v connections, reuse %v, gain %.4f; want %+v", name, c, r.Predicted.Reuse, r.Gain, want)
		}
	}
}

// What one SYN decides is given up before a second would be sent; over more ports
// several are needed.
func TestAttemptsThroughAGateway(t *testing.T) {
	for text, want := range map[string]time.Duration{"2000-2127": 800 * time.Millisecond, "2000-2128": 0, "host": 0} {
		s := bench(t, host(32768, 60999), parse(t, "rows: [{range: all, place: nat, nat-range: "+text+"}]"), false)
		for _, m := range s.Rows[0].Members {
			want := want
			if m.Scenario == "reuse" {
				want = 200 * time.Millisecond
			}
			if m.Timeout != want || m.Place != suite.PlaceNAT {
				t.Errorf("%s: %s at %q gives up after %v, want %v", text, m.Name, m.Place, m.Timeout, want)
			}
		}
	}
}

// What has no sound prediction has no churn, and that is said. A gateway that has
// more ports than its clients changes nothing.
func TestChurnsThroughAGateway(t *testing.T) {
	for text, want := range map[string]struct {
		churns  []string
		skipped string
	}{
		"{close: client-rst}": {nil, "the rate after client-rst"},
		"{proto: udp}":        {nil, "when a full gateway gives a port again is chance"},
		"{close: client-rst, rate: 5, duration: 3s}":    {[]string{"churn connect 40000-40099 client-rst nat 2000-2049 5"}, ""},
		"{nat-timeout: {time_wait: 10s}, range: linux}": {[]string{"churn connect linux client-fin nat 2000-2049 time_wait=10s 4.9"}, ""},
		"{nat-range: 2000-2999}":                        {[]string{"churn connect 40000-40099 client-fin nat 2000-2999 1.57", "churn connect 40000-40099 client-fin nat 2000-2999 1.71"}, ""},
	} {
		s := bench(t, host(32768, 60999), parse(t, "defaults: {range: 40000-40099, place: nat, nat-range: 2000-2049, runs: [churn]}\nrows: ["+text+"]"), false)
		if got := names(s.Rows[0].Members); !slices.Equal(got, want.churns) {
			t.Errorf("%s: %q, want %q", text, got, want.churns)
		}
		if got := strings.Join(s.Skipped, "; "); !strings.Contains(got, want.skipped) || want.skipped == "" && got != "" {
			t.Errorf("%s: left out %q, want %q", text, got, want.skipped)
		}
	}
}

// A host that has no such place has the row, and no run of it.
func TestAPlaceThatIsNotThere(t *testing.T) {
	h := host(32768, 60999)
	h.Without = map[string]string{suite.PlaceNAT: "no nftables"}
	s := bench(t, h, standard(t), false)
	if r := row(t, s, "gateway"); len(r.Members) != 0 || r.Gain != 0 {
		t.Errorf("%q, gain %v", names(r.Members), r.Gain)
	}
	if len(row(t, s, "over the pair").Members) == 0 {
		t.Error("the pair is left out too")
	}
	if len(s.Skipped) != 5 || s.Skipped[0] != "gateway: no place nat here: no nftables" {
		t.Errorf("left out: %q", s.Skipped)
	}
}
