package place

import (
	"net"
	"net/netip"
	"runtime"

	"lastport/loadgen/kernel"
)

// errand is what a test asks of a child: a place, and what to do there.
type errand struct {
	Spec
	Dial int // connections that each client opens to the server, which stay open
}

// Tour is what a child found on the hosts of its place.
type Tour struct {
	Reports Reports
	Peers   []netip.AddrPort // of the connections, as the server saw them
	Spaces  []string         // the names of the hosts' namespaces
}

// tour makes a place of several hosts and opens connections in it.
func (e errand) tour() (Tour, error) {
	hosts, reports, err := Build(e.Spec)
	if err != nil {
		return Tour{}, err
	}
	t := Tour{Reports: reports}
	all := []*Net{hosts.server, hosts.gateway}
	for i := range hosts.Clients() {
		all = append(all, hosts.Client(i))
	}
	for _, n := range all {
		err := n.Do(func() error {
			name, err := kernel.NetNS()
			t.Spaces = append(t.Spaces, name)
			return err
		})
		if err != nil {
			return t, err
		}
	}
	if e.Dial > 0 {
		t.Peers, err = e.connect(hosts)
	}
	return t, err
}

// connect opens the connections one after the other, and returns their peers.
// All stay open: one that is forgotten the collector closes.
func (e errand) connect(hosts *Hosts) (peers []netip.AddrPort, err error) {
	var listener *net.TCPListener
	err = hosts.InServer(func() (err error) {
		listener, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(e.Server.Addresses[0].Addr(), 0)))
		return err
	})
	if err != nil {
		return nil, err
	}
	var open []*net.TCPConn
	defer func() { runtime.KeepAlive(open) }()
	for i := range hosts.Clients() {
		for range e.Dial {
			err := hosts.Client(i).Do(func() error {
				conn, err := net.DialTCP("tcp", nil, listener.Addr().(*net.TCPAddr))
				open = append(open, conn)
				return err
			})
			if err != nil {
				return peers, err
			}
			conn, err := listener.AcceptTCP()
			if err != nil {
				return peers, err
			}
			open = append(open, conn)
			peers = append(peers, conn.RemoteAddr().(*net.TCPAddr).AddrPort())
		}
	}
	return peers, nil
}
