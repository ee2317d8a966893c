package manual

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// note is what a file beside the commands adds to a page.
type note struct {
	preamble string // goes on with the description
	sections []Section
}

// readNote reads a note. One that is not there adds nothing.
func readNote(notes fs.FS, name string) (note, error) {
	text, err := fs.ReadFile(notes, name)
	if errors.Is(err, fs.ErrNotExist) {
		return note{}, nil
	}
	if err != nil {
		return note{}, fmt.Errorf("notes: %w", err)
	}
	return parseNote(string(text)), nil
}

// parseNote cuts a note at its headings, which begin with "## ". Within a
// fenced block nothing is a heading.
func parseNote(text string) note {
	var n note
	into, fenced := &n.preamble, false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, fence) {
			fenced = !fenced
		}
		if title, ok := strings.CutPrefix(line, "## "); ok && !fenced {
			n.sections = append(n.sections, Section{Title: strings.TrimSpace(title)})
			into = &n.sections[len(n.sections)-1].Text
			continue
		}
		*into += line
	}
	n.preamble = strings.Trim(n.preamble, "\n")
	for i := range n.sections {
		n.sections[i].Text = strings.Trim(n.sections[i].Text, "\n")
	}
	return n
}

const fence = "```"

// fromHelp makes Markdown of a help text: its lines were broken for a terminal,
// and what it indents is to stay as it is.
func fromHelp(text string) string {
	var parts []string
	for _, part := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		lines := strings.Split(part, "\n")
		if strings.HasPrefix(part, " ") {
			parts = append(parts, fence+"text\n"+part+"\n"+fence)
			continue
		}
		for i, line := range lines {
			lines[i] = strings.TrimSpace(line)
		}
		parts = append(parts, plain(strings.Join(lines, " ")))
	}
	return strings.Join(parts, "\n\n")
}

// meansMarkup are the characters that Markdown would take for its own.
var meansMarkup = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "<", `\<`, "[", `\[`, "]", `\]`, "|", `\|`)

// flagWord is a flag within a sentence, with the word in capitals or the number
// that it is shown with.
var flagWord = regexp.MustCompile(`--[a-z][a-z-]*[a-z]( [A-Z]+\b)?`)

// plain makes Markdown of plain text. Flags stand out as code.
func plain(text string) string {
	var b strings.Builder
	at := 0
	for _, m := range flagWord.FindAllStringIndex(text, -1) {
		b.WriteString(meansMarkup.Replace(text[at:m[0]]))
		b.WriteString("`" + text[m[0]:m[1]] + "`")
		at = m[1]
	}
	b.WriteString(meansMarkup.Replace(text[at:]))
	return b.String()
}
