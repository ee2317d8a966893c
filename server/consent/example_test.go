package consent_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"lastport/reports/result"
	"lastport/server/consent"
)

// A generator and a server that have the same token agree on a run.
func Example() {
	token := consent.NewToken(time.Now())
	near, far := net.Pipe()

	ended := make(chan error)
	go func() {
		server := consent.Server{Token: token, Version: "1.0.0"}
		granted, err := server.Check(far, func(claim consent.Claim) (consent.Terms, error) {
			fmt.Println("a run wants", claim.Wish.Connections, "connections to", claim.Target)
			return consent.Terms{Version: "1.0.0"}, nil
		})
		if err == nil {
			err = granted.Serve(func(consent.Ask) (result.Server, error) { return result.Server{Accepted: 7}, nil })
		}
		ended <- err
	}()

	generator := consent.Generator{Token: token, Version: "1.0.0", Target: netip.MustParseAddrPort("192.0.2.7:7000")}
	lease, err := generator.Prove(context.Background(), near, consent.Wish{Close: "client-fin", Connections: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	numbers, err := lease.Ask(consent.AskTotal, time.Second)
	fmt.Println("the server has accepted", numbers.Accepted, err)
	fmt.Println(lease.Close(), <-ended)
	// Output:
	// a run wants 100 connections to 192.0.2.7:7000
	// the server has accepted 7 <nil>
	// <nil> <nil>
}
