package manual

import (
	"fmt"
	"path"
	"strings"
)

// Markdown is the page for the web. Links lead to the Markdown of other pages,
// and work in a checkout and where its files are shown.
func (p *Page) Markdown() string {
	var b strings.Builder
	b.WriteString("<!-- Made by 'make docs' from the commands and from cmd/lastport/notes; change those. -->\n\n")
	fmt.Fprintf(&b, "# %s\n\n%s\n\n%s\n%s\n%s\n", p.Command, sentence(plain(p.Short)), fence, p.Synopsis, fence)
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n", title, text)
		}
	}
	if p.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", p.Description)
	}
	section("Examples", p.Examples)
	section("Verbs", p.verbTable())
	section("Flags", p.flagTables())
	for _, s := range p.Sections {
		section(s.Title, s.Text)
	}
	section("See also", p.links())
	return b.String()
}

func (p *Page) verbTable() string {
	if !p.isProgram() {
		return ""
	}
	lines := []string{"| verb | job |", "|---|---|"}
	for _, v := range p.Verbs {
		lines = append(lines, fmt.Sprintf("| [%s](%s) | %s |", v.Command, p.link(v), plain(v.Short)))
	}
	return strings.Join(lines, "\n")
}

// flagTables has one table for each group, or one without a heading where there
// is but one group.
func (p *Page) flagTables() string {
	var tables []string
	for _, g := range p.Groups {
		lines := []string{"| flag | default | meaning |", "|---|---|---|"}
		for _, f := range g.Flags {
			lines = append(lines, fmt.Sprintf("| %s | %s | %s |", f.code(), f.Default, f.Meaning))
		}
		table := strings.Join(lines, "\n")
		if len(p.Groups) > 1 {
			table = "### " + g.Title + "\n\n" + table
		}
		tables = append(tables, table)
	}
	return strings.Join(tables, "\n\n")
}

// code is the flag as it is typed: `-o`, `--output FILE`.
func (f Flag) code() string {
	code := "`" + strings.TrimSpace("--"+f.Name+" "+f.Value) + "`"
	if f.Short != "" {
		return "`-" + f.Short + "`, " + code
	}
	return code
}

// links leads to the other pages.
func (p *Page) links() string {
	var links []string
	for _, other := range p.SeeAlso {
		links = append(links, fmt.Sprintf("[%s](%s)", other.Command, p.link(other)))
	}
	return strings.Join(links, " · ")
}

// link is the way from this page to another.
func (p *Page) link(to *Page) string {
	switch {
	case p.isProgram():
		return to.File()
	case to.isProgram():
		return "../" + to.File()
	}
	return path.Base(to.File())
}
