package reports

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"lastport/reports/result"
)

// mapView is the layers of one map of all ports, of which one is shown at a
// time.
type mapView struct {
	Low    int     `json:"low"` // the ports that the map shows at first
	High   int     `json:"high"`
	Layers []layer `json:"layers"`
}

// layer has a byte for each port: raw deflate in base64, as in the result file.
type layer struct {
	Name  string   `json:"name"`
	Kind  string   `json:"kind"`            // "uses", "order", "words"
	Words []string `json:"words,omitempty"` // what a byte means, by its number; 0 is the ground
	Tones []int    `json:"tones,omitempty"` // of the words: colours of the palette
	Most  int      `json:"most"`            // the highest byte
	Bytes string   `json:"bytes"`
	Says  string   `json:"says"`
	bytes *result.PortMap
}

// stateTones are the palette's colours of the states of ports, at their numbers.
func stateTones() []int { return []int{-1, 6, 1, 4, 4, 2, 2, 2, 5, 3, 3, 0} }

// mapOfPorts gathers what the file says of single ports; nil if it says nothing.
func mapOfPorts(r *result.Result) *mapView {
	m := &mapView{Low: 1 << 16, High: -1}
	m.addReach(r.Reach)
	if r.Ports != nil {
		m.add(layerOf("uses", "uses", "how often each port was used; more than 255 times counts as 255", r.Ports.Map))
		m.add(orderLayer(r.Ports))
	}
	if s := r.Survey; s != nil {
		if s.Held != nil {
			m.add(layerOf("order of picks, held", "order", "when each port was picked while all were kept: faint first, strong last", s.Held.Order))
		}
		if s.Released != nil {
			m.add(layerOf("uses, released", "uses", "how often each port was picked when none was kept", s.Released.Uses))
		}
	}
	m.addStates(r.PortStates)
	if len(m.Layers) == 0 {
		return nil
	}
	return m
}

// layerOf reads a layer from a map of the file, and writes it anew: what comes from the
// file goes no further. The order of bytes stays.
func layerOf(name, kind, says, text string) *layer {
	bytes, err := result.DecodePortMap(text)
	if err != nil || !used(bytes) {
		return nil
	}
	return &layer{Name: name, Kind: kind, Says: says, bytes: bytes}
}

// orderLayer is the order of first use, as far as the file has it; a survey, whose
// file has all of it, has a layer of its own.
func orderLayer(p *result.Ports) *layer {
	first := p.First[:min(len(p.First), result.MaxFirst)]
	if len(first) < 2 {
		return nil
	}
	l := &layer{Name: "order of first use", Kind: "order", Says: "when each port was first used: faint first, strong last", bytes: result.OrderMap(first)}
	if p.Distinct > int64(len(first)) {
		l.Name, l.Says = "order of the first "+count(int64(len(first))), "when each of the first "+count(int64(len(first)))+" ports was first used: faint first, strong last"
	}
	return l
}

// mostLayers bounds the layers of a map.
const mostLayers = 12

func (m *mapView) add(l *layer) {
	if l == nil || len(m.Layers) >= mostLayers {
		return
	}
	low, high, _ := bounds(l.bytes)
	m.Low, m.High = min(m.Low, low), max(m.High, high)
	for port := range 1 << 16 {
		l.Most = max(l.Most, int(l.bytes.Uses(uint16(port))))
	}
	l.Bytes = l.bytes.Encode()
	m.Layers = append(m.Layers, *l)
}

// addReach adds what became of each source port.
func (m *mapView) addReach(reach *result.Reach) {
	if reach == nil {
		return
	}
	l := &layer{
		Name: "reach", Kind: "words", Says: "what became of each source port on the path", bytes: new(result.PortMap),
		Words: []string{"not tried", "through", "refused", "dropped", "other"}, Tones: []int{-1, 0, 5, failColor, 4},
	}
	for i, ports := range []result.PortRanges{reach.Through, reach.Refused, reach.Dropped, reach.Other} {
		for port := range portsOf(ports) {
			for l.bytes.Uses(port) < uint8(i+1) {
				l.bytes.Add(port)
			}
		}
	}
	if used(l.bytes) {
		m.add(l)
	}
}

