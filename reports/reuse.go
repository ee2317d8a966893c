package reports

import (
	"math"

	"lastport/reports/result"
)

// reuse shows how long closed ports took to come back, and says what kept them
// and what would shorten it.
func (p *page) reuse(r *result.Result) {
	p.delays(r)
	h := heldBy(r)
	p.heading("What keeps the port")
	p.note(h.means)
	p.fact("settings", settingsOf(r.Host, h.sysctls))
	p.hint(h.todo)
}

// delays are the numbers, and a bar for each part of the spread.
func (p *page) delays(r *result.Result) {
	u := r.Reuse
	if u == nil {
		return
	}
	p.heading("Reuse delay of " + plural(u.Count+u.Lost, "port"))
	if u.Count > 0 {
		p.fact("delay", phrases(duration(u.MinNS)+" at the soonest", "p50 "+duration(u.P50NS), duration(u.MaxNS)+" at the latest"))
	}
	p.fact("ports", phrases(count(u.Count)+" came back", nonZero(u.AtOnce, func(n int64) string {
		return count(n) + " of them at once, at the first probe"
	}), count(u.Lost)+" lost"))
	p.fact("precision", phrases(nonZero(u.ResolutionNS, func(ns int64) string { return duration(ns) + " between two probes at most" }),
		plural(u.Probes, "probe")))
	p.fact("other end", optional(u.PeerCloseNS, func(ns int64) string { return "closed up to " + duration(ns) + " later" }))
	if u.Lost > 0 {
		p.para(span{bad, "  lost: "}, plural(u.Lost, "port")+" did not come back while they were waited for")
	}
	p.spread(u, r.Predicted.ReuseNS)
}

// spread draws the histogram of delays where they differ by more than what the
// labels of its bars can tell apart. Of ports that are all back at the first
// probe it would show how fast probes follow one another.
func (p *page) spread(u *result.Reuse, predicted *result.Interval) {
	const bars = 10
	h, err := result.DecodeHistogram(u.HDR)
	if p.blocks != nil || err != nil || u.Count < bars || u.AtOnce == u.Count || u.MinNS < 1 || u.MaxNS > result.HighestNS {
		return
	}
	grain := lastDigit(u.MaxNS)
	if u.MaxNS-u.MinNS < 3*grain {
		return
	}
	width := roundUp(max((u.MaxNS-u.MinNS)/bars, grain, min(u.ResolutionNS, result.HighestNS)))
	from := u.MinNS / width * width
	bins := h.Bins(from, width, int((u.MaxNS-from)/width)+1)
	t := table{head: []string{"from", "ports", "each bar " + duration(width)}}
	var most int64
	for _, n := range bins {
		most = max(most, n)
	}
	const room = 40
	t.head[2] = pad(t.head[2], min(room, p.width/2-2*gap))
	for i, n := range bins {
		at := from + int64(i)*width
		tn := plain
		if predicted != nil && (at+width <= predicted.Min || at > predicted.Max) {
			tn = bad
		}
		text := ""
		if n > 0 {
			text = bar(n, most, columns(t.head[2]))
		}
		t.add(span{text: duration(at)}, span{text: count(n)}, span{tn, pad(text, columns(t.head[2]))})
	}
	p.line()
	p.table(t)
}

// lastDigit is the weight of the third digit, below which duration shows no
// difference.
func lastDigit(ns int64) int64 {
	return int64(math.Pow10(max(int(math.Floor(math.Log10(float64(ns))))-2, 0)))
}

// roundUp returns the least of 1, 2 and 5 times a power of ten that is not below
// ns.
func roundUp(ns int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, n := range []int64{1, 2, 5} {
			if n*unit >= ns {
				return n * unit
			}
		}
	}
}
