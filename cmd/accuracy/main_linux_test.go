package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestRunRefuses(t *testing.T) {
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"--help", exitOK, "-parallel"},
		{"--nope", exitUsage, "-nope"},
		{"--parallel 0", exitUsage, "want 1 or more"},
		{"more", exitUsage, `unexpected argument "more"`},
		{"--only nothing-like-it", exitUsage, "no setup contains it"},
		{"--bin /nonexistent --only fin_timeout", exitFailed, "/nonexistent/lastport"},
	} {
		var said strings.Builder
		if got := run(strings.Fields(c.args), &said, &said); got != c.status || !strings.Contains(said.String(), c.says) {
			t.Errorf("%s: status %d, want %d and %q:\n%s", c.args, got, c.status, c.says, &said)
		}
	}
}

// One setup that waits for nothing, by lastport as it is.
func TestOneSetup(t *testing.T) {
	if err := exec.Command("unshare", "-rn", "true").Run(); err != nil {
		if os.Getenv("LASTPORT_REQUIRE_NETNS") == "1" {
			t.Fatalf("no private namespace, and LASTPORT_REQUIRE_NETNS=1: %v", err)
		}
		t.Skipf("no private namespace: %v", err)
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(bin, "lastport"), "../lastport")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build, err, out)
	}
	doc := filepath.Join(bin, "doc.md")
	if err := os.WriteFile(doc, []byte(beginMark+endMark), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	if status := run([]string{"--bin", bin, "--doc", doc, "--only", "close --strategy bind --close server-fin"}, &stdout, &stderr); status != exitOK {
		t.Fatalf("status %d\n%s%s", status, &stdout, &stderr)
	}
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	rows := tableOf(t, string(text))
	if len(rows) != 1 || rows[0].connections.measured != "200" || rows[0].rate.predicted != "no limit" || rows[0].reuse.measured != "at once" {
		t.Errorf("%+v of\n%s", rows, text)
	}
}
