package main

import (
	"slices"
	"testing"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/suite"
)

// linuxHost is a host with Linux's own settings.
func linuxHost() place.Host {
	return place.Host{Settings: map[string]string{
		keyRange: "32768\t60999", keyReserved: "", suite.KeyTWReuse: "2",
		"net.ipv4.tcp_tw_reuse_delay": "1000", "net.ipv4.tcp_timestamps": "1",
	}}
}

// benchOf is the suite and its runs under some --sysctl.
func benchOf(t *testing.T, quick bool, sysctls ...string) (suite.Suite, [][]namedRun, *runFlags) {
	t.Helper()
	f := &runFlags{
		timeout: 3 * time.Second, workers: 1, engine: "auto", ends: "auto", placeFlags: placeFlags{place: "private"},
		sysctls: sysctls, progress: "none", output: output{format: "text"},
	}
	host := linuxHost()
	about, err := f.suiteHost(host)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := suite.Bench(about, quick)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := f.parts(plan, host)
	if err != nil {
		t.Fatal(err)
	}
	return plan, parts, f
}

func configNamed(t *testing.T, parts [][]namedRun, name string) loadgen.Config {
	t.Helper()
	for _, runs := range parts {
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
	plan, parts, _ := benchOf(t, false)
	rows := setRows(plan, parts)
	want := []string{configNamed(t, parts, "fill connect").ID, configNamed(t, parts, "reuse connect client-fin").ID}
	if !slices.Equal(rows[0].Runs, want) || rows[0].Name != "connect" || rows[0].Close != "client-fin" {
		t.Errorf("%+v, want the runs %v", rows[0], want)
	}
	if !slices.Contains(rows[1].Runs, want[0]) || rows[1].Sysctls[suite.KeyTWReuse] != "1" {
		t.Errorf("%+v does not share the fill %s", rows[1], want[0])
	}
	for _, r := range rows {
		if r.Predicted.Connections == nil || r.Predicted.ReuseNS == nil {
			t.Errorf("%s, %s: nothing is predicted", r.Strategy, r.Name)
		}
	}

	plan, parts, _ = benchOf(t, true)
	if rows := setRows(plan, parts); len(rows[0].Runs) != 1 || rows[0].Predicted.RatePerS == nil {
		t.Errorf("quick: %+v, want the fill alone, and the rate predicted all the same", rows[0])
	}
}

func TestBenchMembersAreConfigured(t *testing.T) {
	_, parts, _ := benchOf(t, false)
	held := configNamed(t, parts, "churn socket-range client-fin 445")
	if held.Rate != 445 || held.Attempts <= 28232 || held.Concurrency != 0 || held.Workers != 1 || held.RangeName != "host" {
		t.Errorf("%+v", held)
	}
	fastest := configNamed(t, parts, "churn connect server-fin max")
	if fastest.Rate != 0 || fastest.Concurrency != fastest.Workers || fastest.Close.String() != "server-fin" {
		t.Errorf("%+v", fastest)
	}
	all := configNamed(t, parts, "fill socket-range all")
	if all.Range.Size() != 64512 || all.RangeName != "all" || all.Close.String() != "client-rst" {
		t.Errorf("%+v", all)
	}
}

// What a row is about gives way to no --sysctl; every other row follows it.
func TestBenchUnderSysctl(t *testing.T) {
	for _, key := range []string{suite.KeyTWReuse, "net/ipv4/tcp_tw_reuse"} {
		plan, parts, _ := benchOf(t, false, key+"=0", "net.ipv4.tcp_tw_reuse_delay=100")
		usual := configNamed(t, parts, "reuse connect client-fin")
		early := configNamed(t, parts, "reuse connect client-fin tw_reuse")
		if usual.Sysctls[suite.KeyTWReuse] != "0" || early.Sysctls[suite.KeyTWReuse] != "1" || len(early.Sysctls) != 2 {
			t.Errorf("%s: %v and %v", key, usual.Sysctls, early.Sysctls)
		}
		if got := plan.Rows[1].Predicted.Reuse.Min; got != 100*time.Millisecond {
			t.Errorf("%s: tcp_tw_reuse=1 predicts %v, want the delay of --sysctl", key, got)
		}
	}
}
