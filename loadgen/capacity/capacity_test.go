package capacity

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"

	"pgregory.net/rapid"
)

var (
	byTwo = strategy.Traits{Step: 2}
	byOne = strategy.Traits{Step: 1}
)

func set(t interface{ Fatal(...any) }, spec string) ports.Ranges {
	if spec == "" {
		return nil
	}
	s, err := ports.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// traits are a strategy's toward sources of its own, if it takes any.
func traits(t *testing.T, name string) strategy.Traits {
	t.Helper()
	space := strategy.Space{Ranges: set(t, "40000-40099"), Sources: make([]netip.Addr, 1)}
	if !strategy.TakesSource(name) {
		space.Sources = nil
	}
	s, err := strategy.New(name, space)
	if err != nil {
		t.Fatal(err)
	}
	return s.Traits()
}

// Three sources, two targets, 100 ports, as they were measured. connect has one
// source, the kernel's.
func TestCapacityByStrategy(t *testing.T) {
	for _, name := range strategy.Names() {
		tcp, udp, sources := int64(600), int64(300), 3
		switch name {
		case "connect":
			tcp, udp, sources = 200, 100, 0
		case "bind":
			tcp = 300
		}
		for proto, want := range map[string]int64{"tcp": tcp, "udp": udp} {
			q := Question{Proto: proto, Strategy: traits(t, name), Range: set(t, "40000-40099"), Sources: sources, Targets: 2}
			a := Predict(q)
			if a.Connections != exact(want) || a.Tuples != want || a.Pools*100 != want {
				t.Errorf("%s over %s: %v connections, %d tuples in %d pools, want %d", name, proto, a.Connections, a.Tuples, a.Pools, want)
			}
		}
	}
}

// A port that is bound on another address than the sources is lost to searches
// that look at ports alone.
func TestElsewhere(t *testing.T) {
	early := []string{"bind", "sequential", "random", "simple-hash", "double-hash", "random-increment"}
	for _, name := range strategy.Names() {
		for _, proto := range []string{"tcp", "udp"} {
			q := Question{
				Proto: proto, Strategy: traits(t, name), Range: set(t, "40000-40099"), Close: "client-rst",
				Held: set(t, "40000"), HeldElsewhere: set(t, "40000-40001"), Uncertain: set(t, "40010"), UncertainElsewhere: set(t, "40001,40010-40012"),
			}
			want, whys := Interval[int64]{98, 99}, 2 // 40000 is lost, 40010 uncertain
			if proto == "tcp" && !slices.Contains(early, name) || name == "connect" {
				want, whys = Interval[int64]{95, 98}, 3 // 40001 lost as well, 40011 and 40012 uncertain
			}
			if a := Predict(q); a.Connections != want || len(a.Why) != whys {
				t.Errorf("%s over %s: %v, want %v, because %q", name, proto, a.Connections, want, a.Why)
			}
		}
	}
	// Over UDP the address counts where the socket is bound to one before.
	q := Question{Proto: "udp", Strategy: strategy.Traits{Step: 1, Windowed: true}, Range: set(t, "40000-40099"), HeldElsewhere: set(t, "40001")}
	if a := Predict(q); a.Connections != exact[int64](99) {
		t.Errorf("socket-range without a source over UDP: %v, want 99", a.Connections)
	}
}

func TestConnections(t *testing.T) {
	for _, c := range []struct {
		name     string
		q        Question
		rng      string
		reserved string
		held     string
		unsure   string
		min, max int64
		why      []string // a part of each sentence
	}{
		{name: "even", q: Question{Strategy: byTwo}, rng: "40000-40999", min: 1000, max: 1000},
		{
			name: "odd", q: Question{Strategy: byTwo}, rng: "40000-41000", min: 1000, max: 1001,
			why: []string{"searches 40000-41000 in steps of two and rounds its odd size of 1,001 down"},
		},
		{name: "odd by socket-range", q: Question{Strategy: byOne}, rng: "40000-41000", min: 1001, max: 1001},
		{name: "odd by UDP", q: Question{Strategy: byTwo, Proto: "udp"}, rng: "40000-41000", min: 1001, max: 1001},
		{name: "one port", q: Question{Strategy: byTwo}, rng: "40000", min: 1, max: 1},
		{name: "two ports", q: Question{Strategy: byTwo}, rng: "40000-40001", min: 2, max: 2},
		{
			name: "three ports", q: Question{Strategy: byTwo}, rng: "40000-40002", min: 2, max: 2,
			why: []string{"never reaches the last of the three ports, 40002"},
		},
		{
			name: "three ports, the last reserved", q: Question{Strategy: byTwo}, rng: "40000-40002", reserved: "40002", min: 2, max: 2,
			why: []string{"1 port lost to ip_local_reserved_ports: 40002"},
		},
		{name: "linux", q: Question{Strategy: byTwo}, rng: "linux", min: 28232, max: 28232},
		{name: "linux-legacy", q: Question{Strategy: byTwo}, rng: "linux-legacy", min: 28232, max: 28233, why: []string{"odd size of 28,233"}},
		{
			name: "both ends lost on odd", q: Question{Strategy: byTwo}, rng: "40000-40100", reserved: "40000,40100", min: 99, max: 99,
			why: []string{"2 ports lost to ip_local_reserved_ports: 40000,40100"},
		},
		{
			name: "the lowest lost on odd", q: Question{Strategy: byTwo}, rng: "40000-40100", reserved: "40000", min: 99, max: 100,
			why: []string{"ip_local_reserved_ports", "odd size of 101"},
		},
		{
			name: "several ranges, hull even", q: Question{Strategy: byTwo}, rng: "40000-40009,40100-40109", reserved: "40010-40099", min: 20, max: 20,
		},
		{
			name: "several ranges, hull odd", q: Question{Strategy: byTwo}, rng: "40000-40009,40100-40108", reserved: "40010-40099", min: 18, max: 19,
			why: []string{"odd size of 109"},
		},
		{
			name: "a listener inside", q: Question{Strategy: byTwo}, rng: "40000-40999", held: "40500", min: 999, max: 999,
			why: []string{"1 port lost to sockets that hold them: 40500"},
		},
		{
			name: "reserved and held counts once", q: Question{Strategy: byOne}, rng: "40000-40999", reserved: "40500", held: "40500-40501", min: 998, max: 998,
			why: []string{"1 port lost to ip_local_reserved_ports: 40500", "1 port lost to sockets that hold them: 40501"},
		},
		{
			name: "uncertain", q: Question{Strategy: byOne}, rng: "40000-40999", unsure: "40010-40012", min: 997, max: 1000,
			why: []string{"3 ports in use by other sockets, which may or may not share them: 40010-40012"},
		},
		{
			name: "uncertain lowest on odd", q: Question{Strategy: byTwo}, rng: "40000-40100", reserved: "40100", unsure: "40000", min: 99, max: 100,
			why: []string{"lost to ip_local_reserved_ports: 40100", "which may or may not share them", "odd size of 101"},
		},
		{
			name: "outside the system's range", q: Question{Strategy: byOne, SystemRange: ports.Range{Low: 32768, High: 60999}},
			rng: "60990-61009", min: 10, max: 10,
			why: []string{"10 ports lost to ip_local_port_range, which leaves them out: 61000-61009"},
		},
		{
			name: "an even range in an odd system", q: Question{Strategy: byTwo, SystemRange: ports.Range{Low: 40000, High: 40100}},
			rng: "40000-40009", reserved: "40010-40100", min: 9, max: 10, why: []string{"searches 40000-40100"},
		},
		{
			name: "limit below", q: Question{Strategy: byTwo, Limit: 500}, rng: "40000-40999", min: 500, max: 500,
			why: []string{"the limit of 500 connections is below the capacity of 1,000"},
		},
		{
			name: "limit within", q: Question{Strategy: byTwo, Limit: 1000}, rng: "40000-41000", min: 1000, max: 1000,
			why: []string{"odd size", "below the capacity of 1,000 to 1,001"},
		},
		{name: "limit at the capacity", q: Question{Strategy: byTwo, Limit: 1000}, rng: "40000-40999", min: 1000, max: 1000},
		{name: "limit above", q: Question{Strategy: byTwo, Limit: 5000}, rng: "40000-40999", min: 1000, max: 1000},
		// Measured, 3 sources, 2 targets, 100 ports.
		{name: "one source, two targets", q: Question{Strategy: byTwo, Targets: 2}, rng: "40000-40099", min: 200, max: 200},
		{name: "three sources, two targets", q: Question{Strategy: byOne, Sources: 3, Targets: 2}, rng: "40000-40099", min: 600, max: 600},
		{
			name: "UDP shares nothing", q: Question{Strategy: byOne, Proto: "udp", Sources: 3, Targets: 2}, rng: "40000-40099", min: 300, max: 300,
			why: []string{"whatever the target: 2 targets bring no more than one"},
		},
		{
			name: "each source can miss one", q: Question{Strategy: traits(t, "bind"), Sources: 3, Targets: 2}, rng: "40000-40100", min: 300, max: 303,
			why: []string{"one port for each source, the lowest", "2 targets bring no more than one"},
		},
		{
			name: "three ports by bind", q: Question{Strategy: traits(t, "bind")}, rng: "40000-40002", min: 2, max: 2,
			why: []string{"never reaches the last of the three ports, 40002"},
		},
		{name: "odd by bind over UDP", q: Question{Strategy: traits(t, "bind"), Proto: "udp"}, rng: "40000-41000", min: 1001, max: 1001},
		{
			name: "outside the system's range, bound explicitly", q: Question{Strategy: traits(t, "random"), SystemRange: ports.Range{Low: 32768, High: 60999}},
			rng: "60990-61009", min: 20, max: 20,
		},
		{
			name: "each search can miss one", q: Question{Strategy: byTwo, Targets: 3}, rng: "40000-40100", min: 300, max: 303,
			why: []string{"one port for each source and target"},
		},
		{
			name: "nothing usable", q: Question{Strategy: byTwo}, rng: "40000-40002", held: "40000-40002", min: 0, max: 0,
			why: []string{"3 ports lost"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := c.q
			q.Close = "client-rst" // says nothing of reuse
			q.Range, q.Reserved, q.Held, q.Uncertain = set(t, c.rng), set(t, c.reserved), set(t, c.held), set(t, c.unsure)
			got := Predict(q)
			if want := (Interval[int64]{c.min, c.max}); got.Connections != want {
				t.Errorf("connections %v, want %v", got.Connections, want)
			}
			if len(got.Why) != len(c.why) {
				t.Fatalf("why %q, want %d sentences", got.Why, len(c.why))
			}
			for i, part := range c.why {
				if !strings.Contains(got.Why[i], part) {
					t.Errorf("why %q, want %q in it", got.Why[i], part)
				}
			}
		})
	}
}

func TestTuples(t *testing.T) {
	q := Question{Range: set(t, "40000-40099"), Held: set(t, "40000"), Sources: 3, Targets: 2, Limit: 5, Strategy: byOne}
	if got := Predict(q).Tuples; got != 594 {
		t.Errorf("TCP: %d tuples, want 594, whatever the limit", got)
	}
	q.Proto = "udp"
	if got := Predict(q).Tuples; got != 297 {
		t.Errorf("UDP: %d tuples, want 297", got)
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		name     string
		q        Question
		rng      string
		min, max float64 // 0, 0: ports are no limit
	}{
		{"linux in TIME_WAIT at 250 Hz", Question{Settings: Settings{HZ: 250}}, "linux", 28232 / 62.048, 28232 / 60.0},
		{"a limit of connections is none of the rate", Question{Settings: Settings{HZ: 250}, Limit: 5}, "linux", 28232 / 62.048, 28232 / 60.0},
		{"held for 10 s", Question{Settings: Settings{HZ: 250}, Hold: 10 * time.Second}, "linux", 28232 / 72.048, 28232 / 70.0},
		{"an odd range", Question{Settings: Settings{HZ: 250}, Strategy: byTwo}, "linux-legacy", 28232 / 62.048, 28233 / 60.0},
		{"reset", Question{Close: "client-rst"}, "linux", 0, 0},
		{"reset, held for 2 s", Question{Close: "client-rst", Hold: 2 * time.Second}, "40000-40999", 500, 500},
		{"early reuse at an unknown moment", Question{Settings: Settings{TWReuse: 1, Timestamps: true}}, "linux", 0, 0},
	} {
		c.q.Range = set(t, c.rng)
		got := Predict(c.q).Rate
		if c.max == 0 {
			if got != nil {
				t.Errorf("%s: %v per second, want no limit", c.name, got)
			}
			continue
		}
		if got == nil || math.Abs(got.Min-c.min) > 1e-9 || math.Abs(got.Max-c.max) > 1e-9 {
			t.Errorf("%s: %v per second, want %v to %v", c.name, got, c.min, c.max)
		}
	}
}

func genQuestion() *rapid.Generator[Question] {
	port := rapid.Uint16Range(100, 130)
	some := rapid.Custom(func(t *rapid.T) ports.Ranges {
		var rs []ports.Range
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			rs = append(rs, ports.Range{Low: port.Draw(t, "low"), High: port.Draw(t, "high")})
		}
		return ports.Of(rs...)
	})
	return rapid.Custom(func(t *rapid.T) Question {
		return Question{
			Proto: rapid.SampledFrom([]string{"", "tcp", "udp"}).Draw(t, "proto"),
			Strategy: strategy.Traits{
				Step: rapid.IntRange(1, 2).Draw(t, "step"), Explicit: rapid.Bool().Draw(t, "explicit"),
				Early: rapid.Bool().Draw(t, "early"), Source: rapid.Bool().Draw(t, "source"),
			},
			Range:     some.Draw(t, "range"),
			Reserved:  some.Draw(t, "reserved"),
			Held:      some.Draw(t, "held"),
			Uncertain: some.Draw(t, "uncertain"),

			HeldElsewhere:      some.Draw(t, "held elsewhere"),
			UncertainElsewhere: some.Draw(t, "uncertain elsewhere"),

			SystemRange: ports.Range{Low: port.Draw(t, "system low"), High: port.Draw(t, "system high")},
			Sources:     rapid.IntRange(0, 3).Draw(t, "sources"),
			Targets:     rapid.IntRange(0, 3).Draw(t, "targets"),
			Limit:       rapid.Int64Range(0, 40).Draw(t, "limit"),
			Close:       rapid.SampledFrom([]string{"", "client-fin", "server-rst"}).Draw(t, "close"),
			Settings:    Settings{HZ: rapid.SampledFrom([]int{0, 100, 250}).Draw(t, "hz"), Timestamps: rapid.Bool().Draw(t, "timestamps")},
		}
	})
}

func TestAnswersAreSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := genQuestion().Draw(t, "q")
		a := Predict(q)
		if a.Connections.Min < 0 || a.Connections.Min > a.Connections.Max || a.Connections.Max > a.Tuples {
			t.Fatalf("connections %v of %d tuples", a.Connections, a.Tuples)
		}
		if q.Limit > 0 && a.Connections.Max > q.Limit {
			t.Fatalf("connections %v above the limit %d", a.Connections, q.Limit)
		}
		if a.Rate != nil && (a.Rate.Min < 0 || a.Rate.Min > a.Rate.Max) {
			t.Fatalf("rate %v", a.Rate)
		}
		if (!a.Connections.Exact() || a.Usable.Size() < q.Range.Size() || !a.Reuse.Exact()) && len(a.Why) == 0 {
			t.Fatalf("no reason given for %+v", a)
		}
	})
}

func TestLessNeverBringsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := genQuestion().Draw(t, "q")
		q.SystemRange = defaults(q).SystemRange // an excluded port must not change which range is searched
		before := Predict(q)
		gone := rapid.Uint16Range(100, 130).Draw(t, "gone")
		one := ports.Of(ports.Range{Low: gone, High: gone})
		less := q
		switch rapid.SampledFrom([]string{"exclude", "reserve", "hold", "hold elsewhere", "source", "target"}).Draw(t, "less") {
		case "exclude":
			less.Range = q.Range.Minus(one)
		case "reserve":
			less.Reserved = q.Reserved.Union(one)
		case "hold":
			less.Held = q.Held.Union(one)
		case "hold elsewhere":
			less.HeldElsewhere = q.HeldElsewhere.Union(one)
		case "source":
			less.Sources--
		case "target":
			less.Targets--
		}
		after := Predict(less)
		if after.Connections.Min > before.Connections.Min || after.Connections.Max > before.Connections.Max || after.Tuples > before.Tuples {
			t.Fatalf("%v became %v", before.Connections, after.Connections)
		}
	})
}

