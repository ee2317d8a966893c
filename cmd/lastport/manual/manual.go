// Package manual makes the pages of the manual from the commands themselves:
// Markdown for the web, troff for man. What a flag is called, what it takes and
// what its default is comes from the command; what takes more words than a help
// text has comes from notes, Markdown files beside the commands.
//
// It knows commands and notes in general, and nothing of what lastport's are
// about. It writes no file.
package manual

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Page is the manual page of one command. Its texts are Markdown.
type Page struct {
	Name        string // lastport or lastport-fill
	Command     string // as it is typed: lastport fill
	Short       string // its job, as one line of plain text
	Synopsis    string
	Description string
	Examples    string
	Groups      []Group
	Sections    []Section // of the notes, such as modes or exit status
	Verbs       []*Page   // on the page of the program: those of its verbs
	SeeAlso     []*Page
}

// Section is a part of a page with a heading of its own.
type Section struct{ Title, Text string }

// File is where the Markdown of the page belongs in the folder of the
// documents: manual.md for the program, manual/lastport-fill.md for a verb.
func (p *Page) File() string {
	if p.isProgram() {
		return "manual.md"
	}
	return "manual/" + p.Name + ".md"
}

// ManFile is the name of the page for man, in section 1.
func (p *Page) ManFile() string { return p.Name + ".1" }

func (p *Page) isProgram() bool { return len(p.Verbs) > 0 }

// Pages makes the page of the program and then those of its visible verbs, in
// their order. In notes, VERB.md belongs to a verb, the program's own name with
// .md to the program, and flags.md has the groups of flags and what is to be
// said of flags that several verbs have. All of them may be missing.
//
// A note on a verb or a flag that is not there is an error: it would be lost
// without a word.
func Pages(root *cobra.Command, notes fs.FS) ([]*Page, error) {
	flags, err := readFlagNotes(notes)
	if err != nil {
		return nil, err
	}
	program := &Page{Synopsis: root.Name() + " VERB [flags]"}
	pages := []*Page{program}
	for _, c := range visible(root) {
		pages = append(pages, &Page{Synopsis: c.UseLine(), Groups: flags.groups(c)})
	}
	program.Verbs = pages[1:]
	for i, c := range append([]*cobra.Command{root}, visible(root)...) {
		if err := pages[i].describe(c, notes); err != nil {
			return nil, err
		}
		pages[i].inherit(program)
		for _, other := range pages {
			if other != pages[i] {
				pages[i].SeeAlso = append(pages[i].SeeAlso, other)
			}
		}
	}
	if err := flags.unused(); err != nil {
		return nil, err
	}
	return pages, noStrays(root, notes)
}

// describe fills in what the command says of itself and what its note adds.
func (p *Page) describe(c *cobra.Command, notes fs.FS) error {
	p.Command, p.Short = c.CommandPath(), c.Short
	p.Name = strings.ReplaceAll(p.Command, " ", "-")
	n, err := readNote(notes, c.Name()+".md")
	if err != nil {
		return err
	}
	p.Description = joined(fromHelp(c.Long), n.preamble)
	for _, s := range n.sections {
		if s.Title == "Examples" {
			p.Examples = s.Text
			continue
		}
		p.Sections = append(p.Sections, s)
	}
	if p.Examples == "" && c.Example != "" {
		p.Examples = console(c.Example)
	}
	return nil
}

// inherited is the section of the program's page that every verb has too, unless
// its note says otherwise: a reader of one page need not open another for it.
const inherited = "Exit status"

func (p *Page) inherit(program *Page) {
	named := func(s Section) bool { return s.Title == inherited }
	from := slices.IndexFunc(program.Sections, named)
	if from >= 0 && !slices.ContainsFunc(p.Sections, named) {
		p.Sections = append(p.Sections, program.Sections[from])
	}
}

// visible are the verbs that a person is told of.
func visible(root *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			list = append(list, c)
		}
	}
	return list
}

// noStrays finds notes that belong to no command.
func noStrays(root *cobra.Command, notes fs.FS) error {
	known := map[string]bool{flagNotesFile: true, root.Name() + ".md": true}
	for _, c := range visible(root) {
		known[c.Name()+".md"] = true
	}
	files, err := fs.Glob(notes, "*.md")
	if err != nil {
		return fmt.Errorf("notes: %w", err)
	}
	for _, name := range files {
		if !known[name] {
			return fmt.Errorf("notes: %s belongs to no verb", name)
		}
	}
	return nil
}

// console shows the examples of a help text as typed at a prompt.
func console(examples string) string {
	var b strings.Builder
	b.WriteString("```console\n")
	for line := range strings.Lines(examples) {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintf(&b, "$ %s\n", line)
		}
	}
	b.WriteString("```")
	return b.String()
}

// joined puts a blank line between the texts that there are.
func joined(texts ...string) string {
	var there []string
	for _, t := range texts {
		if t != "" {
			there = append(there, t)
		}
	}
	return strings.Join(there, "\n\n")
}
