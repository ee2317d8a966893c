package watch

import "time"

// What watching may take of one processor, as shares: together less than a tenth.
const (
	socketShare  = 0.05 // lists of sockets, and all that is made of them
	processShare = 0.04 // searches for processes
)

// ownersEvery is how often processes are looked for at most.
const ownersEvery = 5 * time.Second

// stretched is the time from one piece of work to the next: as was asked, or so
// long that work of this cost takes no more than the share of one processor.
func stretched(asked, cost time.Duration, share float64) time.Duration {
	return max(asked, time.Duration(float64(cost)/share))
}
