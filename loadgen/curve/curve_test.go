package curve

import (
	"errors"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
	"lastport/reports/result"

	"pgregory.net/rapid"
)

// filled is a fill of 100 ports by connect that got as far as 60 % of them.
func filled() *result.Result {
	r := &result.Result{Schema: result.Schema, Run: result.Run{Scenario: "fill"}}
	r.Config.Strategy, r.Config.Proto, r.Config.Range = "connect", "tcp", "40000-40099"
	r.Space.PortsUsable = 100
	r.Occupancy = []result.Band{
		{From: 0, To: 0.5, Count: 50, P50NS: 10_000, P99NS: 20_000},
		{From: 0.5, To: 0.6, Count: 10, P50NS: 90_000, P99NS: 100_000},
		{From: 1, To: 1, Count: 5, P50NS: 150_000, P99NS: 160_000},
	}
	r.AtOccupancy = []result.Point{
		{At: 0, From: 0, To: 0.01, Count: 50, P50NS: 1},
		{At: 0.4, From: 0.4, To: 0.41, Count: 20, P50NS: 30_000, P99NS: 40_000},
		{At: 0.45, From: 0.45, To: 0.46, Count: 1, P50NS: 2},
	}
	return r
}

func TestOf(t *testing.T) {
	c, err := Of(filled())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		occupancy float64
		p50       time.Duration
	}{{0, 10_000}, {0.39, 10_000}, {0.4, 30_000}, {0.45, 30_000}, {0.5, 90_000}, {0.6, 90_000}, {0.61, 0}, {1.2, 0}, {-0.1, 0}} {
		r := c.read(Query{Occupancy: want.occupancy, Ports: 100})
		if r.P50 != want.p50 || r.Empty != 10_000 || r.NoPort != 150_000 {
			t.Errorf("at %v: %+v, want %v", want.occupancy, r, want.p50)
		}
	}
}

// A saved document that tells nothing about the plan is wrong usage with a command
// that measures what is missing.
func TestSavedRefuses(t *testing.T) {
	q := Query{Strategy: "connect", Proto: "tcp", Ports: 100, Occupancy: 0.5}
	for _, c := range []struct {
		name        string
		doc         func() result.Document
		error, hint string
	}{
		{"another scenario", func() result.Document { r := filled(); r.Run.Scenario = "churn"; return r }, "it is a churn: only a fill has", "lastport fill --strategy connect with --range as in the plan"},
		{"another strategy", func() result.Document { r := filled(); r.Config.Strategy = "bind"; return r }, "by strategy bind, and the plan by connect", "lastport fill --strategy connect"},
		{"another protocol", func() result.Document { r := filled(); r.Config.Proto = "udp"; return r }, "it is over udp, and the plan over tcp", "lastport fill --strategy connect"},
		{"another range", func() result.Document { r := filled(); r.Space.PortsUsable = 90; return r }, "range 40000-40099 with 90 usable ports, and the plan has 100", "lastport fill --strategy connect with --range as in the plan"},
		{"too short", func() result.Document { r := filled(); r.Occupancy = r.Occupancy[:1]; return r }, "", ""},
		{"no occupancy", func() result.Document { r := filled(); r.Occupancy, r.AtOccupancy = nil, nil; return r }, "no latency by occupancy", "lastport fill"},
		{"a plan", func() result.Document { return new(result.Plan) }, "it is no run", "lastport fill"},
		{"a set without it", func() result.Document {
			r := filled()
			r.Config.Strategy = "bind"
			return &result.Set{Runs: []*result.Result{r}}
		}, "none of its 1 runs is a fill by connect over tcp with 100 usable ports (fills by bind)", "lastport fill --strategy connect"},
		{"a set without a fill", func() result.Document {
			r := filled()
			r.Run.Scenario = "reuse"
			return &result.Set{Runs: []*result.Result{r}}
		}, "with 100 usable ports$", "lastport fill --strategy connect with --range as in the plan"},
	} {
		_, err := Saved(c.doc(), q)
		if c.error == "" { // 50 % is its very end
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		refused, ok := errors.AsType[*mismatch](err)
		if !ok || !refused.Usage() || !strings.Contains(err.Error()+"$", c.error) || !strings.HasPrefix(refused.Hint(), c.hint) {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.error)
		}
	}
	q.Occupancy = 0.8
	if _, err := Saved(filled(), q); err == nil || !strings.Contains(err.Error(), "it ends at 60 % of the ports, and the plan takes 80 %") {
		t.Error(err)
	}
}

