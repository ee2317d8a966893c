package record_test

import (
	"slices"
	"testing"

	"lastport/reports/result"
)

// fillTo opens so many of the usable connections, each in as many microseconds
// as there were open before it, and returns the points.
func fillTo(t testing.TB, usable, opens int64) []result.Point {
	t.Helper()
	c := newCollector(t, 1, usable)
	w := c.Writer()
	for i := range opens {
		d := opened(ms+i, uint32(i), uint16(i))
		d.Start = d.End - 1000*(i+1)
		write(c, w, d)
	}
	return filled(c).AtOccupancy
}

func TestPointsCoverTheHundredthThatBeginsAtThem(t *testing.T) {
	const us = 1000
	want := []result.Point{
		{At: 0, From: 0, To: 0.01, Count: 10, P50NS: 5 * us, MaxNS: 10 * us},
		{At: 0.5, From: 0.5, To: 0.51, Count: 10, P50NS: 505 * us, MaxNS: 510 * us},
		{At: 0.9, From: 0.9, To: 0.91, Count: 10, P50NS: 905 * us, MaxNS: 910 * us},
		{At: 0.99, From: 0.99, To: 0.999, Count: 9, P50NS: 995 * us, MaxNS: 999 * us},
		{At: 0.999, From: 0.999, To: 1, Count: 1, P50NS: 1000 * us, MaxNS: 1000 * us},
	}
	got := fillTo(t, 1000, 1000)
	if len(got) != len(want) {
		t.Fatalf("%d points, want %d: %+v", len(got), len(want), got)
	}
	near := func(a, b int64) bool { return a-b <= b/1000 && b-a <= b/1000 } // a histogram keeps three digits
	for i, g := range got {
		w := want[i]
		if g.At != w.At || g.From != w.From || g.To != w.To || g.Count != w.Count || !near(g.P50NS, w.P50NS) || !near(g.MaxNS, w.MaxNS) {
			t.Errorf("point %d: %+v, want %+v", i, g, w)
		}
	}
}

func TestAPointWithoutAConnectionIsAbsent(t *testing.T) {
	for _, test := range []struct {
		usable int64
		want   []float64
	}{
		{1, []float64{0}},
		{2, []float64{0, 0.5}},
		{3, []float64{0}},
		{10, []float64{0, 0.5, 0.9}},
		{100, []float64{0, 0.5, 0.9, 0.99}},
	} {
		var got []float64
		for _, p := range fillTo(t, test.usable, test.usable) {
			if p.Count != 1 {
				t.Errorf("%d ports, at %v: %d connections, want 1", test.usable, p.At, p.Count)
			}
			got = append(got, p.At)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%d ports: points %v, want %v", test.usable, got, test.want)
		}
	}
	if got := fillTo(t, 0, 5); got != nil {
		t.Errorf("occupancy was not asked for, but there are %+v", got)
	}
}

// A point has exactly the connections whose share lies in it, on ranges of odd
// sizes too.
func TestPointsCountByShare(t *testing.T) {
	for _, usable := range []int64{7, 99, 101, 997, 1001, 2999} {
		got := map[float64]int64{}
		for _, p := range fillTo(t, usable, usable) {
			got[p.At] = p.Count
		}
		for _, p := range []struct{ from, to int64 }{{0, 10}, {500, 510}, {900, 910}, {990, 999}, {999, 1000}} {
			var want int64
			for open := range usable {
				if share := 1000 * open; p.from*usable <= share && share < p.to*usable {
					want++
				}
			}
			if at := float64(p.from) / 1000; got[at] != want {
				t.Errorf("%d ports, at %v: %d connections, want %d", usable, at, got[at], want)
			}
		}
	}
}
