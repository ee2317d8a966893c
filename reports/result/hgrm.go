package result

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// hgrmTicks is how many lines there are for each halving of the distance to
// 100 %, as the HdrHistogram tools have it by default.
const hgrmTicks = 5

// WritePercentiles writes the distribution of percentiles in the text form of the
// HdrHistogram tools (.hgrm), which their plotter reads: value, percentile, count
// up to it, 1/(1-percentile). Values are nanoseconds divided by unit: 1e3 makes
// microseconds. The lines are those of Java's outputPercentileDistribution with
// five ticks per half distance; hdrhistogram-go has other columns.
func (h *Histogram) WritePercentiles(w io.Writer, unit float64) error {
	p := &hgrmWriter{w: w, unit: unit}
	p.printf("%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")
	total := h.Count()
	var upTo, mean, deviation float64
	var passed int64
	for _, bar := range h.hdr.Distribution() {
		if bar.Count == 0 {
			continue
		}
		passed += bar.Count
		for 100*float64(passed)/float64(total) >= upTo {
			p.line(bar.To, upTo, passed)
			upTo += 100 / ticksAt(upTo)
			if passed == total {
				p.line(bar.To, 100, passed)
				break
			}
		}
		mean += float64(bar.Count) * middle(bar.From, bar.To) / float64(total)
	}
	for _, bar := range h.hdr.Distribution() {
		off := middle(bar.From, bar.To) - mean
		deviation += float64(bar.Count) * off * off / float64(max(total, 1))
	}
	p.printf("#[Mean    = %12s, StdDeviation   = %12s]\n", halfUp(mean/unit, digits), halfUp(math.Sqrt(deviation)/unit, digits))
	p.printf("#[Max     = %12s, Total count    = %12d]\n", halfUp(float64(h.hdr.Max())/unit, digits), total)
	p.printf("#[Buckets = %12d, SubBuckets     = %12d]\n", hgrmBuckets(), hgrmSubBuckets)
	if p.err != nil {
		return fmt.Errorf("write percentiles: %w", p.err)
	}
	return nil
}

// ticksAt is how many lines there would be from 0 to 100 % at the density that
// they have at a percentile: twice as many for each halving of what is left.
func ticksAt(percentile float64) float64 {
	halvings := math.Trunc(math.Log(100/(100-percentile))/math.Ln2) + 1
	return hgrmTicks * math.Pow(2, halvings)
}

// middle is what values of an interval are taken for.
func middle(from, to int64) float64 { return float64(from + (to-from+1)/2) }

// The shape of every histogram, which the form states: 2,048 values to each
// doubling keep three digits, and so many doublings reach HighestNS.
const hgrmSubBuckets = 2048

func hgrmBuckets() (n int) {
	n = 1
	for reach := int64(hgrmSubBuckets); reach <= HighestNS; reach <<= 1 {
		n++
	}
	return n
}

// hgrmWriter keeps the first error.
type hgrmWriter struct {
	w    io.Writer
	unit float64
	err  error
}

func (p *hgrmWriter) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// line is one line; the last, of 100 %, has no distance to it.
func (p *hgrmWriter) line(value int64, percentile float64, count int64) {
	p.printf("%12s %s %10d", halfUp(float64(value)/p.unit, digits), halfUp(percentile/100, 12), count)
	if percentile < 100 {
		p.printf(" %14s", halfUp(1/(1-percentile/100), 2))
	}
	p.printf("\n")
}

// halfUp writes a number with so many decimals as Java does, which rounds the
// shortest decimal form of it, and half of a last digit up.
func halfUp(v float64, decimals int) string {
	_, rest, _ := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), ".")
	if len(rest) == decimals+1 && strings.HasSuffix(rest, "5") {
		v = math.Nextafter(v, math.Inf(1)) // which is beyond the half
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}
