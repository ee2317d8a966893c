package place

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/ports"
)

func prefixes(addrs ...string) (list []netip.Prefix) {
	for _, a := range addrs {
		addr := netip.MustParseAddr(a)
		list = append(list, netip.PrefixFrom(addr, addr.BitLen()))
	}
	return list
}

// pair is a place of two hosts.
func pair(t testing.TB) Spec {
	s := spec(t)
	s.Kind = Pair
	s.Addresses = prefixes("198.18.1.1", "198.18.1.2", "2001:2::11")
	s.Server.Addresses = prefixes("198.18.0.1", "198.18.0.2", "2001:2::1")
	return s
}

// nat is a place with a gateway, and clients of one address each.
func nat(t testing.TB, six bool, clients int, g Gateway) Spec {
	s := spec(t)
	s.Kind, s.Gateway = NAT, g
	form := "198.18.1.%d"
	s.Server.Addresses = prefixes("198.18.0.1")
	if six {
		form = "2001:2::1:%d"
		s.Server.Addresses = prefixes("2001:2::1")
	}
	s.Addresses = prefixes(fmt.Sprintf(form, 1))
	for i := 2; i <= clients; i++ {
		s.Others = append(s.Others, prefixes(fmt.Sprintf(form, i)))
	}
	return s
}

func TestPair(t *testing.T) {
	requireNamespaces(t)
	for name, attr := range users() {
		t.Run(name, func(t *testing.T) {
			s := pair(t)
			s.User = map[string]string{"net.ipv4.tcp_fin_timeout": "7"}
			s.Server.User = map[string]string{"net.ipv4.tcp_fin_timeout": "9"}
			s.Host.Settings["net.ipv4.tcp_tw_reuse"] = "1" // goes to both
			r := startOuter(t, job{Spec: errand{Spec: s, Dial: 3}}, attr).reply(t)
			if r.Err != "" {
				t.Fatalf("%+v", r.fault)
			}
			client, server := r.Reports.Client, *r.Reports.Server
			wantSettings(t, client, map[string]string{"net.ipv4.tcp_fin_timeout": "7", "net.ipv4.tcp_tw_reuse": "1"})
			wantSettings(t, server, map[string]string{"net.ipv4.tcp_fin_timeout": "9", "net.ipv4.tcp_tw_reuse": "1"})
			host := s.Host.Settings["net.ipv4.tcp_fin_timeout"]
			wantChange(t, client.Changed, "net.ipv4.tcp_fin_timeout", Change{host, "7", "--sysctl"})
			wantChange(t, server.Changed, "net.ipv4.tcp_fin_timeout", Change{host, "9", "--peer-sysctl"})
			for _, p := range r.Peers {
				if p.Addr() != s.Addresses[0].Addr() {
					t.Errorf("a connection that chooses no source comes from %v, want the first, %v", p, s.Addresses[0])
				}
			}
			if len(r.Peers) != 3 {
				t.Errorf("%d connections, want 3", len(r.Peers))
			}
		})
	}
}

// What counts are the ports that the server sees: rules may say another thing
// than the kernel does.
func TestGatewayTranslates(t *testing.T) {
	requireNamespaces(t)
	ten := ports.Range{Low: 2000, High: 2009}
	outside4 := []netip.Addr{netip.MustParseAddr("198.19.255.1"), netip.MustParseAddr("198.19.255.2"), netip.MustParseAddr("198.19.255.3")}
	outside6 := []netip.Addr{netip.MustParseAddr("2001:2:0:ffff::1"), netip.MustParseAddr("2001:2:0:ffff::2")}
	for _, c := range []struct {
		name    string
		six     bool
		clients int
		gateway Gateway
	}{
		{"one address", false, 1, Gateway{Ports: ten, Outside: outside4[:1]}},
		{"three addresses", false, 1, Gateway{Ports: ten, Outside: outside4}},
		{"at random", false, 1, Gateway{Ports: ten, Outside: outside4[:1], Random: true}},
		{"two clients", false, 2, Gateway{Ports: ten, Outside: outside4[:1]}},
		{"IPv6", true, 1, Gateway{Ports: ten, Outside: outside6}},
		{"one port", false, 1, Gateway{Ports: ports.Range{Low: 2000, High: 2000}, Outside: outside4[:1]}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			all := c.gateway.Ports.Size() * len(c.gateway.Outside)
			r := enter(t, errand{Spec: nat(t, c.six, c.clients, c.gateway), Dial: all / c.clients})
			if r.Err != "" {
				t.Fatalf("%+v", r.fault)
			}
			var want []netip.AddrPort
			for _, a := range c.gateway.Outside {
				for p := c.gateway.Ports.Low; p <= c.gateway.Ports.High; p++ {
					want = append(want, netip.AddrPortFrom(a, p))
				}
			}
			slices.SortFunc(r.Peers, netip.AddrPort.Compare)
			if !slices.Equal(r.Peers, want) {
				t.Errorf("the server sees %v, want each of %v", r.Peers, want)
			}
		})
	}
}

