package observe

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/reports/result"
)

// moment looks until the places have the ports by state, and returns them.
func moment(t *testing.T, v View, want map[string]map[string]int64) result.PortMoment {
	t.Helper()
	var got map[string]map[string]int64
	for start := time.Now(); time.Since(start) < patience; time.Sleep(ms) {
		seen, err := v.Look()
		if err != nil {
			t.Fatal(err)
		}
		m := seen.Moment(1, 3, "now")
		if m.TNS != 1 || m.TookNS != 2 || m.At != "now" {
			t.Fatalf("moment %+v", m)
		}
		got = make(map[string]map[string]int64)
		for _, end := range m.Ends() {
			got[end.Name] = end.Ports.Counts
		}
		if maps.EqualFunc(got, want, maps.Equal) {
			return m
		}
	}
	t.Fatalf("ports by state %v, want %v", got, want)
	return result.PortMoment{}
}

// localPort is the source port of a socket.
func localPort(t *testing.T, fd int) uint16 {
	t.Helper()
	var sa kernel.Sockaddr
	if errno := kernel.LocalAddr(fd, &sa); errno != 0 {
		t.Fatal(errno)
	}
	return sa.AddrPort().Port()
}

// stateOf is the state of a port in a map of the file.
func stateOf(t *testing.T, in *result.PortsIn, port uint16) result.PortState {
	t.Helper()
	m, err := result.DecodeStateMap(in.Map)
	if err != nil {
		t.Fatal(err)
	}
	return m.State(port)
}

// A target's zone, which lists of sockets do not tell, hides no connection.
func TestLookAtAZone(t *testing.T) {
	p := connect(t, nstest.Addr6, 3)
	zoned := netip.AddrPortFrom(p.target.Addr().WithZone("lo"), p.target.Port())
	moment(t, View{Targets: []netip.AddrPort{zoned}}, map[string]map[string]int64{"client": {"established": 3}, "server": {"established": 3}})
}

// Each port is in the state of its connection, at each end by the client's port:
// through a close, up to TIME_WAIT at the end that closed first.
func TestPortsAreInTheStateOfTheirConnection(t *testing.T) {
	for _, addr := range []string{nstest.Addr, nstest.Addr6} {
		p := connect(t, addr, 3)
		v := View{Targets: []netip.AddrPort{p.target}}
		closing, server := localPort(t, p.client[0]), localPort(t, p.client[1])
		moment(t, v, map[string]map[string]int64{"client": {"established": 3}, "server": {"established": 3}})
		_ = kernel.CloseFD(p.client[0])
		m := moment(t, v, map[string]map[string]int64{
			"client": {"established": 2, "fin_wait2": 1}, "server": {"established": 2, "close_wait": 1},
		})
		if c, s := stateOf(t, m.Client, closing), stateOf(t, m.Server, closing); c != result.PortFinWait2 || s != result.PortCloseWait {
			t.Errorf("port %d is %d and %d", closing, c, s)
		}
		_ = kernel.CloseFD(p.server[0])
		_ = kernel.CloseFD(p.server[1]) // the listener's end closes first
		_ = kernel.CloseFD(p.client[1])
		m = moment(t, v, map[string]map[string]int64{
			"client": {"established": 1, "time_wait": 1}, "server": {"established": 1, "time_wait": 1},
		})
		for _, c := range []struct {
			in   *result.PortsIn
			port uint16
			want result.PortState
		}{
			{m.Client, closing, result.PortTimeWait},
			{m.Server, closing, result.PortFree},
			{m.Client, server, result.PortFree},
			{m.Server, server, result.PortTimeWait},
		} {
			if got := stateOf(t, c.in, c.port); got != c.want {
				t.Errorf("port %d is %d, want %d", c.port, got, c.want)
			}
		}
	}
}

