package live

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Painter keeps lines at the end of what a terminal shows, and puts others in
// their place. It sets no mode of the terminal and uses no second screen, so
// there is nothing to restore: whatever ends the program leaves a terminal that
// works, with the cursor at the beginning of a line. The zero value shows
// nothing; W must be set. It belongs to one goroutine.
type Painter struct {
	W     io.Writer
	shown []string
}

// Paint shows the lines instead of those shown before, on a terminal of so many
// columns. They must be narrower than it, and fewer than its rows. An error of
// writing is returned as it is.
func (p *Painter) Paint(lines []string, columns int) error {
	if len(lines) == 0 {
		return p.Clear(columns)
	}
	var b strings.Builder
	b.WriteString(p.up(columns))
	for _, l := range lines {
		b.WriteString(l + "\x1b[K\r\n") // what is left of the old line goes after the new is there: no flicker
	}
	b.WriteString("\x1b[J")
	p.shown = lines
	_, err := io.WriteString(p.W, b.String())
	return err
}

// Print writes whole lines of text above those that are shown, where they stay.
func (p *Painter) Print(text string, columns int) error {
	if len(p.shown) > 0 {
		text = p.up(columns) + "\x1b[J" + text + strings.Join(p.shown, "\r\n") + "\r\n"
	}
	_, err := io.WriteString(p.W, text)
	return err
}

// Clear takes the lines away.
func (p *Painter) Clear(columns int) error {
	if len(p.shown) == 0 {
		return nil
	}
	text := p.up(columns) + "\x1b[J"
	p.shown = nil
	_, err := io.WriteString(p.W, text)
	return err
}

// Forget leaves the lines where they are: others have written below them.
func (p *Painter) Forget() { p.shown = nil }

// up goes to the beginning of the first line that is shown. A terminal that has
// become narrower has broken lines in two, as nearly all do. The cursor stops at
// the top: what has left the screen there is out of reach.
func (p *Painter) up(columns int) string {
	rows := 0
	for _, l := range p.shown {
		rows += max(1, (visible(l)+columns-1)/max(1, columns))
	}
	if rows == 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA", rows)
}

// visible counts the columns of a line that may have colours in it.
func visible(l string) int {
	n := utf8.RuneCountInString(l)
	for {
		_, rest, found := strings.Cut(l, "\x1b")
		if !found {
			return n
		}
		parameters, after, _ := strings.Cut(rest, "m")
		n -= len("\x1bm") + len(parameters)
		l = after
	}
}
