package capacity

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"

	"pgregory.net/rapid"
)

// linux250 is a Linux host with usual settings and HZ 250.
func linux250() Wish {
	return Wish{Question: Question{
		Range: ports.Of(ports.Range{Low: 32768, High: 60999}), Strategy: byTwo,
		Settings: Settings{TWReuse: 2, TWReuseDelay: time.Second, Timestamps: true, HZ: 250},
	}}
}

func TestNewPlan(t *testing.T) {
	windows := &System{Name: "windows", Reuse: 2 * time.Minute}
	aws := &System{Name: "aws-nat", PerTarget: 55_000, Gateway: true}
	dynamic := ports.Of(ports.Range{Low: 49152, High: 65535})
	high := ports.Of(ports.Range{Low: 1024, High: 65535})
	for _, c := range []struct {
		name  string
		set   func(*Wish)
		safe  float64 // rounded down
		holds bool
		need  Needed
		binds string
	}{
		{
			name: "2,000 per second need five", set: func(w *Wish) { w.Rate = 2000 },
			safe: 455, need: Needed{Sets: 5, Sources: 5, Targets: 5}, binds: "closed ports bind first: each connection takes one",
		},
		{
			name: "with tcp_tw_reuse one is enough", set: func(w *Wish) { w.Rate, w.Settings.TWReuse = 2000, 1 },
			safe: 28175, holds: true, need: Needed{Sets: 1, Ports: 2004, Sources: 1, Targets: 1}, binds: "closed ports bind first",
		},
		{
			name: "headroom", set: func(w *Wish) { w.Rate, w.Headroom = 400, 0.2 },
			safe: 364, need: Needed{Sets: 2, Ports: 31_024, Sources: 2, Targets: 2}, binds: "closed ports bind first",
		},
		{
			name: "another range need not lose the same ports", set: func(w *Wish) { w.Rate, w.Reserved = 100, set(t, "40000-65535") },
			safe: 116, holds: true, need: Needed{Sets: 1, Ports: 6206, Sources: 1, Targets: 1}, binds: "closed ports bind first",
		},
		{
			name: "two sources, so three targets", set: func(w *Wish) { w.Rate, w.Sources = 2000, 2 },
			safe: 910, need: Needed{Sets: 5, Ports: 62_048, Sources: 5, Targets: 3}, binds: "closed ports bind first",
		},
		{
			name: "connections that stay", set: func(w *Wish) { w.Open = 60_000 },
			safe: 455, need: Needed{Sets: 3, Ports: 60_000, Sources: 3, Targets: 3}, binds: "the ports bind first: each connection that stays open keeps one",
		},
		{
			name: "a hold longer than TIME_WAIT", set: func(w *Wish) { w.Rate, w.Hold = 10, 10*time.Minute },
			safe: 42, holds: true, need: Needed{Sets: 1, Ports: 6622, Sources: 1, Targets: 1}, binds: "the hold binds first",
		},
		{
			name: "UDP: targets do not help", set: func(w *Wish) { w.Open, w.Proto = 60_000, "udp" },
			safe: math.Inf(1), need: Needed{Sets: 3, Ports: 60_000, Sources: 3}, binds: "the ports bind first",
		},
		{
			name: "the peer closes first", set: func(w *Wish) { w.Rate, w.Close = 50_000, "server-fin" },
			safe: math.Inf(1), holds: true, need: Needed{Sets: 1, Ports: 1, Sources: 1, Targets: 1}, binds: "ports bind no rate",
		},
		{
			name: "Windows", set: func(w *Wish) { w.Rate, w.Range, w.System = 136, dynamic, windows },
			safe: 136, holds: true, need: Needed{Sets: 1, Ports: 16_320, Sources: 1, Targets: 1}, binds: "closed ports bind first",
		},
		{
			name: "Windows, one more", set: func(w *Wish) { w.Rate, w.Range, w.System = 137, dynamic, windows },
			safe: 136, need: Needed{Sets: 2, Ports: 16_440, Sources: 2, Targets: 2}, binds: "closed ports bind first",
		},
		{
			name: "a gateway's limit", set: func(w *Wish) { w.Rate, w.Hold, w.Range, w.System = 20_000, 10*time.Second, high, aws },
			safe: 5500, need: Needed{Sets: 4, Sources: 4, Targets: 4}, binds: "the hold binds first",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := linux250()
			c.set(&w)
			p, err := NewPlan(w)
			if err != nil {
				t.Fatal(err)
			}
			if math.Floor(p.Safe) != c.safe {
				t.Errorf("safe %v, want %v", p.Safe, c.safe)
			}
			if p.Demand.Holds != c.holds || p.Demand.Needed != c.need {
				t.Errorf("holds %v, needed %+v; want %v, %+v", p.Demand.Holds, p.Demand.Needed, c.holds, c.need)
			}
			if !strings.HasPrefix(p.Binds, c.binds) {
				t.Errorf("binds %q, want %q", p.Binds, c.binds)
			}
		})
	}
}

