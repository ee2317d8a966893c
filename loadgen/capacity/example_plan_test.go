package capacity_test

import (
	"fmt"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
)

// Three targets, of which the first has most of the connections, and a burst.
func ExampleNewPlan_shares() {
	set, err := ports.Parse("linux")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := strategy.New("connect", strategy.Space{Ranges: set})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := capacity.NewPlan(capacity.Wish{
		Question: capacity.Question{Range: set, Strategy: s.Traits(), Settings: capacity.Settings{Timestamps: true, HZ: 250}},
		Rate:     200, Burst: capacity.Burst{Rate: 2000, Time: 5 * time.Second},
		Shares: []float64{0.7, 0.2, 0.1},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.0f per second; holds: %v\n", p.Safe, p.Demand.Holds)
	fmt.Printf("%.0f %% of the busiest target's ports at the end of the burst\n", 100*p.Demand.Occupancy.Max)
	fmt.Println("ports run out after", p.Burst.Lasts.Min.Round(100*time.Millisecond))
	// Output:
	// 650 per second; holds: true
	// 53 % of the busiest target's ports at the end of the burst
	// ports run out after 15.5s
}