// portsOf yields the ports of a list, and no more than there can be.
func portsOf(list result.PortRanges) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		left := 1 << 16
		for _, text := range list {
			low, high, isRange := strings.Cut(text, "-")
			if !isRange {
				high = low
			}
			from, fromErr := strconv.ParseUint(low, 10, 16)
			to, toErr := strconv.ParseUint(high, 10, 16)
			if fromErr != nil || toErr != nil {
				continue
			}
			for port := from; port <= to; port++ {
				if left--; left < 0 || !yield(uint16(port)) {
					return
				}
			}
		}
	}
}

// addStates adds the states of ports at the moments that are marked, or else at
// the last, of each end and of the gateway.
func (m *mapView) addStates(s *result.PortStates) {
	if s == nil || len(s.Moments) == 0 || !slices.Equal(s.States, result.PortStateNames()) {
		return
	}
	for i, moment := range s.Moments {
		if moment.At == "" && i+1 < len(s.Moments) {
			continue
		}
		for _, end := range moment.Ends() {
			l := layerOf(fmt.Sprintf("%s's ports, %s", end.Name, momentName(moment)), "words", stateWords(moment.At, end.Ports), end.Ports.Map)
			if l == nil || end.Name == "server" && moment.Client != nil && end.Ports.Map == moment.Client.Map {
				continue
			}
			if l.Words, l.Tones = result.PortStateNames(), stateTones(); validStates(l.bytes) {
				m.add(l)
			}
		}
	}
}

func momentName(m result.PortMoment) string {
	if m.At == "" {
		return "at " + duration(m.TNS)
	}
	return shorten(m.At, maxNameColumns) + " at " + duration(m.TNS)
}

// validStates says whether all bytes are states that this version knows.
func validStates(m *result.PortMap) bool {
	for port := range 1 << 16 {
		if int(m.Uses(uint16(port))) >= len(result.PortStateNames()) {
			return false
		}
	}
	return true
}

// mapParts is how many parts of the range the table of a map has.
const mapParts = 16

// table is the first layer in numbers: how many ports of each part of the range it
// has something to say of.
func (m *mapView) table() *grid {
	t := table{head: []string{"ports"}}
	for i := range m.Layers {
		t.head = append(t.head, m.Layers[i].Name)
	}
	each := (m.High - m.Low + mapParts) / mapParts
	for from := m.Low; from <= m.High; from += each {
		to := min(from+each-1, m.High)
		row := []span{{text: fmt.Sprintf("%d-%d", from, to)}}
		for i := range m.Layers {
			row = append(row, span{text: m.Layers[i].part(from, to)})
		}
		t.add(row...)
	}
	return gridOf(t)
}

// part says what a layer has of the ports from one to another: of uses and order
// how many ports are taken, of words how many of each.
func (l *layer) part(from, to int) string {
	var n [256]int64
	for port := from; port <= to; port++ {
		n[l.bytes.Uses(uint16(port))]++
	}
	free := n[0]
	if l.Kind != "words" {
		return count(int64(to-from+1)-free) + " used"
	}
	var words []string
	for i, word := range l.Words {
		if i > 0 && n[i] > 0 {
			words = append(words, count(n[i])+" "+word)
		}
	}
	return dash(phrases(words...))
}

// says puts the map in a sentence.
func (m *mapView) says() string {
	var all []string
	for i := range m.Layers {
		l := &m.Layers[i]
		all = append(all, l.Name+": "+l.part(m.Low, m.High))
	}
	return fmt.Sprintf("ports %d to %d. %s", m.Low, m.High, phrases(all...))
}
