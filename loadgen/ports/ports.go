// Package ports holds sets of source ports as pure data: ranges, their set
// arithmetic, the way people write them, and the named ranges of well-known
// systems.
//
// It asks no kernel and knows no socket. How a port is chosen from a range is
// package strategy's; what a range sustains is package capacity's.
package ports

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Max is the highest port. The lowest is 1: port 0 asks the kernel to choose
// and is never one itself.
const Max = 65535

// Range is an inclusive range of ports, 1 <= Low <= High. Any other value, the
// zero value among them, is empty.
type Range struct{ Low, High uint16 }

func (r Range) empty() bool { return r.Low == 0 || r.High < r.Low }

// Size returns how many ports the range holds, 0 to 65,535.
func (r Range) Size() int {
	if r.empty() {
		return 0
	}
	return int(r.High) - int(r.Low) + 1
}

// Contains says whether the port is in the range.
func (r Range) Contains(port uint16) bool {
	return !r.empty() && r.Low <= port && port <= r.High
}

// String writes the range as LOW-HIGH, as PORT if it is a single one, and as
// nothing if it is empty.
func (r Range) String() string {
	switch {
	case r.empty():
		return ""
	case r.Low == r.High:
		return strconv.Itoa(int(r.Low))
	}
	return strconv.Itoa(int(r.Low)) + "-" + strconv.Itoa(int(r.High))
}

// Ranges is a set of ports as ranges in ascending order that neither overlap
// nor touch. Of and Parse make such values, and the methods keep them so; nil
// is the empty set.
type Ranges []Range

// Of returns the set of all ports in the given ranges, which may overlap, be
// empty and come in any order.
func Of(rs ...Range) Ranges {
	sorted := slices.Clone(rs)
	slices.SortFunc(sorted, func(a, b Range) int { return cmp.Compare(a.Low, b.Low) })
	var set Ranges
	for _, r := range sorted {
		if r.empty() {
			continue
		}
		// In int, because High+1 does not fit when High is the last port.
		if last := len(set) - 1; last >= 0 && int(r.Low) <= int(set[last].High)+1 {
			set[last].High = max(set[last].High, r.High)
			continue
		}
		set = append(set, r)
	}
	return set
}

// Size returns how many ports the set holds, 0 to 65,535.
func (s Ranges) Size() int {
	n := 0
	for _, r := range s {
		n += r.Size()
	}
	return n
}

// Hull returns the smallest range that holds the whole set; it is empty if the
// set is.
func (s Ranges) Hull() Range {
	if len(s) == 0 {
		return Range{}
	}
	return Range{Low: s[0].Low, High: s[len(s)-1].High}
}

// Contains says whether the port is in the set.
func (s Ranges) Contains(port uint16) bool {
	_, found := slices.BinarySearchFunc(s, port, func(r Range, port uint16) int {
		switch {
		case r.High < port:
			return -1
		case r.Low > port:
			return 1
		}
		return 0
	})
	return found
}

// Union returns the ports that are in s or in t.
func (s Ranges) Union(t Ranges) Ranges { return Of(slices.Concat(s, t)...) }

// Intersect returns the ports that are in s and in t.
func (s Ranges) Intersect(t Ranges) Ranges { return s.Minus(s.Minus(t)) }

// Minus returns the ports that are in s and not in t.
func (s Ranges) Minus(t Ranges) Ranges {
	var left Ranges
	for _, r := range s {
		next := int(r.Low) // the first port that is not decided yet; may pass the last port
		for _, cut := range t {
			if int(cut.High) < next || cut.Low > r.High {
				continue
			}
			if next < int(cut.Low) {
				left = append(left, Range{Low: uint16(next), High: cut.Low - 1})
			}
			next = int(cut.High) + 1
		}
		if next <= int(r.High) {
			left = append(left, Range{Low: uint16(next), High: r.High})
		}
	}
	return left
}

// All yields the ports of the set in ascending order.
func (s Ranges) All() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for _, r := range s {
			for port := int(r.Low); port <= int(r.High); port++ {
				if !yield(uint16(port)) {
					return
				}
			}
		}
	}
}

// String writes the set as Parse reads it: "40000-40999,41001". The empty set
// is "".
func (s Ranges) String() string {
	words := make([]string, len(s))
	for i, r := range s {
		words[i] = r.String()
	}
	return strings.Join(words, ",")
}

// MarshalText writes the set as String does.
func (s Ranges) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what Parse reads, and the empty text as the empty set.
func (s *Ranges) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = nil
		return nil
	}
	set, err := Parse(string(text))
	if err == nil {
		*s = set
	}
	return err
}
