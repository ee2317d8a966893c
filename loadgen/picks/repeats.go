package picks

import "slices"

// Repeats says when ports came again.
type Repeats struct {
	Count          int     // picks of a port that had been picked before
	First          int     // the number, from 1, of the first of them; 0: no port came again
	MinDistance    int     // fewest picks from one of a port to its next; 0: no port came again
	MedianDistance float64 // likewise the median
	Expected       float64 // First, on average, if picks were uniform and independent: see Birthday
}

func repeats(seq []uint16, usable int) *Repeats {
	r := &Repeats{Expected: Birthday(usable)}
	last := map[uint16]int{} // the number of a port's last pick, from 1
	var distances []int
	for i, p := range seq {
		if before := last[p]; before > 0 {
			distances = append(distances, i+1-before)
			if r.First == 0 {
				r.First = i + 1
			}
		}
		last[p] = i + 1
	}
	if r.Count = len(distances); r.Count > 0 {
		r.MinDistance, r.MedianDistance = slices.Min(distances), medianOf(distances)
	}
	return r
}

// Birthday returns how many uniform and independent picks from n ports it takes
// on average until one comes again, that one included: the sum over k of the
// chance that k picks are all different, 1 + Ramanujan's Q(n) (Knuth, The Art of
// Computer Programming, volume 1, section 1.2.11.3). It is 0 for n below 1.
func Birthday(n int) float64 {
	if n < 1 {
		return 0
	}
	sum, different := 0.0, 1.0
	for k := 0; k <= n && different > 1e-18; k++ {
		sum += different
		different *= 1 - float64(k)/float64(n)
	}
	return sum
}
