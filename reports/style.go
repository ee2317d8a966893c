package reports

import (
	"strings"
	"unicode"
)

// Style says what the output can show. The zero value is plain Unicode text,
// 80 columns wide.
type Style struct {
	Width int  // columns; 0: 80. A run takes at most 80, a set at most 120, neither less than 40
	Color bool // ANSI colours, sparingly
	ASCII bool // ASCII characters alone
	// Details adds to a bench's table those of its runs, one for each scenario. Of
	// other sets they are all there is. In a checkup it adds what is fine.
	Details bool
}

// The bounds of Style.Width.
const (
	defaultWidth = 80
	minWidth     = 40
	maxSetWidth  = 120
)

func (s Style) width(most int) int {
	if s.Width <= 0 {
		return defaultWidth
	}
	return min(max(s.Width, minWidth), most)
}

// tone is what a piece of text says by its colour.
type tone uint8

const (
	plain tone = iota
	good
	caution
	bad
	dim
	strong
)

// ansi are the SGR parameters of ECMA-48 for a tone.
func (t tone) ansi() string {
	switch t {
	case good:
		return "32"
	case bad:
		return "1;31"
	case caution:
		return "33"
	case dim:
		return "2"
	case strong:
		return "1"
	}
	return ""
}

// span is a piece of a line in one tone.
type span struct {
	tone tone
	text string
}

// page collects lines. Every text that is put on it loses its control
// characters here, and only here are escape sequences made, so that nothing
// that a file holds can steer a terminal.
type page struct {
	style Style
	width int
	title string // the heading that the next line brings along
	text  strings.Builder
}

// line puts one line on the page.
func (p *page) line(spans ...span) {
	if title := p.title; title != "" {
		p.title = ""
		p.line()
		p.headline(title)
	}
	for len(spans) > 0 && strings.TrimSpace(spans[len(spans)-1].text) == "" {
		spans = spans[:len(spans)-1]
	}
	for i, s := range spans {
		text := clean(s.text)
		if i == len(spans)-1 {
			text = strings.TrimRight(text, " ")
		}
		if p.style.ASCII {
			text = ascii(text)
		}
		code := s.tone.ansi()
		if !p.style.Color || code == "" || strings.TrimSpace(text) == "" {
			p.text.WriteString(text)
			continue
		}
		p.text.WriteString("\x1b[" + code + "m" + text + "\x1b[0m")
	}
	p.text.WriteByte('\n')
}

// clean replaces what a terminal would obey, or would not show, by U+FFFD:
// control characters (C0 and C1), line breaks, marks that turn the direction of
// writing, bytes that are no UTF-8.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return unicode.ReplacementChar
	}, s)
}

// ascii writes the signs of the report in ASCII, one column for one, and any
// other character as a question mark.
func ascii(s string) string {
	s = strings.NewReplacer("µ", "u", "×", "x", "–", "-", "·", "|", "…", "~", "▁", ".", "▂", ":", "▃", "-", "▄", "=", "▅", "+", "▆", "*", "▇", "%", "█", "#", "▌", "#", "▶", ">", "→", ">", "≥", ">", "°", "'").Replace(s)
	return strings.Map(func(c rune) rune {
		if c > unicode.MaxASCII {
			return '?'
		}
		return c
	}, s)
}
