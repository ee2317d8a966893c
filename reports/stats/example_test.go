package stats_test

import (
	"fmt"

	"lastport/reports/stats"
)

func Example() {
	before := []float64{712, 705, 731, 699, 720, 708}
	after := []float64{18.3, 17.9, 19.0, 18.8, 18.1, 18.5}
	old, now := stats.Describe(before, 0.95), stats.Describe(after, 0.95)
	fmt.Printf("%.1f (%.0f to %.0f)\n", old.Median, old.Low, old.High)
	fmt.Printf("%.1f (%.1f to %.1f)\n", now.Median, now.Low, now.High)
	fmt.Printf("p=%.3f\n", stats.Test(before, after))
	fmt.Printf("alpha 0.05 takes %d runs each\n", stats.Enough(0.05))
	// Output:
	// 710.0 (699 to 731)
	// 18.4 (17.9 to 19.0)
	// p=0.002
	// alpha 0.05 takes 4 runs each
}
