package suite_test

import (
	"fmt"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
	"lastport/loadgen/suite"
)

func ExampleSearch() {
	few := ports.Of(ports.Range{Low: 40000, High: 40499})
	chooser, err := strategy.New("connect", strategy.Space{Ranges: few})
	if err != nil {
		fmt.Println(err)
		return
	}
	predicted := capacity.Predict(capacity.Question{
		Range: few, Strategy: chooser.Traits(), Settings: capacity.Settings{Timestamps: true, HZ: 250},
	})
	s := suite.NewSearch(suite.Aim{Predicted: predicted, Traits: chooser.Traits(), CPUs: 2, Most: 4 * time.Minute})
	for {
		round, ok := s.Next()
		if !ok {
			break
		}
		fmt.Printf("%d steps, side by side: %v\n", len(round.Tries), round.AtOnce)
		for _, try := range round.Tries {
			done := suite.Tried{Try: try} // as it would be where ports are enough for 8.06 per second
			if try.Rate > 8.06 {
				done.Limit = suite.Ports
			}
			s.Take(done)
		}
	}
	fmt.Println(s.Verdict())
	// Output:
	// 12 steps, side by side: true
	// 8.058 connections per second hold, 8.066 do not: ports run out; 8.058 to 8.333 predicted true
}

func ExampleNewProof() {
	linux := ports.Of(ports.Range{Low: 32768, High: 60999})
	chooser, err := strategy.New("connect", strategy.Space{Ranges: linux})
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := capacity.NewPlan(capacity.Wish{Rate: 2000, Question: capacity.Question{
		Range: linux, Strategy: chooser.Traits(), Settings: capacity.Settings{Timestamps: true, HZ: 250},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	proof, err := suite.NewProof(plan, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(proof.Ports.Size(), "ports")
	for _, side := range proof.Sides {
		fmt.Println(side.Claim)
	}
	// Output:
	// 500 ports
	// just below the limit, 445.9 per second for ever
	// just above the limit, 479.9 per second run out of ports
	// 2,000 per second with 5 targets hold
	// 2,000 per second with 4 targets run out of ports
	// 28,232 at a time, and one more finds no port
}
