package place

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"lastport/loadgen/ports"
)

// The elements of a set say of every port whether it is in it: nf_tables looks
// for the last one that is not above the port.
func TestIntervals(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var list []ports.Range
		for range rapid.IntRange(0, 20).Draw(rt, "ranges") {
			low := rapid.Uint16Min(1).Draw(rt, "low")
			list = append(list, ports.Range{Low: low, High: rapid.Uint16Range(low, ports.Max).Draw(rt, "high")})
		}
		set := ports.Of(list...)
		elements := intervals(set)
		for _, port := range append([]uint16{1, ports.Max}, rapid.SliceOfN(rapid.Uint16Min(1), 20, 20).Draw(rt, "asked")...) {
			in := false
			for i, e := range elements {
				if i > 0 && bytes.Compare(elements[i-1].Key, e.Key) >= 0 {
					rt.Fatalf("element %d, %x, is not above the one before, %x", i, e.Key, elements[i-1].Key)
				}
				if bytes.Compare(e.Key, []byte{byte(port >> 8), byte(port)}) <= 0 {
					in = !e.IntervalEnd
				}
			}
			if in != set.Contains(port) {
				rt.Fatalf("port %d of %v: in the set: %v", port, set, in)
			}
		}
	})
}

// Without nftables it is said what works without; other errors stay what they
// are.
func TestFirewallThatCannotBe(t *testing.T) {
	for errno, missing := range map[error]bool{unix.EPERM: true, unix.EOPNOTSUPP: true, unix.EPROTONOSUPPORT: true, unix.ENOMEM: false} {
		err := withoutRules(fmt.Errorf("nftables: %w", errno))
		var m *MissingError
		if errors.As(err, &m) != missing || !errors.Is(err, errno) || missing && m.Hint() == "" {
			t.Errorf("%v: %v, want a *MissingError: %v", errno, err, missing)
		}
	}
}

func TestNothingToBlock(t *testing.T) {
	if err := (&Hosts{}).Block(Firewall{}); err != nil { // or else the host's own namespace would have a rule
		t.Error(err)
	}
}