// Hosts are asked one by one: each client's sockets add up, and the listener's
// end is seen from where it is.
func TestLookGoesToEveryHost(t *testing.T) {
	p := connect(t, nstest.Addr, 2)
	var visited []string
	on := func(name string) func(func() error) error {
		return func(f func() error) error {
			visited = append(visited, name)
			return f()
		}
	}
	v := View{
		Targets: []netip.AddrPort{p.target}, Clients: []func(func() error) error{on("a"), on("b")}, Server: on("server"), Gateway: on("gateway"),
	}
	seen, err := v.Look()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "server", "gateway"}; !slices.Equal(visited, want) {
		t.Errorf("looked at %v, want %v", visited, want)
	}
	// Here all hosts are one, so each has all sockets.
	if *seen.Client.Established != 6 || *seen.Server.Established != 6 {
		t.Errorf("%d and %d established, want 6 and 6", *seen.Client.Established, *seen.Server.Established)
	}
	cannot := errors.New("no way there")
	v.Server = func(func() error) error { return cannot }
	if _, err := v.Look(); !errors.Is(err, cannot) {
		t.Errorf("a host that cannot be reached: %v", err)
	}
	v.Server, v.Gateway = nil, v.Server
	seen, err = v.Look()
	if err != nil {
		t.Fatal(err)
	}
	if m := seen.Moment(0, 0, ""); m.Gateway != nil || m.Client == nil {
		t.Errorf("a gateway that cannot be reached: %+v", m)
	}
}

// track makes the tests' namespace track connections.
var track = sync.OnceValue(func() error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	table := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "track"})
	chain := conn.AddChain(&nftables.Chain{
		Table: table, Name: "input", Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	})
	conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{&expr.Ct{Key: expr.CtKeySTATE, Register: 1}}})
	return conn.Flush()
})

// On a gateway ports are in the state that connection tracking has, which keeps
// a connection that was reset.
func TestPortsOfAGateway(t *testing.T) {
	if err := track(); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{nstest.Addr, nstest.Addr6} {
		connect(t, addr, 2) // somebody else's
		p := connect(t, addr, 3)
		v := View{Targets: []netip.AddrPort{p.target}, Gateway: here}
		reset := localPort(t, p.client[0])
		_ = kernel.Reset(p.client[0])
		m := moment(t, v, map[string]map[string]int64{
			"client": {"established": 2}, "server": {"established": 2}, "gateway": {"established": 2, "closed": 1},
		})
		if got := stateOf(t, m.Gateway, reset); got != result.PortClosed {
			t.Errorf("port %d is %d on the gateway, want closed", reset, got)
		}
		if got := stateOf(t, m.Client, reset); got != result.PortFree {
			t.Errorf("port %d is %d at the client, want free", reset, got)
		}
	}
}

// The observer keeps moments: those that it takes by itself, those asked for, and
// the last.
func TestObserverKeepsMoments(t *testing.T) {
	p := connect(t, nstest.Addr, 4)
	o := Start(kernel.NewClock(), View{Targets: []netip.AddrPort{p.target}}, 10*ms)
	for range 3 {
		<-o.Samples()
	}
	seen, err := o.Look("asked for")
	if err != nil || *seen.Client.Established != 4 {
		t.Fatalf("look: %+v, %v", seen, err)
	}
	for start := time.Now(); len(o.States().Moments) < 3 && time.Since(start) < patience; time.Sleep(ms) {
	}
	cost := o.Stop()
	states := o.States()
	asked, last := 0, int64(-1)
	for _, m := range states.Moments {
		if m.At == "asked for" {
			asked++
		}
		if m.TNS < last {
			t.Errorf("a moment at %d after one at %d", m.TNS, last)
		}
		last = m.TNS
		if n := m.Client.Counts["established"]; n != 4 || m.Gateway != nil {
			t.Errorf("moment %+v: %d established, want 4", m, n)
		}
	}
	if asked != 1 || int64(len(states.Moments)) > cost.Dumps+1 || states.EveryNS < int64(10*ms) {
		t.Errorf("%d moments, %d asked for, every %d, cost %+v", len(states.Moments), asked, states.EveryNS, cost)
	}
}
