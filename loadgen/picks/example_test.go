package picks_test

import (
	"fmt"

	"lastport/loadgen/picks"
	"lastport/loadgen/ports"
)

// The kernel's search in steps of two, and every connection kept.
func Example() {
	usable := ports.Of(ports.Range{Low: 40000, High: 40099})
	var seq []uint16
	for _, first := range []uint16{40000, 40001} {
		for p := first; p < 40100; p += 2 {
			seq = append(seq, p)
		}
	}
	s := picks.Describe(picks.Held, seq, usable)
	fmt.Println(s.Text)
	fmt.Println("the other parity at pick", s.OtherParityAt)
	// Output:
	// one parity first: all 50 even ports, then the odd; sequential: 99 % guessed by last + 2
	// the other parity at pick 51
}
