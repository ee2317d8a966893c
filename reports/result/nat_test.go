package result

import "testing"

func TestConntrackFull(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	for _, c := range []struct {
		name string
		nat  NAT
		want bool
	}{
		{"nothing was dropped", NAT{Tracked: n(100), MaxTracked: n(100)}, false},
		{"collisions alone", NAT{Tracked: n(100), MaxTracked: n(100), Conntrack: Counters{"drop": 5, "insert_failed": 5}}, false},
		{"drops in a full table", NAT{Tracked: n(100), MaxTracked: n(100), Conntrack: Counters{"drop": 6, "insert_failed": 5}}, true},
		{"drops in a table that is not full", NAT{Tracked: n(99), MaxTracked: n(100), Conntrack: Counters{"drop": 6, "insert_failed": 5}}, false},
		{"entries that had to go", NAT{Tracked: n(99), MaxTracked: n(100), Conntrack: Counters{"early_drop": 1}}, true},
		{"a limit that is not known", NAT{Tracked: n(99), MaxTracked: n(0), Conntrack: Counters{"drop": 6}}, false},
		{"a gateway that could not be read", NAT{Conntrack: Counters{"drop": 6}}, false},
	} {
		if got := c.nat.Full(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestStatesPlus(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	sum := States{Established: n(2), TimeWait: n(3)}.Plus(States{Established: n(4), SynSent: n(1)})
	if *sum.Established != 6 || sum.TimeWait != nil || sum.SynSent != nil {
		t.Errorf("%+v", sum)
	}
}
