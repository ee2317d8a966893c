package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
)

// wide is what widen makes of a fill.
func wide(t *testing.T, f runFlags, c loadgen.Config) (loadgen.Config, error) {
	t.Helper()
	if c.Scenario == "" {
		c.Scenario = "fill"
	}
	if c.Range == nil {
		c.Range = ports.Of(ports.Range{Low: 40000, High: 40999})
	}
	if c.Strategy == "" {
		c.Strategy = "connect"
	}
	c.Workers = 1
	c.Targets = []netip.AddrPort{netip.MustParseAddrPort("198.18.0.1:1000")}
	err := f.widen(&c, place.Host{Settings: map[string]string{keyReserved: "40000-40099"}})
	return c, err
}

func TestWiden(t *testing.T) {
	given := runFlags{workersGiven: true}
	for _, c := range []struct {
		name    string
		flags   runFlags
		config  loadgen.Config
		targets int
		sources int
		says    string
	}{
		{"no bound", given, loadgen.Config{}, 1, 0, ""},
		{"the range is enough", given, loadgen.Config{Connections: 900}, 1, 0, ""},
		// 900 ports are usable, and 337 of them are taken at a usual cost.
		{"one too many", given, loadgen.Config{Connections: 901}, 3, 0, "3 targets, so that each takes at most 301 of 900 ports"},
		{"many more", given, loadgen.Config{Connections: 33700}, 100, 0, "100 targets, so that each takes at most 337 of 900 ports"},
		{"without a knee", given, loadgen.Config{Connections: 8100, Strategy: "socket-range"}, 10, 0, "10 targets, so that each takes at most 810 of 900 ports"},
		{"a port for all targets", given, loadgen.Config{Connections: 1000, Strategy: "bind"}, 1, 3, "3 sources, so that each takes at most 334 of 900 ports"},
		{"datagrams", given, loadgen.Config{Connections: 1000, UDP: true}, 1, 0, ""},
		{"datagrams from a source", given, loadgen.Config{Connections: 1000, UDP: true, Strategy: "late-bind"}, 1, 3, "3 sources"},
		{"the user's targets", runFlags{targets: []string{"x"}}, loadgen.Config{Connections: 1000}, 1, 0, ""},
		{"the user's sources", runFlags{sources: []string{"x"}}, loadgen.Config{Connections: 1000}, 1, 0, ""},
		{"another scenario", given, loadgen.Config{Connections: 1000, Scenario: "reuse"}, 1, 0, ""},
	} {
		got, err := wide(t, c.flags, c.config)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(got.Targets) != c.targets || len(got.Sources) != c.sources || got.Workers != 1 {
			t.Errorf("%s: %d targets, %d sources, %d workers", c.name, len(got.Targets), len(got.Sources), got.Workers)
		}
		if !strings.HasPrefix(got.Widened, c.says) || (c.says == "") != (got.Widened == "") {
			t.Errorf("%s: %q, want %q", c.name, got.Widened, c.says)
		}
	}
}

func TestWidenHasABound(t *testing.T) {
	_, err := wide(t, runFlags{}, loadgen.Config{Connections: 1024*337 + 1})
	if err == nil || statusOf(err) != exitUsage || !strings.Contains(err.Error(), "at most 1024 addresses hold 345088") {
		t.Errorf("error %v", err)
	}
	if _, err := wide(t, runFlags{}, loadgen.Config{Connections: 1024 * 337}); err != nil {
		t.Error(err)
	}
	// What no machine holds is the machine's limit, whatever the space is.
	if _, err := wide(t, runFlags{}, loadgen.Config{Connections: 1 << 50}); err == nil || statusOf(err) != exitFailed {
		t.Errorf("error %v", err)
	}
}

// Targets are distinct, in ascending order, have the first one among them, and
// are outside the range if there is an outside.
func TestTargetsFrom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Uint16Min(1).Draw(t, "low")
		r := ports.Of(ports.Range{Low: low, High: rapid.Uint16Min(low).Draw(t, "high")})
		first := netip.AddrPortFrom(listenerAddr4, listenerPort(r))
		n := rapid.IntRange(1, maxTargets).Draw(t, "n")
		list := targetsFrom(first, r, n)
		if len(list) != n || !slices.Contains(list, first) {
			t.Fatalf("%d targets of %d, with %s: %v", len(list), n, first, slices.Contains(list, first))
		}
		for i, to := range list {
			if i > 0 && list[i-1].Compare(to) >= 0 {
				t.Fatalf("%s before %s", list[i-1], to)
			}
			if r.Contains(to.Port()) && !r.Contains(first.Port()) || !inPrivate(to.Addr()) {
				t.Fatalf("%s with the range %s", to, r)
			}
		}
	})
}

func TestSourcesFor(t *testing.T) {
	for _, target := range []netip.Addr{listenerAddr4, listenerAddr6} {
		list := sourcesFor(target, maxSources)
		for i, a := range list {
			if !inPrivate(a) || a.Is4() != target.Is4() || i > 0 && list[i-1].Next() != a {
				t.Errorf("source %d toward %s is %s", i, target, a)
			}
		}
		if len(list) != maxSources || slices.Contains(list, target) {
			t.Errorf("%d sources toward %s, itself among them: %v", len(list), target, slices.Contains(list, target))
		}
	}
}
