package record_test

import (
	"fmt"
	"time"

	"lastport/loadgen/outcome"
	"lastport/loadgen/record"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

// A worker writes; the collector, on another goroutine, counts.
func Example() {
	collector, err := record.NewCollector(1, 2, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	worker := collector.Writer()
	done := worker.Room(3)
	done = append(done,
		step.Completion{Op: step.Open, Attempt: 1, Open: 0, Port: 40000, Start: 1000, End: 2000},
		step.Completion{Op: step.Open, Attempt: 2, Open: 1, Port: 40002, Start: 2000, End: 3000},
		step.Completion{Op: step.Open, Attempt: 3, Open: 2, Outcome: outcome.NoPort, Start: 3000, End: 9000})
	worker.Keep(done)
	worker.Flush()

	collector.TakeAll()
	var r result.Result
	collector.Fill(&r)
	fmt.Println(r.Attempts, "attempts:", r.Outcomes.OK, "ok,", r.Outcomes.NoPort, "no_port, the first at", r.Measured.FirstNoPort.Attempt)
	for _, band := range r.Occupancy {
		fmt.Printf("%.0f to %.0f %%: %d\n", 100*band.From, 100*band.To, band.Count)
	}
	// Output:
	// 3 attempts: 2 ok, 1 no_port, the first at 3
	// 0 to 10 %: 1
	// 50 to 60 %: 1
	// 100 to 100 %: 1
}
