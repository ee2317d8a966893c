package ports_test

import (
	"fmt"

	"lastport/loadgen/ports"
)

func Example() {
	set, err := ports.Parse("40000-40999,41001")
	if err != nil {
		fmt.Println(err)
		return
	}
	reserved, _ := ports.Parse("40500-40509")
	usable := set.Minus(reserved)
	fmt.Println(set.Size(), usable.Size(), usable)
	// Output: 1001 991 40000-40499,40510-40999,41001
}

func ExampleParse() {
	_, err := ports.Parse("linus")
	fmt.Println(err)
	if h, ok := err.(interface{ Hint() string }); ok {
		fmt.Println("hint:", h.Hint())
	}
	// Output:
	// ports "linus": no range has this name
	// hint: linux
}

func ExampleLookup() {
	p, _ := ports.Lookup("windows")
	fmt.Println(p.Name, p.Ranges, p.Ranges.Size(), p.Reuse)
	// Output: iana 49152-65535 16384 2m0s
}
