package capacity

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clients have so many ports, which rest for TIME_WAIT.
func clients(n int64) Answer {
	return Answer{
		Connections: Interval[int64]{n, n}, Pools: 1, Reuse: Interval[time.Duration]{60 * time.Second, 62 * time.Second},
		Rate: &Interval[float64]{float64(n) / 62, float64(n) / 60},
	}
}

func TestThrough(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name    string
		clients int64
		gateway Gateway
		want    Interval[int64]
		reuse   time.Duration // at most
		why     string
	}{
		{"few ports", 1000, Gateway{Ports: 10, Addresses: 1, Exact: true, SYNs: 192, Longest: 120 * s}, Interval[int64]{10, 10}, 120 * s, "10 ports on 1 outside address"},
		{"one port", 1000, Gateway{Ports: 1, Addresses: 1, Exact: true, SYNs: 192, Longest: 120 * s}, Interval[int64]{1, 1}, 120 * s, "1 port on 1 outside address"},
		{"addresses", 1000, Gateway{Ports: 10, Addresses: 3, Exact: true, SYNs: 192, Longest: 10 * s}, Interval[int64]{30, 30}, 10 * s, "3 outside addresses"},
		{"targets", 1000, Gateway{Ports: 10, Addresses: 3, Targets: 4, Exact: true, SYNs: 192, Longest: 10 * s}, Interval[int64]{120, 120}, 10 * s, "120 connections"},
		{"tried whole", 1000, Gateway{Ports: 128, Addresses: 1, Exact: true, SYNs: 192}, Interval[int64]{128, 128}, 0, "128 ports"},
		{"not tried whole", 1000, Gateway{Ports: 129, Addresses: 1, Exact: true, SYNs: 192}, Interval[int64]{128, 129}, 0, "found by chance"},
		{"by chance", 30000, Gateway{Ports: 28232, Addresses: 1, Exact: true, SYNs: 192}, Interval[int64]{28206, 28232}, 0, "found by chance"},
		{"not in turn", 1000, Gateway{Ports: 10, Addresses: 3, Targets: 2, SYNs: 192}, Interval[int64]{54, 60}, 0, "do not reach the gateway's addresses in turn"},
		{"more than the clients have", 1000, Gateway{Ports: 64512, Addresses: 1, Exact: true, SYNs: 192}, Interval[int64]{1000, 1000}, 62 * s, "theirs run out first"},
		{"as many as the clients have", 10, Gateway{Ports: 10, Addresses: 1, Exact: true, SYNs: 192, Longest: 10 * s}, Interval[int64]{10, 10}, 10 * s, "either of them"},
		{"a small table", 1000, Gateway{Ports: 10, Addresses: 3, Targets: 4, Exact: true, SYNs: 192, Entries: 90}, Interval[int64]{90, 90}, 0, "room for 90 more entries"},
		{"a small table by chance", 1000, Gateway{Ports: 500, Addresses: 1, Exact: true, SYNs: 192, Entries: 400}, Interval[int64]{400, 400}, 0, "room for 400 more entries"},
		{"a table just large enough", 1000, Gateway{Ports: 10, Addresses: 3, Exact: true, SYNs: 192, Entries: 30}, Interval[int64]{30, 30}, 0, "30 connections"},
		{"a table smaller than the clients' ports", 1000, Gateway{Ports: 64512, Addresses: 1, Exact: true, SYNs: 192, Entries: 999}, Interval[int64]{999, 999}, 0, "room for 999 more entries"},
		{"one connection", 1000, Gateway{Ports: 1, Addresses: 1, Exact: true, SYNs: 192}, Interval[int64]{1, 1}, 0, "1 port on 1 outside address toward each target: 1 connection\n"},
		{"the listener closes first", 1000, Gateway{Ports: 10, Addresses: 1, Exact: true, SYNs: 192, Close: "server-fin", Longest: 10 * s}, Interval[int64]{10, 10}, 10 * s, "PAWS"},
		{"the listener closes the clients' first", 1000, Gateway{Ports: 64512, Addresses: 1, Exact: true, SYNs: 192, Close: "server-fin"}, Interval[int64]{1000, 1000}, 62 * s, "PAWS"},
		{"fewer wanted", 1000, Gateway{Ports: 10, Addresses: 1, Exact: true, SYNs: 192, Limit: 4}, Interval[int64]{4, 4}, 0, "limit of 4"},
		{"fewer wanted of the clients'", 10, Gateway{Ports: 1000, Addresses: 1, Exact: true, SYNs: 192, Limit: 4}, Interval[int64]{4, 4}, 62 * s, "limit of 4"},
	} {
		a := clients(c.clients).Through(c.gateway)
		if a.Connections != c.want || a.Reuse.Max != c.reuse {
			t.Errorf("%s: %v connections, reuse %v; want %v, at most %v", c.name, a.Connections, a.Reuse, c.want, c.reuse)
		}
		if why := strings.Join(a.Why, "\n") + "\n"; !strings.Contains(why, c.why) {
			t.Errorf("%s: the reasons do not say %q:\n%s", c.name, c.why, why)
		}
	}
}

