package reports

import (
	"fmt"
	"math"

	"lastport/reports/result"
)

// portMaps draw the range as two strips, even ports above odd ones, because what
// the kernel does with parities shows there alone.
func (p *page) portMaps(s *result.Survey) {
	p.heading("Port map")
	order, uses := mapOf(s.Held, func(k *result.Picks) string { return k.Order }), mapOf(s.Released, func(k *result.Picks) string { return k.Uses })
	var both result.PortMap
	both.Merge(order)
	both.Merge(uses)
	low, high, ok := bounds(&both)
	if !ok {
		return
	}
	if used(order) {
		p.note("held: a bar's height is when its ports were picked, low first and high last; blank is never")
		p.portMap(portMap{order, low, high, meanOfPicked, math.MaxUint8})
	}
	if used(uses) {
		p.note("released: a bar's height is how often its ports were picked, as a share of the most; blank is never")
		p.portMap(portMap{uses, low, high, meanOfAll, 0})
	}
}

// mapOf decodes a map of a part. One that is not there, or is broken, is empty.
func mapOf(picks *result.Picks, encoded func(*result.Picks) string) *result.PortMap {
	if picks != nil {
		if m, err := result.DecodePortMap(encoded(picks)); err == nil {
			return m
		}
	}
	return new(result.PortMap)
}

// Bounds of a strip: columns and lines.
const (
	mapColumns = 64
	mapLines   = 4
)

// mapLevels are the heights of a bar, beside blank.
const mapLevels = 8

// portMap is a map to be drawn, of the ports from low to high.
type portMap struct {
	uses      *result.PortMap
	low, high int
	value     func([]uint8) float64 // a cell's, from those of its ports
	most      float64               // what the highest bar stands for; 0: the highest value
}

// portMap draws one map.
func (p *page) portMap(m portMap) {
	room := min(mapColumns, p.width-labelColumns)
	strips := []strip{m.strip(0, room), m.strip(1, room)}
	if m.most == 0 {
		m.most = max(strips[0].most(), strips[1].most())
	}
	for i, name := range []string{"even", "odd"} {
		s := &strips[i]
		cells := s.bars(m.most)
		for from := 0; from < len(cells); from += room {
			label := fmt.Sprintf("  %-4s %5d  ", name, s.first+2*s.per*from)
			p.line(span{dim, label}, span{text: string(cells[from:min(len(cells), from+room)])})
			name = ""
		}
	}
}

// labelColumns is the width of what stands before a line of a strip.
const labelColumns = 2 + 4 + 1 + 5 + 2

// bounds are the lowest and the highest port that have a value.
func bounds(m *result.PortMap) (low, high int, ok bool) {
	for port := range 1 << 16 {
		if m.Uses(uint16(port)) == 0 {
			continue
		}
		if !ok {
			low, ok = port, true
		}
		high = port
	}
	return low, high, ok
}

// used says whether any port has a value.
func used(m *result.PortMap) bool {
	even, odd := m.Count()
	return even+odd > 0
}

// strip is the ports of one parity, several to a cell.
type strip struct {
	first int // port
	per   int // ports in a cell
	cells []float64
}

// strip is the map's ports of a parity, in lines of room cells.
func (m *portMap) strip(parity, room int) strip {
	s := strip{first: m.low + (m.low+parity)%2}
	var values []uint8
	for port := s.first; port <= m.high; port += 2 {
		values = append(values, m.uses.Uses(uint16(port)))
	}
	s.per = max(1, (len(values)+room*mapLines-1)/(room*mapLines))
	for from := 0; from < len(values); from += s.per {
		s.cells = append(s.cells, m.value(values[from:min(len(values), from+s.per)]))
	}
	return s
}

func (s *strip) most() float64 {
	most := 0.0
	for _, v := range s.cells {
		most = max(most, v)
	}
	return most
}

// bars draws the cells; one without a value is blank.
func (s *strip) bars(most float64) []rune {
	shapes := []rune(" ▁▂▃▄▅▆▇█")
	cells := make([]rune, len(s.cells))
	for i, v := range s.cells {
		cells[i] = shapes[min(mapLevels, int(math.Ceil(v/most*mapLevels)))]
	}
	return cells
}

// meanOfPicked is the mean over the ports that were picked.
func meanOfPicked(values []uint8) float64 {
	sum, n := 0, 0
	for _, v := range values {
		if sum += int(v); v > 0 {
			n++
		}
	}
	return float64(sum) / float64(max(1, n))
}

// meanOfAll is the mean over all ports.
func meanOfAll(values []uint8) float64 {
	sum := 0
	for _, v := range values {
		sum += int(v)
	}
	return float64(sum) / float64(len(values))
}
