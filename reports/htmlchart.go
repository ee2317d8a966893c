package reports

import (
	"math"
	"strconv"
)

// The types of this file are what the pictures of an HTML page are drawn from,
// as JSON. They hold finished numbers: a script scales and draws them, and
// computes nothing.

// pictures is all of a page, by the ID of its figure.
type pictures struct {
	Charts map[string]*chart   `json:"charts"`
	Maps   map[string]*mapView `json:"maps"`
}

// chart is panels one above the other, with one horizontal axis.
type chart struct {
	X      axis    `json:"x"`
	Panels []panel `json:"panels"`
	Marks  []mark  `json:"marks,omitempty"`
	Shades []shade `json:"shades,omitempty"`
	Zoom   bool    `json:"zoom,omitempty"` // it is long enough to look at a part of it
}

// axis is the horizontal one. Its values ascend.
type axis struct {
	Kind   string   `json:"kind"` // how values are written: "percent", "quantile", "s", "ns", "count", "name"
	Label  string   `json:"label"`
	Min    float64  `json:"min"`
	Max    float64  `json:"max"`
	Names  []string `json:"names,omitempty"` // of kind "name", for 0, 1, 2, …
	Values numbers  `json:"values"`
}

// panel is lines over one vertical axis.
type panel struct {
	Title string `json:"title"`
	Unit  string `json:"unit"` // "ns", "per_s", "count", "cores", "port", "share"
	Log   bool   `json:"log,omitempty"`
	Lines []line `json:"lines"`
}

// line is one of a panel's; a value for each of the axis.
type line struct {
	Name   string  `json:"name"`
	Form   string  `json:"form"`  // "line", "step", "points", "bars"
	Color  int     `json:"color"` // of the palette, from 0; 7 is what failed
	Values numbers `json:"values"`
}

// failColor is the palette's colour for what failed.
const failColor = 7

// mark is a vertical line with a word at it.
type mark struct {
	At   float64 `json:"at"`
	Text string  `json:"text"`
}

// shade is an interval that stands out from the ground.
type shade struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
	Text string  `json:"text"`
}

// numbers are values of a picture. One that is none, or too large to be of a run,
// is NaN and has no place in it.
type numbers []float64

// mostDrawn bounds what is drawn: in nanoseconds it is eleven days.
const mostDrawn = 1e15

func drawn(v float64) bool { return math.Abs(v) <= mostDrawn } // false for NaN

// MarshalJSON writes numbers with seven digits, whole ones with all of theirs, and null for
// one that is none.
func (n numbers) MarshalJSON() ([]byte, error) {
	text := append(make([]byte, 0, 6*len(n)+2), '[')
	for i, v := range n {
		if i > 0 {
			text = append(text, ',')
		}
		switch {
		case !drawn(v):
			text = append(text, "null"...)
		case v == math.Trunc(v):
			text = strconv.AppendInt(text, int64(v), 10)
		default:
			text = strconv.AppendFloat(text, v, 'g', 7, 64)
		}
	}
	return append(text, ']'), nil
}

// some says whether there is a number other than 0.
func (n numbers) some() bool {
	for _, v := range n {
		if drawn(v) && v != 0 {
			return true
		}
	}
	return false
}

// thin brings long lines down to at most so many values by the least and the
// greatest of each stretch, in their order, so that no peak is lost. Lines that
// are short enough stay as they are. All lines have a value for each of x.
func thin(x numbers, lines []numbers, most int) (numbers, []numbers) {
	stretches := max(most/2, 1)
	each := (len(x) + stretches - 1) / stretches
	if len(x) <= most || each < 2 {
		return x, lines
	}
	var at numbers
	for from := 0; from < len(x); from += each {
		at = append(at, x[from], x[min(from+each, len(x))-1])
	}
	thinned := make([]numbers, len(lines))
	for i, values := range lines {
		for from := 0; from < len(x); from += each {
			first, second := extremes(values[from:min(from+each, len(x))])
			thinned[i] = append(thinned[i], first, second)
		}
	}
	return ascending(at, thinned)
}

// extremes returns the least and the greatest value in the order in which they
// come; NaN where there is none.
func extremes(values numbers) (first, second float64) {
	least, greatest := -1, -1
	for i, v := range values {
		if !drawn(v) {
			continue
		}
		if least < 0 || v < values[least] {
			least = i
		}
		if greatest < 0 || v > values[greatest] {
			greatest = i
		}
	}
	if least < 0 {
		return math.NaN(), math.NaN()
	}
	return values[min(least, greatest)], values[max(least, greatest)]
}

// ascending joins the two ends of a last stretch of one value, which are alike.
func ascending(x numbers, lines []numbers) (numbers, []numbers) {
	if n := len(x); n > 1 && x[n-1] == x[n-2] {
		x = x[:n-1]
		for i := range lines {
			lines[i] = lines[i][:n-1]
		}
	}
	return x, lines
}

// figure is a picture on a page, with what it shows in words and in numbers.
type figure struct {
	ID      string
	Kind    string // "chart" or "map"
	Title   string
	Says    string // what it shows, in a sentence: all that who cannot see it needs
	Reading string // how to read it
	Table   *grid  // nil: the section has it
}
