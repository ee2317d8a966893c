package fakekernel_test

import (
	"fmt"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/scenario"
	"lastport/loadgen/scenario/fakekernel"
)

// A fill of a thousand ports, every one of them in the blink of an eye.
func Example() {
	k := fakekernel.New(fakekernel.Config{Ports: 1000, Call: 13 * time.Microsecond})
	err := k.Run(scenario.NewOpening(scenario.Opening{Expected: 1000, Timeout: time.Second}))
	fmt.Println(k.Open(), "open,", k.Outcome(outcome.NoPort), "no_port,", time.Duration(k.Now()), err)
	// Output: 1000 open, 1 no_port, 13.013ms <nil>
}
