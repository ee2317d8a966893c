package capacity_test

import (
	"fmt"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
)

func Example() {
	set, err := ports.Parse("40000-41000")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := strategy.New("connect", strategy.Space{Ranges: set})
	if err != nil {
		fmt.Println(err)
		return
	}
	a := capacity.Predict(capacity.Question{
		Range:    set,
		Strategy: s.Traits(),
		Settings: capacity.Settings{TWReuse: 2, Timestamps: true, HZ: 250},
	})
	fmt.Println(a.Connections, "connections")
	fmt.Printf("%.1f to %.1f per second\n", a.Rate.Min, a.Rate.Max)
	for _, why := range a.Why {
		fmt.Println("-", why)
	}
	// Output:
	// 1000 to 1001 connections
	// 16.1 to 16.7 per second
	// - the kernel searches 40000-41000 in steps of two and rounds its odd size of 1001 down, so it may leave out one port, the lowest or the highest
	// - a closed port is in TIME_WAIT for 60 s, and at 250 Hz its timer ends up to 2.05s late
}
