package observe_test

import (
	"fmt"
	"net/netip"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/observe"
)

func Example() {
	nobody := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}
	watch := observe.Start(kernel.NewClock(), observe.View{Targets: nobody}, 10*time.Millisecond)
	sample := <-watch.Samples()
	fmt.Println(*sample.States.Established, "established")
	cost := watch.Stop()
	fmt.Println("cost is known:", cost.CPUNS > 0)
	// Output:
	// 0 established
	// cost is known: true
}
