package conntrack_test

import (
	"fmt"

	"lastport/loadgen/kernel/conntrack"
)

// What a gateway has dropped for want of a tuple is what was counted between two
// readings.
func ExampleReadStats() {
	before, err := conntrack.ReadStats()
	if err != nil {
		fmt.Println(err)
		return
	}
	now, err := conntrack.ReadStats()
	fmt.Println(now.Since(before).InsertFailed, err)
	// Output: 0 <nil>
}
