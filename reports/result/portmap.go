package result

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// portCount is the number of 16-bit ports, 0 included.
const portCount = 1 << 16

// maxMapText bounds the text that DecodePortMap reads: deflate never makes
// 65,536 bytes longer than 65,556, and base64 adds a third.
const maxMapText = 96 << 10

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
func (m *PortMap) Encode() string {
	var text strings.Builder
	b64 := base64.NewEncoder(base64.StdEncoding, &text)
	// A run writes its map every second. For uses that differ from port to port the
	// default level takes up to ten times as long, and saves a quarter at the most.
	z, err := flate.NewWriter(b64, flate.BestSpeed)
	if err == nil {
		_, err = z.Write(m.uses[:])
	}
	if err = errors.Join(err, z.Close(), b64.Close()); err != nil {
		return "" // the level is known and memory does not refuse a write: cannot be
	}
	return text.String()
}

// DecodePortMap reads what Encode wrote: base64 of a deflate stream of exactly
// 65,536 bytes.
func DecodePortMap(text string) (*PortMap, error) {
	if len(text) > maxMapText {
		return nil, fmt.Errorf("decode port map: %d bytes of text, at most %d", len(text), maxMapText)
	}
	deflated, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("decode port map: %w", err)
	}
	m := new(PortMap)
	z := flate.NewReader(bytes.NewReader(deflated))
	if n, err := io.ReadFull(z, m.uses[:]); err != nil {
		return nil, fmt.Errorf("decode port map: byte %d of %d: %w", n, portCount, err)
	}
	if _, err := io.ReadFull(z, make([]byte, 1)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("decode port map: more than %d bytes", portCount)
	}
	return m, nil
}
