package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The program starts itself to run a loop in a namespace; here that is the
// test's.
func TestMain(m *testing.M) {
	if _, ok := insideCommand(os.Args[1:]); ok {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// requireNamespaces skips where no namespace can be made, or fails if there must
// be one.
func requireNamespaces(t *testing.T) {
	t.Helper()
	if _, err := inNamespace(t.Context(), "1024", "65535", "true"); err != nil {
		if os.Getenv("LASTPORT_REQUIRE_NETNS") == "1" {
			t.Fatalf("no private namespace, and LASTPORT_REQUIRE_NETNS=1: %v", err)
		}
		t.Skipf("no private namespace: %v", err)
	}
}

// compile makes loops in bin/limit.
func compile(t *testing.T, bin string, names ...string) {
	t.Helper()
	if err := installed("cc"); err != nil {
		t.Skipf("%v: the loops' rows are absent", err)
	}
	if err := os.MkdirAll(filepath.Join(bin, "limit"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		build := exec.Command("cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread",
			"-o", filepath.Join(bin, "limit", name), "../../loadgen/engine/limit/"+name+".c")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", build, err, out)
		}
	}
}

// Each loop does what it says.
func TestLoops(t *testing.T) {
	requireNamespaces(t)
	l := &lab{options: &options{bin: t.TempDir()}}
	compile(t, l.bin, "churn", "uring", "fill", "hold")
	for _, c := range []struct {
		low, high, command string
		connections        float64 // 0: as many as the time allows, which SECONDS stands for
	}{
		{"1024", "65535", "churn split SECONDS 1", 0},
		{"1024", "65535", "churn one-thread SECONDS 2", 0},
		{"1024", "65535", "uring split SECONDS 1", 0},
		{"1024", "65535", "uring one-thread SECONDS 2", 0},
		{"40000", "40099", "fill connect", 100},
		{"40000", "40099", "fill range 40010 40019", 10},
		{"1024", "65535", "hold 2500", 2500},
	} {
		s, err := enough(t, func(seconds string) *arm {
			return l.loop(c.low, c.high, strings.Fields(strings.Replace(c.command, "SECONDS", seconds, 1))...)
		})
		switch opened := s.rate * s.took; {
		case err != nil && strings.Contains(err.Error(), "io_uring"):
			t.Logf("%s: %v", c.command, err) // the kernel has none, or the compiler's headers
		case err != nil:
			t.Errorf("%s: %v", c.command, err)
		case opened < 1, c.connections > 0 && (opened < c.connections-0.1 || opened > c.connections+0.1):
			t.Errorf("%s: %v connections, want %v", c.command, opened, c.connections)
		}
	}
}

// enough runs an arm for longer and longer, as long as the time brings no
// connection at all: a busy machine may hold it up.
func enough(t *testing.T, of func(seconds string) *arm) (s sample, err error) {
	t.Helper()
	for _, seconds := range []string{"0.1", "0.4", "1.6", "6.4"} {
		if s, err = of(seconds).run(t.Context()); err != nil || s.rate*s.took >= 1 {
			break
		}
	}
	return s, err
}

func TestLoopsRefuse(t *testing.T) {
	requireNamespaces(t)
	l := &lab{options: &options{bin: t.TempDir()}}
	compile(t, l.bin, "churn", "fill", "hold")
	for command, want := range map[string]string{
		"churn":                "usage: churn split|one-thread",
		"churn apart":          "usage: churn split|one-thread",
		"churn split 0":        "want 1 to 64",
		"churn split 1 65":     "want 1 to 64",
		"fill":                 "usage: fill connect|range",
		"hold 0":               "want 1 or more",
		"hold 100000000000":    "want 1 or more",
		"fill range 1024 1023": "IP_LOCAL_PORT_RANGE: Invalid argument",
	} {
		_, err := l.loop("1024", "65535", strings.Fields(command)...).run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", command, err, want)
		}
	}
}

// One short row, by lastport and a loop as they are.
func TestOneRow(t *testing.T) {
	requireNamespaces(t)
	bin := t.TempDir()
	compile(t, bin, "churn")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(bin, "lastport"), "../lastport")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build, err, out)
	}
	var stdout, stderr strings.Builder
	status := run([]string{"--bin", bin, "--quick", "--rows", "churn-direct-together,recording"}, &stdout, &stderr)
	if status != exitOK {
		t.Fatalf("status %d\n%s%s", status, &stdout, &stderr)
	}
	for _, want := range []string{"churn-direct-together  ", "/s  churn one-thread  ", "≥ 0.93", "  recording off  "} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, &stdout)
		}
	}
}

// Nothing that a command started outlives it, and it ends when the caller does.
func TestNamespaceEnds(t *testing.T) {
	requireNamespaces(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	// The background sleep would hold standard output open for an hour.
	if _, err := inNamespace(ctx, "1024", "65535", "sh", "-c", "sleep 3600 & sleep 3600"); err == nil {
		t.Error("no error, although it was cut off")
	}
	if out, err := inNamespace(t.Context(), "1024", "65535", "sh", "-c", "sleep 3600 & cat /proc/sys/net/ipv4/ip_local_port_range"); err != nil ||
		strings.Fields(out)[0] != "1024" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestRunRefuses(t *testing.T) {
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"--help", exitOK, "-pairs"},
		{"--nope", exitUsage, "-nope"},
		{"--pairs 0", exitUsage, "want 1 or more"},
		{"--duration -1s", exitUsage, "want 1 or more"},
		{"more", exitUsage, `unexpected argument "more"`},
		{"--bin /nonexistent", exitFailed, "/nonexistent"},
	} {
		var said strings.Builder
		if got := run(strings.Fields(c.args), &said, &said); got != c.status || !strings.Contains(said.String(), c.says) {
			t.Errorf("%s: status %d, want %d and %q:\n%s", c.args, got, c.status, c.says, &said)
		}
	}
}