func TestGatewaySettings(t *testing.T) {
	requireNamespaces(t)
	const key = "net.netfilter.nf_conntrack_tcp_timeout_time_wait"
	g := Gateway{Ports: ports.Range{Low: 2000, High: 2009}, Outside: []netip.Addr{netip.MustParseAddr("198.19.255.1")}, Settings: map[string]int64{key: 33}}
	r := enter(t, nat(t, false, 1, g))
	if r.Err != "" || r.Reports.Gateway[key] != "33" || r.Reports.Gateway["net.netfilter.nf_conntrack_max"] == "" {
		t.Errorf("%+v, the gateway has %v", r.fault, r.Reports.Gateway)
	}
	g.Settings = map[string]int64{"net.netfilter.nf_conntrack_max": 5} // the machine's, which no place may write
	if r := enter(t, nat(t, false, 1, g)); r.Err == "" {
		t.Errorf("nf_conntrack_max was written")
	}
}

func TestBadPeerSettings(t *testing.T) {
	requireNamespaces(t)
	s := pair(t)
	s.Server.User = map[string]string{"net.ipv4.tcp_tw_resue": "1"}
	r := enter(t, s)
	if !r.Usage || !strings.Contains(r.Err, "--peer-sysctl net.ipv4.tcp_tw_resue=1: neither") || r.Hint != "--peer-sysctl net.ipv4.tcp_tw_reuse=1" {
		t.Errorf("%+v", r.fault)
	}
}

// Each host may have IPv6 disabled, as the machine has, and has a flag of its own.
func TestHostsWithoutIPv6(t *testing.T) {
	requireNamespaces(t)
	const key = "net.ipv6.conf.all.disable_ipv6"
	s := pair(t)
	s.Host.Settings[key] = "1"
	if r := enter(t, s); !strings.Contains(r.Err, "IPv6 is disabled") || r.Hint != "--sysctl "+key+"=0" {
		t.Errorf("%+v", r.fault)
	}
	four := s
	four.Addresses, four.Server.Addresses = s.Addresses[:1], s.Server.Addresses[:1]
	if r := enter(t, errand{Spec: four, Dial: 1}); r.Err != "" || len(r.Peers) != 1 {
		t.Errorf("over IPv4: %+v, peers %v", r.fault, r.Peers)
	}
	s.User = map[string]string{key: "0"}
	if r := enter(t, s); !strings.Contains(r.Err, "IPv6 is disabled") || r.Hint != "--peer-sysctl "+key+"=0" {
		t.Errorf("with the client's setting: %+v", r.fault)
	}
	s.Server.User = s.User
	if r := enter(t, s); r.Err != "" {
		t.Errorf("with both settings: %+v", r.fault)
	}
}

func TestBuildRefusesTheHost(t *testing.T) {
	for _, kind := range []Kind{Private, Pair, NAT} {
		if _, _, err := Build(Spec{Kind: kind}); err == nil {
			t.Errorf("a place %v was made though the host's namespace is not known", kind)
		}
	}
}

