package result_test

import (
	"fmt"

	"lastport/reports/result"
)

func ExampleHistogram() {
	h := result.NewHistogram()
	for us := int64(1); us <= 1000; us++ {
		h.Record(us * 1000)
	}
	h.Record(4 * 3600e9) // beyond the bounds: counted at the bound
	s := h.Summary()
	fmt.Println(s.Count, s.Clipped, s.P50NS, s.MaxNS)
	// Output: 1001 1 501247 10800000000000
}

func ExampleParseExpect() {
	e, err := result.ParseExpect("no_port==0")
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &result.Result{Attempts: 11, Outcomes: result.Outcomes{OK: 10, NoPort: 1}}
	fmt.Printf("%+v\n", e.Eval(r))

	_, err = result.ParseExpect("no_ports==0")
	fmt.Println(err)
	// Output:
	// {Expr:no_port==0 Value:1 Held:false}
	// --expect "no_ports==0": unknown field "no_ports"
}
