package ports

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// genRanges draws sets whose ends are often at the limits and often touch.
func genRanges() *rapid.Generator[Ranges] {
	port := rapid.OneOf(
		rapid.Uint16Range(0, 12), rapid.Uint16Range(65530, 65535), rapid.Uint16(),
	)
	one := rapid.Custom(func(t *rapid.T) Range {
		return Range{Low: port.Draw(t, "low"), High: port.Draw(t, "high")}
	})
	return rapid.Custom(func(t *rapid.T) Ranges {
		return Of(rapid.SliceOfN(one, 0, 6).Draw(t, "ranges")...)
	})
}

// bits is the naive model of a set: one bool a port.
type bits [Max + 1]bool

func bitsOf(rs ...Range) *bits {
	var b bits
	for _, r := range rs {
		if r.Low == 0 {
			continue
		}
		for p := int(r.Low); p <= int(r.High); p++ {
			b[p] = true
		}
	}
	return &b
}

func checkModel(t *rapid.T, what string, got Ranges, want *bits) {
	t.Helper()
	if *bitsOf(got...) != *want {
		t.Fatalf("%s: %v does not hold the right ports", what, got)
	}
	n := 0
	for _, in := range want {
		if in {
			n++
		}
	}
	if got.Size() != n {
		t.Fatalf("%s: size of %v = %d, want %d", what, got, got.Size(), n)
	}
	for i, r := range got {
		if r.empty() || i > 0 && int(r.Low) <= int(got[i-1].High)+1 {
			t.Fatalf("%s: %v is not in normal form", what, []Range(got))
		}
		for _, p := range []uint16{r.Low - 1, r.Low, r.High, r.High + 1} { // may wrap around, to ports as good
			if got.Contains(p) != want[p] {
				t.Fatalf("%s: %v contains %d = %v", what, got, p, !want[p])
			}
		}
	}
}

func TestOfAgreesWithBitmap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		port := rapid.OneOf(rapid.Uint16Range(0, 8), rapid.Uint16Range(65530, 65535))
		rs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Range {
			return Range{Low: port.Draw(t, "low"), High: port.Draw(t, "high")}
		}), 0, 5).Draw(t, "ranges")
		before := slices.Clone(rs)
		checkModel(t, "Of", Of(rs...), bitsOf(rs...))
		if !slices.Equal(before, rs) {
			t.Fatalf("Of changed its arguments: %v", rs)
		}
	})
}

func TestSetOperationsAgreeWithBitmap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genRanges().Draw(t, "a"), genRanges().Draw(t, "b")
		inA, inB := bitsOf(a...), bitsOf(b...)
		var union, minus, both bits
		for p := range union {
			union[p] = inA[p] || inB[p]
			minus[p] = inA[p] && !inB[p]
			both[p] = inA[p] && inB[p]
		}
		checkModel(t, "union", a.Union(b), &union)
		checkModel(t, "minus", a.Minus(b), &minus)
		checkModel(t, "intersect", a.Intersect(b), &both)
		var all bits
		for p := range a.All() {
			all[p] = true
		}
		checkModel(t, "all", a, &all)
		if !slices.IsSorted(slices.Collect(a.All())) {
			t.Fatalf("All of %v is not in order", a)
		}
	})
}

func TestAllStopsWhenAsked(t *testing.T) {
	n := 0
	for range Of(Range{Low: 1, High: Max}).All() {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("yielded %d ports, want 3", n)
	}
}

func TestHull(t *testing.T) {
	for _, c := range []struct {
		set  Ranges
		want Range
	}{
		{nil, Range{}},
		{Of(Range{Low: 7, High: 7}), Range{Low: 7, High: 7}},
		{Of(Range{Low: 100, High: 200}, Range{Low: 10, High: 20}), Range{Low: 10, High: 200}},
	} {
		if got := c.set.Hull(); got != c.want {
			t.Errorf("hull of %q = %v, want %v", c.set, got, c.want)
		}
	}
}

func TestRange(t *testing.T) {
	for _, c := range []struct {
		r    Range
		size int
		text string
	}{
		{Range{}, 0, ""},
		{Range{Low: 0, High: 5}, 0, ""}, // port 0 is none
		{Range{Low: 5, High: 4}, 0, ""},
		{Range{Low: 41000, High: 41000}, 1, "41000"},
		{Range{Low: 32768, High: 60999}, 28232, "32768-60999"},
		{Range{Low: 1, High: Max}, 65535, "1-65535"},
	} {
		if c.r.Size() != c.size || c.r.String() != c.text {
			t.Errorf("%d-%d: size %d, %q; want %d, %q", c.r.Low, c.r.High, c.r.Size(), c.r, c.size, c.text)
		}
		if c.r.Contains(0) || c.r.Contains(c.r.Low) != (c.size > 0) {
			t.Errorf("%d-%d: contains the wrong ports", c.r.Low, c.r.High)
		}
	}
}

func TestTextIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genRanges().Draw(t, "set")
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got := Of(Range{Low: 9, High: 9}) // must be replaced, also by the empty set
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v became %s became %v", want, text, got)
		}
	})
}

func TestUnmarshalTextKeepsTheOldSetOnError(t *testing.T) {
	set := Of(Range{Low: 9, High: 9})
	if err := set.UnmarshalText([]byte("5-1")); err == nil {
		t.Error("5-1 was taken")
	}
	if set.String() != "9" {
		t.Errorf("after an error the set is %v", set)
	}
}
