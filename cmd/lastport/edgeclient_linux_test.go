package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// edgeClient is the program of the tests at the edge: it opens as many connections as
// its argument says, keeps them, and says what became of each. A second argument is how
// long it waits for each. Its exit status is how many failed.
func edgeClient(args []string) int {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return 99
	}
	var dialer net.Dialer
	if len(args) > 1 {
		if dialer.Timeout, err = time.ParseDuration(args[1]); err != nil {
			return 99
		}
	}
	failed := 0
	for i := range n {
		conn, err := dialer.Dial("tcp", os.Getenv("LASTPORT_TARGET"))
		if err != nil {
			failed++
			fmt.Printf("%d: %v\n", i+1, err)
			continue
		}
		defer conn.Close() //nolint:errcheck // the process ends
		fmt.Printf("%d: connected\n", i+1)
	}
	fmt.Fprintf(os.Stderr, "token %q\n", os.Getenv("LASTPORT_TOKEN"))
	return failed
}