// Little's law makes the third of rate, hold and connections open at a time.
func TestPlanSettlesTheThird(t *testing.T) {
	const hold = 10 * time.Second
	for _, c := range []struct {
		rate, wantRate float64
		hold, wantHold time.Duration
		open, wantOpen int64
	}{
		{rate: 100, hold: hold, wantRate: 100, wantHold: hold, wantOpen: 1000},
		{rate: 100, open: 1000, wantRate: 100, wantHold: hold, wantOpen: 1000},
		{hold: hold, open: 1000, wantRate: 100, wantHold: hold, wantOpen: 1000},
		{rate: 0.15, hold: hold, open: 2, wantRate: 0.15, wantHold: hold, wantOpen: 2},
		{open: 1000, wantOpen: 1000},
		{rate: 100, wantRate: 100},
	} {
		w := Wish{Question: Question{Hold: c.hold}, Rate: c.rate, Open: c.open}
		got, err := w.settle()
		if err != nil || got.Rate != c.wantRate || got.Hold != c.wantHold || got.Open != c.wantOpen {
			t.Errorf("%v/s, %v, %d: got %v/s, %v, %d, %v", c.rate, c.hold, c.open, got.Rate, got.Hold, got.Open, err)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	for _, c := range []struct {
		name        string
		set         func(*Wish)
		error, hint string
	}{
		{
			"contradiction", func(w *Wish) { w.Rate, w.Hold, w.Open = 2000, 10*time.Second, 50 },
			"2000 per second held for 10s are 20000 open at a time, not 50", "--concurrency 20000",
		},
		{
			"a rate by Little's law that is too fast", func(w *Wish) { w.Open, w.Hold = 5_000_000_000, time.Second },
			"are 5000000000 per second", "--hold 5s",
		},
		{"more than addresses can give", func(w *Wish) { w.Rate = MaxRate }, "no range can hold that", "--rate 477104783"},
		{
			"more connections than addresses can give", func(w *Wish) { w.Open = 1 << 50 },
			"no range can hold them: the ports for one source and target are 28232", "--concurrency 29603397632",
		},
		{"a rate for which connections stay for ever", func(w *Wish) { w.Rate, w.Open = 1e-9, 1000 }, "are held longer than", "leave the rate out: --concurrency 1000"},
		{
			"one port for a year", func(w *Wish) { w.Range, w.Hold, w.Rate = set(t, "40000"), MaxHold, 1 },
			"no range can hold that", "--rate 0.033",
		},
		{
			"a port that may be missed", func(w *Wish) { w.Range, w.SystemRange = set(t, "40000"), ports.Range{Low: 40000, High: 40100} },
			"no port of it can be counted on", "--range linux",
		},
		{"no ports", func(w *Wish) { w.Reserved = w.Range }, "lost to ip_local_reserved_ports", "--range linux"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := linux250()
			c.set(&w)
			_, err := NewPlan(w)
			refused, ok := errors.AsType[*wishError](err)
			if !ok || !refused.Usage() {
				t.Fatalf("%v, want wrong usage", err)
			}
			if !strings.Contains(err.Error(), c.error) || !strings.HasPrefix(refused.Hint(), c.hint) {
				t.Errorf("%v\nhint %s", err, refused.Hint())
			}
		})
	}
}

// What the hint of a refused rate says can be had.
func TestPlanHintOfTheMostHolds(t *testing.T) {
	w := linux250()
	w.Rate = 477_104_783
	p, err := NewPlan(w)
	if err != nil || p.Demand.Needed.Sets != MaxAddresses {
		t.Errorf("%+v, %v", p.Demand, err)
	}
}

func TestWays(t *testing.T) {
	words := func(set func(*Wish)) (list []string) {
		w := linux250()
		set(&w)
		p, err := NewPlan(w)
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range p.Ways {
			list = append(list, way.Name)
		}
		return list
	}
	for _, c := range []struct {
		name string
		set  func(*Wish)
		want string
	}{
		{"nothing asked: what costs least is first", func(*Wish) {}, "pooling;targets;sources;wider-range;tcp_tw_reuse;own-ports;socket-range;server-fin;client-rst"},
		{"a rate: what is enough is first", func(w *Wish) { w.Rate = 2000 }, "pooling;targets;sources;tcp_tw_reuse;own-ports;server-fin;client-rst;wider-range;socket-range"},
		{"a rate that holds", func(w *Wish) { w.Rate = 20 }, ""},
		{"connections that stay: reuse is no way", func(w *Wish) { w.Open = 100_000 }, "targets;sources;wider-range;socket-range"},
		{"no port rests, and the knee is left", func(w *Wish) { w.Close = "client-rst" }, "socket-range"},
		{"UDP", func(w *Wish) { w.Proto, w.Hold = "udp", time.Second }, "sources;wider-range"},
		{"a gateway", func(w *Wish) { w.System = &System{Name: "gcp-nat", Reuse: time.Minute, Gateway: true} }, "pooling;targets;outside-addresses"},
		{"reuse after a second already", func(w *Wish) { w.Rate, w.Settings.TWReuse = 50_000, 1 }, "pooling;targets;sources;wider-range;tcp_tw_reuse_delay;own-ports;server-fin;client-rst;socket-range"},
		{"bind", func(w *Wish) { w.Targets, w.Strategy = 2, traitsOf("bind") }, "pooling;sources;wider-range;late-bind;own-ports;server-fin;client-rst"},
		{"a hold so long that pooling brings nothing", func(w *Wish) { w.Hold, w.Close = time.Hour, "server-fin" }, "targets;sources;wider-range;socket-range"},
	} {
		if got := strings.Join(words(c.set), ";"); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestSystem(t *testing.T) {
	q := Question{Range: set(t, "1024-65535"), Strategy: byTwo, Targets: 2}
	for _, c := range []struct {
		name     string
		system   System
		close    string
		most     int64
		reuse    time.Duration
		unstated bool
	}{
		{"its own time", System{Reuse: 2 * time.Minute}, "client-fin", 2 * 64512, 2 * time.Minute, false},
		{"a host's port is free when its peer closes", System{Reuse: 2 * time.Minute}, "server-fin", 2 * 64512, 0, false},
		{"a gateway's is not", System{Reuse: 2 * time.Minute, Gateway: true}, "server-fin", 2 * 64512, 2 * time.Minute, false},
		{"a limit", System{Reuse: time.Minute, PerTarget: 55_000}, "client-fin", 110_000, time.Minute, false},
		{"a limit above the ports", System{Reuse: time.Minute, PerTarget: 65_000}, "client-fin", 2 * 64512, time.Minute, false},
		{"no time stated", System{Gateway: true}, "client-rst", 2 * 64512, 0, true},
	} {
		q.System, q.Close = &c.system, c.close
		a := Predict(q)
		if a.Connections != (Interval[int64]{c.most, c.most}) || a.Reuse != (Interval[time.Duration]{c.reuse, c.reuse}) || a.Unstated != c.unstated {
			t.Errorf("%s: %v connections, reuse %v, unstated %v", c.name, a.Connections, a.Reuse, a.Unstated)
		}
	}
	q.System, q.Close, q.Range = &System{Reuse: time.Minute}, "client-fin", set(t, "40000-40100")
	if a := Predict(q); !a.Connections.Exact() {
		t.Errorf("%v: the search in steps of two is Linux's", a.Connections)
	}
}

// genWish draws wishes of all kinds.
func genWish(t *rapid.T) Wish {
	low := rapid.IntRange(1, ports.Max).Draw(t, "low")
	high := rapid.IntRange(low, ports.Max).Draw(t, "high")
	w := Wish{Question: Question{
		Range:    ports.Of(ports.Range{Low: uint16(low), High: uint16(high)}),
		Strategy: rapid.SampledFrom([]strategy.Traits{byOne, byTwo}).Draw(t, "strategy"),
		Proto:    rapid.SampledFrom([]string{"tcp", "udp"}).Draw(t, "proto"),
		Close:    rapid.SampledFrom([]string{"client-fin", "server-fin"}).Draw(t, "close"),
		Sources:  rapid.IntRange(0, 5).Draw(t, "sources"), Targets: rapid.IntRange(0, 5).Draw(t, "targets"),
		Settings: Settings{
			TWReuse: rapid.IntRange(0, 2).Draw(t, "tw_reuse"), Timestamps: rapid.Bool().Draw(t, "timestamps"),
			TWReuseDelay: time.Duration(rapid.IntRange(0, 2000).Draw(t, "delay")) * time.Millisecond,
			HZ:           rapid.SampledFrom([]int{0, 100, 250, 1000}).Draw(t, "hz"),
		},
	}}
	if rapid.Bool().Draw(t, "tcp_max_tw_buckets") {
		w.Settings.MaxTimeWait = ptr(rapid.Int64Range(0, 70_000).Draw(t, "in TIME_WAIT"))
	}
	w.Headroom = float64(rapid.IntRange(0, 99).Draw(t, "headroom")) / 100
	w.Hold = time.Duration(rapid.IntRange(0, 100_000).Draw(t, "hold")) * time.Millisecond
	if rapid.Bool().Draw(t, "rate") {
		w.Rate = rapid.Float64Range(0.001, 1e6).Draw(t, "per second")
	} else {
		w.Open = rapid.Int64Range(1, 1e6).Draw(t, "open")
	}
	return w
}

// The answers of a plan, put back into Predict, sustain the wish, and one fewer
// does not.
func TestPlanFindsTheFewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := genWish(t)
		p, err := NewPlan(w)
		if err != nil {
			return
		}
		w = p.Wish
		// The arithmetic in the words of a run's prediction: enough ports that those
		// left by the headroom sustain the rate, or keep what stays open.
		sustains := func(q Question) bool {
			a := Predict(q)
			have := float64(a.Connections.Min) * (1 - w.Headroom)
			if w.Rate == 0 {
				return have >= float64(w.Open)-1e-3
			}
			need := w.Rate * (w.Hold + a.Reuse.Max).Seconds()
			if a.MaxTimeWait != nil {
				need = min(need, max(1, w.Rate*w.Hold.Seconds())+float64(*a.MaxTimeWait*a.Pools))
			}
			return have >= 1-1e-3 && have >= need-1e-3
		}
		check := func(what string, n int, set func(q *Question, n int)) {
			with := func(n int) Question {
				q := w.Question
				set(&q, n)
				return q
			}
			if n == 0 {
				if sustains(with(MaxAddresses)) {
					t.Fatalf("no number of %s, but %d are enough", what, MaxAddresses)
				}
				return
			}
			if !sustains(with(n)) {
				t.Fatalf("%d %s are not enough", n, what)
			}
			if n > 1 && sustains(with(n-1)) && !nearlyEqual(w, with(n-1)) {
				t.Fatalf("%d %s, but %d are enough", n, what, n-1)
			}
		}
		check("targets", p.Demand.Needed.Targets, func(q *Question, n int) { q.Targets = n })
		check("sources", p.Demand.Needed.Sources, func(q *Question, n int) { q.Sources = n })
		if n := p.Demand.Needed.Sets; n > 0 {
			check("tuple sets", int(n), func(q *Question, n int) { q.Sources, q.Targets = n, 1 })
		}
		if got := sustains(w.Question); got != p.Demand.Holds && !nearlyEqual(w, w.Question) {
			t.Fatalf("holds %v, by its prediction %v", p.Demand.Holds, got)
		}
	})
}

// nearlyEqual says that what is needed and what there is differ by less than
// the rounding of the two ways to compute them.
func nearlyEqual(w Wish, q Question) bool {
	a := Predict(q)
	return math.Abs(w.most(a)-float64(a.Connections.Min)*(1-w.Headroom)) < 1e-2
}

// A run at the rate to count on never runs out of ports.
func TestPlanSafeIsSustainedByCourse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := genWish(t)
		w.Rate, w.Open, w.Headroom, w.Sources, w.Targets = 0, 0, 0, 1, 1
		p, err := NewPlan(w)
		if err != nil || math.IsInf(p.Safe, 1) || p.Safe < 0.01 || p.Safe > 1e6 {
			return
		}
		if c := p.Answer.Course(p.Safe*(1-1e-4), w.Hold, time.Hour); !c.Sustained {
			t.Fatalf("%v per second: %+v", p.Safe, c)
		}
	})
}
