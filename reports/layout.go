package reports

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of what one result can put on a page, so that a hostile file renders
// as a short page too.
const (
	maxText  = 600 // characters of one text
	maxItems = 25  // entries of one list
)

// heading starts a section. It appears with the section's first line: a
// section without one leaves no trace.
func (p *page) heading(text string) { p.title = text }

// para wraps text behind a label, which stands in the first line alone; the
// other lines are indented by as much.
func (p *page) para(label span, text string) {
	indent := strings.Repeat(" ", columns(label.text))
	for _, line := range wrap(shorten(text, maxText), max(p.width-columns(label.text), 1)) {
		p.line(label, span{text: line})
		label = span{text: indent}
	}
}

// note wraps an indented sentence.
func (p *page) note(text string) { p.para(span{text: "  "}, text) }

// fact puts a named value in two columns.
func (p *page) fact(name, value string) {
	if value != "" {
		p.para(span{dim, "  " + pad(name, 10) + " "}, value)
	}
}

// wrap breaks text into lines of at most width columns, at blanks where it can.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(clean(text)) {
		if line != "" && columns(line)+1+columns(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
		for columns(line) > width {
			cut := byteOffset(line, width)
			lines = append(lines, line[:cut])
			line = line[cut:]
		}
	}
	return append(lines, line)
}

// columns counts the columns that text takes: one a character.
func columns(text string) int { return utf8.RuneCountInString(text) }

// byteOffset returns where in text its nth character begins.
func byteOffset(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// shorten cuts text to at most n characters and says so by an ellipsis.
func shorten(text string, n int) string {
	if cut := byteOffset(text, n); cut < len(text) {
		return text[:byteOffset(text, n-1)] + "…"
	}
	return text
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(width-columns(text), 0))
}

func padLeft(text string, width int) string {
	return strings.Repeat(" ", max(width-columns(text), 0)) + text
}

// table is rows of cells under a head. The first column names the row and is
// aligned left, the others right.
type table struct {
	head []string
	rows [][]span
	gap  int // blanks between two columns and before the first; 0: the usual
}

func (t *table) add(cells ...span) { t.rows = append(t.rows, cells) }

// gap is what usually stands between two columns, and before the first.
const gap = 2

func (t *table) between() int {
	if t.gap > 0 {
		return t.gap
	}
	return gap
}

// table puts t on the page. What does not fit beside the first column is folded
// into further tables below, each with the first column again.
func (p *page) table(t table) {
	gap := t.between()
	widths := t.widths((p.width - 2*gap) / 2)
	for from := 1; from < len(t.head); {
		used, to := gap+widths[0]+gap+widths[from], from+1
		for to < len(t.head) && used+gap+widths[to] <= p.width {
			used += gap + widths[to]
			to++
		}
		if from > 1 {
			p.line()
		}
		p.columns(t, widths, from, to)
		from = to
	}
}

// columns puts the first column and those of [from, to) on the page.
func (p *page) columns(t table, widths []int, from, to int) {
	gap := t.between()
	cell := func(s span, i int) span {
		text := shorten(clean(s.text), widths[i])
		if i == 0 {
			return span{s.tone, strings.Repeat(" ", gap) + pad(text, widths[i])}
		}
		return span{s.tone, strings.Repeat(" ", gap) + padLeft(text, widths[i])}
	}
	head := []span{cell(span{dim, t.head[0]}, 0)}
	for i := from; i < to; i++ {
		head = append(head, cell(span{dim, t.head[i]}, i))
	}
	p.line(head...)
	for _, row := range t.rows {
		if !slices.ContainsFunc(row[from:to], func(s span) bool { return strings.TrimSpace(s.text) != "" }) {
			continue // it has something to say in another part
		}
		line := []span{cell(row[0], 0)}
		for i := from; i < to; i++ {
			line = append(line, cell(row[i], i))
		}
		p.line(line...)
	}
}

// widths returns the columns' widths, none larger than most.
func (t *table) widths(most int) []int {
	widths := make([]int, len(t.head))
	for i, text := range t.head {
		widths[i] = columns(text)
		for _, row := range t.rows {
			widths[i] = max(widths[i], columns(clean(row[i].text)))
		}
		widths[i] = min(widths[i], most)
	}
	return widths
}

// list calls put for each entry, and says how many there are beyond maxItems.
func list[T any](p *page, items []T, put func(T)) {
	for _, item := range items[:min(len(items), maxItems)] {
		put(item)
	}
	if more := len(items) - maxItems; more > 0 {
		p.note("… and " + count(int64(more)) + " more in the result file")
	}
}

// headline wraps a heading.
func (p *page) headline(title string) {
	for _, line := range wrap(title, p.width) {
		p.line(span{strong, line})
	}
}
