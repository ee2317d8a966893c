// Command lastport finds the last ephemeral port before production does: it
// opens connections from a chosen range of source ports until none is left and
// measures how ports are allocated, how soon they come back, and what it costs
// on the way.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
