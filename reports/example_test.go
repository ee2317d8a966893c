package reports_test

import (
	"fmt"
	"os"

	"lastport/reports"
	"lastport/reports/result"
)

func ExampleText() {
	connections := int64(1000)
	r := &result.Result{
		Schema:   result.Schema,
		Measured: result.Measured{Connections: &connections},
		Attempts: 1100,
		Outcomes: result.Outcomes{OK: 1000, NoPort: 100},
		Verdict:  result.Verdict{OK: true, Text: "1,000 connections, as many as predicted"},
	}
	r.Predicted.Connections = &result.Interval{Min: 1000, Max: 1000}
	if err := reports.Text(os.Stdout, r, reports.Style{ASCII: true}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// OK  1,000 connections, as many as predicted
	//
	// Predicted and measured
	//                predicted  measured  residual
	//   connections      1,000     1,000         -
	//
	// Outcomes of 1,100 attempts
	//   ok               1,000  connected
	//   no_port            100  no source port was left toward the target
	//                           (EADDRNOTAVAIL)
	//       hint: in production: keep connections and use them again, let the peer
	//             close first, widen net.ipv4.ip_local_port_range, or add source
	//             addresses or target ports
}

func ExampleJSON() {
	set := &result.Set{Schema: result.SetSchema, Axis: "strategy"}
	if err := reports.JSON(os.Stdout, set); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {
	//   "schema": "lastport/set/v1",
	//   "axis": "strategy",
	//   "runs": null
	// }
}
