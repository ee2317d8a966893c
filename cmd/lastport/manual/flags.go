package manual

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Group is flags that belong together.
type Group struct {
	Title string
	Flags []Flag
}

// Flag is what a page says of a flag. Default and Meaning are Markdown, and an
// empty default is none.
type Flag struct {
	Name, Short, Value string // range, r, PORTS
	Default, Meaning   string
}

// flagNotesFile groups flags and says more of them. Each "## " heading begins a
// group; "- `--flag`: text" puts a flag into it, for every verb, and
// "- `verb --flag`: text" has other words for one of them. The text may be empty,
// and may name the default: "(default: none)".
const flagNotesFile = "flags.md"

// ownGroup is the heading of flags that no group has.
const ownGroup = "Of this verb"

// flagNotes is the content of flagNotesFile.
type flagNotes struct {
	titles []string
	items  []*flagNote
}

type flagNote struct {
	verb, flag string // verb is empty in a note for all
	group      int
	text       string
	used       bool
}

var flagItem = regexp.MustCompile("^- `(?:([a-z]+) )?--([a-z-]+)`:? *(.*)$")

func readFlagNotes(notes fs.FS) (*flagNotes, error) {
	text, err := fs.ReadFile(notes, flagNotesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return &flagNotes{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	return parseFlagNotes(string(text))
}

func parseFlagNotes(text string) (*flagNotes, error) {
	n := &flagNotes{}
	for _, s := range parseNote(text).sections {
		n.titles = append(n.titles, s.Title)
		for line := range strings.Lines(s.Text) {
			line = strings.TrimRight(line, "\n")
			if m := flagItem.FindStringSubmatch(line); m != nil {
				n.items = append(n.items, &flagNote{verb: m[1], flag: m[2], group: len(n.titles) - 1, text: m[3]})
				continue
			}
			if line == "" {
				continue
			}
			if !strings.HasPrefix(line, "  ") || len(n.items) == 0 {
				return nil, fmt.Errorf("notes: %s: %q: want \"- `--flag`: text\", going on in lines that begin with two spaces", flagNotesFile, line)
			}
			last := n.items[len(n.items)-1]
			last.text = strings.TrimSpace(last.text + " " + strings.TrimSpace(line))
		}
	}
	return n, nil
}

// find returns the note on a verb's flag: its own before that for all.
func (n *flagNotes) find(verb, flag string) *flagNote {
	var found *flagNote
	for _, item := range n.items {
		if item.flag == flag && (item.verb == verb || item.verb == "" && found == nil) {
			found = item
		}
	}
	return found
}

// groups sorts the visible flags of a command into groups: its own before those
// that it shares.
func (n *flagNotes) groups(c *cobra.Command) []Group {
	own := Group{Title: ownGroup}
	shared := make([]Group, len(n.titles))
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		note := n.find(c.Name(), f.Name)
		if note == nil {
			own.Flags = append(own.Flags, describe(f, ""))
			return
		}
		note.used = true
		shared[note.group].Flags = append(shared[note.group].Flags, describe(f, note.text))
	})
	for i := range shared {
		shared[i].Title = n.titles[i]
		n.order(c.Name(), shared[i].Flags)
	}
	return slices.DeleteFunc(append([]Group{own}, shared...), func(g Group) bool { return len(g.Flags) == 0 })
}

// order puts the flags of a group into the order of the notes.
func (n *flagNotes) order(verb string, flags []Flag) {
	at := func(f Flag) int { return slices.Index(n.items, n.find(verb, f.Name)) }
	slices.SortStableFunc(flags, func(a, b Flag) int { return at(a) - at(b) })
}

// unused finds a note on a flag that no verb has.
func (n *flagNotes) unused() error {
	for _, item := range n.items {
		if !item.used {
			return fmt.Errorf("notes: %s: no page has the note on %q: no verb has that flag, or each has a note of its own",
				flagNotesFile, strings.TrimSpace(item.verb+" --"+item.flag))
		}
	}
	return nil
}

// saidDefault is a default that a usage or a note states in words, because the
// zero value stands for it.
var saidDefault = regexp.MustCompile(`\s*\(default: ([^()]*)\)`)

func describe(f *pflag.Flag, note string) Flag {
	value, usage := pflag.UnquoteUsage(f)
	d := Flag{Name: f.Name, Short: f.Shorthand, Value: value, Default: defaultOf(f)}
	if m := saidDefault.FindStringSubmatch(usage); m != nil {
		usage = strings.Replace(usage, m[0], "", 1)
		d.Default = plain(m[1])
	}
	if m := saidDefault.FindStringSubmatch(note); m != nil { // it knows the verb
		note = strings.TrimSpace(strings.Replace(note, m[0], "", 1))
		d.Default = m[1]
	}
	d.Meaning = strings.TrimSpace(sentence(plain(usage)) + " " + note)
	return d
}

// defaultOf is a flag's default as code, empty when it is the type's zero value.
func defaultOf(f *pflag.Flag) string {
	text := strings.Trim(f.DefValue, "[]")
	if slices.Contains([]string{"", "0", "0s", "false"}, text) {
		return ""
	}
	return "`" + text + "`"
}

// sentence begins with a capital and ends with a full stop.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	text = string(unicode.ToUpper(first)) + text[size:]
	if strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}