// However a run ends, what it was made of goes with it.
func TestNothingStaysOfHosts(t *testing.T) {
	requireNamespaces(t)
	gateway := Gateway{Ports: ports.Range{Low: 2000, High: 2009}, Outside: []netip.Addr{netip.MustParseAddr("198.19.255.1")}}
	for user, attr := range users() {
		for _, victim := range []string{"parent", "child"} {
			t.Run(user+", "+victim+" killed", func(t *testing.T) {
				t.Parallel()
				o := startOuter(t, job{Spec: errand{Spec: nat(t, false, 2, gateway), Dial: 2}}, attr)
				r := o.reply(t)
				if r.Err != "" || len(r.Spaces) != 4 {
					t.Fatalf("%+v, namespaces %v", r.fault, r.Spaces)
				}
				pid := r.Pid
				if victim == "parent" {
					pid = o.cmd.Process.Pid
				}
				if err := unix.Kill(pid, unix.SIGKILL); err != nil {
					t.Fatal(err)
				}
				if victim == "parent" {
					_ = o.cmd.Wait() // it was killed
				}
				for _, space := range r.Spaces {
					r.NetNS = space
					wantGone(t, r)
				}
				wantNone(t, func() []string { return holders(t, r.Spaces) })
			})
		}
	}
}

// MissingError tells what works without what is missing.
func TestWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		err  error
		hint string
	}{
		{noLinks(fmt.Errorf("add link: %w", unix.EOPNOTSUPP)), "--place private, which needs none"},
		{noRules(fmt.Errorf("nftables: %w", unix.EPERM)), "--place pair, which needs none"},
	} {
		if f := faultOf(c.err); f.Hint != c.hint || f.Usage {
			t.Errorf("%v: hint %q, want %q", c.err, f.Hint, c.hint)
		}
	}
	if err := noRules(unix.ENOMEM); !errors.Is(err, unix.ENOMEM) || faultOf(err).Hint != "" {
		t.Errorf("%v is explained as something that is missing", err)
	}
}

// Where there may be no more namespaces it is said how many the place needs, and
// what works with fewer.
func TestTooFewNamespaces(t *testing.T) {
	requireNamespaces(t)
	gateway := Gateway{Ports: ports.Range{Low: 2000, High: 2009}, Outside: []netip.Addr{netip.MustParseAddr("198.19.255.1")}}
	for _, c := range []struct {
		most    string
		spec    Spec
		needs   string
		instead string
	}{
		{"1", pair(t), "needs 2 network namespaces, and with 1 the", "--place private, which needs one"},
		{"1", nat(t, false, 1, gateway), "needs 3 network namespaces, and with 1 the", "--place private, which needs one"},
		{"2", nat(t, false, 1, gateway), "needs 3 network namespaces, and with 2 the", "--place pair, which needs 2"},
		{"4", nat(t, false, 4, gateway), "needs 6 network namespaces, and with 4 the", "--clients 2"},
	} {
		r := startOuter(t, job{Write: map[string]string{keyMaxNet: c.most}, Spec: errand{Spec: c.spec}}, asRootInside(unix.CLONE_NEWUSER)).reply(t)
		want := fault{
			Err: "place " + c.spec.Kind.String() + ": one more network namespace: unshare: no space left on device: the place " + c.needs +
				" limit is reached (user.max_net_namespaces, here or of a container around this one)",
			Hint:    "sudo sysctl -w user.max_net_namespaces=100000, or " + c.instead,
			Refused: true,
		}
		if r.fault != want {
			t.Errorf("place %s with %s namespaces:\n%+v, want\n%+v", c.spec.Kind, c.most, r.fault, want)
		}
	}
}

// BenchmarkHosts is the time from nothing to a place, and from its end until its
// process is gone.
func BenchmarkHosts(b *testing.B) {
	requireNamespaces(b)
	g := Gateway{Ports: ports.Range{Low: 2000, High: 2009}, Outside: []netip.Addr{netip.MustParseAddr("198.19.255.1")}}
	for _, c := range []struct {
		name string
		spec Spec
	}{{"pair", pair(b)}, {"nat", nat(b, false, 1, g)}, {"nat, 8 clients", nat(b, false, 8, g)}} {
		b.Run(c.name, func(b *testing.B) {
			down := time.Duration(0)
			for b.Loop() {
				v := enter(b, c.spec)
				if v.Err != "" {
					b.Fatal(v.Err)
				}
				began := time.Now()
				v.child.Kill()
				_ = v.child.Wait() // it was killed
				down += time.Since(began)
			}
			b.ReportMetric(float64(down.Milliseconds())/float64(b.N), "ms-down/op")
		})
	}
}
