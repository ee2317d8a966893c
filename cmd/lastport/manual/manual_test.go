package manual

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// tree is a program with two verbs that share a flag.
func tree() *cobra.Command {
	root := &cobra.Command{Use: "brew", Short: "makes tea", Long: "brew makes tea."}
	for _, name := range []string{"boil", "steep"} {
		c := &cobra.Command{Use: name, Short: name + " it | now", Run: func(*cobra.Command, []string) {}}
		c.Flags().StringP("cup", "c", "blue", "`WHICH` of [blue|red]*")
		c.Flags().Int("spoons", 0, "a `NUMBER`")
		c.Flags().Bool("secret", false, "not told")
		_ = c.Flags().MarkHidden("secret")
		root.AddCommand(c)
	}
	root.AddCommand(&cobra.Command{Use: "inner", Hidden: true, Run: func(*cobra.Command, []string) {}})
	return root
}

func TestMarkdown(t *testing.T) {
	notes := fstest.MapFS{
		"boil.md":  {Data: []byte("## Examples\n\n```console\n$ brew boil\n## no heading\n```\n\n## Exit status\n\nAlways 0.\n")},
		"brew.md":  {Data: []byte("## Exit status\n\n0 or 1.\n")},
		"flags.md": {Data: []byte("Not read.\n\n## Cups\n\n- `--cup`: The red one\n  is larger.\n- `steep --cup`: (default: `red`)\n")},
	}
	pages, err := Pages(tree(), notes)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range pages {
		got = append(got, p.Markdown())
	}
	head := "<!-- Made by 'make docs' from the commands and from cmd/lastport/notes; change those. -->\n\n"
	want := []string{
		head + "# brew\n\nMakes tea.\n\n```\nbrew VERB [flags]\n```\n\nbrew makes tea.\n" +
			"\n## Verbs\n\n| verb | job |\n|---|---|\n" +
			"| [brew boil](manual/brew-boil.md) | boil it \\| now |\n| [brew steep](manual/brew-steep.md) | steep it \\| now |\n" +
			"\n## Exit status\n\n0 or 1.\n" +
			"\n## See also\n\n[brew boil](manual/brew-boil.md) · [brew steep](manual/brew-steep.md)\n",
		head + "# brew boil\n\nBoil it \\| now.\n\n```\nbrew boil [flags]\n```\n" +
			"\n## Examples\n\n```console\n$ brew boil\n## no heading\n```\n" +
			"\n## Flags\n\n### Of this verb\n\n| flag | default | meaning |\n|---|---|---|\n| `--spoons NUMBER` |  | A NUMBER. |\n" +
			"\n### Cups\n\n| flag | default | meaning |\n|---|---|---|\n" +
			"| `-c`, `--cup WHICH` | `blue` | WHICH of \\[blue\\|red\\]\\*. The red one is larger. |\n" +
			"\n## Exit status\n\nAlways 0.\n" +
			"\n## See also\n\n[brew](../manual.md) · [brew steep](brew-steep.md)\n",
		head + "# brew steep\n\nSteep it \\| now.\n\n```\nbrew steep [flags]\n```\n" +
			"\n## Flags\n\n### Of this verb\n\n| flag | default | meaning |\n|---|---|---|\n| `--spoons NUMBER` |  | A NUMBER. |\n" +
			"\n### Cups\n\n| flag | default | meaning |\n|---|---|---|\n" +
			"| `-c`, `--cup WHICH` | `red` | WHICH of \\[blue\\|red\\]\\*. |\n" +
			"\n## Exit status\n\n0 or 1.\n" +
			"\n## See also\n\n[brew](../manual.md) · [brew boil](brew-boil.md)\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNotesThatNothingHas(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"verb":       {"pour.md", "Text.", "pour.md belongs to no verb"},
		"flag":       {"flags.md", "## Cups\n- `--sugar`: sweet", `no page has the note on "--sugar"`},
		"verb's own": {"flags.md", "## Cups\n- `pour --cup`: red", `no page has the note on "pour --cup"`},
		"hidden":     {"flags.md", "## Cups\n- `--secret`: told", `no page has the note on "--secret"`},
		"no item":    {"flags.md", "## Cups\n* `--cup`: red", "want \"- `--flag`: text\""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Pages(tree(), fstest.MapFS{c.file: {Data: []byte(c.text)}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestFromHelp(t *testing.T) {
	got := fromHelp("It waits\nfor --time N and\nno_port < 3.\n\n  as it\n   stands\n\n--a-b")
	want := "It waits for `--time N` and no_port \\< 3.\n\n```text\n  as it\n   stands\n```\n\n`--a-b`"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestTroff(t *testing.T) {
	for name, c := range map[string]struct{ markdown, want string }{
		"paragraph": {"two\nlines\n\n.dot", ".PP\ntwo lines\n.PP\n\\&.dot\n"},
		"inline": {
			"`a-b` **c** [d `e`](x.md#y) [f](https://g.h) \\*i\\* \\",
			".PP\n\\fBa\\-b\\fR \\fBc\\fR d \\fBe\\fR f <https://g.h> *i* \\(rs\n",
		},
		"beyond ASCII": {"60 µs …", ".PP\n60 \\[u00B5]s \\[u2026]\n"},
		"list":         {"- one\n  more\n- 'two", ".IP \\(bu 2\none\nmore\n.IP \\(bu 2\n\\&'two\n"},
		"fence":        {"```console\n$ a\\b\n\n.c\n```\nafter", ".PP\n.RS 4\n.nf\n$ a\\(rsb\n\n\\&.c\n.fi\n.RE\n.PP\nafter\n"},
		"indented":     {"    a = b\n      c", ".PP\n.RS 4\n.nf\na = b\n  c\n.fi\n.RE\n"},
		"table": {
			"| a | b |\n|---|---|\n| `x \\| y` | z |", ".TP\n\\fBx | y\\fR\nz\n",
		},
		"wide table": {"| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |", ".TP\n1\nb: 2; c: 3\n"},
		"heading":    {"### Sub \"x\"", ".SS \"Sub \\(dqx\\(dq\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, troff(c.markdown)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzTroff holds that text never becomes a request or an escape of troff:
// whatever it is, the lines that begin with a control character and the
// backslashes are ours.
func FuzzTroff(f *testing.F) {
	for _, seed := range []string{
		"text", "- a\n  .b", "| .a | 'b |\n|---|---|\n| .c | \\|", "```\n.x\n\\n", "### .a\n'b", "`.a` \\\\n **b**", "[.a](b)", "\\.x", "    .a\n'b",
	} {
		f.Add(seed)
	}
	request := regexp.MustCompile(`^\.(PP|RS 4|RE|nf|fi|TP|IP \\\(bu 2|SS ".*")$`)
	escape := regexp.MustCompile(`\\(fB|fR|\(rs|\(dq|\(bu|-|&|\[u[0-9A-F]{4,6}\])`)
	f.Fuzz(func(t *testing.T, markdown string) {
		for line := range strings.SplitSeq(troff(markdown), "\n") {
			if (strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'")) && !request.MatchString(line) {
				t.Errorf("%q became the request %q", markdown, line)
			}
			if strings.Contains(escape.ReplaceAllString(line, ""), `\`) {
				t.Errorf("%q became the escape in %q", markdown, line)
			}
		}
	})
}
