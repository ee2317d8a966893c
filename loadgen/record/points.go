package record

import "lastport/reports/result"

// point is connect latency close to one occupancy. The bands are too wide for
// the last ports: of 28,232, the tenth band holds 2,824.
type point struct {
	from, to int64 // connections open when the attempt began: from ≤ open < to
	latency  *result.Histogram
	summary  result.Point
}

// newPoints makes the points of a space of so many usable connections. Each
// covers the hundredth that begins at it, but where the next point begins
// sooner, or the space ends. So no attempt counts twice, and one record is the
// most that an attempt costs here.
func newPoints(usable int64) []point {
	const scale = 1000
	points := []point{
		{from: 0, to: 10},
		{from: 500, to: 510},
		{from: 900, to: 910},
		{from: 990, to: 999},
		{from: 999, to: scale},
	}
	for i := range points {
		p := &points[i]
		share := func(of int64) float64 { return float64(of) / scale }
		p.summary = result.Point{At: share(p.from), From: share(p.from), To: share(p.to)}
		p.from, p.to = ceilDiv(p.from*usable, scale), ceilDiv(p.to*usable, scale)
		p.latency = newHistogram()
	}
	return points
}

// ceilDiv is a / b, rounded up: the least count whose share is not below a / b.
func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }

// recordPoint counts one success that began with so many connections open.
func recordPoint(points []point, open, took int64) {
	for i := range points {
		if p := &points[i]; p.from <= open && open < p.to {
			p.latency.Record(took)
			return
		}
	}
}

// summarizePoints lists the points that have values: on a small range a
// hundredth may hold no connection.
func summarizePoints(points []point) []result.Point {
	var list []result.Point
	for i := range points {
		p := &points[i]
		n := p.latency.Count()
		if n == 0 {
			continue
		}
		if s := &p.summary; s.Count != n {
			s.Count, s.P50NS, s.P99NS, s.MaxNS = n, p.latency.Quantile(0.50), p.latency.Quantile(0.99), p.latency.Max()
		}
		list = append(list, p.summary)
	}
	return list
}
