package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"lastport/cmd/lastport/live"
	"lastport/reports"
	"lastport/reports/result"
)

// mayMove says whether the environment allows to write over what was written.
func mayMove() bool { return os.Getenv("TERM") != "dumb" }

// screen shows looks on a terminal, each in the place of the last one. What stood
// above stays, and so does the last look at the end.
type screen struct {
	w       io.Writer
	mu      sync.Mutex // guards the terminal
	painter live.Painter
}

func newScreen(w io.Writer) *screen { return &screen{w: w, painter: live.Painter{W: w}} }

// leastScreen is how narrow a report can be.
const leastScreen = 40

// show writes a look over the last one, in one write, so that nothing flickers.
func (s *screen) show(seen *result.Watch, _ bool) error {
	width, height := usualColumns, usualRows
	if f, ok := s.w.(*os.File); ok {
		width, height = sizeOf(f)
	}
	lines, err := screenLines(seen, width, height)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.painter.Paint(lines, width)
}

// below does what may write to the terminal, below the look that stands there. The
// next one comes below that.
func (s *screen) below(write func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.painter.Forget()
	write()
}

// screenLines are as many lines of a look as there is room for, and when the next one
// comes. They are narrower than the terminal, which leaves the cursor where it is known.
func screenLines(seen *result.Watch, width, height int) ([]string, error) {
	least := width - 1
	var lines []string
	if least < leastScreen {
		lines = broken(reports.WatchLine(seen), max(least, 1))
	} else {
		var text bytes.Buffer
		if err := reports.Text(&text, seen, reports.Style{Width: least, Color: mayColor()}); err != nil {
			return nil, err
		}
		lines = strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
	}
	room := max(height-2, 1) // the line below, and where the cursor stands
	cut := ""
	if more := len(lines) - room; more > 0 {
		lines, cut = lines[:room], fmt.Sprintf(", %d lines more", more)
	}
	return append(lines, screenStatus(shortly(seen.IntervalNS), cut, max(least, 1))), nil
}

// screenStatus says when the next look comes and how many lines had no room, as far
// as the width allows.
func screenStatus(interval, cut string, width int) string {
	status := "next look in " + interval + cut + "; Ctrl-C ends"
	if len(status) > width {
		status = "next look in " + interval + cut
	}
	if len(status) > width {
		status = "next in " + interval
	}
	return status[:min(len(status), width)]
}

// broken is a text in lines of a width at most, between words where that can be.
func broken(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		runes := []rune(word)
		for ; len(runes) > width; runes = runes[width:] {
			lines = append(lines, string(runes[:width]))
		}
		line = string(runes)
	}
	return append(lines, line)
}
