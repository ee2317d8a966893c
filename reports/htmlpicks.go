package reports

import (
	"fmt"
	"math"

	"lastport/reports/result"
)

// reuseBars is how many bars the picture of reuse delays has at most.
const reuseBars = 60

// reuseChart is how many ports came back after which delay, with the predicted
// interval behind it.
func reuseChart(u *result.Reuse, predicted *result.Interval) (*chart, *grid) {
	if u == nil || u.Count < 1 || u.MinNS < 1 || u.MaxNS < u.MinNS || u.MaxNS > result.HighestNS {
		return nil, nil
	}
	h, err := result.DecodeHistogram(u.HDR)
	if err != nil || h.Count() == 0 {
		return nil, nil
	}
	width := roundUp(max((u.MaxNS-u.MinNS)/(reuseBars/2), lastDigit(u.MaxNS)/10, 1)) // a histogram keeps a digit more than text shows
	from := u.MinNS / width * width
	bins := h.Bins(from, width, int(min((u.MaxNS-from)/width, reuseBars))+1)
	l := line{Name: "ports", Form: "bars"}
	c := &chart{X: axis{Kind: "ns", Label: "from close until the port could be used again"}}
	t := table{head: []string{"from", "to", "ports"}}
	for i, n := range bins {
		at := from + int64(i)*width
		c.X.Values, l.Values = append(c.X.Values, float64(at+width/2)), append(l.Values, float64(n))
		if n > 0 {
			t.add(span{text: duration(at)}, span{text: duration(at + width)}, span{text: count(n)})
		}
	}
	c.X.Min, c.X.Max = float64(from-width), float64(from+int64(len(bins)+1)*width)
	if predicted != nil && predicted.Max > 0 && predicted.Min >= 0 && predicted.Max >= predicted.Min && predicted.Max <= result.HighestNS {
		c.Shades = []shade{{float64(predicted.Min), float64(predicted.Max), "predicted"}}
		c.X.Min, c.X.Max = min(c.X.Min, float64(predicted.Min-width)), max(c.X.Max, float64(predicted.Max+width))
	}
	c.X.Min = max(c.X.Min, 0)
	c.Panels = []panel{{Title: "ports that came back", Unit: "count", Lines: []line{l}}}
	return c, gridOf(t)
}

func reuseSays(u *result.Reuse, predicted *result.Interval) string {
	text := fmt.Sprintf("%s came back, the first after %s and the last after %s", plural(u.Count, "port"), duration(u.MinNS), duration(u.MaxNS))
	if predicted != nil {
		text += "; predicted: " + reuseTime(*predicted)
	}
	return text
}

// sequenceChart is which port each pick came to, even and odd ones apart.
func sequenceChart(k *result.Picks) *chart {
	if k == nil || len(k.First) < 2 {
		return nil
	}
	first := k.First[:min(len(k.First), result.MaxFirst)]
	even, odd := line{Name: "even ports", Form: "points"}, line{Name: "odd ports", Form: "points", Color: 1}
	c := &chart{X: axis{Kind: "count", Label: "pick", Min: 1, Max: float64(len(first))}, Zoom: true}
	for i, port := range first {
		values := [2]float64{math.NaN(), math.NaN()}
		values[port%2] = float64(port)
		c.X.Values = append(c.X.Values, float64(i+1))
		even.Values, odd.Values = append(even.Values, values[0]), append(odd.Values, values[1])
	}
	c.Panels = []panel{{Title: "port", Unit: "port", Lines: []line{even, odd}}}
	return c
}

// stepChart is the most frequent steps from a pick to the next.
func stepChart(k *result.Picks) (*chart, *grid) {
	if k == nil || len(k.Steps) == 0 {
		return nil, nil
	}
	steps := k.Steps[:min(len(k.Steps), maxItems)]
	l := line{Name: "share of all steps", Form: "bars"}
	c := &chart{X: axis{Kind: "name", Label: "step from a pick to the next", Min: -1, Max: float64(len(steps))}}
	t := table{head: []string{"step", "share"}}
	for i, s := range steps {
		c.X.Names = append(c.X.Names, signed(s.Step))
		c.X.Values, l.Values = append(c.X.Values, float64(i)), append(l.Values, s.Share)
		t.add(span{text: signed(s.Step)}, span{text: percent(s.Share)})
	}
	c.Panels = []panel{{Title: "share of all steps", Unit: "share", Lines: []line{l}}}
	return c, gridOf(t)
}

// sequenceTable counts the picks of each stretch by parity.
func sequenceTable(k *result.Picks) *grid {
	const stretches = 20
	first := k.First[:min(len(k.First), result.MaxFirst)]
	each := max((len(first)+stretches-1)/stretches, 1)
	t := table{head: []string{"picks", "even", "odd", "lowest port", "highest port"}}
	for from := 0; from < len(first); from += each {
		part := first[from:min(from+each, len(first))]
		var n [2]int64
		low, high := part[0], part[0]
		for _, port := range part {
			n[port%2]++
			low, high = min(low, port), max(high, port)
		}
		t.add(span{text: fmt.Sprintf("%d to %d", from+1, from+len(part))}, span{text: count(n[0])}, span{text: count(n[1])},
			span{text: fmt.Sprint(low)}, span{text: fmt.Sprint(high)})
	}
	return gridOf(t)
}
