package reports

import (
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"lastport/reports/result"
)

// Markdown writes the report of a document as GitHub Flavored Markdown: what Text
// says, with its tables as tables, ready for a pull request or a page. Pictures
// of characters are left out, but for those that fit into a table. Nothing that a
// file holds becomes markup. Of the style only Details counts. Errors are those
// of w, and one for what is no document.
func Markdown(w io.Writer, d result.Document, style Style) error {
	p := &page{width: defaultWidth, style: Style{Details: style.Details}}
	p.blocks = &blocks{title: &p.title}
	if err := p.document(d); err != nil {
		return err
	}
	m := &markdown{}
	m.part("## " + escapeMarkdown(markdownTitle(d)))
	for _, s := range p.blocks.sections {
		if s.Title != "" {
			m.part("### " + escapeMarkdown(s.Title))
		}
		for i := range s.Blocks {
			m.block(&s.Blocks[i])
		}
	}
	_, err := io.WriteString(w, m.text.String())
	return err
}

// markdownTitle says what kind of report it is.
func markdownTitle(d result.Document) string {
	switch d := d.(type) {
	case *result.Result:
		return "lastport " + shorten(word(d.Run.Scenario), maxNameColumns)
	case *result.Set:
		return "lastport: several runs"
	case *result.Comparison:
		return "lastport compare"
	case *result.Checkup:
		return "lastport doctor"
	case *result.Watch:
		return "lastport watch"
	}
	return "lastport plan"
}

// markdown collects parts, with a blank line between two.
type markdown struct{ text strings.Builder }

func (m *markdown) part(text string) {
	if m.text.Len() > 0 {
		m.text.WriteByte('\n')
	}
	m.text.WriteString(text + "\n")
}

func (m *markdown) block(b *block) {
	switch {
	case b.Para != nil:
		text := escapeMarkdown(b.Para.Text)
		if b.Para.Label != "" {
			m.part(strings.TrimSpace("**" + escapeMarkdown(b.Para.Label) + "** " + text))
			return
		}
		m.part(escapeStart(text))
	case b.Facts != nil:
		var lines []string
		for _, f := range b.Facts {
			lines = append(lines, "- **"+escapeMarkdown(f.Name)+"** "+escapeMarkdown(f.Value))
		}
		m.part(strings.Join(lines, "\n"))
	case b.Items != nil:
		m.table(itemGrid(b.Items), 2)
	case b.Table != nil:
		m.table(b.Table, len(b.Table.Head))
	}
}

// itemGrid is items as a table, with a column for what to do if there is any.
func itemGrid(items []item) *grid {
	g := &grid{Head: []string{"", "", "meaning"}}
	if slices.ContainsFunc(items, func(it item) bool { return it.Todo != "" }) {
		g.Head = append(g.Head, "what to do")
	}
	for _, it := range items {
		g.Rows = append(g.Rows, gridRow{Cells: []cell{{Text: it.Name}, {Text: it.Number}, {Text: it.Means}, {Text: it.Todo}}})
	}
	return g
}

// table writes a table whose columns from the second to the one before words
// begin are numbers, and so aligned right.
func (m *markdown) table(g *grid, words int) {
	rows := [][]string{make([]string, len(g.Head))}
	for i, h := range g.Head {
		rows[0][i] = escapeMarkdown(h)
	}
	for _, r := range g.Rows {
		row := make([]string, len(g.Head))
		for i := range min(len(row), len(r.Cells)) {
			row[i] = escapeMarkdown(r.Cells[i].Text)
		}
		if r.Sub && len(row) > 0 {
			row[0] = "&emsp;" + row[0]
		}
		rows = append(rows, row)
	}
	widths := make([]int, len(g.Head))
	for i := range widths {
		widths[i] = 3 // what the ruler takes
		for _, row := range rows {
			widths[i] = max(widths[i], columns(row[i]))
		}
	}
	var lines []string
	for n, row := range rows {
		line, ruler := "|", "|"
		for i, text := range row {
			if i == 0 || i >= words {
				line += " " + pad(text, widths[i]) + " |"
				ruler += " " + strings.Repeat("-", widths[i]) + " |"
				continue
			}
			line += " " + padLeft(text, widths[i]) + " |"
			ruler += " " + strings.Repeat("-", widths[i]-1) + ": |"
		}
		lines = append(lines, line)
		if n == 0 {
			lines = append(lines, ruler)
		}
	}
	m.part(strings.Join(lines, "\n"))
}

// escapeMarkdown keeps text from being markup: a backslash before ASCII
// punctuation makes it literal (CommonMark 0.31, 2.4). Underscores between
// letters and digits are no markup, and stay readable without.
func escapeMarkdown(text string) string {
	var b strings.Builder
	before := ' '
	for i, c := range text {
		switch {
		case c == '/' && before == ':': // or an address becomes a link
			b.WriteByte('\\')
		case c == '_' && isAlnum(before) && isAlnum(firstRune(text[i+1:])):
		case strings.ContainsRune("\\`*_[]<>|~&!", c):
			b.WriteByte('\\')
		}
		b.WriteRune(c)
		before = c
	}
	return b.String()
}

// escapeStart keeps a line, escaped otherwise, from beginning a list, a heading
// or a rule.
func escapeStart(line string) string {
	if line != "" && strings.IndexByte("-+=#", line[0]) >= 0 {
		return `\` + line
	}
	digits := len(line) - len(strings.TrimLeft(line, "0123456789"))
	if rest := line[digits:]; digits > 0 && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") ")) {
		return line[:digits] + `\` + rest
	}
	return line
}

func firstRune(text string) rune {
	c, _ := utf8.DecodeRuneInString(text)
	return c
}

func isAlnum(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }
