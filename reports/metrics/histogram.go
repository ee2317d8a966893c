package metrics

import (
	"math"
	"sort"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"lastport/reports/result"
)

// schema of the native histograms: eight buckets for each doubling, so that a
// bucket is 9 % wide. Source: prometheus.io/docs/specs/native_histograms.
const schema = 3

// classic are the upper bounds in seconds of the buckets for scrapers that do not
// know native histograms.
func classic() []float64 {
	return []float64{
		10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
	}
}

// histogram is a native histogram of the summary's values that has classic buckets
// too.
type histogram struct {
	prometheus.Metric
	buckets []*dto.Bucket
}

// newHistogram makes it of a summary. Of a distribution that cannot be decoded it
// makes a metric that says so to the scraper.
func newHistogram(d *prometheus.Desc, s *result.Summary, created time.Time, labels ...string) prometheus.Metric {
	h, err := result.DecodeHistogram(s.HDR)
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}
	bounds := classic()
	native, below := make(map[int]int64), make([]uint64, len(bounds)+1)
	h.Each(func(ns, count int64) {
		v := seconds(ns)
		native[int(math.Ceil(math.Log2(v)*(1<<schema)))] += count
		below[sort.SearchFloat64s(bounds, v)] += uint64(count)
	})
	sum := seconds(s.MeanNS) * float64(h.Count())
	m, err := prometheus.NewConstNativeHistogram(d, uint64(h.Count()), sum, native, nil, 0, schema, 0, created, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}
	buckets := make([]*dto.Bucket, len(bounds))
	var so uint64
	for i, bound := range bounds {
		so += below[i]
		upTo := so
		buckets[i] = &dto.Bucket{UpperBound: &bound, CumulativeCount: &upTo}
	}
	return &histogram{m, buckets}
}

// Write writes both kinds of buckets.
func (h *histogram) Write(out *dto.Metric) error {
	if err := h.Metric.Write(out); err != nil {
		return err
	}
	out.Histogram.Bucket = h.buckets
	return nil
}
