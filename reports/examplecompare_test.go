package reports_test

import (
	"fmt"
	"strings"

	"lastport/reports"
	"lastport/reports/result"
)

func ExampleCompare() {
	runs := func(p99s ...int64) (all []*result.Result) {
		for _, ns := range p99s {
			r := &result.Result{Run: result.Run{Scenario: "fill"}}
			r.Latency.Connect = &result.Summary{P99NS: ns}
			all = append(all, r)
		}
		return all
	}
	slower, err := result.ParseExpectChange("connect.p99<=+10%")
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := reports.Compare(
		reports.Side{From: "old", Runs: runs(700, 710, 705, 708)},
		reports.Side{From: "new", Runs: runs(900, 905, 910, 895)},
		[]result.ChangeExpectation{slower}, 0.05)
	if err != nil {
		fmt.Println(err)
		return
	}
	p99 := c.Pairs[0].Changes[0]
	fmt.Printf("%s: %s by %.1f %%, p=%.3f\n", p99.Field, p99.Claim, 100**p99.Change, *p99.P)
	fmt.Println(c.Expect[0].Expr, c.Expect[0].Held)
	// Output:
	// connect.p99: worse by 27.7 %, p=0.029
	// connect.p99<=+10% false
}

func ExampleCSV() {
	r := &result.Result{Occupancy: []result.Band{
		{From: 0.4, To: 0.5, Count: 2823, P50NS: 12_900, P99NS: 16_100, MaxNS: 115_800},
		{From: 0.5, To: 0.6, Count: 2823, P50NS: 647_000, P99NS: 808_700, MaxNS: 1_384_000},
	}}
	var table strings.Builder
	if err := reports.CSV(&table, r, "occupancy"); err != nil {
		fmt.Println(err)
	}
	fmt.Print(strings.ReplaceAll(table.String(), "\r\n", "\n"))
	// Output:
	// kind,from,to,count,p50_ns,p99_ns,max_ns
	// band,0.4,0.5,2823,12900,16100,115800
	// band,0.5,0.6,2823,647000,808700,1384000
}
