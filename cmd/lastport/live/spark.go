package live

import "math"

// heights are those of a column of a sparkline, from none to full.
var heights = [...]rune{' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'}

// rates draws how fast connections were opened since the run began.
func (r *Run) rates(s Style) line {
	width := sparkWidth(s)
	now := perSecond(r.PerS)
	if width < 1 || len(r.Timeline) == 0 {
		return line{{dim, pad("rate", label)}, {text: now}}
	}
	values := make([]float64, len(r.Timeline))
	since := int64(0)
	for i, row := range r.Timeline {
		if row.TNS > since {
			values[i] = float64(row.Opened) / float64(row.TNS-since)
		}
		since = row.TNS
	}
	return r.spark("rate", now, squeeze(values, width))
}

// latencies draws the 99th percentile of connect since the run began.
func (r *Run) latencies(s Style) line {
	values := make([]float64, len(r.Timeline))
	last := int64(-1)
	for i, row := range r.Timeline {
		if row.P99NS != nil {
			last = *row.P99NS
			values[i] = float64(max(1, last))
		}
	}
	if last < 0 {
		return nil
	}
	return r.spark("p99", latency(last), squeeze(values, max(0, sparkWidth(s))))
}

// now is how wide the newest value before a sparkline is.
const now = 13

// sparkWidth is how many columns are left for a sparkline.
func sparkWidth(s Style) int { return s.width() - label - now }

// spark is a named value, and how it came to be. The scale is logarithmic, as what
// the last ports cost would flatten all the rest, and a decade high at least, as
// not every difference is to look like one. Nothing is blank.
func (r *Run) spark(name, value string, values []float64) line {
	low, top := math.Inf(1), highest(values)
	for _, v := range values {
		if v > 0 {
			low = min(low, v)
		}
	}
	low = min(low, top/10)
	text := make([]rune, len(values))
	for i, v := range values {
		text[i] = heights[0]
		if v > 0 {
			share := math.Log(v/low) / math.Log(top/low)
			text[i] = heights[1+int(share*float64(len(heights)-2))]
		}
	}
	return line{{dim, pad(name, label)}, {text: pad(value, now)}, {text: string(text)}}
}

// squeeze makes at most width values of a series. Each is the largest of
// neighbours: none is lost by which one would know trouble.
func squeeze(values []float64, width int) []float64 {
	n := min(len(values), width)
	bars := make([]float64, n)
	for i := range bars {
		bars[i] = highest(values[i*len(values)/n : (i+1)*len(values)/n])
	}
	return bars
}

// highest is the largest value, 0 at least.
func highest(values []float64) float64 {
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	return top
}
