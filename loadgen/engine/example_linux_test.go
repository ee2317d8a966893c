package engine_test

import (
	"fmt"
	"net/netip"
	"time"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/loadgen/ports"
	"lastport/loadgen/record"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// An engine does what a work says; the next work finds its connections open.
func Example() {
	target := kernel.NewSockaddr(netip.MustParseAddrPort("127.0.0.1:1999"))
	listener, _ := kernel.StreamSocket(target.Family())
	_ = kernel.Bind(listener, &target)
	if errno := kernel.Listen(listener, 16); errno != 0 {
		fmt.Println("listen:", errno)
		return
	}
	defer kernel.CloseFD(listener) //nolint:errcheck // nothing was sent

	five := strategy.Space{Ranges: ports.Of(ports.Range{Low: 50000, High: 50004})}
	if err := kernel.WriteSysctl("net.ipv4.ip_local_port_range", "50000 50004"); err != nil {
		fmt.Println(err)
		return
	}
	kernelChooses, _ := strategy.New("socket-range", five)
	clock := kernel.NewClock()
	counted, err := record.NewCollector(1, 5, clock.Zero())
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := engine.NewDirect(engine.Options{
		Clock: clock, Targets: []kernel.Sockaddr{target}, Strategy: kernelChooses.Worker(0), CloseMode: step.ClientRST,
		Timeout: time.Second, Connections: 5, Log: counted.Writer(), Tally: engine.NewTally(1, 1),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()

	fill := scenario.NewOpening(scenario.Opening{Expected: 5, Timeout: time.Second})
	fmt.Println("fill:", e.Run(fill))
	counted.TakeAll()
	fmt.Println(counted.Opened(), "opened,", counted.NoPort(), "no_port")
	fmt.Println("release:", e.Run(scenario.NewRelease(fill.Conns())))
	// Output:
	// fill: <nil>
	// 5 opened, 1 no_port
	// release: <nil>
}
