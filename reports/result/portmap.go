package result

import "math"

// PortMap counts the uses of each port, up to 255. The zero value is empty. It
// belongs to one goroutine.
type PortMap struct {
	uses [portCount]uint8
}

// Add counts one use of a port.
func (m *PortMap) Add(port uint16) {
	if m.uses[port] < math.MaxUint8 {
		m.uses[port]++
	}
}

// Uses returns how often a port was used; 255 stands for 255 or more.
func (m *PortMap) Uses(port uint16) uint8 { return m.uses[port] }

// Merge adds the uses of another map, which stays as it is.
func (m *PortMap) Merge(from *PortMap) {
	for port, n := range from.uses {
		m.uses[port] = uint8(min(uint(m.uses[port])+uint(n), math.MaxUint8))
	}
}

// Count returns how many even and how many odd ports were used at least once.
func (m *PortMap) Count() (even, odd int64) {
	for port, n := range m.uses {
		switch {
		case n == 0:
		case port%2 == 0:
			even++
		default:
			odd++
		}
	}
	return even, odd
}

// Ports returns the map as it is kept in the file. first is the order of use,
// of which the file keeps MaxFirst.
func (m *PortMap) Ports(first []uint16) *Ports {
	even, odd := m.Count()
	return &Ports{
		First:    first[:min(len(first), MaxFirst)],
		Even:     even,
		Odd:      odd,
		Distinct: even + odd,
		Map:      m.Encode(),
	}
}

// MaxFirst is how many ports Ports.First holds at most.
const MaxFirst = 1000

// Encode returns one byte a port, from port 0 on, as raw deflate (RFC 1951) in
// base64 (RFC 4648).
func (m *PortMap) Encode() string { return encodeBytes(&m.uses) }

// DecodePortMap reads what Encode wrote: base64 of a deflate stream of exactly
// 65,536 bytes.
func DecodePortMap(text string) (*PortMap, error) {
	m := new(PortMap)
	if err := decodeBytes(text, &m.uses); err != nil {
		return nil, err
	}
	return m, nil
}
