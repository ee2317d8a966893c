package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// atWork starts a fill with a command that waits for a program that it has started, and
// returns the fill and the processes: the run's own, the command and its program. The
// two ignore signals if they are told to.
func atWork(t *testing.T, ignore string) (fill *serving, run, command, program int) {
	t.Helper()
	fill = &serving{}
	fill.start("fill", "--range", "40000-40049", "--leave", "1", "--format", "json", "--out", filepath.Join(t.TempDir(), "r"),
		"--", "sh", "-c", ignore+"sleep 1000 & echo command $$ of $PPID with $!; wait; wait; sleep 1000")
	if err := fill.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fill.cmd.Process.Kill() }) // fails where it has ended
	said := regexp.MustCompile(`(?m)^command (\d+) of (\d+) with (\d+)\n`)
	waitFor(t, "the command", func() bool { return said.MatchString(fill.stderr.String()) })
	var ids [3]int
	for i, text := range said.FindStringSubmatch(fill.stderr.String())[1:] {
		id, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = id
	}
	return fill, ids[1], ids[0], ids[2]
}

// A signal to the run ends the command too, and the result says so.
func TestInterruptEndsTheCommand(t *testing.T) {
	requireNamespaces(t)
	fill, _, command, program := atWork(t, "")
	if err := fill.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if status := exitOf(t, fill.cmd); status != exitInterrupted {
		t.Errorf("status %d\n%s", status, fill.stderr)
	}
	for _, pid := range []int{command, program} {
		waitFor(t, "the command's end", func() bool { return gone(pid) })
	}
	res := resultOf(t, fill.stdout.String())
	if c := res.Command; c == nil || c.Ended != result.EndedTerminated || c.Told != result.ToldInterrupt || c.ExitStatus != nil || strings.Contains(res.Verdict.Text, "hold") {
		t.Errorf("%+v, %q", c, res.Verdict.Text)
	}
}

// Whichever of lastport's processes is killed, nothing is left of the command and of
// what it has started. A second signal, for a command that hears none, is the same.
func TestKillEndsTheCommand(t *testing.T) {
	requireNamespaces(t)
	for name, kill := range map[string]func(fill *serving, run int) error{
		"the parent": func(fill *serving, _ int) error { return fill.cmd.Process.Kill() },
		"the run":    func(_ *serving, run int) error { return syscall.Kill(run, syscall.SIGKILL) },
		"two signals": func(fill *serving, _ int) error {
			return errors.Join(fill.cmd.Process.Signal(syscall.SIGINT), fill.cmd.Process.Signal(syscall.SIGTERM))
		},
	} {
		fill, run, command, program := atWork(t, "trap '' INT TERM; ")
		if err := kill(fill, run); err != nil {
			t.Fatal(err)
		}
		_, _ = fill.cmd.Process.Wait() // and not for who else has its standard error
		for what, pid := range map[string]int{"the command": command, "its program": program} {
			waitFor(t, fmt.Sprintf("%s: the end of %s, %d, of the run %d: %s", name, what, pid, run, fill.stderr), func() bool { return gone(pid) })
		}
	}
}

// On the real host the ports that are left are those that were asked for, also where
// others have ports toward other targets, from which the command could connect as well.
// Counters that are everybody's are not taken for the command's.
func TestCommandOnHost(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	if err := kernel.WriteSysctl("net.ipv4.tcp_tw_reuse", "0"); err != nil { // what one run leaves in TIME_WAIT stays there for the next
		t.Fatal(err)
	}
	waiting := int64(0)
	for _, test := range []struct {
		strangers, keepFree, leave int
	}{
		{0, 5, 5}, {60, 5, 5}, {0, 2, 4}, {3, 1, 10}, // of the last some are left to it that the three have
	} {
		opened := strangers(t, test.strangers)
		cmd, stderr := prepare("fill", "--place", "host", "--keep-free", strconv.Itoa(test.keepFree), "--leave", strconv.Itoa(test.leave), "--format", "json",
			"--out", filepath.Join(t.TempDir(), "r"), "--", "edge-client", strconv.Itoa(test.leave+1))
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%+v: %v\n%s", test, err, stderr)
		}
		res, left := resultOf(t, string(out)), int64(test.leave)
		free := res.OnHost.FreeBefore
		c := res.Command
		if c == nil || c.PortsLeft != left || c.Accepted != left || c.ExitStatus == nil || *c.ExitStatus != 1 || c.Opened != nil || !res.Verdict.OK {
			t.Errorf("%+v: %+v, %q\n%s", test, c, res.Verdict.Text, stderr)
		}
		warned := slices.ContainsFunc(res.Warnings, func(w result.Warning) bool { return w.Code == "edge_time_wait" })
		if c.PortsWaiting != waiting || warned != (waiting > 0) {
			t.Errorf("%+v: %d ports in TIME_WAIT, want %d; %+v", test, c.PortsWaiting, waiting, res.Warnings)
		}
		waiting += left
		if n := *res.Measured.Connections; n != free-int64(test.keepFree) || res.Measured.Recovered == nil || !*res.Measured.Recovered {
			t.Errorf("%+v: %d connections, recovered %v", test, n, res.Measured.Recovered)
		}
		if !strings.Contains(stderr.String(), strconv.Itoa(test.leave+1)+": dial tcp 127.0.0.1:") || !strings.Contains(stderr.String(), "cannot assign requested address") {
			t.Errorf("%+v: one connection more did not fail:\n%s", test, stderr)
		}
		for _, conn := range opened {
			exchange(t, conn)
			_ = conn.SetLinger(0) // no TIME_WAIT
			_ = conn.Close()
		}
	}
}

// strangers are connections of this process to a server on the same host, which echoes.
func strangers(t *testing.T, n int) (opened []*net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:9500")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing is lost
	for range n {
		conn, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(far, far) }()
		opened = append(opened, conn.(*net.TCPConn))
	}
	return opened
}