// A strategy that does not search costs the same over any number of ports, and of
// a set the run that fits is taken.
func TestSavedTakesWhatFits(t *testing.T) {
	other, fits := filled(), filled()
	other.Config.Strategy = "bind"
	if r, err := Saved(&result.Set{Runs: []*result.Result{other, fits}}, Query{Strategy: "connect", Proto: "tcp", Ports: 100, Occupancy: 0.5}); err != nil || r.P50 != 90_000 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := Saved(fits, Query{Strategy: "connect", Proto: "tcp", Ports: 5, Occupancy: 0.2, Flat: true}); err != nil || r.P50 != 10_000 || r.Low != 100 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := Saved(fits, Query{Strategy: "connect", Proto: "tcp", Ports: 100, Occupancy: 2}); err != nil || r.P50 != 0 || r.NoPort != 150_000 {
		t.Errorf("%+v, %v", r, err)
	}
}

// The curves that are brought along are whole: each strategy over TCP, and
// connect's knee is in them while a port of one's own has none.
func TestMeasured(t *testing.T) {
	own, err := Measured()
	if err != nil {
		t.Fatal(err)
	}
	if own.Measured == "" || own.Kernel == "" || own.CPU == "" {
		t.Errorf("no provenance: %+v", own.Where())
	}
	for _, c := range own.Curves {
		if c.Until != 1 || c.Full == nil || len(c.Steps) < 10 || c.Steps[0].From != 0 {
			t.Errorf("%s over %s, %d ports: %+v", c.Strategy, c.Proto, c.Ports, c)
		}
		for i, s := range c.Steps {
			if s.P50 <= 0 || s.P99 < s.P50 || i > 0 && s.From <= c.Steps[i-1].From {
				t.Errorf("%s, %d ports, step %d: %+v", c.Strategy, c.Ports, i, s)
			}
		}
	}
	for _, name := range strategy.Names() {
		s, err := strategy.New(name, strategy.Space{Ranges: linux()})
		if err != nil {
			t.Fatal(err)
		}
		r, ok := own.Read(Query{Strategy: name, Proto: "tcp", Ports: 28232, Occupancy: 0.6})
		if !ok {
			t.Errorf("no curve of %s", name)
			continue
		}
		if knee := r.P50 > 10*r.Empty; knee != (s.Traits().Step == 2) {
			t.Errorf("%s: %v at 60 %%, %v at 0 %%", name, r.P50, r.Empty)
		}
	}
}

// Between two measured sizes a reading lies between theirs; beyond them there is
// none, unless the strategy does not search.
func TestReadBetween(t *testing.T) {
	own, err := Measured()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		q := Query{Strategy: "connect", Proto: "tcp", Occupancy: rapid.Float64Range(0, 1).Draw(t, "occupancy")}
		at := func(n int) Reading {
			q.Ports = n
			r, ok := own.Read(q)
			if !ok {
				t.Fatalf("no reading for %d", n)
			}
			return r
		}
		low, top := at(4096), at(16384)
		r := at(rapid.IntRange(4096, 16384).Draw(t, "ports"))
		if r.P50 < min(low.P50, top.P50)-1 || r.P50 > max(low.P50, top.P50)+1 {
			t.Fatalf("%v is not between %v and %v", r.P50, low.P50, top.P50)
		}
	})
	if _, ok := own.Read(Query{Strategy: "connect", Proto: "tcp", Ports: 10}); ok {
		t.Error("ten ports were never measured")
	}
	if _, ok := own.Read(Query{Strategy: "random", Proto: "tcp", Ports: 10, Flat: true}); !ok {
		t.Error("a port of one's own costs the same, however few there are")
	}
	if _, ok := own.Read(Query{Strategy: "random", Proto: "udp", Ports: 4096, Flat: true}); ok {
		t.Error("over UDP no strategy of one's own was measured")
	}
}

func linux() ports.Ranges { return ports.Of(ports.Range{Low: 32768, High: 60999}) }
