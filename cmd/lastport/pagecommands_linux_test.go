package main

import (
	"bytes"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lastport/reports/result"
)

// commandsOn are the commands that a page offers to copy: the one that repeats the
// run, and the others.
func commandsOn(t *testing.T, page string) (again string, next []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(text), `<section id="run-again">`)
	if !found {
		t.Fatalf("%s has no command that repeats the run", page)
	}
	command := regexp.MustCompile(`class="command"><code>([^<]*)</code>`)
	for _, m := range command.FindAllStringSubmatch(before, -1) {
		next = append(next, html.UnescapeString(m[1]))
	}
	return html.UnescapeString(command.FindStringSubmatch(after)[1]), next
}

// words are a command's arguments as a shell has them.
func words(t *testing.T, command string) []string {
	t.Helper()
	out, err := exec.Command("sh", "-c", `printf '%s\n' `+command).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	args := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if args[0] != "lastport" {
		t.Fatalf("%s: no command of lastport", command)
	}
	return args[1:]
}

// What a page offers to copy can be typed: the command that repeats a run asks for
// what the run was asked for, and the others are right usage. A verb that finds a result
// in its --out has found nothing wrong with its other flags.
func TestCommandsOfAPageCanBeTyped(t *testing.T) {
	requireNamespaces(t)
	for name, args := range map[string]string{
		"fill":             "fill --range 40000-40019 --connections 10 --timeout 2s --exclude 40003 --expect connections>=1",
		"fill over UDP":    "fill --range 40000-40019 --proto udp --strategy bind",
		"fill over IPv6":   "fill --range 40000-40019 -6 --target [2001:2::1]:1000",
		"fill with a nat":  "fill --range 40000-40019 --place nat --nat-range 2000-2009 --nat-addresses 2 --connections 5 --clients 2",
		"fill by windows":  "fill --range 40000-40019 --strategy window --window-size 7 --window-moves 2",
		"fill with a pair": "fill --range 40000-40019 --place pair --sysctl net.ipv4.tcp_tw_reuse=1 --workers 2",
		"churn":            "churn --range 40000-40019 --rate 20 --duration 300ms --close client-rst --requests 1",
		"churn, fastest":   "churn --range 40000-40019 --duration 200ms --close client-rst --workers 1 --ends together",
		"churn over UDP":   "churn --range 40000-40019 --rate 20 --duration 300ms --proto udp",
		"reuse":            "reuse --range 40000-40019 --close client-rst --connections 5",
		"reuse over UDP":   "reuse --range 40000-40019 --proto udp --connections 5",
		"survey":           "survey --range 40000-40019 --attempts 10",
		"survey over UDP":  "survey --range 40000-40019 --proto udp --strategy random",
		"reach":            "reach --range 40000-40009",
		"reach, blocked":   "reach --range 40000-40009 --block 40003 --timeout 700ms --tries 1 --place pair",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if told, err := typed(dir, append(strings.Fields(args), "--progress", "none", "--out", "one", "--format", "html", "-o", "page.html")...); err != nil {
				t.Fatalf("lastport %s: %v\n%s", args, err, told)
			}
			again, next := commandsOn(t, filepath.Join(dir, "page.html"))
			if told, err := typed(dir, insert(words(t, again), "--progress", "none", "--out", "two")...); err != nil {
				t.Fatalf("%s: %v\n%s", again, err, told)
			}
			if diff := cmp.Diff(configOf(t, filepath.Join(dir, "one")), configOf(t, filepath.Join(dir, "two")), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: another run (-first +again):\n%s", again, diff)
			}
			if len(next) == 0 {
				t.Error("nothing to do next")
			}
			for _, command := range next {
				right(t, dir, command)
			}
		})
	}
}

// typed runs lastport in a folder, as a shell would.
func typed(dir string, args ...string) (told string, err error) {
	var messages bytes.Buffer
	c := exec.Command("lastport", args...)
	c.Dir, c.Stderr = dir, &messages
	err = c.Run()
	return messages.String(), err
}

// right holds that a command is right usage, without its run where it makes one.
func right(t *testing.T, dir, command string) {
	t.Helper()
	args := words(t, command)
	switch args[0] {
	case "plan":
		if told, err := typed(dir, args...); err != nil {
			t.Errorf("%s: %v\n%s", command, err, told)
		}
		return
	case "doctor", "report": // which a warning may name, and which make no folder
		return
	}
	if told, err := typed(dir, insert(args, "--out", "one")...); err == nil || !strings.Contains(told, "holds a result") {
		t.Errorf("%s: %v, want the folder refused and nothing else:\n%s", command, err, told)
	}
}

// insert adds flags after the verb, where no command of a run's own follows.
func insert(args []string, flags ...string) []string {
	return append(append(args[:1:1], flags...), args[1:]...)
}

// configOf is what a run was asked for.
func configOf(t *testing.T, folder string) result.Config {
	t.Helper()
	r, err := result.Read(filepath.Join(folder, result.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if r.Run.Scenario == "reach" {
		r.Config.Seed = 0 // it has one, of which nothing depends
	}
	return r.Config
}
