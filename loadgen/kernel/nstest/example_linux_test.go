package nstest_test

import (
	"fmt"

	"lastport/loadgen/kernel/nstest"
)

// A package whose tests need the kernel writes
//
//	func TestMain(m *testing.M) { os.Exit(nstest.Run(m)) }
//
// and its tests find this address on their loopback link.
func Example() {
	fmt.Println(nstest.Addr)
	// Output: 198.18.0.1
}
