package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// linuxHost is a host with Linux's own settings.
func linuxHost() place.Host {
	return place.Host{Settings: map[string]string{
		keyRange: "32768\t60999", keyReserved: "", suite.KeyTWReuse: "2",
		suite.KeyTWReuseDelay: "1000", suite.KeyTimestamps: "1",
	}}
}

// benchOf is the runs of a matrix, the standard one if the text is empty, under
// some --sysctl.
func benchOf(t *testing.T, text string, quick bool, sysctls ...string) benchPlan {
	t.Helper()
	f := &benchFlags{quick: quick, runFlags: runFlags{
		timeout: 3 * time.Second, workers: 1, engine: "auto", ends: "auto", placeFlags: placeFlags{place: "private"},
		sysctls: sysctls, progress: "none", output: output{format: "text"},
	}}
	m, err := suite.Standard()
	if text != "" {
		m, err = suite.ParseMatrix("m.yaml", []byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	plan, err := f.plan(m, linuxHost())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func (p *benchPlan) named(t *testing.T, name string) loadgen.Config {
	t.Helper()
	for _, runs := range p.parts {
		for _, r := range runs {
			if r.name == name {
				return r.cfg
			}
		}
	}
	t.Fatalf("there is no run %q", name)
	return loadgen.Config{}
}

func TestBenchRowsNameTheirRuns(t *testing.T) {
	plan := benchOf(t, "", false)
	rows := plan.setRows()
	want := []string{plan.named(t, "fill connect").ID, plan.named(t, "reuse connect client-fin").ID}
	if !slices.Equal(rows[0].Runs, want) || rows[0].Name != "default" || rows[0].Close != "client-fin" || rows[0].Gain == nil || *rows[0].Gain != 1 {
		t.Errorf("%+v, want the runs %v", rows[0], want)
	}
	early := rows[slices.IndexFunc(rows, func(r result.SetRow) bool { return r.Name == "tw_reuse=1" })]
	if !slices.Contains(early.Runs, want[0]) || early.Sysctls[suite.KeyTWReuse] != "1" || early.StandIn["churn"] != "40000-40099" {
		t.Errorf("%+v does not share the fill %s", early, want[0])
	}
	for _, r := range rows {
		if r.Predicted.Connections == nil || r.Predicted.ReuseNS == nil {
			t.Errorf("%s: nothing is predicted", r.Name)
		}
	}
	plan = benchOf(t, "", true)
	if rows := plan.setRows(); len(rows[0].Runs) != 1 || rows[0].Predicted.RatePerS == nil {
		t.Errorf("quick: %+v, want the fill alone, and the rate predicted all the same", rows[0])
	}
}

func TestBenchMembersAreConfigured(t *testing.T) {
	plan := benchOf(t, "", false)
	held := plan.named(t, "churn socket-range client-fin 445")
	if held.Rate != 445 || held.Attempts <= 28232 || held.Concurrency != 0 || held.Workers != 1 || held.RangeName != "host" {
		t.Errorf("%+v", held)
	}
	fastest := plan.named(t, "churn connect server-fin max turn 2")
	if fastest.Rate != 0 || fastest.Concurrency != fastest.Workers || fastest.Close.String() != "server-fin" {
		t.Errorf("%+v", fastest)
	}
	all := plan.named(t, "fill socket-range all")
	if all.Range.Size() != 64512 || all.RangeName != "all" || all.Close.String() != "client-rst" {
		t.Errorf("%+v", all)
	}
	asked := plan.named(t, "churn connect 40000-40999 client-fin 100 requests 15.7")
	if asked.Requests != 100 || asked.Range.Size() != 1000 {
		t.Errorf("%+v", asked)
	}
}

// A row's place is that of its flags, whatever the command line says.
func TestBenchOfPlacesIsConfigured(t *testing.T) {
	plan := benchOf(t, "defaults: {range: 40000-40299}\nrows: [{name: here, runs: [fill]}, {name: p, place: pair, peer-sysctl: {net.ipv4.tcp_fin_timeout: 5}, runs: [fill]},\n"+
		"  {name: g, range: all, place: nat, nat-range: host, stand-in: 40000-40299, nat-stand-in: 2000-2099, nat-addresses: 2, nat-random: true, clients: 2, nat-timeout: {time_wait: 30s}}]", false)
	fill := plan.named(t, "fill connect 40000-40299 nat 2000-2099 2 addresses random 2 clients")
	churn := plan.named(t, "churn connect 40000-40299 client-fin nat 2000-2099 2 addresses random 2 clients time_wait=30s 6.53")
	reuse := plan.named(t, "reuse connect all client-fin nat 32768-32777 2 addresses random time_wait=30s")
	here, pair := plan.named(t, "fill connect 40000-40299"), plan.named(t, "fill connect 40000-40299 pair peer tcp_fin_timeout=5")
	switch {
	case here.NAT != nil, here.Host.Place != "private", here.Timeout != 3*time.Second:
	case pair.NAT != nil, pair.Host.Place != "pair", pair.PeerSysctls["net.ipv4.tcp_fin_timeout"] != "5", pair.Timeout != 3*time.Second:
	case fill.NAT == nil, fill.NAT.Range.Size() != 100, len(fill.NAT.Addresses) != 2, !fill.NAT.Random, fill.Clients != 2, fill.Workers != 2:
	case fill.Timeout != 800*time.Millisecond, fill.Ends != loadgen.EndsApart, len(fill.NAT.Timeouts) != 0:
	case churn.NAT == nil, churn.NAT.Timeouts["time_wait"] != 30*time.Second, churn.Rate != 6.53:
	case reuse.NAT == nil, reuse.NAT.Range.Size() != 10, len(reuse.NAT.Addresses) != 2, !reuse.NAT.Random, reuse.Connections != 20, reuse.Clients != 0, reuse.Timeout != 200*time.Millisecond:
	default:
		if g := plan.setRows()[2].Gateway; g == nil || g.Range != "host" || g.StandIn != "2000-2099" || g.Timeouts["time_wait"] != "30s" {
			t.Errorf("%+v", g)
		}
		return
	}
	t.Errorf("here %+v\npair %+v\nfill %+v %+v\nchurn %+v\nreuse %+v", here, pair, fill, fill.NAT, churn, reuse)
}

// The states of a matrix are those of the flag.
func TestEveryTimeoutOfAGateway(t *testing.T) {
	for _, state := range natStates() {
		proto := "tcp" // whose connections have the state
		if strings.HasPrefix(state, "udp") {
			proto = "udp"
		}
		plan := benchOf(t, "rows: [{place: nat, proto: "+proto+", nat-range: 2000-2009, runs: [reuse], nat-timeout: {"+state+": 7s}}]", false)
		for _, runs := range plan.parts {
			for _, r := range runs {
				if got := r.cfg.NAT.Timeouts; len(got) != 1 || got[state] != 7*time.Second {
					t.Errorf("%s: %v", state, got)
				}
			}
		}
	}
}

// Addresses, and what bounds a run, are those of the row.
func TestBenchOfAMatrixIsConfigured(t *testing.T) {
	plan := benchOf(t, "rows: [{name: a, range: 40000-40299, exclude: 40000-40099, strategy: late-bind, ipv6: true, sources: 300, targets: 3, connections: 900,\n"+
		"  rate: 20, duration: 9s, hold: 2s, requests: 5, expect: {churn: no_port==0}}]", false, "net.ipv4.tcp_fin_timeout=5")
	fill, churn := plan.parts[0][0].cfg, loadgen.Config{}
	for _, runs := range plan.parts {
		for _, r := range runs {
			if r.cfg.Scenario == "churn" {
				churn = r.cfg
			}
		}
	}
	switch {
	case fill.Scenario != "fill", fill.Connections != 900, fill.Ports().Size() != 200, fill.Requests != 0, fill.Widened != "":
	case len(fill.Sources) != 300, fill.Sources[299].String() != "2001:2::1:12c", len(fill.Targets) != 3, fill.Targets[2].String() != "[2001:2::3]:1000":
	case churn.Rate != 20, churn.Duration != 9*time.Second, churn.Hold != 2*time.Second, churn.Requests != 5, churn.Connections != 0:
	case churn.Sysctls["net.ipv4.tcp_fin_timeout"] != "5", len(churn.Expect) != 0:
	default:
		return
	}
	t.Errorf("fill %+v\nchurn %+v", fill, churn)
}

func TestSourceWords(t *testing.T) {
	for _, n := range []int{1, 2, 255, 256, 257, 1024} {
		for _, v6 := range []bool{false, true} {
			list, err := parseSources(sourceWords(n, v6), false)
			if err != nil || len(list) != n || list[0].Is6() != v6 {
				t.Errorf("%d sources, IPv6 %v: %d, %v", n, v6, len(list), err)
			}
		}
	}
}

// What a row is about gives way to no --sysctl; every other row follows it.
func TestBenchUnderSysctl(t *testing.T) {
	for _, key := range []string{suite.KeyTWReuse, "net/ipv4/tcp_tw_reuse"} {
		plan := benchOf(t, "", false, key+"=0", "net.ipv4.tcp_tw_reuse_delay=200")
		usual := plan.named(t, "reuse connect client-fin")
		early := plan.named(t, "reuse connect client-fin tcp_tw_reuse=1")
		if usual.Sysctls[suite.KeyTWReuse] != "0" || early.Sysctls[suite.KeyTWReuse] != "1" || len(early.Sysctls) != 2 {
			t.Errorf("%s: %v and %v", key, usual.Sysctls, early.Sysctls)
		}
		if got := plan.Rows[2].Predicted.Reuse.Min; got != 200*time.Millisecond {
			t.Errorf("%s: tcp_tw_reuse=1 predicts %v, want the delay of --sysctl", key, got)
		}
	}
}

// An expectation is held against the runs that it is of and that measured the
// field; against none, it did not hold.
func TestExpectationsOfARow(t *testing.T) {
	plan := benchOf(t, "rows: [{name: a, range: 40000-40099, strategy: socket-range,\n"+
		"  expect: {fill: connections==100, churn: no_port==0, reuse: reuse.max<61s}}]\nexpect: [no_port>=0, requests.answered>0]", false)
	row := &plan.Rows[0]
	var runs []*result.Result
	for _, m := range row.Members {
		r := &result.Result{Run: result.Run{ID: plan.ids[m], Scenario: m.Scenario}, Attempts: 1}
		switch {
		case m.Scenario == "fill":
			n := int64(99)
			r.Measured.Connections = &n
		case m.Scenario == "reuse":
			r.Reuse = &result.Reuse{Count: 1, MaxNS: int64(60 * time.Second)}
		case m.Over:
			r.Outcomes.NoPort = 20 // as it is to be
		}
		runs = append(runs, r)
	}
	got := map[string]string{}
	for _, e := range row.Expect {
		for _, h := range plan.held(e, row, runs) {
			got[h.Expr] += strings.TrimSpace(" "+h.Value) + map[bool]string{true: " held;", false: " not;"}[h.Held]
		}
	}
	for expr, want := range map[string]string{
		"connections==100": "99 not;", "no_port==0": "0 held;", "reuse.max<61s": "1m0s held;",
		"no_port>=0": "0 held;0 held;0 held;", "requests.answered>0": "not measured not;",
	} {
		if got[expr] != want {
			t.Errorf("%s: %q, want %q", expr, got[expr], want)
		}
	}
}

// A setting that no kernel has is the file's mistake; one that this kernel does
// not have yet leaves its row out.
func TestSettingsThatAreNotThere(t *testing.T) {
	m, err := suite.ParseMatrix("m.yaml", []byte("rows:\n- {}\n- sysctl: {net.ipv4.tcp_tw_recycle: 1}"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lacking(m, place.Host{}); err == nil || !strings.HasPrefix(err.Error(), "m.yaml:3: tcp_tw_recycle=1: sysctl net.ipv4.tcp_tw_recycle: ") {
		t.Errorf("tcp_tw_recycle: %v", err)
	}
}

// A plan and a run take the same values of a setting, and a wrong one is told before
// a run, in a matrix by its own line.
func TestBoundsOfSettings(t *testing.T) {
	for _, k := range planKeys() {
		low, high, ok := suite.Bounds(settingsPrefix + k.name)
		if number := k.high > 0; ok != number || low != k.low || high != k.high {
			t.Errorf("%s: %d to %d, %v; a plan takes %d to %d", k.name, low, high, ok, k.low, k.high)
		}
	}
	for text, wrong := range map[string]bool{
		"net.ipv4.tcp_tw_reuse=2": false, "net.ipv4.tcp_tw_reuse=3": true, "net.ipv4.tcp_tw_reuse=-1": true,
		"net.ipv4.tcp_tw_reuse_delay=0": true, "net.ipv4.tcp_tw_reuse_delay=60000": false, "net.ipv4.tcp_timestamps=x": true,
		"net.ipv4.tcp_syn_retries=999": false, // which the kernel knows alone
	} {
		f := &runFlags{sysctls: []string{text}}
		if err := f.settings(&loadgen.Config{}, linuxHost()); (err != nil) != wrong || wrong && statusOf(err) != exitUsage {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := suite.ParseMatrix("m.yaml", []byte("rows:\n- {}\n- name: a\n  sysctl:\n    net.ipv4.tcp_tw_reuse: 7"))
	if want := `m.yaml:5: sysctl net.ipv4.tcp_tw_reuse: "7": want a whole number from 0 to 2`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	m, err := suite.ParseMatrix("m.yaml", []byte("rows:\n- name: a\n  sysctl:\n    net.ipv4.tcp_tw_reus: 1"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = lacking(m, linuxHost())
	if hint, ok := err.(interface{ Hint() string }); !ok || !strings.HasPrefix(err.Error(), "m.yaml:4: a: sysctl net.ipv4.tcp_tw_reus: ") || hint.Hint() != "sysctl: {net.ipv4.tcp_tw_reuse: 1}" {
		t.Errorf("%v", err)
	}
}

// One of a thing is not several.
func TestSeveral(t *testing.T) {
	for n, want := range map[int]string{1: "1 row", 2: "2 rows", 1000: "1000 rows"} {
		if got := several(n, "row"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
