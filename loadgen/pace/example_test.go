package pace_test

import (
	"fmt"
	"time"

	"lastport/loadgen/pace"
)

func Example() {
	p, err := pace.NewConstant(400)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range []int64{0, 1, 400} {
		fmt.Println(time.Duration(p.Due(n)))
	}
	// Output:
	// 0s
	// 2.5ms
	// 1s
}

func ExampleBackoff() {
	b := pace.Backoff{Min: 10 * time.Millisecond, Max: time.Second}
	fmt.Println(b.Next(), b.Next(), b.Next())
	b.Reset()
	fmt.Println(b.Next())
	// Output:
	// 10ms 20ms 40ms
	// 10ms
}
