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
		choice, ok := s.Worker(0).Choose(strategy.Attempt{})
		fmt.Printf("%s: %v, window %q, port %d\n", name, ok, choice.Window, choice.Port)
	}
	// Output:
	// connect: true, window "", port 0
	// socket-range: true, window "40000-40999", port 0
}
