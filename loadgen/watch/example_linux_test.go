package watch_test

import (
	"fmt"
	"net/netip"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
	"lastport/loadgen/watch"
)

// A host with 80 connections to one target, from a range of 100 ports.
func Example() {
	host := watch.ThisHost()
	host.Settings = func() (watch.Settings, error) {
		return watch.Settings{Range: ports.Range{Low: 40000, High: 40099}}, nil
	}
	host.Owners = func() map[uint32]kernel.Process { return nil }
	host.Sockets = func(states diag.States, _ diag.Ports, f func(*diag.Socket)) (bool, error) {
		if states&diag.Of(diag.Established) == 0 {
			return false, nil
		}
		for port := uint16(40000); port < 40080; port++ {
			f(&diag.Socket{
				State: diag.Established,
				Local: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), port), Remote: netip.MustParseAddrPort("10.0.0.7:443"),
			})
		}
		return false, nil
	}
	seen, err := watch.New(host, time.Second, 10).Look()
	if err != nil {
		fmt.Println(err)
		return
	}
	p := seen.Fullest()
	fmt.Printf("%d of %d ports from %s to %s are taken\n", p.Taken, seen.Ports.Usable, p.Source, p.Target)
	// Output: 80 of 100 ports from 10.0.0.1 to 10.0.0.7:443 are taken
}
