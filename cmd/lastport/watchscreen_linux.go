package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"lastport/reports"
	"lastport/reports/result"
)

// mayMove says whether the environment allows to write over what was written.
func mayMove() bool { return os.Getenv("TERM") != "dumb" }

// screen shows looks on a terminal, each in the place of the last one. What stood
// above stays, and so does the last look at the end.
type screen struct {
	w     io.Writer
	lines int // of the look that stands there
	width int // of the terminal, then
}

func newScreen(w io.Writer) *screen { return &screen{w: w} }

// leastScreen is how narrow a report can be.
const leastScreen = 40

// show writes a look over the last one, in one write, so that nothing flickers.
func (s *screen) show(seen *result.Watch, _ bool) error {
	width, height := 80, 24
	if f, ok := s.w.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			width, height = w, h
		}
	}
	var text bytes.Buffer
	if err := reports.Text(&text, seen, reports.Style{Width: width, Color: mayColor()}); err != nil {
		return err
	}
	_, err := io.WriteString(s.w, s.frame(text.String(), seen.IntervalNS, width, height))
	return err
}

// frame is what is to be written: as many lines as there is room for, and below
// them when the next look comes.
func (s *screen) frame(text string, interval int64, width, height int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	room := max(height-2, 1) // the line below, and where the cursor stands
	cut := ""
	if more := len(lines) - room; more > 0 {
		lines, cut = lines[:room], fmt.Sprintf(", %d lines more", more)
	}
	var out strings.Builder
	switch {
	case s.width != 0 && s.width != width || width < leastScreen: // lines may be broken: nobody knows where they begin
		out.WriteString("\x1b[2J\x1b[H")
	case s.lines > 0:
		fmt.Fprintf(&out, "\x1b[%dA\r", s.lines)
	}
	status := "next look in " + shortly(interval) + cut + "; Ctrl-C ends"
	lines = append(lines, status[:min(len(status), max(width-1, 1))])
	for _, line := range lines {
		out.WriteString("\x1b[2K" + line + "\r\n")
	}
	out.WriteString("\x1b[J")
	s.lines, s.width = len(lines), width
	return out.String()
}
