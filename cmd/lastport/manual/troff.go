package manual

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// troff makes troff of the Markdown that notes are written in: paragraphs,
// lists, tables, fenced or indented blocks, and within a line code, bold and links.
func troff(markdown string) string {
	var b strings.Builder
	for _, block := range blocks(markdown) {
		switch first := block[0]; {
		case strings.HasPrefix(first, fence):
			b.WriteString(verbatim(block[1:]))
		case strings.HasPrefix(first, indent):
			for i, line := range block {
				block[i] = strings.TrimPrefix(line, indent)
			}
			b.WriteString(verbatim(block))
		case strings.HasPrefix(first, "|"):
			b.WriteString(table(block))
		case strings.HasPrefix(first, "- "):
			b.WriteString(list(block))
		case strings.HasPrefix(first, "### "):
			b.WriteString(".SS " + quoted(first[len("### "):]) + "\n" + troff(strings.Join(block[1:], "\n")))
		default:
			b.WriteString(".PP\n" + lineOf(inline(strings.Join(block, " "))) + "\n")
		}
	}
	return b.String()
}

// indent is what Markdown begins the lines of a block with that is to stay as it
// is.
const indent = "    "

// blocks cuts a text at blank lines, but not within a fenced block, whose
// closing line is left out. No block is empty.
func blocks(text string) [][]string {
	var all [][]string
	var block []string
	fenced := false
	end := func() {
		if len(block) > 0 {
			all = append(all, block)
		}
		block = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case fenced && strings.HasPrefix(line, fence):
			fenced = false
			end()
		case fenced:
			block = append(block, line)
		case strings.HasPrefix(line, fence):
			end()
			fenced = true
			block = append(block, line)
		case strings.TrimSpace(line) == "":
			end()
		default:
			block = append(block, line)
		}
	}
	end()
	return all
}

// verbatim keeps lines as they are.
func verbatim(lines []string) string {
	var b strings.Builder
	b.WriteString(".PP\n.RS 4\n.nf\n")
	for _, line := range lines {
		b.WriteString(lineOf(escaped(line)) + "\n")
	}
	b.WriteString(".fi\n.RE\n")
	return b.String()
}

// list makes a paragraph of each item. An item goes on in indented lines.
func list(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		if item, ok := strings.CutPrefix(line, "- "); ok {
			b.WriteString(".IP \\(bu 2\n" + lineOf(inline(item)) + "\n")
			continue
		}
		b.WriteString(lineOf(inline(strings.TrimSpace(line))) + "\n")
	}
	return b.String()
}

// table makes a tagged paragraph of each row, which is readable at any width:
// the first cell is the tag. Where two or more follow, each is named by its
// column.
func table(lines []string) string {
	var b strings.Builder
	heads := cells(lines[0])
	for _, line := range lines[min(2, len(lines)):] { // the second line is a rule
		row := cells(line)
		var texts []string
		for i, text := range row[1:] {
			if len(row) > 2 && i+1 < len(heads) {
				text = heads[i+1] + ": " + text
			}
			texts = append(texts, text)
		}
		b.WriteString(".TP\n" + lineOf(inline(row[0])) + "\n" + lineOf(inline(strings.Join(texts, "; "))) + "\n")
	}
	return b.String()
}

// cells are the cells of a row, of which there is at least one. A bar after a
// backslash divides nothing.
func cells(line string) []string {
	const bar = "\x00"
	line = strings.ReplaceAll(strings.TrimSpace(line), `\|`, bar)
	row := strings.Split(strings.Trim(line, "|"), "|")
	for i, cell := range row {
		row[i] = strings.TrimSpace(strings.ReplaceAll(cell, bar, `\|`))
	}
	return row
}

// span is what stands out within a line: code, bold, a link, or a character
// that a backslash makes an ordinary one.
var span = regexp.MustCompile("`([^`]+)`" + `|\*\*([^*]+)\*\*|\[((?:[^\]\\]|\\.)+)\]\(([^)]+)\)|\\([!-/:-@\[-` + "`" + `{-~])`)

// inline makes troff of a line of Markdown. A link within the documents is its
// text alone, one to elsewhere shows where it leads.
func inline(text string) string {
	var b strings.Builder
	at := 0
	for _, m := range span.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(escaped(text[at:m[0]]))
		at = m[1]
		part := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		switch code, bold, link, to, char := part(1), part(2), part(3), part(4), part(5); {
		case code != "":
			b.WriteString(`\fB` + escaped(strings.ReplaceAll(code, `\|`, "|")) + `\fR`)
		case bold != "":
			b.WriteString(`\fB` + escaped(bold) + `\fR`)
		case link != "":
			b.WriteString(inline(link))
			if strings.Contains(to, "://") {
				b.WriteString(" <" + escaped(to) + ">")
			}
		default:
			b.WriteString(escaped(char))
		}
	}
	b.WriteString(escaped(text[at:]))
	return b.String()
}

// escaped keeps the characters that troff would take for its own, and has those
// beyond ASCII in a form that needs no preprocessor. A hyphen is one that can be
// copied into a shell.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\(rs`)
		case r == '-':
			b.WriteString(`\-`)
		case r > unicode.MaxASCII:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// lineOf keeps a line of text from being taken for a request.
func lineOf(line string) string {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		return `\&` + line
	}
	return line
}

// quoted is one argument of a macro.
func quoted(text string) string {
	return `"` + strings.ReplaceAll(escaped(text), `"`, `\(dq`) + `"`
}
