package suite_test

import (
	"fmt"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/suite"
)

func ExampleBench() {
	m, err := suite.ParseMatrix("matrix.yaml", []byte(`
rows:
  - name: as it is
  - close: [server-fin, client-rst]
    runs: [reuse]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := suite.Bench(suite.Host{
		Range:    ports.Of(ports.Range{Low: 32768, High: 60999}),
		Settings: capacity.Settings{TWReuse: 2, TWReuseDelay: time.Second, Timestamps: true, HZ: 250},
	}, m, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range s.Rows {
		fmt.Printf("%s: %d connections\n", row.Name, row.Predicted.Connections.Max)
		for _, m := range row.Members {
			fmt.Println(" ", m.Name)
		}
	}
	// Output:
	// as it is: 28232 connections
	//   fill connect
	//   reuse connect client-fin
	// server-fin: 28232 connections
	//   reuse connect server-fin
	// client-rst: 28232 connections
	//   reuse connect client-rst
}

func ExampleParseMatrix() {
	_, err := suite.ParseMatrix("matrix.yaml", []byte("rows:\n  - stratgy: connect\n"))
	fmt.Println(err)
	// Output: matrix.yaml:2: unknown key "stratgy"
}
