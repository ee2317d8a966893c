package live

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tone is what a piece of text says by its colour.
type tone string

// The tones, as parameters of SGR (ECMA-48, 8.3.117).
const (
	plain   tone = ""
	strong  tone = "1"
	dim     tone = "2"
	good    tone = "32"
	caution tone = "33"
	bad     tone = "31"
)

// span is a piece of a line in one tone.
type span struct {
	tone tone
	text string
}

// line is what stands beside one another. One without spans is not drawn.
type line []span

// text returns the line, shortened to a width.
func (l line) text(width int, color bool) string {
	var b strings.Builder
	for i, s := range l {
		text := clean(s.text)
		if i == len(l)-1 {
			text = strings.TrimRight(text, " ")
		}
		text = shorten(text, width)
		width -= columns(text)
		if color && s.tone != plain && strings.TrimSpace(text) != "" {
			text = "\x1b[" + string(s.tone) + "m" + text + "\x1b[0m"
		}
		b.WriteString(text)
	}
	return b.String()
}

// clean replaces what a terminal would obey or not show in one column by a
// question mark: names of runs come from files. Wide characters begin with
// Hangul (U+1100); of what is beyond, the own signs of a drawing stay.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case !unicode.IsPrint(c), unicode.Is(unicode.M, c), c == utf8.RuneError:
			return '?'
		case c < 0x1100, c >= 0x2580 && c < 0x25a0, c == '…':
			return c
		}
		return '?'
	}, s)
}

// columns counts the columns that clean text takes: one a character.
func columns(s string) int { return utf8.RuneCountInString(s) }

// cut returns the first n characters.
func cut(s string, n int) string {
	for i := range s {
		if n <= 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// shorten cuts text to n columns, and says so by an ellipsis.
func shorten(s string, n int) string {
	if columns(s) <= n || n < 1 {
		return cut(s, n)
	}
	return cut(s, n-1) + "…"
}

// pad fills text up to a width.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-columns(s)))
}

// apart puts text at both ends of a width, the right one where there is room.
func apart(left, right span, width int) line {
	gap := width - columns(left.text) - columns(right.text)
	if gap < 1 {
		return line{left, {text: " "}, right}
	}
	return line{left, {text: strings.Repeat(" ", gap)}, right}
}
