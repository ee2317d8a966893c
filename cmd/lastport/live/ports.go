package live

import (
	"fmt"
	"math"
	"strings"

	"lastport/reports/result"
)

// beside is what a strip of ports has before its cells and behind them: the
// parity, and the lowest and highest port.
const beside = label + 6 + 6

// ports draws the range as two strips, even ports above odd ones, because what
// the kernel does with parities shows there alone. The height of a cell is the
// share of its ports that are taken; those that only wait are in another colour.
func (r *Run) ports(width int) []line {
	p := r.Ports
	if p == nil || width <= beside || p.High < p.Low {
		return nil
	}
	var lines []line
	for parity, name := range []string{"even", "odd"} {
		low, high := int(p.Low), int(p.High)
		low += (low + parity) % 2
		high -= (high + parity) % 2
		if low > high {
			continue
		}
		l := line{{dim, pad(name, label) + fmt.Sprintf("%5d ", low)}}
		l = append(l, p.cells(low, high, width-beside)...)
		lines = append(lines, append(l, span{dim, fmt.Sprintf(" %-5d", high)}))
	}
	return lines
}

// cells draws the ports of one parity in at most width cells.
func (p *Ports) cells(low, high, width int) line {
	n := (high-low)/2 + 1 // ports
	cells := min(n, width)
	var l line
	for i := range cells {
		taken, waiting, all := 0, 0, 0
		for k := i * n / cells; k < (i+1)*n/cells; k++ {
			all++
			switch s := p.States.State(uint16(low + 2*k)); {
			case s == result.PortFree:
			case s < result.PortCloseWait: // its connection is over on this side
				waiting++
				taken++
			default:
				taken++
			}
		}
		of := good
		if 2*waiting > taken {
			of = caution
		}
		l = l.with(of, heights[int(math.Ceil(float64(taken)/float64(all)*float64(len(heights)-1)))])
	}
	return append(l, span{text: strings.Repeat(" ", width-cells)})
}

// with adds a character to the line.
func (l line) with(t tone, c rune) line {
	if n := len(l); n > 0 && l[n-1].tone == t {
		l[n-1].text += string(c)
		return l
	}
	return append(l, span{t, string(c)})
}
