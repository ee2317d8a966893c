package main

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"lastport/reports/result"
)

// commandPID starts a fill with a command that waits, and returns it and the
// command's process id.
func commandPID(t *testing.T) (fill *serving, pid int) {
	t.Helper()
	fill = &serving{}
	fill.start("fill", "--range", "40000-40049", "--leave", "1", "--format", "json", "--out", filepath.Join(t.TempDir(), "r"),
		"--", "sh", "-c", "echo command $$ of $PPID; exec sleep 1000")
	if err := fill.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fill.cmd.Process.Kill() }) // fails where it has ended
	said := regexp.MustCompile(`(?m)^command (\d+) of`)
	waitFor(t, "the command", func() bool { return said.MatchString(fill.stderr.String()) })
	pid, err := strconv.Atoi(said.FindStringSubmatch(fill.stderr.String())[1])
	if err != nil {
		t.Fatal(err)
	}
	return fill, pid
}

// A signal to the run ends the command too, and the result says so.
func TestInterruptEndsTheCommand(t *testing.T) {
	requireNamespaces(t)
	fill, pid := commandPID(t)
	if err := fill.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if status := exitOf(t, fill.cmd); status != exitInterrupted {
		t.Errorf("status %d\n%s", status, fill.stderr)
	}
	if !gone(pid) {
		t.Errorf("process %d is left", pid)
	}
	if c := resultOf(t, fill.stdout.String()).Command; c == nil || c.Ended != result.EndedTerminated || c.ExitStatus != nil {
		t.Errorf("%+v", c)
	}
}

// A run that is killed leaves no command behind.
func TestKillEndsTheCommand(t *testing.T) {
	requireNamespaces(t)
	fill, pid := commandPID(t)
	if err := fill.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = fill.cmd.Wait() // killed
	waitFor(t, "the command's end", func() bool { return gone(pid) })
}

// On the real host the ports that are left are those that --keep-free keeps, and
// counters that are everybody's are not taken for the command's.
func TestCommandOnHost(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	cmd, stderr := prepare("fill", "--place", "host", "--keep-free", "5", "--leave", "5", "--format", "json",
		"--out", filepath.Join(t.TempDir(), "r"), "--", "edge-client", "6")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	c := resultOf(t, string(out)).Command
	if c == nil || c.PortsLeft != 5 || c.Accepted != 5 || c.ExitStatus == nil || *c.ExitStatus != 1 || c.Opened != nil {
		t.Errorf("%+v\n%s", c, stderr)
	}
	if !strings.Contains(stderr.String(), "6: dial tcp 127.0.0.1:") || !strings.Contains(stderr.String(), "cannot assign requested address") {
		t.Errorf("the sixth connection did not fail:\n%s", stderr)
	}
}
