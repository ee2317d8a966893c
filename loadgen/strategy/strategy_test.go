package strategy

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lastport/loadgen/ports"
)

func space(t *testing.T, spec string) Space {
	t.Helper()
	set, err := ports.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return Space{Ranges: set}
}

func TestChoices(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		want       Choice
		traits     Traits
	}{
		{"connect", "40000-40999", Choice{}, Traits{Step: 2}},
		{"connect", "40000", Choice{}, Traits{Step: 2}},
		{"bind", "40000-40999", Choice{Bind: BindNow}, Traits{Step: 2, Source: true, Early: true}},
		{"late-bind", "40000-40999", Choice{Bind: BindLate}, Traits{Step: 2, Source: true, Late: true}},
		{"socket-range", "40000-40999", Choice{Window: ports.Range{Low: 40000, High: 40999}}, Traits{Step: 1, Windowed: true}},
		{"socket-range", "40000", Choice{Window: ports.Range{Low: 40000, High: 40000}}, Traits{Step: 1, Windowed: true}},
		{"socket-range", "41000-41999,40000", Choice{Window: ports.Range{Low: 40000, High: 41999}}, Traits{Step: 1, Windowed: true}},
	} {
		s, err := New(c.name, space(t, c.spec))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if s.Traits() != c.traits {
			t.Errorf("%s: traits %+v", c.name, s.Traits())
		}
		for range 3 { // the kernel chooses, so no choice moves
			if got, ok := s.Worker(0).Choose(Attempt{}); got != c.want || !ok {
				t.Errorf("%s of %s: %+v, want %+v", c.name, c.spec, got, c.want)
			}
		}
	}
}

// With sources, what needs no source otherwise binds to one late.
func TestSources(t *testing.T) {
	sp := space(t, "40000-40099")
	sp.Sources = []netip.Addr{netip.MustParseAddr("198.18.0.2")}
	want := Traits{Step: 1, Source: true, Windowed: true, Late: true}
	for _, name := range []string{"socket-range", "window"} {
		s, err := New(name, sp)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := s.Worker(0).Choose(Attempt{})
		if got.Bind != BindLate || got.Window.Size() == 0 || s.Traits() != want {
			t.Errorf("%s: %+v, traits %+v", name, got, s.Traits())
		}
	}
}

