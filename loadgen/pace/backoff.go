package pace

import "time"

// Backoff spaces out attempts that fail for another cause than ports, so that a
// dead target is neither flooded nor given up. Each delay is twice the one
// before, from Min up to Max. It has no jitter: there is one generator, and
// nobody to fall into step with. It belongs to one worker.
type Backoff struct {
	Min, Max time.Duration // Min counts as at least 1 ns, Max as at least Min
	next     time.Duration
}

// Next returns how long to wait before the next attempt.
func (b *Backoff) Next() time.Duration {
	least := max(b.Min, 1)
	most := max(b.Max, least)
	now := min(max(b.next, least), most)
	b.next = most
	if now < most/2 { // asked before doubling, which might overflow
		b.next = 2 * now
	}
	return now
}

// Reset starts anew from Min, after a success.
func (b *Backoff) Reset() { b.next = 0 }