func TestQuestionIsNotChanged(t *testing.T) {
	for _, reserved := range []string{"", "5", "1000"} {
		q := Question{Range: set(t, "1-10,20-30"), Reserved: set(t, reserved), Held: set(t, reserved), Uncertain: set(t, "1")}
		a := Predict(q)
		a.Usable[0].Low = 9 // the answer is the caller's own
		if got := q.Range.String(); got != "1-10,20-30" {
			t.Errorf("without %q, the range became %s", reserved, got)
		}
	}
}

func TestIntervalDistance(t *testing.T) {
	i := Interval[int64]{Min: 1000, Max: 1001}
	for value, want := range map[int64]int64{998: -2, 999: -1, 1000: 0, 1001: 0, 1002: 1} {
		if got := i.Distance(value); got != want {
			t.Errorf("distance of %d from %v = %d, want %d", value, i, got, want)
		}
	}
}

func TestLongListsAreCut(t *testing.T) {
	var even []ports.Range
	for p := uint16(40000); p < 40100; p += 2 {
		even = append(even, ports.Range{Low: p, High: p})
	}
	q := Question{Range: set(t, "40000-40999"), Reserved: ports.Of(even...), Close: "client-rst"}
	want := "50 ports lost to ip_local_reserved_ports: 40000,40002,40004,40006,40008,40010 and 44 more"
	if got := Predict(q).Why; !slices.Equal(got, []string{want}) {
		t.Errorf("why %q, want %q", got, want)
	}
}
