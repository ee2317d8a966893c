package live

// The columns of runs side by side, besides their names.
const (
	phaseWidth = 8
	gaugeWidth = 12
	shareWidth = 8
	leftWidth  = 15
	wide       = 60 // from here on the share of the ports is shown too
)

// nameWidth is how wide the names of runs are: as the widest, but no more than
// there is room for.
func nameWidth(runs []Run, width int) int {
	widest := 0
	for _, r := range runs {
		widest = max(widest, columns(r.Name))
	}
	room := width - phaseWidth - leftWidth
	if width >= wide {
		room -= gaugeWidth + shareWidth
	}
	return max(label, min(widest, room))
}

// row is a run in one line.
func (r *Run) row(name int, share bool) line {
	l := line{{text: pad(shorten(clean(r.Name), name), name) + "  "}}
	if r.Over {
		return append(l, span{dim, "over"})
	}
	l = append(l, span{text: pad(r.Phase, phaseWidth)})
	if share && r.Usable > 0 {
		l = append(append(l, gauge(r.share(), gaugeWidth)...), span{text: pad(" "+percent(r.share()), shareWidth)})
	}
	return append(l, span{dim, " " + r.left()})
}
