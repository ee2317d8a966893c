package suite_test

import (
	"fmt"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/suite"
)

func ExampleBench() {
	s, err := suite.Bench(suite.Host{
		Range:    ports.Of(ports.Range{Low: 32768, High: 60999}),
		Settings: capacity.Settings{TWReuse: 2, TWReuseDelay: time.Second, Timestamps: true, HZ: 250},
	}, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	usual := s.Rows[0]
	fmt.Printf("%s: %d connections\n", usual.Name, usual.Predicted.Connections.Max)
	for _, m := range usual.Members {
		fmt.Println(" ", m.Name)
	}
	fmt.Println(s.Len(), "runs; the second part lasts", s.Parts[1].Lasts)
	// Output:
	// connect: 28232 connections
	//   fill connect
	//   reuse connect client-fin
	// 47 runs; the second part lasts 1m5s
}
