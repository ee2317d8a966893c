package reports

import (
	"fmt"
	"slices"
	"strings"

	"lastport/reports/result"
)

// Bounds of the drawing of ports by state.
const (
	stateColumns = 40
	stateMoments = 6             // of each place
	stateLabel   = gap + 9 + gap // columns before a line
)

// stateLetters are the letters of the states, at their numbers.
const stateLetters = ".XTLGFFFCSRE"

// portStates draws which ports were in which state, over time: for each place a
// line a moment, and in it a column for some neighbouring ports.
func (p *page) portStates(s *result.PortStates) {
	if s == nil {
		return
	}
	p.heading("Ports by state, over time")
	if !slices.Equal(s.States, result.PortStateNames()) {
		p.note("written in states that this version does not know: see the result file")
		return
	}
	var first *stateDrawing
	drawn := make(map[result.PortState]bool)
	for _, place := range []struct{ name, of string }{
		{"client", "its own ports"}, {"gateway", "the ports that it has translated to"}, {"server", "its peers' ports"},
	} {
		d := newStateDrawing(few(s.Moments, stateMoments), place.name)
		switch {
		case len(d.moments) == 0 || d.high < 0:
		case first != nil && first.same(d):
			p.note(place.name + ", by " + place.of + ": the same")
		default:
			p.note(fmt.Sprintf("%s, by %s: %d-%d%s", place.name, place.of, d.low, d.high,
				more(int64(d.per), 1, func(n int64) string { return ", " + count(n) + " to a column" })))
			d.draw(p, drawn)
			first = d
		}
	}
	p.stateLegend(drawn)
}

// stateLegend says what the letters mean that were drawn.
func (p *page) stateLegend(drawn map[result.PortState]bool) {
	var words []string
	for s, name := range result.PortStateNames() {
		if drawn[result.PortState(s)] {
			words = append(words, stateLetters[s:s+1]+" "+name)
		}
	}
	if len(words) > 0 {
		p.note(strings.Join(words, ", ") + "; a column is in its commonest state, in small letters where most of its ports are free")
	}
}

// few picks at most n moments, in the order of time: first those that are marked,
// then others evenly.
func few(all []result.PortMoment, n int) []result.PortMoment {
	var marked, others []int
	for i, m := range all {
		if m.At != "" {
			marked = append(marked, i)
		} else {
			others = append(others, i)
		}
	}
	picked := evenly(marked, n/2)
	picked = append(picked, evenly(others, n-len(picked))...)
	slices.Sort(picked)
	list := make([]result.PortMoment, len(picked))
	for i, at := range picked {
		list[i] = all[at]
	}
	return list
}

// evenly picks n of a list, at least two, with its first and last.
func evenly(list []int, n int) []int {
	if len(list) <= n {
		return list
	}
	picked := make([]int, n)
	for i := range picked {
		picked[i] = list[i*(len(list)-1)/(n-1)]
	}
	return picked
}

// stateDrawing is the moments of one place.
type stateDrawing struct {
	low, high int // ports
	per       int // ports in a column
	moments   []stateMoment
}

type stateMoment struct {
	label string
	words string // what else there is to say
	ports *result.StateMap
}

// newStateDrawing gathers the place's part of moments. One that is not there, or
// is broken, is left out.
func newStateDrawing(moments []result.PortMoment, place string) *stateDrawing {
	d := &stateDrawing{low: 1 << 16, high: -1}
	for _, m := range moments {
		for _, end := range m.Ends() {
			states, err := result.DecodeStateMap(end.Ports.Map)
			if end.Name != place || err != nil {
				continue
			}
			d.moments = append(d.moments, stateMoment{duration(m.TNS), stateWords(m.At, end.Ports), states})
			for port := range 1 << 16 {
				if states.State(uint16(port)) != result.PortFree {
					d.low, d.high = min(d.low, port), max(d.high, port)
				}
			}
		}
	}
	d.per = max(1, (d.high-d.low+stateColumns)/stateColumns)
	return d
}

// stateWords counts the ports by state.
func stateWords(at string, in *result.PortsIn) string {
	words := []string{shorten(at, stateColumns)}
	for _, name := range slices.Backward(result.PortStateNames()) {
		words = append(words, nonZero(in.Counts[name], func(n int64) string { return count(n) + " " + name }))
	}
	if in.Interrupted {
		words = append(words, "the table changed meanwhile")
	}
	return phrases(words...)
}

// same says whether another place looked the same at every moment.
func (d *stateDrawing) same(o *stateDrawing) bool {
	return slices.EqualFunc(d.moments, o.moments, func(a, b stateMoment) bool { return *a.ports == *b.ports })
}

// draw puts the moments on the page: what is to be said of one stands beside it
// if there is room, else below.
func (d *stateDrawing) draw(p *page, drawn map[result.PortState]bool) {
	indent := strings.Repeat(" ", gap)
	for _, m := range d.moments {
		label := span{dim, indent + padLeft(m.label, stateLabel-2*gap) + indent}
		cells := d.cells(m.ports, drawn)
		if stateLabel+len(cells)+gap+columns(m.words) <= p.width {
			p.line(label, span{text: cells + indent}, span{dim, m.words})
			continue
		}
		p.para(label, cells)
		p.para(span{text: strings.Repeat(" ", stateLabel)}, m.words)
	}
}

// cells draws one moment, and adds the states that it shows.
func (d *stateDrawing) cells(m *result.StateMap, drawn map[result.PortState]bool) string {
	var line strings.Builder
	for from := d.low; from <= d.high; from += d.per {
		to := min(from+d.per, d.high+1)
		var n [len(stateLetters)]int
		for port := from; port < to; port++ {
			n[m.State(uint16(port))]++
		}
		free := n[result.PortFree]
		state := result.PortFree
		if n[state] = 0; free < to-from {
			state = result.PortState(slices.Index(n[:], slices.Max(n[:])))
		}
		drawn[state] = true
		letter := stateLetters[state : state+1]
		if 2*free > to-from {
			letter = strings.ToLower(letter)
		}
		line.WriteString(letter)
	}
	return line.String()
}
