package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lastport/loadgen/ports"
)

// repository is the path from this package to the top of the checkout.
const repository = "../.."

// command is a line of a console block that begins with "$ ", and what the
// document shows as its output.
type command struct {
	line   string
	output []string
}

// TestDocs runs every command that the documents show. A document's commands
// run in the same folder one after the other, as its reader would type them.
func TestDocs(t *testing.T) {
	requireNamespaces(t)
	for _, name := range documents(t) {
		commands := commandsOf(t, name)
		if len(commands) == 0 {
			t.Fatalf("%s shows no command in a console block", name)
		}
		var script strings.Builder
		for _, c := range commands {
			if target, ok := strings.CutPrefix(c.line+" ", "make "); ok {
				checkTarget(t, target)
				continue
			}
			script.WriteString(c.script())
		}
		dir := t.TempDir()
		file := strings.ToLower(strings.TrimSuffix(filepath.Base(name), ".md")) + ".txtar"
		if err := os.WriteFile(filepath.Join(dir, file), []byte(script.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		testscript.Run(t, testscript.Params{Dir: dir, Setup: func(env *testscript.Env) error {
			// Under the race detector every process sleeps a second at its end otherwise.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		}})
	}
}

// documents are those that show commands: the README, the manual, and guides.
func documents(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(repository, "docs/manual/*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("docs/manual has no page (%v)", err)
	}
	names := []string{"README.md", "docs/manual.md"}
	for _, page := range pages {
		names = append(names, "docs/manual/"+filepath.Base(page))
	}
	return append(names, guides()...)
}

// guides are documents that are written by hand and show commands.
func guides() []string { return []string{"docs/alert.md"} }

// commandsOf finds the commands of a document.
func commandsOf(t *testing.T, name string) []command {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	var list []command
	for _, block := range regexp.MustCompile("(?ms)^```console\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		for _, line := range strings.Split(strings.TrimSuffix(block[1], "\n"), "\n") {
			if typed, ok := strings.CutPrefix(line, "$ "); ok {
				list = append(list, command{line: typed})
				continue
			}
			if len(list) == 0 {
				t.Fatalf("%s: %q is output of no command", name, line)
			}
			last := &list[len(list)-1]
			last.output = append(last.output, line)
		}
	}
	return list
}

// script is the command as a test script. The lines of its output that are
// words alone, such as the sections of a report, must come again.
func (c command) script() string {
	line := quick(strings.TrimPrefix(c.line, "bin/"))
	s := "exec " + line + "\n"
	if strings.HasPrefix(line, "lastport doctor") { // what it finds wrong is this machine's
		s = "exec sh -c '" + line + " || test $? -eq 3'\n"
	}
	if strings.HasSuffix(line, "--help") {
		return s
	}
	for _, line := range c.output {
		if regexp.MustCompile(`^[A-Z][a-z ]+$`).MatchString(line) {
			s += fmt.Sprintf("stdout '^%s$'\n", line)
		}
	}
	return s
}

// quick keeps a command that takes long to a part of it that does not. CI runs
// the suite itself.
func quick(line string) string {
	if strings.Contains(line, "--rate auto") || strings.HasSuffix(line, "--prove") && !strings.Contains(line, "tcp_tw_reuse=1") {
		return line + " --help" // they outlive a TIME_WAIT
	}
	verb, _, _ := strings.Cut(strings.TrimPrefix(line, "lastport "), " ")
	switch verb {
	case "bench":
		return line + " --help"
	case "fill":
		return with(line, "range", "40000-40999")
	case "churn", "serve":
		return with(regexp.MustCompile(` --duration \S+`).ReplaceAllString(line, ""), "duration", "600ms")
	case "reuse":
		if strings.Contains(line, "tcp_tw_reuse=") || strings.Contains(line, "--mode") {
			return line
		}
		return line + " --sysctl net.ipv4.tcp_tw_reuse=1" // TIME_WAIT takes a second of its minute
	}
	return line
}

// with adds a flag to a command that does not have it.
func with(line, flag, value string) string {
	if strings.Contains(line, " --"+flag+" ") {
		return line
	}
	return line + " --" + flag + " " + value
}

// checkTarget makes sure that make knows the target.
func checkTarget(t *testing.T, target string) {
	t.Helper()
	cmd := exec.Command("make", append([]string{"-n"}, strings.Fields(target)...)...)
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("make %s: %v: %s", target, err, out)
	}
}

var update = flag.Bool("update", false, "renew docs/manual.md and docs/manual")

// TestManualIsCurrent keeps the manual in docs what the commands and the notes
// say.
func TestManualIsCurrent(t *testing.T) {
	want, err := manualFiles(quietRoot(), "markdown")
	if err != nil {
		t.Fatal(err)
	}
	docs := filepath.Join(repository, "docs")
	if *update {
		if err := writeFiles(docs, want); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(docs, name))
		if err != nil {
			t.Errorf("%v; 'make docs' writes it", err)
			continue
		}
		if diff := cmp.Diff(text, string(got)); diff != "" {
			t.Errorf("docs/%s is not what the commands say; 'make docs' renews it (-commands +file):\n%s", name, diff)
		}
	}
	for _, name := range documents(t) {
		page, ok := strings.CutPrefix(name, "docs/")
		if _, known := want[page]; ok && !known && !slices.Contains(guides(), name) {
			t.Errorf("%s belongs to no verb; 'make docs' removes it", name)
		}
	}
}

// TestManualNamesEveryFlag finds each flag of each verb on its page, and none
// that is hidden.
func TestManualNamesEveryFlag(t *testing.T) {
	root := quietRoot()
	for _, form := range []struct {
		name, file, begin, end string
		flag                   *regexp.Regexp
	}{
		{"markdown", "manual/lastport-%s.md", "\n## Flags\n", "\n## ", regexp.MustCompile("(?m)^\\| (?:`-[a-z0-9]`, )?`--([a-z0-9-]+)")},
		{"man", "lastport-%s.1", "\n.SH OPTIONS\n", "\n.SH ", regexp.MustCompile(`(?m)^\.TP\n(?:\\fB\\-[a-z0-9]\\fR, )?\\fB\\-\\-([a-z0-9\\-]+)\\fR`)},
	} {
		files, err := manualFiles(root, form.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, verb := range root.Commands() {
			if verb.Hidden {
				continue
			}
			_, section, _ := strings.Cut(files[fmt.Sprintf(form.file, verb.Name())], form.begin)
			section, _, _ = strings.Cut(section, form.end)
			var got, want []string
			for _, match := range form.flag.FindAllStringSubmatch(section, -1) {
				got = append(got, strings.ReplaceAll(match[1], `\-`, "-"))
			}
			verb.Flags().VisitAll(func(f *pflag.Flag) {
				if !f.Hidden && f.Name != "help" {
					want = append(want, f.Name)
				}
			})
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("the %s page of %s names %q\n want %q", form.name, verb.Name(), got, want)
			}
		}
	}
}

// TestManualListsEveryRange keeps the manual's table of ranges what the profiles
// are.
func TestManualListsEveryRange(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "docs/manual.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Ranges\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, p := range ports.Profiles() {
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			size := fmt.Sprintf("%d,%03d", p.Ranges.Size()/1000, p.Ranges.Size()%1000)
			row := "(?m)^\\|.*`" + name + "`.*\\| " + regexp.QuoteMeta(p.Ranges.String()) + " \\| " + size + " \\|$"
			if !regexp.MustCompile(row).MatchString(section) {
				t.Errorf("docs/manual.md: no row of Ranges has %s with %s, %s ports", name, p.Ranges, size)
			}
		}
	}
}

// TestHelpExamples finds out whether the examples of the help texts can be
// typed: their verbs and flags are there.
func TestHelpExamples(t *testing.T) {
	for _, c := range append(quietRoot().Commands(), quietRoot()) {
		for line := range strings.Lines(c.Example) {
			args := strings.Fields(strings.ReplaceAll(strings.TrimSpace(line), "'", ""))
			if len(args) == 0 || args[0] != "lastport" {
				continue
			}
			verb, rest, err := quietRoot().Find(args[1:])
			if err == nil {
				err = verb.ParseFlags(rest)
			}
			if err != nil {
				t.Errorf("help of %s: %q: %v", c.Name(), strings.TrimSpace(line), err)
			}
		}
	}
}

// quietRoot is the command line, saying nothing.
func quietRoot() *cobra.Command {
	return (&app{stdout: io.Discard, ui: newUI(io.Discard)}).root()
}
