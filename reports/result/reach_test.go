package result_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"lastport/reports/result"
)

func TestPortRangesCount(t *testing.T) {
	for _, c := range []struct {
		list result.PortRanges
		want int64
	}{
		{nil, 0},
		{result.PortRanges{"40500"}, 1},
		{result.PortRanges{"40100-40149", "40500"}, 51},
		{result.PortRanges{"1-65535"}, 65535},
		{result.PortRanges{"", "-", "a", "5-1", "1-", "-1", "70000", "1-70000", "1-2-3", " 4"}, 0}, // no ports
	} {
		if got := c.list.Count(); got != c.want {
			t.Errorf("%q: %d ports, want %d", c.list, got, c.want)
		}
	}
}

// Ports count once each, however they are written.
func TestPortRangesCountProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var list result.PortRanges
		want := int64(0)
		for range rapid.IntRange(0, 50).Draw(rt, "ranges") {
			low := rapid.Uint16().Draw(rt, "low")
			high := rapid.Uint16Range(low, 65535).Draw(rt, "high")
			want += int64(high-low) + 1
			text := fmt.Sprintf("%d-%d", low, high)
			if low == high {
				text = fmt.Sprint(low)
			}
			list = append(list, text)
		}
		if got := list.Count(); got != want {
			rt.Fatalf("%q: %d ports, want %d", list, got, want)
		}
	})
}

// What a reach counts can be expected; a run of another kind has not measured it.
func TestExpectOfReach(t *testing.T) {
	yes := true
	r := &result.Result{Reach: &result.Reach{
		Through: result.PortRanges{"40000-40099"}, Dropped: result.PortRanges{"40100-40149", "40500"},
		DroppedOut: result.PortRanges{"40500"}, DroppedBack: result.PortRanges{"40100-40149"},
		NotTried: []result.NotTried{{Ports: result.PortRanges{"1"}}, {Ports: result.PortRanges{"3-4"}}}, Late: 2, Listening: &yes,
	}}
	for expr, want := range map[string]bool{
		"reach.through==100": true, "reach.dropped==51": true, "reach.dropped==0": false, "reach.dropped_out==1": true,
		"reach.dropped_back==50": true, "reach.refused==0": true, "reach.other==0": true, "reach.differs==0": true,
		"reach.not_tried==3": true, "reach.late<=2": true, "reach.listening==true": true,
	} {
		e, err := result.ParseExpect(expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Eval(r); got.Held != want {
			t.Errorf("%s: %+v, want %v", expr, got, want)
		}
		if got := e.Eval(&result.Result{}); got.Held {
			t.Errorf("%s holds for a run that measured nothing: %+v", expr, got)
		}
	}
}
