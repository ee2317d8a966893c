package place

import (
	"os"
	"strconv"
	"testing"

	"lastport/loadgen/kernel"
)

// A place can have a table of connections of its own, and what it does to the
// process, which is executed twice, is not seen: it hears its parent, and ends
// with it.
func TestTable(t *testing.T) {
	requireNamespaces(t)
	host := spec(t).Host
	if host.Table == 0 {
		t.Fatal("the host's table is not known")
	}
	shared := enter(t, spec(t)).Report
	if c, there := shared.Changed[keyTable]; there {
		t.Errorf("a table of its own that nobody asked for: %+v", c)
	}
	if _, err := kernel.ReadSysctl(keyChildTable); err != nil {
		t.Logf("this kernel has no tables of a namespace's own: %v", err)
		return
	}
	for name, attr := range users() {
		t.Run(name, func(t *testing.T) {
			o := startOuter(t, job{Spec: errand{Spec: spec(t)}, Table: 4096}, attr)
			r := o.reply(t)
			if r.Err != "" {
				t.Fatal(r.Err)
			}
			wantChange(t, r.Report.Changed, keyTable, Change{strconv.FormatInt(host.Table, 10), "4096", "so many connections are looked up in a table of their own"})
			if r.Report.Sysctls[keyTable] != "4096" {
				t.Errorf("in force: %q", r.Report.Sysctls[keyTable])
			}
			if r.NetNS == host.NetNS {
				t.Error("the child is in the host's namespace")
			}
			if got, err := kernel.ReadSysctl(keyChildTable); err != nil || got != "0" {
				t.Errorf("the host's %s is %q, %v", keyChildTable, got, err)
			}
		})
	}
}

// The program that a user starts by hand, with the variable set, writes nothing.
func TestTableIsNotTheHosts(t *testing.T) {
	own, err := kernel.NetNS()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(tableVar, "4096 "+own)
	if err := toOwnTable(); err == nil {
		t.Error("the host's namespace was taken for a place")
	}
	if _, there := os.LookupEnv(tableVar); there {
		t.Error("it would be asked for again")
	}
}

func TestTableFor(t *testing.T) {
	host := Host{Table: 1 << 18}
	for sockets, want := range map[int64]int{
		0: 0, 500_000: 0, 1<<20 - 1: 0, 1 << 20: 1 << 20, 1<<20 + 1: 1 << 21, 2_000_000: 1 << 21, 1 << 40: maxTable,
	} {
		if got := TableFor(sockets, host); got != want {
			t.Errorf("%d sockets: %d buckets, want %d", sockets, got, want)
		}
	}
	if got := TableFor(1<<30, Host{}); got != 0 {
		t.Errorf("the host's is not known: %d buckets", got)
	}
}
