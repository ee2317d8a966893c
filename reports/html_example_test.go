package reports_test

import (
	"bytes"
	"fmt"

	"lastport/reports"
	"lastport/reports/result"
)

func ExampleHTML() {
	before, after := &result.Result{Schema: result.Schema}, &result.Result{Schema: result.Schema}
	before.Config.Strategy, after.Config.Strategy = "connect", "socket-range"
	var page bytes.Buffer
	if err := reports.HTML(&page, reports.Join(
		reports.Side{From: "before", Runs: []*result.Result{before}},
		reports.Side{From: "after", Runs: []*result.Result{after}},
	)); err != nil {
		fmt.Println(err)
	}
	fmt.Println(bytes.Contains(page.Bytes(), []byte("<h1>2 runs by strategy</h1>")))
	// Output: true
}
