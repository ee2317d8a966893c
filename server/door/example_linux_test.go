package door_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"lastport/loadgen/kernel/nstest"
	"lastport/reports/result"
	"lastport/server"
	"lastport/server/consent"
	"lastport/server/door"
)

// A listener that serves who has its token.
func Example() {
	guard, err := server.NewGuard(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	addr := netip.AddrPortFrom(netip.MustParseAddr(nstest.Addr), 0)
	listener, err := server.New(server.Config{Addrs: []netip.AddrPort{addr}, Guard: guard, MaxConnections: 10})
	if err == nil {
		err = listener.Start()
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close() //nolint:errcheck // an example's
	token := consent.NewToken(time.Now())
	d := door.Open(door.Config{
		Guard: guard, Tenants: guard, Listener: listener, Prover: consent.Server{Token: token, Version: "1.0.0"},
		Name:    "example",
		Refuse:  func(consent.Wish) error { return nil },
		Witness: func(door.Mine) func(*result.Server, bool) { return func(*result.Server, bool) {} },
		Say:     func(string, ...any) {},
	})
	defer d.Close()

	target := listener.Addrs()[0]
	conn, err := net.Dial("tcp", target.String())
	if err != nil {
		fmt.Println(err)
		return
	}
	lease, err := consent.Generator{Token: token, Version: "1.0.0", Target: target}.Prove(context.Background(), conn, consent.Wish{Close: "client-fin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	load, err := net.Dial("tcp", target.String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer load.Close() //nolint:errcheck // an example's
	_, _ = load.Write([]byte{1})
	_, _ = load.Read(make([]byte, 1))
	numbers, err := lease.Ask(consent.AskTotal, time.Minute)
	fmt.Println(numbers.Accepted, "accepted,", numbers.Requests, "answered", err)
	fmt.Println(lease.Close())
	// Output:
	// 1 accepted, 1 answered <nil>
	// <nil>
}
