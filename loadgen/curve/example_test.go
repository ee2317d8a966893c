package curve_test

import (
	"fmt"

	"lastport/loadgen/curve"
)

// Past half of the range connect costs many times as much; socket-range does not.
func Example() {
	own, err := curve.Measured()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, strategy := range []string{"connect", "socket-range"} {
		r, ok := own.Read(curve.Query{Strategy: strategy, Proto: "tcp", Ports: 28232, Occupancy: 0.6})
		fmt.Println(strategy, ok, r.P50 > 10*r.Empty)
	}
	// Output:
	// connect true true
	// socket-range true false
}
