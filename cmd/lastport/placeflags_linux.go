package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
)

// placeFlags say what the hosts of a place are like, beside the generator's.
type placeFlags struct {
	place        string
	peerSysctls  []string
	natRange     string
	natAddresses int
	natRandom    bool
	natTimeouts  []string
	clients      int
	flags        *pflag.FlagSet // to know which were given; nil: none were
}

// Bounds of a place.
const (
	maxOutside = 64
	maxClients = 64
)

// defaultNAT is the range of a gateway of which nothing is said.
const defaultNAT = "aws-nat"

// Addresses in a place of several hosts, beside the listener's. The generator's
// sources are those that are asked for, or else the first of these.
var (
	firstClient4  = netip.AddrFrom4([4]byte{198, 18, 1, 1})
	firstClient6  = netip.MustParseAddr("2001:2:0:10::1")
	firstOutside4 = netip.AddrFrom4([4]byte{198, 19, 255, 1})
	firstOutside6 = netip.MustParseAddr("2001:2:0:ffff::1")
)

// add adds --place and what belongs to it.
func (f *placeFlags) add(fs *pflag.FlagSet) {
	f.flags = fs
	fs.StringVar(&f.place, "place", "private", "where the run happens, a `PLACE` of "+strings.Join(place.Kinds(), ", "))
	fs.StringArrayVar(&f.peerSysctls, "peer-sysctl", nil, "a `KEY=VALUE` to set on the listener's host of --place pair or nat (repeatable)")
}

// addGateway adds the flags of --place nat, for verbs that go through a gateway.
func (f *placeFlags) addGateway(fs *pflag.FlagSet) {
	fs.StringVar(&f.natRange, "nat-range", defaultNAT, "`PORTS` that the gateway of --place nat translates to: LOW-HIGH or a profile")
	fs.IntVar(&f.natAddresses, "nat-addresses", 1, "a `NUMBER` of outside addresses, which connections take in turn")
	fs.BoolVar(&f.natRandom, "nat-random", false, "the gateway chooses its ports at random (fully-random)")
	fs.StringArrayVar(&f.natTimeouts, "nat-timeout", nil, "a `STATE=TIME` of the gateway's connection tracking, such as time_wait=30s (repeatable)")
	fs.IntVar(&f.clients, "clients", 1, "a `NUMBER` of hosts behind the gateway, each with workers of its own")
}

// given says whether a flag was on the command line.
func (f *placeFlags) given(name string) bool { return f.flags != nil && f.flags.Changed(name) }

// hosts reads the flags of a place of several hosts. Addresses are known.
func (f *runFlags) hosts(c *loadgen.Config, _ place.Host) (err error) {
	kind, err := place.Parse(f.place)
	if err != nil {
		return named("--place", err)
	}
	if err := f.astray(kind); err != nil {
		return err
	}
	if kind == place.Private || kind == place.OnHost {
		return nil
	}
	if c.PeerSysctls, err = settingsOf("--peer-sysctl", f.peerSysctls); err != nil {
		return err
	}
	if at := c.Targets[0].Addr(); at.IsLoopback() {
		return usagef("leave --target out", "--target %s: at --place %s the listener is on another host, which no loopback address reaches", c.Targets[0], kind)
	}
	if a, ok := shared(c); ok {
		return usagef("--source "+exampleSource(a), "--source %s: at --place %s that is the listener's host", a, kind)
	}
	if kind != place.NAT {
		return nil
	}
	if err := notTheGateways(c); err != nil {
		return err
	}
	return f.gateway(c)
}

// astray refuses flags that mean nothing at the place.
func (f *runFlags) astray(kind place.Kind) error {
	for _, name := range []string{"nat-range", "nat-addresses", "nat-random", "nat-timeout", "clients"} {
		if kind != place.NAT && f.given(name) {
			return usagef("--place nat", "--%s without --place nat: there is no gateway at --place %s", name, kind)
		}
	}
	switch {
	case !f.given("peer-sysctl"):
	case kind == place.Private:
		return usagef("--sysctl "+f.peerSysctls[0], "--peer-sysctl: at --place private the listener is on the generator's own host")
	case kind == place.OnHost:
		return usagef("--place pair", "--peer-sysctl with --place host: lastport never writes a setting of the host")
	}
	return nil
}

