package manual

import (
	"fmt"
	"regexp"
	"strings"
)

// Man is the page for man, in the macros of man(7). version is that of the
// program. There is no date in it, so that the same page has the same bytes.
func (p *Page) Man(version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" %s %s\n", quoted(strings.ToUpper(p.Name)), quoted(version), quoted("User Commands"))
	b.WriteString(".nh\n.ad l\n") // neither hyphens nor gaps in what a reader may copy
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", escaped(p.Name), escaped(p.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n%s\n", p.manSynopsis())
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&b, ".SH %s\n%s", quoted(strings.ToUpper(title)), troff(p.manLinked(text)))
		}
	}
	section("Description", p.Description)
	p.manVerbs(&b)
	p.manFlags(&b)
	for _, s := range p.Sections {
		section(s.Title, s.Text)
	}
	section("Examples", p.Examples)
	b.WriteString(".SH \"SEE ALSO\"\n" + p.manLinks() + "\n")
	return b.String()
}

// manSynopsis has what is typed as it stands in bold.
func (p *Page) manSynopsis() string {
	rest := strings.TrimPrefix(p.Synopsis, p.Command)
	return `\fB` + escaped(p.Command) + `\fR` + escaped(rest)
}

func (p *Page) manVerbs(b *strings.Builder) {
	if !p.isProgram() {
		return
	}
	b.WriteString(".SH VERBS\n")
	for _, v := range p.Verbs {
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR(1)\n%s\n", escaped(v.Name), lineOf(escaped(sentence(v.Short))))
	}
}

func (p *Page) manFlags(b *strings.Builder) {
	if len(p.Groups) == 0 {
		return
	}
	b.WriteString(".SH OPTIONS\n")
	for _, g := range p.Groups {
		if len(p.Groups) > 1 {
			fmt.Fprintf(b, ".SS %s\n", quoted(g.Title))
		}
		for _, f := range g.Flags {
			fmt.Fprintf(b, ".TP\n%s\n%s\n", f.man(), lineOf(inline(p.manLinked(f.Meaning))))
			if f.Default != "" {
				fmt.Fprintf(b, "Default: %s.\n", inline(f.Default))
			}
		}
	}
}

// man is the flag as it is typed, with the place of its value in italics.
func (f Flag) man() string {
	text := `\fB` + escaped("--"+f.Name) + `\fR`
	if f.Short != "" {
		text = `\fB` + escaped("-"+f.Short) + `\fR, ` + text
	}
	if f.Value != "" {
		text += ` \fI` + escaped(f.Value) + `\fR`
	}
	return text
}

// toProgram is a link from the page of a verb to a part of the program's.
var toProgram = regexp.MustCompile(`\[([^\]]+)\]\(\.\./manual\.md#[^)]*\)`)

// manLinked says where those links lead, which man cannot follow.
func (p *Page) manLinked(markdown string) string {
	program, _, _ := strings.Cut(p.Command, " ")
	return toProgram.ReplaceAllString(markdown, "$1 in **"+program+"**(1)")
}

func (p *Page) manLinks() string {
	var links []string
	for _, other := range p.SeeAlso {
		links = append(links, `\fB`+escaped(other.Name)+`\fR(1)`)
	}
	return strings.Join(links, ",\n")
}
