package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"lastport/reports/result"
)

// row is a row of the table: what was predicted of a setup, what was measured,
// and how far that is from the prediction's interval; 0 inside.
type row struct {
	setup
	connections figure
	rate        figure
	reuse       figure
	limited     bool // ports limit the rate
}

// figure is one comparison, in words but for how far it is off: connections, or a
// share of the bound that was missed. NaN: nothing was measured.
type figure struct {
	predicted, measured string
	off                 float64
}

// rowOf compares what the runs of a setup came to.
func rowOf(s setup, m runs) row {
	r := row{setup: s, limited: m.asked.Predicted.RatePerS != nil}
	r.connections = connections(m.fill)
	r.reuse = reuse(m.reuse)
	if r.limited {
		r.rate = limitedRate(m)
	} else {
		r.rate = freeRate(m.below)
	}
	return r
}

func connections(fill *result.Result) figure {
	p, f := fill.Predicted.Connections, figure{off: math.NaN()}
	f.predicted = span(float64(p.Min), float64(p.Max), grouped)
	if n := fill.Measured.Connections; n != nil && fill.Residual.Connections != nil {
		f.measured, f.off = grouped(float64(*n)), float64(*fill.Residual.Connections)
	}
	return f
}

// limitedRate is the rate measured by the churn above. If the churn below found
// ports missing, and not because its generator was late, it is out of tolerance
// whatever the other says; by how much that one does not tell.
func limitedRate(m runs) figure {
	p, got := m.asked.Predicted.RatePerS, sustained(m.above)
	f := figure{predicted: span(p.Min, p.Max, perSecond), measured: perSecond(got), off: distance(got, p.Min, p.Max)}
	if m.below.Outcomes.NoPort > 0 && !late(m.below) {
		f.measured, f.off = "ran out at "+m.below.Config.Rate, math.Inf(-1)
	}
	return f
}

// freeRate is that of a churn which ports must not limit.
func freeRate(churn *result.Result) figure {
	f := figure{predicted: "no limit", measured: "≥ " + perSecond(float64(churn.Outcomes.OK)/time.Duration(churn.Config.DurationNS).Seconds())}
	if churn.Outcomes.NoPort > 0 {
		f.measured, f.off = "ran out at "+churn.Config.Rate, math.Inf(-1)
	}
	return f
}

// distance is 0 within the interval, else the share of the bound that is missed.
func distance(v, low, high float64) float64 {
	switch {
	case v < low:
		return v/low - 1
	case v > high:
		return v/high - 1
	}
	return v - v // 0, or NaN
}

func reuse(r *result.Result) figure {
	f := figure{predicted: "–", off: math.NaN()}
	if p := r.Predicted.ReuseNS; p != nil {
		f.predicted = span(seconds(p.Min), seconds(p.Max), short)
		if p.Max == 0 {
			f.predicted = "at once"
		}
	}
	if got := r.Reuse; got != nil && r.Residual.Reuse != nil {
		f.off = *r.Residual.Reuse
		switch {
		case got.Lost > 0:
			f.measured, f.off = fmt.Sprintf("%d of %d not back", got.Lost, got.Lost+got.Count), 1
		case got.AtOnce == got.Count:
			f.measured = "at once"
		default:
			f.measured = span(seconds(got.MinNS), seconds(got.MaxNS), short)
		}
	}
	return f
}

// brief is the row in a line.
func (r row) brief() string {
	return fmt.Sprintf("%s: %s of %s, %s of %s/s, %s of %s s", r.name(), r.connections.measured, r.connections.predicted,
		r.rate.measured, r.rate.predicted, r.reuse.measured, r.reuse.predicted)
}

func seconds(ns int64) float64 { return time.Duration(ns).Seconds() }

// span writes an interval, or its one value.
func span(low, high float64, show func(float64) string) string {
	if a, b := show(low), show(high); a != b {
		return a + "–" + b
	}
	return show(low)
}

// short writes a number of seconds: milliseconds where they matter.
func short(v float64) string {
	if v < 10 {
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func perSecond(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if v >= 1000 {
		return grouped(v)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// grouped writes a whole number with its thousands apart.
func grouped(v float64) string {
	s := strconv.FormatFloat(v, 'f', 0, 64)
	var parts []string
	for ; len(s) > 3; s = s[:len(s)-3] {
		parts = append([]string{s[len(s)-3:]}, parts...)
	}
	return strings.Join(append([]string{s}, parts...), ",")
}
