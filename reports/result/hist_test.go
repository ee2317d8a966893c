package result

import (
	"encoding/base64"
	"math"
	"slices"
	"testing"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"
)

func TestHistogramClipsAndLosesNothing(t *testing.T) {
	h := NewHistogram()
	for _, ns := range []int64{math.MinInt64, -1, 0, LowestNS, HighestNS, HighestNS + 1, math.MaxInt64} {
		h.Record(ns)
	}
	s := h.Summary()
	if s.Count != 7 || s.Clipped != 5 || s.MinNS != LowestNS || s.MaxNS != HighestNS {
		t.Errorf("summary %+v, want 7 values, 5 clipped, from %d to %d", s, LowestNS, HighestNS)
	}
}

func TestEmptyHistogram(t *testing.T) {
	h := NewHistogram()
	if s := h.Summary(); s != nil {
		t.Errorf("summary %+v, want none", s)
	}
	if h.Count() != 0 || h.Max() != 0 || h.Quantile(0.5) != 0 {
		t.Errorf("count %d, max %d, median %d, want 0", h.Count(), h.Max(), h.Quantile(0.5))
	}
	if b := h.Band(0.1, 0.2); b.Count != 0 || b.From != 0.1 || b.To != 0.2 || b.P50NS != 0 {
		t.Errorf("band %+v", b)
	}
}

func TestRecordDoesNotAllocate(t *testing.T) {
	h := NewHistogram()
	ns := int64(-5)
	if n := testing.AllocsPerRun(1000, func() { h.Record(ns); ns += 1 << 29 }); n != 0 {
		t.Errorf("%v allocations a value, want none", n)
	}
}

func TestQuantilesAreExactToThreeDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(LowestNS, HighestNS), 1, 200).Draw(t, "values")
		h := NewHistogram()
		for _, v := range values {
			h.Record(v)
		}
		slices.Sort(values)
		near := func(what string, got, want int64) {
			if got < want-want/1000 || got > want+want/1000 {
				t.Errorf("%s %d, want %d to 0.1 %%", what, got, want)
			}
		}
		s := h.Summary()
		near("minimum", s.MinNS, values[0])
		near("maximum", s.MaxNS, values[len(values)-1])
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		rank := max(int(math.Ceil(math.Nextafter(100*q, 0)*float64(len(values))/100)), 1)
		near("quantile", h.Quantile(q), values[rank-1])
		all := []int64{s.MinNS, s.P50NS, s.P90NS, s.P99NS, s.P999NS, s.MaxNS}
		if !slices.IsSorted(all) || s.MeanNS < s.MinNS || s.MeanNS > s.MaxNS {
			t.Errorf("out of order: %v, mean %d", all, s.MeanNS)
		}
	})
}

func TestBins(t *testing.T) {
	h := NewHistogram()
	for _, v := range []int64{5, 10, 14, 15, 19, 20, 34} {
		h.Record(v)
	}
	tests := []struct {
		from, width int64
		n           int
		want        []int64
	}{
		{10, 5, 4, []int64{3, 2, 1, 1}}, // 5 lies before the first, 34 after the last
		{0, 100, 1, []int64{7}},
		{1000, 10, 2, []int64{7, 0}},
		{0, 1, 0, nil},
		{0, 0, 3, nil},
	}
	for _, test := range tests {
		if got := h.Bins(test.from, test.width, test.n); !slices.Equal(got, test.want) {
			t.Errorf("Bins(%d, %d, %d) = %v, want %v", test.from, test.width, test.n, got, test.want)
		}
	}
}

func TestBinsLoseNothing(t *testing.T) {
	h := NewHistogram()
	rapid.Check(t, func(t *rapid.T) {
		h.Reset()
		values := rapid.SliceOfN(rapid.Int64Range(LowestNS, HighestNS), 0, 100).Draw(t, "values")
		for _, v := range values {
			h.Record(v)
		}
		var sum int64
		for _, n := range h.Bins(rapid.Int64().Draw(t, "from"), rapid.Int64Min(1).Draw(t, "width"), rapid.IntRange(1, 50).Draw(t, "n")) {
			sum += n
		}
		if sum != int64(len(values)) {
			t.Errorf("%d values in the bins, %d recorded", sum, len(values))
		}
	})
}

func TestMergeIsRecordingBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(-10, 2*HighestNS), 0, 100).Draw(t, "values")
		both, parts := NewHistogram(), []*Histogram{NewHistogram(), NewHistogram()}
		for i, v := range values {
			both.Record(v)
			parts[i%2].Record(v)
		}
		if err := parts[0].Merge(parts[1]); err != nil {
			t.Fatal(err)
		}
		if parts[0].Encode() != both.Encode() || parts[0].Clipped() != both.Clipped() {
			t.Error("merged histograms differ from one that has all values")
		}
	})
}

func TestMergeChecksWhatTheLibraryDrops(t *testing.T) {
	wide := &Histogram{hdr: hdrhistogram.New(1, math.MaxInt64/4, digits)}
	wide.Record(5)
	_ = wide.hdr.RecordValue(math.MaxInt64 / 8)
	if err := NewHistogram().Merge(wide); err == nil {
		t.Error("no error for a value beyond the bounds")
	}
}

func TestHistogramRoundTrip(t *testing.T) {
	h := NewHistogram()
	for ns := int64(1); ns < HighestNS; ns = ns*3/2 + 1 {
		h.Record(ns)
	}
	got, err := DecodeHistogram(h.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if got.Encode() != h.Encode() || got.Count() != h.Count() || got.Quantile(0.9) != h.Quantile(0.9) {
		t.Errorf("decoded %d values, p90 %d, want %d and %d", got.Count(), got.Quantile(0.9), h.Count(), h.Quantile(0.9))
	}
	h.Reset()
	if h.Count() != 0 || h.Clipped() != 0 {
		t.Errorf("%d values after a reset", h.Count())
	}
}

func TestDecodeHistogramRefuses(t *testing.T) {
	other, err := hdrhistogram.New(1, 1000, 2).Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	whole := NewHistogram().Encode()
	for name, text := range map[string]string{
		"nothing":      "",
		"no base64":    "%%%",
		"short":        base64.StdEncoding.EncodeToString([]byte{0x1c}),
		"other bounds": string(other),
		"cut off":      whole[:len(whole)/2/4*4],
		"too long":     string(make([]byte, maxEncoded+1)),
	} {
		if _, err := DecodeHistogram(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzDecodeHistogram(f *testing.F) {
	h := NewHistogram()
	f.Add(h.Encode())
	h.Record(12_600)
	h.Record(HighestNS)
	f.Add(h.Encode())
	f.Fuzz(func(t *testing.T, text string) {
		h, err := DecodeHistogram(text)
		if err != nil {
			return
		}
		if s := h.Summary(); (s == nil) != (h.Count() == 0) {
			t.Errorf("summary %+v of %d values", s, h.Count())
		}
		again, err := DecodeHistogram(h.Encode())
		if err != nil || again.Encode() != h.Encode() {
			t.Errorf("round trip: %v", err)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	h := NewHistogram()
	b.ReportAllocs()
	for b.Loop() {
		h.Record(12_600)
	}
}

// TestQuantileCountsAsOtherLanguagesDo holds the ranks against those of Java's
// getValueAtPercentile, which rounds them up.
func TestQuantileCountsAsOtherLanguagesDo(t *testing.T) {
	tests := []struct {
		n    int64 // values 1 to n
		q    float64
		want int64
	}{
		{800, 0.999, 800}, // 799.2
		{800, 0.99, 792},
		{1000, 0.999, 999},
		{100, 0.99, 99}, // 99.00000000000001 in floating point
		{101, 0.5, 51},
		{3, 0.5, 2},
		{2, 0.5, 1},
		{1, 0.001, 1},
		{10, 1, 10},
		{10, 2, 10},
	}
	for _, test := range tests {
		h := NewHistogram()
		for v := range test.n {
			h.Record(v + 1)
		}
		if got := h.Quantile(test.q); got != test.want {
			t.Errorf("%v of 1 to %d is %d, want %d", test.q, test.n, got, test.want)
		}
	}
}
