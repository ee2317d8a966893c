// Package live draws runs while they go on: a few lines on a terminal that
// take the place of those before. Drawing is pure, from what is known of a run,
// the room and the colours to lines; a Painter keeps such lines where they are.
//
// What is said of a run once it is over is a report's (package reports), and
// when to draw, and whether there is a terminal at all, is the caller's.
package live

import (
	"time"

	"lastport/reports/result"
)

// Run is what is known of a run at a moment.
type Run struct {
	Name     string        // within a set; "": it is no part of one
	Phase    string        // what it does
	At       time.Duration // since it began
	Left     time.Duration // until the phase is over; 0: not known
	Open     int64         // connections
	Expected int64         // of them at the end, by prediction; 0: none is made
	Usable   int64         // connections that there are ports for; 0: not known
	Tuples   bool          // several of them share a port: there is more than one source or target
	Opened   int64         // so far, whether they are still open or not
	NoPort   int64         // attempts that found none
	Failed   int64         // attempts that failed for other causes
	PerS     float64       // connections opened per second, of late
	Timeline []result.Row  // since the run began; not changed
	Lingers  bool          // what is in TIME_WAIT has ports of the run: it is the generator's, and nobody else's
	Ports    *Ports        // nil: not known
	Over     bool          // it has ended, and others have not
}

// Ports are those of a run's range, from the lowest to the highest.
type Ports struct {
	Low, High uint16
	States    *result.StateMap // not changed
}

// Style is the room for a drawing, and what may be in it.
type Style struct {
	Columns int // of the terminal. Of more than 80 no use is made
	Rows    int // lines that the drawing may have
	Color   bool
}

// The bounds of a drawing, in columns.
const (
	most   = 80
	narrow = 40 // up to here only the most important is drawn
)

// width is what a line may take. The last column stays free: a cursor behind it
// is in the next line on some terminals.
func (s Style) width() int { return max(0, min(s.Columns-1, most)) }

// small says whether there is room for little.
func (s Style) small() bool { return s.Columns <= narrow }

// One draws one run, what matters most first: lines without their ends, none
// wider than the terminal, and no more than there is room for.
func One(r *Run, s Style) []string {
	lines := []line{r.head(s.width()), r.bar(s.width())}
	made, lost := line{{text: r.connections()}}, r.lost()
	if s.width() < wide {
		lines = append(lines, made, lost)
	} else {
		lines = append(lines, append(append(made, span{text: "   "}), lost...))
	}
	lines = append(lines, r.rates(s), r.latencies(s))
	if !s.small() {
		lines = append(lines, r.states())
		lines = append(lines, r.ports(s.width())...)
	}
	return s.render(lines)
}

// Several draws runs that go on side by side, a line each. Those that are over
// give way where there is not enough room.
func Several(runs []Run, s Style) []string {
	shown, left := choose(runs, s.Rows)
	var lines []line
	for i := range shown {
		lines = append(lines, shown[i].row(nameWidth(shown, s.width()), s.width() >= wide))
	}
	if left > 0 {
		lines = append(lines, line{{dim, "… and " + count(int64(left)) + " more"}})
	}
	return s.render(lines)
}

// choose takes the runs that there are rows for, in their order, and says how many
// it leaves out. It leaves out those that are over, as far as that is enough.
func choose(runs []Run, rows int) (shown []Run, left int) {
	if len(runs) <= rows {
		return runs, 0
	}
	left = len(runs) - max(0, rows-1) // a row is for saying so
	over := left
	for _, r := range runs {
		if r.Over && over > 0 {
			over--
			continue
		}
		shown = append(shown, r)
	}
	return shown[:len(runs)-left], left
}

// render makes lines of text. Those with nothing in them are left out.
func (s Style) render(lines []line) []string {
	var out []string
	for _, l := range lines {
		if len(l) > 0 && len(out) < s.Rows {
			out = append(out, l.text(s.width(), s.Color))
		}
	}
	return out
}
