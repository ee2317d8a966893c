package result

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Of several connections on one port the one nearest to open is told, in
// whatever order they come, and the map goes through the file.
func TestStateMapKeepsTheHighest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m StateMap
		highest := map[uint16]PortState{}
		for range rapid.IntRange(0, 300).Draw(t, "n") {
			port, s := rapid.Uint16().Draw(t, "port"), PortState(rapid.IntRange(1, int(portStates)-1).Draw(t, "state"))
			m.Put(port, s)
			highest[port] = max(highest[port], s)
		}
		want := map[string]int64{}
		for _, s := range highest {
			want[PortStateNames()[s]]++
		}
		in := m.Ports()
		if !maps.Equal(in.Counts, want) {
			t.Fatalf("counts %v, want %v", in.Counts, want)
		}
		back, err := DecodeStateMap(in.Map)
		if err != nil || *back != m {
			t.Fatalf("the map does not come back: %v", err)
		}
		for port, s := range highest {
			if back.State(port) != s {
				t.Fatalf("port %d is %d, want %d", port, back.State(port), s)
			}
		}
	})
}

func TestEveryStateHasAName(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range PortStateNames() {
		seen[name] = true
	}
	if len(seen) != int(portStates) {
		t.Errorf("%d names for %d states", len(seen), portStates)
	}
}

func TestStateMapOfANewerVersion(t *testing.T) {
	var m PortMap
	for range portStates {
		m.Add(443)
	}
	if _, err := DecodeStateMap(m.Encode()); err == nil || !strings.Contains(err.Error(), "port 443") {
		t.Errorf("a state that is not known: %v", err)
	}
}

// However many moments come and however large their maps are, the bounds hold,
// marked moments stay, the others are at least Every apart, and time ascends.
func TestPortSeriesIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const every = 100
		s := NewPortSeries(every)
		marked, now := 0, int64(0)
		size := rapid.SampledFrom([]int{200, 2000, 20000}).Draw(t, "size of a map")
		for range rapid.IntRange(1, 400).Draw(t, "n") {
			now += rapid.Int64Range(1, 3*every).Draw(t, "later")
			m := PortMoment{TNS: now, Client: &PortsIn{Map: strings.Repeat("x", size)}}
			if marked < 3 && rapid.IntRange(0, 50).Draw(t, "mark") == 0 {
				m.At = "marked"
				marked++
			}
			s.Add(m)
		}
		got := s.States()
		text, kept, last, lastUnmarked := 0, 0, int64(-1), int64(-1)
		for _, m := range got.Moments {
			text += len(m.Client.Map)
			if m.TNS <= last {
				t.Fatalf("a moment at %d after one at %d", m.TNS, last)
			}
			last = m.TNS
			if m.At != "" {
				kept++
				continue
			}
			if lastUnmarked >= 0 && m.TNS-lastUnmarked < got.EveryNS {
				t.Fatalf("moments at %d and %d, every %d", lastUnmarked, m.TNS, got.EveryNS)
			}
			lastUnmarked = m.TNS
		}
		if len(got.Moments) > MaxMoments || text > MaxMomentText || kept != marked {
			t.Fatalf("%d moments of %d bytes, %d of %d marked", len(got.Moments), text, kept, marked)
		}
	})
}

func TestPortSeriesLeavesOutWhatIsNotDue(t *testing.T) {
	s := NewPortSeries(10)
	if s.States() != nil {
		t.Error("an empty series is in the file")
	}
	for _, m := range []PortMoment{{TNS: 1}, {TNS: 5}, {TNS: 6, At: "fullest"}, {TNS: 15}, {TNS: 16}} {
		s.Add(m)
	}
	var kept []int64
	for _, m := range s.States().Moments {
		kept = append(kept, m.TNS)
	}
	if text, _ := json.Marshal(kept); string(text) != "[1,6,16]" {
		t.Errorf("kept %s, want those at 1, 6 and 16", text)
	}
}
