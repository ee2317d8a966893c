package reports

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"lastport/reports/result"
)

// gains says whether a way is worth its price: more than what two runs of the
// same kind differ by.
const (
	gained = 1.05
	lost   = 0.95
)

// gain is by how much a way sustains more than the first, by what is predicted;
// +Inf where ports set no limit, nil where nothing is known.
func (w *way) gain() *float64 {
	if w.unlimited() {
		unlimited := math.Inf(1)
		return &unlimited
	}
	if g := w.row.Gain; g != nil && *g > 0 && *g < 1e15 {
		return g
	}
	return nil
}

// gainText is the gain in little room. Where ports set no limit it is what the
// machine made of it.
func (w *way) gainText() string {
	g := w.gain()
	switch {
	case g == nil:
		return ""
	case !math.IsInf(*g, 1):
		return factor(*g)
	case w.made > 0:
		return "≥" + factor(w.made)
	}
	return "no limit"
}

// factor writes a multiple: 0.58, 1, 2.29, 61.9, 608.
func factor(v float64) string {
	if math.Abs(v-math.Round(v)) < 0.005 {
		return count(int64(math.Round(v)))
	}
	return digits3(v)
}

// uses is how often a connection of the row is used: for its requests, or once.
func uses(row *result.SetRow) float64 { return float64(max(1, row.Requests)) }

// weigh finds what the machine made of each way, as a multiple of what is
// predicted of the first.
func weigh(ways []way) {
	usual := ways[0].row.Predicted.RatePerS
	if usual == nil || !(usual.Min > 0) {
		return
	}
	for i := range ways {
		w := &ways[i]
		w.made = w.sustains().held * uses(w.row) / (usual.Min * uses(ways[0].row))
	}
}

// rank lists the ways by what they gain, with their price: those that are as good
// and cost the same as one.
func (p *page) rank(ways []way) {
	if len(ways) < 2 {
		return
	}
	usual := &ways[0]
	ranked := make([]*way, 0, len(ways))
	var same, worse []string
	for i := range ways[1:] {
		w := &ways[1+i]
		switch g := w.gain(); {
		case g == nil || usual.unlimited():
		case *g >= gained:
			ranked = append(ranked, w)
		case *g <= lost:
			worse = append(worse, w.name()+" ("+factor(*g)+")")
		default:
			same = append(same, w.name())
		}
	}
	slices.SortStableFunc(ranked, func(a, b *way) int { return cmp.Compare(*b.gain(), *a.gain()) })
	p.heading("Ranked by the rate that ports sustain, as a multiple of that of " + usual.name())
	for _, alike := range places(ranked, usual) {
		p.ranked(alike, usual)
	}
	if len(ranked) > 0 && ranked[0].unlimited() {
		note := "no limit: ports set none"
		if slices.ContainsFunc(ranked, func(w *way) bool { return w.unlimited() && w.sustains().held > 0 }) {
			note += ", and this machine made what is in brackets"
		}
		p.note(note)
	}
	if len(same) > 0 {
		p.para(span{dim, "         1   "}, phrases(same...)+": no gain in rate")
	}
	if len(worse) > 0 {
		p.para(span{dim, "     below   "}, phrases(worse...))
	}
}

// places joins the ways that gain as much and cost the same.
func places(ranked []*way, usual *way) (all [][]*way) {
	for _, w := range ranked {
		i := slices.IndexFunc(all, func(alike []*way) bool {
			return *alike[0].gain() == *w.gain() && alike[0].price(usual) == w.price(usual)
		})
		if i < 0 {
			all = append(all, nil)
			i = len(all) - 1
		}
		all[i] = append(all[i], w)
	}
	return all
}

// ranked is one place of the ranking.
func (p *page) ranked(alike []*way, usual *way) {
	first := alike[0]
	label, text := "no limit", ""
	if !first.unlimited() {
		label, text = factor(*first.gain()), first.can(usual)
	}
	var names []string
	for _, w := range alike {
		name := w.name()
		if held := w.sustains().held; w.unlimited() && held > 0 {
			name += " (" + perSecond(held) + "/s)"
		}
		names = append(names, name)
	}
	names = []string{phrases(names...)}
	if text != "" {
		names = append(names, text)
	}
	p.para(span{strong, padLeft(label, 10) + "   "}, strings.Join(names, ": "))
	p.para(span{dim, "             price  "}, first.price(usual))
}

// can says what a way sustains, and what it can have at once if that is other
// than usual.
func (w *way) can(usual *way) string {
	var rate string
	if i := w.row.Predicted.RatePerS; i != nil {
		rate = between(floorRate(i.Min), floorRate(i.Max)) + " connections per second"
		if n := uses(w.row); n > 1 {
			rate += ", and " + between(floorRate(n*i.Min), floorRate(n*i.Max)) + " requests"
		}
	}
	atOnce := ""
	if have, most := w.row.Predicted.Connections, usual.row.Predicted.Connections; have != nil && (most == nil || *have != *most) {
		atOnce = counts(*have) + " at once"
	}
	return phrases(rate, w.searches(), atOnce, w.proof())
}

// searches says how many processors a rate takes for the search alone, where past
// half of the range each connect must pass over the other half in vain: as many as
// do are beyond what that half serves, of a rate that uses all ports up half of
// them. It is the least: measured with open connections, and ports in TIME_WAIT
// take longer to pass over.
func (w *way) searches() string {
	rate, empty, full := w.row.Predicted.RatePerS, w.at(0), w.at(nearly)
	if rate == nil || empty == nil || full == nil || w.standsIn("fill") || float64(*full) < kneeFactor*float64(*empty) {
		return ""
	}
	processors := rate.Min * (float64(*empty) + float64(*full)) / 2 / 1e9
	if !(processors >= 1) {
		return ""
	}
	return "as far as ports go: to find them takes " + digits3(processors) + " processors or more"
}

// proof says what was measured of the way's rate.
func (w *way) proof() string {
	s := w.sustains()
	switch {
	case w.unlimited():
		return ""
	case s.off:
		return "not as predicted"
	case s.text() == "":
		return "predicted, not measured here"
	case w.standsIn("churn") && len(w.churns) > 0:
		return "measured over " + shorten(w.row.StandIn["churn"], maxNameColumns)
	}
	return ""
}
