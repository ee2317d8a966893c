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
		{"fewer wanted", 1000, Gateway{Ports: 10, Addresses: 1, Exact: true, SYNs: 192, Limit: 4}, Interval[int64]{4, 4}, 0, "limit of 4"},
		{"fewer wanted of the clients'", 10, Gateway{Ports: 1000, Addresses: 1, Exact: true, SYNs: 192, Limit: 4}, Interval[int64]{4, 4}, 62 * s, "limit of 4"},
	} {
		a := clients(c.clients).Through(c.gateway)
		if a.Connections != c.want || a.Reuse.Max != c.reuse {
			t.Errorf("%s: %v connections, reuse %v; want %v, at most %v", c.name, a.Connections, a.Reuse, c.want, c.reuse)
		}
		if why := strings.Join(a.Why, "\n"); !strings.Contains(why, c.why) {
			t.Errorf("%s: the reasons do not say %q:\n%s", c.name, c.why, why)
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
