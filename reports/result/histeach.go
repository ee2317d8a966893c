package result

// Each calls f for every value in nanoseconds that was recorded, with how often, in
// ascending order. A value stands for all that have its three digits, by the
// middle of them.
func (h *Histogram) Each(f func(ns, count int64)) {
	for _, bar := range h.hdr.Distribution() {
		if bar.Count > 0 {
			f(bar.From+(bar.To-bar.From)/2, bar.Count)
		}
	}
}