// Whatever comes back at once, a port is taken while its connection is held.
func TestRateThrough(t *testing.T) {
	const s = time.Second
	free := Answer{Connections: Interval[int64]{1000, 1000}, Pools: 1} // sets no rate
	for _, c := range []struct {
		name    string
		clients Answer
		hold    time.Duration
		want    *Interval[float64]
	}{
		{"nothing bounds it", free, 0, nil},
		{"a hold", free, s, &Interval[float64]{1, 11}},
		{"the clients' ports", clients(60), 0, &Interval[float64]{60.0 / 62, 1}},
		{"a hold, with clients", clients(1000), s, &Interval[float64]{1, 11}},
	} {
		a := c.clients.Through(Gateway{Ports: 11, Addresses: 1, Exact: true, SYNs: 192, Longest: 11*s - c.hold, Hold: c.hold})
		if (a.Rate == nil) != (c.want == nil) || a.Rate != nil && *a.Rate != *c.want {
			t.Errorf("%s: %v per second, want %v", c.name, a.Rate, c.want)
		}
	}
}

// Only a listener that closes first by FIN has TIME_WAITs to refuse a SYN by, and
// over UDP there are none.
func TestWhoRefuses(t *testing.T) {
	for _, c := range []struct {
		proto, close string
		hz           int
		want         time.Duration
	}{
		{"tcp", "server-fin", 250, 62048 * time.Millisecond},
		{"tcp", "client-fin", 250, 0},
		{"tcp", "server-rst", 250, 0},
		{"udp", "server-fin", 250, 0},
	} {
		if got := (Gateway{Proto: c.proto, Close: c.close}).Refuses(c.hz); got != c.want {
			t.Errorf("%s closed by %s: %v, want %v", c.proto, c.close, got, c.want)
		}
	}
}

// A gateway never makes more of a space, and its answer is an interval.
func TestThroughBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := clients(rapid.Int64Range(1, 70000).Draw(t, "clients"))
		g := Gateway{
			Ports: rapid.Int64Range(1, 64512).Draw(t, "ports"), Addresses: rapid.Int64Range(1, 64).Draw(t, "addresses"),
			Targets: rapid.Int64Range(0, 9).Draw(t, "targets"), Exact: rapid.Bool().Draw(t, "exact"),
			SYNs: rapid.Int64Range(0, 256).Draw(t, "syns"), Longest: time.Duration(rapid.IntRange(0, 120).Draw(t, "seconds")) * time.Second,
		}
		a := q.Through(g)
		c, all := a.Connections, g.Ports*g.Addresses*max(1, g.Targets)
		if c.Min < 1 || c.Min > c.Max || c.Max > q.Connections.Max || c.Max > all {
			t.Fatalf("%v connections of %v through %d ports", c, q.Connections, all)
		}
		if a.Rate != nil && (a.Rate.Min > a.Rate.Max || a.Rate.Max > q.Rate.Max) {
			t.Fatalf("rate %v of %v", a.Rate, q.Rate)
		}
		if g.Ends(q) != (a.Reuse.Max == g.Longest && a.Reuse.Min == 0) && g.Longest != q.Reuse.Max {
			t.Fatalf("the gateway ends it: %v, reuse %v of %v", g.Ends(q), a.Reuse, q.Reuse)
		}
	})
}