// What holds for every strategy, those to come included.
func TestEveryStrategy(t *testing.T) {
	for _, name := range Names() {
		s, err := New(name, space(t, "40000-40999"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		traits := s.Traits()
		if step := traits.Step; step != 1 && step != 2 {
			t.Errorf("%s: step %d", name, step)
		}
		w := s.Worker(0)
		c, ok := w.Choose(Attempt{})
		if !ok || (c.Port != 0) != traits.Explicit || c.ReuseAddr != traits.Explicit || (c.Window.Size() > 0) != traits.Windowed {
			t.Errorf("%s: chose %+v, traits %+v", name, c, traits)
		}
		if (c.Bind == BindNow) != (traits.Early || traits.Explicit) || (c.Bind == BindLate) != traits.Late {
			t.Errorf("%s: binds as in %+v, traits %+v", name, c, traits)
		}
		if (c.Bind != NoBind) != traits.Source || TakesSource(name) != (name != "connect") {
			t.Errorf("%s: binds as in %+v, traits %+v", name, c, traits)
		}
		if n := testing.AllocsPerRun(100, func() {
			c, _ := w.Choose(Attempt{})
			w.Failed(Attempt{}, c)
			w.Freed(0, c.Port)
		}); n != 0 {
			t.Errorf("%s: %v allocations a choice", name, n)
		}
		if _, err := New(name, Space{}); err == nil {
			t.Errorf("%s: made without ports", name)
		}
		if Describe(name) == "" || strings.Contains(Describe(name), "\n") {
			t.Errorf("%s: described as %q", name, Describe(name))
		}
	}
	if Describe("round-robin") != "" || TakesSource("round-robin") {
		t.Error("a strategy that does not exist is described")
	}
}

func TestUDPNeverAsksForReuseAddr(t *testing.T) {
	sp := space(t, "40000-40099")
	sp.UDP = true
	for _, name := range Names() {
		s, err := New(name, sp)
		if err != nil {
			t.Fatal(err)
		}
		if c, _ := s.Worker(0).Choose(Attempt{}); c.ReuseAddr {
			t.Errorf("%s: %+v, with which UDP lets two sockets have one port", name, c)
		}
	}
}

func TestParametersOutOfBounds(t *testing.T) {
	targets := make([]netip.AddrPort, maxPairs+1)
	for _, c := range []struct {
		name      string
		space     Space
		err, hint string
	}{
		{"window", Space{WindowSize: -1}, "--window-size -1: want 1 to 100", "--window-size 1"},
		{"window", Space{WindowSize: 101}, "--window-size 101: want 1 to 100, the ports of the range", "--window-size 100"},
		{"window", Space{WindowMoves: -1}, "--window-moves -1: want 0 to 65535", "--window-moves 0"},
		{"random-increment", Space{Tradeoff: -500}, "--tradeoff -500: want 1 to 65535", "--tradeoff 1"},
		{"random-increment", Space{Tradeoff: 65536}, "--tradeoff 65536: want 1 to 65535", "--tradeoff 65535"},
		{"random", Space{Targets: targets}, "16385 pairs of source and target", "--strategy late-bind"},
		{"sequential", Space{Targets: targets, UDP: true}, "16384 at most", "--strategy late-bind"},
		{"window", Space{WindowSize: 100}, "", ""},
		{"window", Space{WindowSize: 1, WindowMoves: 65535}, "", ""},
		{"window", Space{Targets: targets}, "", ""},
		{"connect", Space{WindowSize: -1, Tradeoff: -1}, "", ""}, // not its parameters
	} {
		c.space.Ranges = space(t, "40000-40099").Ranges
		_, err := New(c.name, c.space)
		if c.err == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		var usage interface {
			Hint() string
			Usage() bool
		}
		if !errors.As(err, &usage) || !usage.Usage() || !strings.Contains(usage.Hint(), c.hint) || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v; want %q with the hint %q", c.name, err, c.err, c.hint)
		}
	}
}

func TestPools(t *testing.T) {
	for _, c := range []struct {
		sources, targets int
		udp              bool
		name             string
		count, last      int // the pool of the last source and target
	}{
		{0, 1, false, "connect", 1, 0},
		{0, 2, false, "connect", 2, 1},
		{0, 2, true, "connect", 1, 0},
		{3, 2, false, "late-bind", 6, 5},
		{3, 2, false, "bind", 3, 2},
		{3, 2, false, "sequential", 6, 5},
		{3, 2, true, "sequential", 3, 2},
		{3, 2, true, "window", 3, 2},
	} {
		sp := space(t, "40000")
		sp.Sources, sp.Targets, sp.UDP = make([]netip.Addr, c.sources), make([]netip.AddrPort, c.targets), c.udp
		s, err := New(c.name, sp)
		if err != nil {
			t.Fatal(err)
		}
		p := sp.Pools(s.Traits())
		if got := p.Of(uint16(max(1, c.sources)-1), uint16(c.targets-1)); p.Count() != c.count || got != c.last {
			t.Errorf("%+v: %d pools, the last %d", c, p.Count(), got)
		}
	}
}

func TestUnknownName(t *testing.T) {
	for name, hint := range map[string]string{
		"conect":       "--strategy connect",
		"socket":       "--strategy socket-range",
		"socket_range": "--strategy socket-range",
		"":             "--strategy connect",
		"round-robin":  "--strategy connect",
	} {
		_, err := New(name, space(t, "40000"))
		var usage interface {
			Hint() string
			Usage() bool
		}
		if !errors.As(err, &usage) || !usage.Usage() || usage.Hint() != hint {
			t.Errorf("New(%q): %v; want wrong usage with the hint %q", name, err, hint)
		}
	}
	_, err := New("conect", space(t, "40000"))
	if want := `strategy "conect": not one of connect, bind, late-bind, socket-range, window, sequential, random, simple-hash, double-hash, random-increment`; err == nil || err.Error() != want {
		t.Errorf("New: %v; want %s", err, want)
	}
}

func TestNamesAreTheCallersOwn(t *testing.T) {
	Names()[0] = "changed"
	if slices.Contains(Names(), "changed") {
		t.Error("a caller can rename a strategy")
	}
}

// Behind a gateway all sources draw on the same ports.
func TestSharedPools(t *testing.T) {
	p := Pools{Sources: 5, Targets: 3, ByTarget: true, Shared: true}
	if p.Count() != 3 || p.Of(4, 2) != 2 || p.Of(0, 2) != 2 {
		t.Errorf("%d pools, those of target 2 are %d and %d", p.Count(), p.Of(4, 2), p.Of(0, 2))
	}
}
