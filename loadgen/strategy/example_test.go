package strategy_test

import (
	"fmt"

	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
)

func Example() {
	set, _ := ports.Parse("40000-40999")
	for _, name := range strategy.Names() {
		s, err := strategy.New(name, strategy.Space{Ranges: set})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: window %q, port %d\n", s.Name(), s.Choose().Window, s.Choose().Port)
	}
	// Output:
	// connect: window "", port 0
	// socket-range: window "40000-40999", port 0
}
