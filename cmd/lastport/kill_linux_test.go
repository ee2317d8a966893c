package main

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"lastport/reports/result"
)

// start starts this test binary as lastport.
func start(t *testing.T, dir string, args ...string) (*exec.Cmd, *lockedBuffer) {
	t.Helper()
	link := filepath.Join(t.TempDir(), "lastport")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(link, args...)
	cmd.Dir = dir
	var stderr lockedBuffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &stderr
}

// children lists the processes whose parent is pid.
func children(t *testing.T, pid int) []int {
	t.Helper()
	var list []int
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		fields := strings.Fields(rest)
		own, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			list = append(list, own)
		}
	}
	return list
}

// TestKillLeavesReadableResults kills a run at twenty random moments. What is
// on disk is whole, says that it was interrupted, and the child ends too. How
// old it was is printed: a second is promised.
func TestKillLeavesReadableResults(t *testing.T) {
	requireNamespaces(t)
	var oldest time.Duration
	for range 20 {
		dir := t.TempDir()
		cmd, stderr := start(t, dir, "fill", "--range", "40000-44999", "--hold", "1m", "--progress", "none", "--out", "r")
		waitFor(t, "a first result", func() bool { _, err := os.Stat(filepath.Join(dir, "r", result.FileName)); return err == nil })
		time.Sleep(time.Duration(rand.Int64N(int64(time.Second))))
		offspring := children(t, cmd.Process.Pid)
		killed := time.Now()
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
		r, err := result.Read(filepath.Join(dir, "r"))
		if err != nil {
			t.Fatalf("after kill -9: %v\n%s", err, stderr)
		}
		if !r.Run.Interrupted {
			t.Error("after kill -9 the result does not say that it was interrupted")
		}
		if r.Outcomes.Sum() != r.Attempts {
			t.Errorf("outcomes sum to %d, attempts are %d", r.Outcomes.Sum(), r.Attempts)
		}
		oldest = max(oldest, killed.Sub(r.Run.Ended))
		for _, pid := range offspring {
			waitFor(t, "the child's end", func() bool { return gone(pid) })
		}
		if status, out := lastportIn(t, dir, "report", "r"); status != 0 || !strings.Contains(out, "INTERRUPTED") {
			t.Errorf("report after kill -9: status %d\n%s", status, out)
		}
	}
	t.Logf("the oldest result was %v old", oldest)
}

// TestInterruptDrains sends one SIGINT: the run releases, writes and says so.
func TestInterruptDrains(t *testing.T) {
	requireNamespaces(t)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		dir := t.TempDir()
		cmd, stderr := start(t, dir, "fill", "--range", "40000-40099", "--hold", "1m", "--progress", "none", "--out", "r")
		waitFor(t, "100 connections", func() bool {
			r, err := result.Read(filepath.Join(dir, "r"))
			return err == nil && r.Outcomes.OK == 100
		})
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if status := exitOf(t, cmd); status != exitInterrupted {
			t.Errorf("%v: status %d, want %d\n%s", sig, status, exitInterrupted, stderr)
		}
		r, err := result.Read(filepath.Join(dir, "r"))
		if err != nil {
			t.Fatal(err)
		}
		if !r.Run.Interrupted || r.Outcomes.OK != 100 || *r.Server.Closed != 100 || r.Latency.Close == nil {
			t.Errorf("%v: interrupted %v, %d open, %d closed: want a released, interrupted run", sig, r.Run.Interrupted, r.Outcomes.OK, *r.Server.Closed)
		}
	}
}

// TestSecondInterruptLeavesAtOnce sends two.
func TestSecondInterruptLeavesAtOnce(t *testing.T) {
	requireNamespaces(t)
	dir := t.TempDir()
	// The first is answered by a release that cannot end soon: the child is
	// stopped, so it neither hears nor drains.
	cmd, stderr := start(t, dir, "fill", "--range", "40000-40099", "--hold", "1m", "--progress", "none", "--out", "r")
	waitFor(t, "a first result", func() bool { _, err := os.Stat(filepath.Join(dir, "r", result.FileName)); return err == nil })
	offspring := children(t, cmd.Process.Pid)
	for _, pid := range offspring {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "word of the first signal", func() bool { return strings.Contains(stderr.String(), "once more") })
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if status := exitOf(t, cmd); status != exitInterrupted {
		t.Errorf("status %d, want %d", status, exitInterrupted)
	}
	if _, err := result.Read(filepath.Join(dir, "r")); err != nil {
		t.Error(err)
	}
	for _, pid := range offspring {
		waitFor(t, "the child's end", func() bool { return gone(pid) })
	}
}

// TestChildKilled kills the child alone: the parent keeps what there was.
func TestChildKilled(t *testing.T) {
	requireNamespaces(t)
	dir := t.TempDir()
	cmd, stderr := start(t, dir, "fill", "--range", "40000-40099", "--hold", "1m", "--progress", "none", "--out", "r")
	waitFor(t, "100 connections", func() bool {
		r, err := result.Read(filepath.Join(dir, "r"))
		return err == nil && r.Outcomes.OK == 100
	})
	for _, pid := range children(t, cmd.Process.Pid) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if status := exitOf(t, cmd); status != exitFailed {
		t.Errorf("status %d, want %d", status, exitFailed)
	}
	if !strings.Contains(stderr.String(), "ended before its time") {
		t.Errorf("standard error does not say what happened:\n%s", stderr)
	}
	if r, err := result.Read(filepath.Join(dir, "r")); err != nil || !r.Run.Interrupted || r.Outcomes.OK != 100 {
		t.Errorf("result: %+v, %v", r, err)
	}
}

func exitOf(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}
