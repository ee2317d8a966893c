package live_test

import (
	"fmt"
	"time"

	"lastport/cmd/lastport/live"
)

// A fill that is half done, where there is little room.
func Example() {
	r := live.Run{
		Phase: "open", At: 2 * time.Second, Open: 14116, Expected: 28232, Usable: 28232, Opened: 14116, PerS: 7058,
	}
	for _, line := range live.One(&r, live.Style{Columns: 40, Rows: 23}) {
		fmt.Println(line)
	}
	// Output:
	// open                      2 s, 2 s left
	// ████████████████░░░░░░░░░░░░░░░░ 50.0 %
	// 14,116 of 28,232 open
	// no_port 0
	// rate    7,058/s
}
