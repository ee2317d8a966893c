package result

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPortMapCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := rapid.SliceOfN(rapid.Uint16(), 0, 300).Draw(t, "ports")
		m, seen := new(PortMap), map[uint16]int{}
		for _, port := range ports {
			m.Add(port)
			seen[port]++
		}
		var even, odd int64
		for port, n := range seen {
			if int(m.Uses(port)) != min(n, 255) {
				t.Fatalf("port %d: %d uses, want %d", port, m.Uses(port), n)
			}
			if port%2 == 0 {
				even++
			} else {
				odd++
			}
		}
		p := m.Ports(ports)
		if p.Even != even || p.Odd != odd || p.Distinct != even+odd || len(p.First) != len(ports) {
			t.Errorf("%d even, %d odd, %d distinct, %d first, want %d, %d, %d, %d",
				p.Even, p.Odd, p.Distinct, len(p.First), even, odd, even+odd, len(ports))
		}
		back, err := DecodePortMap(p.Map)
		if err != nil || *back != *m {
			t.Errorf("round trip: %v", err)
		}
	})
}

func TestPortMapSaturates(t *testing.T) {
	m := new(PortMap)
	for range 300 {
		m.Add(65535)
	}
	m.Add(1)
	other := new(PortMap)
	other.Add(65535)
	other.Add(1)
	m.Merge(other)
	if m.Uses(65535) != 255 || m.Uses(1) != 2 || m.Uses(0) != 0 {
		t.Errorf("uses %d, %d, %d, want 255, 2, 0", m.Uses(65535), m.Uses(1), m.Uses(0))
	}
}

func TestPortsKeepsTheFirstOnly(t *testing.T) {
	if p := new(PortMap).Ports(make([]uint16, 2*MaxFirst)); len(p.First) != MaxFirst {
		t.Errorf("%d first ports, want %d", len(p.First), MaxFirst)
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	m, port := new(PortMap), uint16(0)
	if n := testing.AllocsPerRun(1000, func() { m.Add(port); port++ }); n != 0 {
		t.Errorf("%v allocations a port, want none", n)
	}
}

// deflated is n zero bytes as a map is encoded.
func deflated(n int) string {
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = z.Write(make([]byte, n))
	_ = z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestDecodePortMapRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":     "",
		"no base64":   "%%%",
		"no deflate":  base64.StdEncoding.EncodeToString([]byte{0xff, 0xff}),
		"too few":     deflated(portCount - 1),
		"too many":    deflated(portCount + 1),
		"a bomb":      deflated(4 << 20),
		"too long":    strings.Repeat("A", maxMapText+4),
		"no end mark": deflated(portCount)[:20],
	} {
		if _, err := DecodePortMap(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := DecodePortMap(deflated(portCount)); err != nil {
		t.Errorf("an empty map: %v", err)
	}
}

func FuzzDecodeStateMap(f *testing.F) {
	var m StateMap
	m.Put(40000, PortEstablished)
	f.Add(m.Ports().Map)
	f.Add(deflated(10))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := DecodeStateMap(text)
		if err != nil {
			return
		}
		if back, err := DecodeStateMap(m.Ports().Map); err != nil || *back != *m {
			t.Errorf("round trip: %v", err)
		}
	})
}

func FuzzDecodePortMap(f *testing.F) {
	f.Add(deflated(portCount))
	f.Add(deflated(10))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := DecodePortMap(text)
		if err != nil {
			return
		}
		if back, err := DecodePortMap(m.Encode()); err != nil || *back != *m {
			t.Errorf("round trip: %v", err)
		}
	})
}
