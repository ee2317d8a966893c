package outcome_test

import (
	"fmt"
	"syscall"

	"lastport/loadgen/outcome"
)

func Example() {
	fmt.Println(outcome.Of(outcome.Connect, syscall.EADDRNOTAVAIL, outcome.Kernel))
	fmt.Println(outcome.Of(outcome.Connect, syscall.EADDRNOTAVAIL, outcome.Us))
	// Output:
	// no_port
	// tuple_busy
}
