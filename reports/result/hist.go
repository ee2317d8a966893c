package result

import (
	"fmt"
	"math"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
)

// The bounds of every histogram in nanoseconds, both inclusive. The longest
// time that the kernel's defaults keep a port taken is below three hours: a dead
// peer is noticed after tcp_keepalive_time + tcp_keepalive_intvl ×
// tcp_keepalive_probes = 7,875 s.
const (
	LowestNS  int64 = 1
	HighestNS int64 = 3 * 3600 * 1_000_000_000
)

// digits is the number of significant decimal digits that a histogram keeps: a
// value is off by 0.1 % at most. With the bounds above that is 287 KB.
const digits = 3

// maxEncoded bounds the text that DecodeHistogram reads. The counts of these
// bounds take at most 35,840 indexes × 9 bytes, and base64 a third more.
const maxEncoded = 512 << 10

// Histogram counts durations in nanoseconds from LowestNS to HighestNS. It
// belongs to one goroutine. Make it with NewHistogram.
type Histogram struct {
	hdr     *hdrhistogram.Histogram
	clipped int64
}

// NewHistogram returns an empty histogram.
func NewHistogram() *Histogram {
	return &Histogram{hdr: hdrhistogram.New(LowestNS, HighestNS, digits)}
}

// Record counts one duration in nanoseconds, without an allocation. A value
// beyond the bounds is counted at the nearer bound and in Clipped: none is
// lost.
func (h *Histogram) Record(ns int64) {
	if ns < LowestNS || ns > HighestNS {
		ns = min(max(ns, LowestNS), HighestNS)
		h.clipped++
	}
	_ = h.hdr.RecordValue(ns) // fails beyond the bounds alone
}

// Merge adds the values of another histogram, which stays as it is.
func (h *Histogram) Merge(from *Histogram) error {
	if dropped := h.hdr.Merge(from.hdr); dropped != 0 {
		return fmt.Errorf("merge histograms: %d of %d values lie beyond %d ns", dropped, from.Count(), HighestNS)
	}
	h.clipped += from.clipped
	return nil
}

// Reset forgets every value and keeps the memory.
func (h *Histogram) Reset() {
	h.hdr.Reset()
	h.clipped = 0
}

// Count returns how many values were recorded, clipped ones included.
func (h *Histogram) Count() int64 { return h.hdr.TotalCount() }

// Clipped returns how many values lay beyond the bounds.
func (h *Histogram) Clipped() int64 { return h.clipped }

// Quantile returns the value in nanoseconds that the share q (0 to 1) of all
// values does not exceed, to three digits and rounded up; 0 for an empty
// histogram.
//
// How many values that takes is rounded up, as the HdrHistogram tools of other
// languages do: of 800 values p99.9 is the greatest. hdrhistogram-go rounds to the
// nearest number, and would take the one before it.
func (h *Histogram) Quantile(q float64) int64 {
	percentile := 100 * q
	if total := float64(h.Count()); q > 0 && total > 0 {
		// 0.99 of 100 values is a little more than 99 in floating point, and means 99.
		rank := math.Ceil(math.Nextafter(percentile, 0) * total / 100)
		percentile = 100 * max(rank, 1) / total
	}
	return min(h.hdr.ValueAtPercentile(percentile), HighestNS)
}

// Max returns the largest value to three digits, rounded up; 0 for an empty
// histogram.
func (h *Histogram) Max() int64 {
	if h.Count() == 0 {
		return 0
	}
	return min(h.hdr.Max(), HighestNS)
}

// Bins counts the values in n neighbouring intervals of width nanoseconds, the
// first of which begins at from. A value stands for all that have its three
// digits, and counts where the middle of them lies; what lies before the first
// interval or after the last is counted in the nearest. Without an interval, or
// with a width below 1, there is nothing to count: nil.
func (h *Histogram) Bins(from, width int64, n int) []int64 {
	if n < 1 || width < 1 {
		return nil
	}
	bins := make([]int64, n)
	for _, bar := range h.hdr.Distribution() {
		i := (bar.From + (bar.To-bar.From)/2 - from) / width
		bins[min(max(i, 0), int64(n-1))] += bar.Count
	}
	return bins
}

// Summary returns what is usually asked of a histogram, or nil for an empty
// one: what was not measured is absent.
func (h *Histogram) Summary() *Summary {
	if h.Count() == 0 {
		return nil
	}
	return &Summary{
		Count:   h.Count(),
		Clipped: h.clipped,
		MinNS:   h.hdr.Min(),
		MeanNS:  min(int64(h.hdr.Mean()), HighestNS),
		P50NS:   h.Quantile(0.50),
		P90NS:   h.Quantile(0.90),
		P99NS:   h.Quantile(0.99),
		P999NS:  h.Quantile(0.999),
		MaxNS:   h.Max(),
		HDR:     h.Encode(),
	}
}

// Band returns the histogram as connect latency while the occupancy was from
// from to to (shares, 0 to 1).
func (h *Histogram) Band(from, to float64) Band {
	return Band{
		From:  from,
		To:    to,
		Count: h.Count(),
		P50NS: h.Quantile(0.50),
		P99NS: h.Quantile(0.99),
		MaxNS: h.Max(),
		HDR:   h.Encode(),
	}
}

// Encode returns the histogram as HdrHistogram V2, compressed, in base64.
// Clipped is not part of that form.
func (h *Histogram) Encode() string {
	text, err := h.hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return "" // the version is known and memory does not refuse a write: cannot be
	}
	return string(text)
}

// DecodeHistogram reads what Encode wrote. Any other text, and a histogram of
// other bounds or digits, is an error.
func DecodeHistogram(text string) (*Histogram, error) {
	if len(text) > maxEncoded {
		return nil, fmt.Errorf("decode histogram: %d bytes of text, at most %d", len(text), maxEncoded)
	}
	hdr, err := hdrhistogram.Decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("decode histogram: %w", err)
	}
	low, high, sig := hdr.LowestTrackableValue(), hdr.HighestTrackableValue(), hdr.SignificantFigures()
	if low != LowestNS || high != HighestNS || sig != digits {
		return nil, fmt.Errorf("decode histogram: bounds %d to %d ns with %d digits, want %d to %d ns with %d",
			low, high, sig, LowestNS, HighestNS, digits)
	}
	return &Histogram{hdr: hdr}, nil
}