// shared returns a source that is a target's address too.
func shared(c *loadgen.Config) (netip.Addr, bool) {
	for _, s := range c.Sources {
		if slices.ContainsFunc(c.Targets, func(t netip.AddrPort) bool { return t.Addr() == s }) {
			return s, true
		}
	}
	return netip.Addr{}, false
}

// gateway reads the flags of --place nat.
func (f *runFlags) gateway(c *loadgen.Config) error {
	if f.flags == nil || f.flags.Lookup("nat-range") == nil {
		what := "a " + c.Scenario
		if slices.Contains([]string{"fill", "churn", "reuse"}, c.Scenario) { // as a part of a bench
			what = "this verb"
		}
		return usagef("--place pair", "--place nat: %s does not go through a gateway; fill, churn and reuse do", what)
	}
	if f.ends == loadgen.EndsTogether.String() {
		return usagef("--ends apart", "--ends together at --place nat: a thread knows its other ends by their source ports, which the gateway translates")
	}
	c.Ends = loadgen.EndsApart
	nat := &loadgen.NAT{RangeName: rangeName(f.natRange), Random: f.natRandom}
	var err error
	if nat.Range, err = natRange(f.natRange); err != nil {
		return err
	}
	if f.natAddresses < 1 || f.natAddresses > maxOutside {
		return usagef("--nat-addresses 1", "--nat-addresses %d: want 1 to %d", f.natAddresses, maxOutside)
	}
	if nat.Timeouts, err = natTimeouts(f.natTimeouts, c.UDP); err != nil {
		return err
	}
	if err := f.behind(c); err != nil {
		return err
	}
	nat.Addresses = freeFrom(c, firstOutside4, firstOutside6, f.natAddresses)
	c.NAT = nat
	if !f.given("timeout") {
		c.Timeout = natTimeout
	}
	return nil
}

// natTimeout is how long one attempt through a gateway may take by default: long
// enough for three SYNs, at 0, 1 and 2 s (tcp_syn_linear_timeouts), and clear of
// the moment of the fourth.
const natTimeout = 2500 * time.Millisecond

// natRange reads --nat-range.
func natRange(text string) (ports.Range, error) {
	set, err := ports.Parse(text)
	if err != nil {
		return ports.Range{}, named("--nat-range", err)
	}
	if len(set) != 1 {
		return ports.Range{}, usagef("--nat-range "+set.Hull().String(), "--nat-range %s: a gateway translates to one range without gaps", text)
	}
	return set[0], nil
}

// behind reads --clients: how many hosts the workers and the sources are dealt to.
func (f *runFlags) behind(c *loadgen.Config) error {
	n := f.clients
	switch {
	case n < 1 || n > maxClients:
		return usagef("--clients 1", "--clients %d: want 1 to %d", n, maxClients)
	case n == 1:
		return nil
	case c.Scenario == "reuse":
		return usagef("leave --clients out", "--clients %d: a reuse is one worker's, and so one client's", n)
	case len(c.Sources)%n != 0:
		return usagef(fmt.Sprintf("--clients %d", len(c.Sources)), "--clients %d: %d sources cannot be dealt to them evenly", n, len(c.Sources))
	case c.Workers%n != 0 && f.given("workers"):
		return usagef(fmt.Sprintf("--workers %d", (c.Workers+n-1)/n*n), "--clients %d: %d workers cannot be dealt to them evenly", n, c.Workers)
	}
	c.Clients = n
	c.Workers = (c.Workers + n - 1) / n * n
	if len(c.Sources) == 0 {
		c.Sources = freeFrom(c, firstClient4, firstClient6, n)
	}
	return nil
}

// freeFrom returns n addresses, from the first of the family on, that are neither
// a source's nor a target's.
func freeFrom(c *loadgen.Config, first4, first6 netip.Addr, n int) []netip.Addr {
	addr := first4
	if c.Targets[0].Addr().Is6() {
		addr = first6
	}
	var list []netip.Addr
	for ; len(list) < n; addr = addr.Next() {
		taken := slices.Contains(c.Sources, addr) || slices.ContainsFunc(c.Targets, func(t netip.AddrPort) bool { return t.Addr() == addr })
		if !taken {
			list = append(list, addr)
		}
	}
	return list
}
