package strategy

import "lastport/loadgen/ports"

// numbering counts the ports of a space from 0, without the gaps, so that an
// algorithm written for one range chooses as evenly from several. Tables, and
// not a search through the ranges, because their number is not bounded.
type numbering struct {
	ports  []uint16 // by index
	lowest int
	index  []uint16 // by port less the lowest: the index plus 1; 0: not of the space
}

func number(space ports.Ranges) *numbering {
	hull := space.Hull()
	n := &numbering{
		ports: make([]uint16, 0, space.Size()), lowest: int(hull.Low), index: make([]uint16, hull.Size()),
	}
	for port := range space.All() {
		n.ports = append(n.ports, port)
		n.index[int(port)-n.lowest] = uint16(len(n.ports))
	}
	return n
}

func (n *numbering) size() int { return len(n.ports) }

// of returns the index of a port, or false if it is not of the space.
func (n *numbering) of(port uint16) (int, bool) {
	at := int(port) - n.lowest
	if at < 0 || at >= len(n.index) || n.index[at] == 0 {
		return 0, false
	}
	return int(n.index[at]) - 1, true
}
