package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
	"lastport/reports/result"
)

// planned is what plan answers to arguments on a host.
func planned(t *testing.T, host planHost, args ...string) *result.Plan {
	t.Helper()
	var f planFlags
	fs := pflag.NewFlagSet("plan", pflag.ContinueOnError)
	f.add(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	f.given = fs.Changed
	d, err := f.plan(host)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Where there is no host to ask, a plan is that of Linux's defaults, says so,
// and does not know HZ.
func TestPlanWithoutAHost(t *testing.T) {
	d := planned(t, planHost{})
	if d.Asked.Range != "32768-60999" || d.Asked.SettingsFrom != "Linux's documented defaults" || d.Asked.HZ != 0 {
		t.Errorf("%+v", d.Asked)
	}
	if got := d.Asked.Settings["net.ipv4.tcp_tw_reuse"]; got != "2" {
		t.Errorf("tcp_tw_reuse %q", got)
	}
	if rate := d.Sustain.RatePerS; int(rate.Max) != 470 || int(rate.Min) >= 455 {
		t.Errorf("%+v per second: without HZ the timer's grain is the coarsest", *rate)
	}
}

// A host's own settings, listeners and reserved ports count for its own range
// alone, and flags override them.
func TestPlanOfAHost(t *testing.T) {
	host := planHost{hz: 250, held: ports.Of(ports.Range{Low: 40000, High: 40001}), values: map[string]string{
		keyPortRange: "40000\t40999", keyReservedBy: "40010", keyTWReuse: "1", keyTimestamps: "1", keyTWDelay: "500", keyTWBuckets: "131072",
	}}
	for _, c := range []struct {
		args   string
		usable int
		reuse  int64 // at least, milliseconds
		from   string
	}{
		{"", 997, 500, "this host"},
		{"--range 40000-40999", 1000, 500, "this host"},
		{"--range 40000-40999 --sysctl net.ipv4.tcp_tw_reuse=0 --hz 1000", 1000, 60_000, "this host, but tcp_tw_reuse by --sysctl"},
		{"--sysctl net/ipv4/tcp_tw_reuse_delay=10", 997, 10, "this host, but tcp_tw_reuse_delay by --sysctl"},
		{"--sysctl ip_local_reserved_ports=40100-40199", 898, 500, "this host, but ip_local_reserved_ports by --sysctl"},
		{"--range linux --exclude 32768-32777", 28222, 500, "this host"},
		{"--range windows", 16384, 120_000, ""},
	} {
		d := planned(t, host, strings.Fields(c.args)...)
		if d.Space.PortsUsable != c.usable || d.Sustain.ReuseNS.Min != c.reuse*1e6 || d.Asked.SettingsFrom != c.from {
			t.Errorf("%q: %d ports, reuse %+v, settings from %q", c.args, d.Space.PortsUsable, *d.Sustain.ReuseNS, d.Asked.SettingsFrom)
		}
	}
}

func TestPlanNotes(t *testing.T) {
	host := planHost{}
	for _, c := range []struct{ args, note string }{
		{"", "tcp_tw_reuse=2 is for loopback targets alone"},
		{"--sysctl tcp_fin_timeout=10", "tcp_fin_timeout is the time in FIN_WAIT_2, not in TIME_WAIT"},
		{"--rate 50k", "more than tcp_max_tw_buckets (262144)"},
		{"--rate 2000", "connect leaves the source address to the kernel"},
		{"--range gcp-nat", "of which a VM has 64 by default"},
		{"", "connect leaves the source address to the kernel"},
		{"--exclude 1,40000", "--exclude 1: not in the range"},
		{"--range 1000-2000", "ip_unprivileged_port_start"},
	} {
		d := planned(t, host, strings.Fields(c.args)...)
		if all := strings.Join(d.Notes, "\n"); !strings.Contains(all, c.note) {
			t.Errorf("%q: notes %q, want %q", c.args, all, c.note)
		}
	}
	if all := strings.Join(planned(t, host, "--close", "server-fin", "--rate", "400").Notes, "\n"); strings.Contains(all, "TIME_WAIT") || strings.Contains(all, "tw_reuse") {
		t.Errorf("notes on TIME_WAIT, which there is none of: %q", all)
	}
}

// Every strategy that there is can be planned with.
func TestPlanKnowsEveryStrategy(t *testing.T) {
	if d := planned(t, planHost{}, "--sources", "3", "--targets", "2"); !strategy.TakesSource(d.Asked.Strategy) || d.Space.Tuples != 6*28232 {
		t.Errorf("%s: %+v", d.Asked.Strategy, d.Space)
	}
	for _, name := range strategy.Names() {
		if d := planned(t, planHost{}, "--strategy", name); d.Sustain.Connections.Min == 0 || d.Asked.Strategy != name {
			t.Errorf("%s: %+v", name, d.Sustain)
		}
	}
}

// Where ports allow more than the search for them, the plan says how many
// processors that takes, and what those that there are come to.
func TestPlanCountsTheSearch(t *testing.T) {
	two := planHost{processors: 2}
	reused := []string{"--range", "linux", "--sysctl", "net.ipv4.tcp_tw_reuse=1"}
	c := planned(t, two, append(reused, "--rate", "20000")...).Latency
	// 5,884 of 20,000 per second search 14,116 ports in vain, 1.7 to 1.8 ms each.
	if c.Processors < 9 || c.Processors > 12 || c.MostPerS == nil || *c.MostPerS < 14_116 || *c.MostPerS > 16_000 {
		t.Errorf("%+v", *c)
	}
	for _, args := range [][]string{{"--rate", "14000"}, {"--rate", "20000", "--strategy", "socket-range"}} {
		if c := planned(t, two, append(reused, args...)...).Latency; c.MostPerS != nil || c.Processors > 1 || c.InVain != 0 {
			t.Errorf("%s: %+v", args, *c)
		}
	}
	if c := planned(t, planHost{processors: 64}, append(reused, "--rate", "20000")...).Latency; c.MostPerS != nil {
		t.Errorf("64 processors: %+v", *c)
	}
	for _, way := range planned(t, two, "--range", "linux").Ways {
		if way.Name == "tcp_tw_reuse" && (way.Processors < 20 || way.Processors > 30) {
			t.Errorf("%s takes %v processors", way.Name, way.Processors)
		}
	}
}
