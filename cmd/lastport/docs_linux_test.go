package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"
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
	for _, name := range []string{"README.md", "docs/manual.md"} {
		commands := commandsOf(t, name)
		if len(commands) == 0 {
			t.Fatalf("%s shows no command in a console block", name)
		}
		var script strings.Builder
		for _, c := range commands {
			if target, ok := strings.CutPrefix(c.line, "make "); ok {
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
	line := quick(c.line)
	s := "exec " + line + "\n"
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

// TestManualNamesEveryFlag keeps docs/manual.md and the verbs' flags the same.
func TestManualNamesEveryFlag(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "docs/manual.md"))
	if err != nil {
		t.Fatal(err)
	}
	a := &app{stdout: io.Discard, ui: newUI(io.Discard)}
	for _, verb := range a.root().Commands() {
		if verb.Hidden || verb.Name() == "help" {
			continue
		}
		_, section, ok := strings.Cut(string(text), "\n## lastport "+verb.Name()+"\n")
		if !ok {
			t.Errorf("docs/manual.md has no section on %s", verb.Name())
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		var got []string
		for _, match := range regexp.MustCompile("`--([a-z-]+)`").FindAllStringSubmatch(section, -1) {
			got = append(got, match[1])
		}
		var want []string
		verb.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Name != "help" {
				want = append(want, f.Name)
			}
		})
		slices.Sort(got)
		slices.Sort(want)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("docs/manual.md on %s names %q\n want %q", verb.Name(), got, want)
		}
	}
}
