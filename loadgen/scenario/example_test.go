package scenario_test

import (
	"fmt"

	"lastport/loadgen/scenario"
	"lastport/loadgen/scenario/fakekernel"
)

// The parts of a fill follow one another on the same worker.
func Example() {
	k := fakekernel.New(fakekernel.Config{Ports: 3})
	opening := scenario.NewOpening(scenario.Opening{Expected: 3})
	fmt.Println(k.Run(opening))
	end, _ := opening.Ended()
	fmt.Println(len(opening.Conns()), "open, exhausted:", end == scenario.Exhausted)

	fmt.Println(k.Run(scenario.NewRelease(opening.Conns())))
	fmt.Println(k.Open(), "open")
	// Output:
	// <nil>
	// 3 open, exhausted: true
	// <nil>
	// 0 open
}
