// Package termtest is a terminal for tests: it shows what a program writes as a
// person would see it. It knows the few control sequences that lastport uses and
// keeps any other as a fault.
package termtest

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Terminal is a terminal with all that has left it at the top. As most do it
// breaks lines anew when its width changes. It belongs to one goroutine.
type Terminal struct {
	columns, rows int
	lines         []text // all that was ever shown; the screen is the end of it
	top           int    // the first line of the screen
	row, column   int    // of the cursor; the row counts from the first line of all
	rest          []byte // of a sequence that is not whole yet
	faults        []string
}

// text is a line. One that is broken goes on in the next.
type text struct {
	cells  []rune
	broken bool
}

// New makes an empty terminal of a size.
func New(columns, rows int) *Terminal {
	return &Terminal{columns: columns, rows: rows, lines: make([]text, 1)}
}

// Faults lists the sequences that it did not know.
func (t *Terminal) Faults() []string { return t.faults }

// Column is that of the cursor, from 0.
func (t *Terminal) Column() int { return t.column }

// String returns all that was ever shown and not taken away, blank lines at the
// end left out.
func (t *Terminal) String() string { return t.from(0) }

// Screen returns what is on the screen now.
func (t *Terminal) Screen() string { return t.from(t.top) }

func (t *Terminal) from(row int) string {
	var all []string
	for _, l := range t.lines[row:] {
		all = append(all, strings.TrimRight(string(l.cells), " "))
	}
	return strings.TrimRight(strings.Join(all, "\n"), "\n")
}

// Write shows what a program writes. It does not fail.
func (t *Terminal) Write(p []byte) (int, error) {
	t.rest = append(t.rest, p...)
	for len(t.rest) > 0 {
		n := t.one(t.rest)
		if n == 0 {
			break
		}
		t.rest = t.rest[n:]
	}
	return len(p), nil
}

// one does the first character or sequence, and returns how long it is; 0 if it
// is not whole.
func (t *Terminal) one(p []byte) int {
	switch p[0] {
	case '\r':
		t.column = 0
		return 1
	case '\n':
		t.down()
		return 1
	case 0x1b:
		return t.sequence(p)
	}
	if !utf8.FullRune(p) {
		return 0
	}
	c, n := utf8.DecodeRune(p)
	if c < ' ' || c == utf8.RuneError {
		t.faults = append(t.faults, fmt.Sprintf("%q", p[:n]))
		return n
	}
	t.put(c)
	return n
}

// put shows a character where the cursor is.
func (t *Terminal) put(c rune) {
	if t.column >= t.columns {
		t.lines[t.row].broken = true
		t.column = 0
		t.down()
	}
	l := &t.lines[t.row]
	for len(l.cells) <= t.column {
		l.cells = append(l.cells, ' ')
	}
	l.cells[t.column] = c
	t.column++
}

// down goes to the next line.
func (t *Terminal) down() {
	t.row++
	if t.row == len(t.lines) {
		t.lines = append(t.lines, text{})
	}
	t.top = max(t.top, t.row-t.rows+1)
}

// sequence does a control sequence (ECMA-48, 5.4).
func (t *Terminal) sequence(p []byte) int {
	if len(p) < 2 {
		return 0
	}
	end := 2
	for end < len(p) && (p[end] < '@' || p[end] > '~') {
		end++
	}
	if end == len(p) {
		return 0
	}
	switch text := string(p[1 : end+1]); {
	case text == "[K":
		t.cut()
	case text == "[J":
		t.cut()
		t.lines = t.lines[:t.row+1]
	case strings.HasSuffix(text, "A") && t.up(strings.Trim(text, "[A")):
	case strings.HasPrefix(text, "[") && strings.HasSuffix(text, "m"): // colours are not looked at
	default:
		t.faults = append(t.faults, fmt.Sprintf("%q", p[:end+1]))
	}
	return end + 1
}

// up goes so many lines up, as far as the screen goes, and says whether that is a
// number.
func (t *Terminal) up(lines string) bool {
	n, err := strconv.Atoi(lines)
	t.row = max(t.top, t.row-n)
	return err == nil
}

// cut takes away what is behind the cursor in its line.
func (t *Terminal) cut() {
	l := &t.lines[t.row]
	l.cells, l.broken = l.cells[:min(len(l.cells), t.column)], false
}

// Resize changes the size, as when a person draws at a window's corner.
func (t *Terminal) Resize(columns, rows int) {
	old, row, column := t.lines, t.row, t.column
	t.columns, t.rows, t.lines = columns, rows, nil
	for i := 0; i < len(old); i++ {
		first, at := i, -1 // where the cursor is in the whole line
		var whole []rune
		for {
			if i == row {
				at = len(whole) + column
			}
			whole = append(whole, old[i].cells...)
			if !old[i].broken {
				break
			}
			i++
		}
		begins := len(t.lines)
		t.lines = append(t.lines, split(whole, columns)...)
		if at >= 0 && first <= row {
			t.row, t.column = begins+min(at/columns, len(t.lines)-begins-1), at%columns
		}
	}
	t.top = max(0, t.row-rows+1)
}

// split breaks a line.
func split(whole []rune, columns int) []text {
	var lines []text
	for len(whole) > columns {
		lines = append(lines, text{whole[:columns:columns], true})
		whole = whole[columns:]
	}
	return append(lines, text{cells: whole})
}
