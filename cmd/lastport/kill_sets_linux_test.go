package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lastport/reports/result"
)

// churning starts a churn that would go on for a minute and waits until it has
// opened some.
func churning(t *testing.T, dir string, args ...string) (*exec.Cmd, *lockedBuffer) {
	t.Helper()
	args = append([]string{"churn", "--range", "40000-44999", "--rate", "200", "--requests", "1", "--progress", "none", "--out", "r"}, args...)
	cmd, stderr := start(t, dir, args...)
	waitFor(t, "connections", func() bool {
		r, err := result.Read(filepath.Join(dir, "r"))
		return err == nil && r.Outcomes.OK > 0
	})
	return cmd, stderr
}

// TestInterruptedChurnDrains sends one SIGINT: what is held is closed, and what
// was measured is written.
func TestInterruptedChurnDrains(t *testing.T) {
	requireNamespaces(t)
	dir := t.TempDir()
	cmd, stderr := churning(t, dir, "--duration", "1m", "--hold", "30s")
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if status := exitOf(t, cmd); status != exitInterrupted {
		t.Errorf("status %d, want %d\n%s", status, exitInterrupted, stderr)
	}
	r, err := result.Read(filepath.Join(dir, "r"))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Run.Interrupted || r.Outcomes.Sum() != r.Attempts || r.Outcomes.OK != r.Attempts {
		t.Errorf("interrupted %v, outcomes %+v of %d attempts", r.Run.Interrupted, r.Outcomes, r.Attempts)
	}
	unanswered := r.Outcomes.OK - r.Requests.Answered // a worker has one under way at the most
	if r.Latency.Close == nil || r.Latency.Close.Count != r.Outcomes.OK || *r.Server.Closed != r.Outcomes.OK || unanswered < 0 || unanswered > int64(r.Config.Workers) {
		t.Errorf("of %d connections: closes %+v, server %+v, requests %+v", r.Outcomes.OK, r.Latency.Close, r.Server, r.Requests)
	}
}

// TestKilledChurnIsReadable kills it: what is on disk is whole and says so.
func TestKilledChurnIsReadable(t *testing.T) {
	requireNamespaces(t)
	dir := t.TempDir()
	cmd, stderr := churning(t, dir, "--duration", "1m")
	offspring := children(t, cmd.Process.Pid)
	kill(t, cmd)
	r, err := result.Read(filepath.Join(dir, "r"))
	if err != nil {
		t.Fatalf("after kill -9: %v\n%s", err, stderr)
	}
	if !r.Run.Interrupted || r.Outcomes.Sum() != r.Attempts {
		t.Errorf("interrupted %v, outcomes %+v of %d attempts", r.Run.Interrupted, r.Outcomes, r.Attempts)
	}
	allGone(t, offspring)
	if status, out := lastportIn(t, dir, "report", "r"); status != 0 || !strings.Contains(out, "INTERRUPTED") {
		t.Errorf("report: status %d\n%s", status, out)
	}
}

// TestStoppedGeneratorShowsInResponseTime stops the generator for half a second.
// The attempts that were due meanwhile are late, and no call took longer: but
// for one that was under way, which the highest thousandth leaves out.
func TestStoppedGeneratorShowsInResponseTime(t *testing.T) {
	requireNamespaces(t)
	dir := t.TempDir()
	cmd, stderr := churning(t, dir, "--rate", "1000", "--attempts", "5000", "--duration", "1m", "--close", "client-rst")
	signalAll(t, children(t, cmd.Process.Pid), syscall.SIGSTOP)
	time.Sleep(500 * time.Millisecond)
	signalAll(t, children(t, cmd.Process.Pid), syscall.SIGCONT)
	if status := exitOf(t, cmd); status != exitOK {
		t.Fatalf("status %d\n%s", status, stderr)
	}
	r, err := result.Read(filepath.Join(dir, "r"))
	if err != nil {
		t.Fatal(err)
	}
	const stopped = int64(400 * time.Millisecond)
	if r.Latency.Response.MaxNS < stopped || r.ScheduleError.MaxNS < stopped {
		t.Errorf("stopped for 500 ms: response at most %v, start late at most %v",
			time.Duration(r.Latency.Response.MaxNS), time.Duration(r.ScheduleError.MaxNS))
	}
	if r.Latency.Connect.P999NS >= stopped {
		t.Errorf("service time went up to %v", time.Duration(r.Latency.Connect.P999NS))
	}
	if r.Attempts != 5000 {
		t.Errorf("%d attempts of the 5000 that were due: those missed are made up for", r.Attempts)
	}
}

// waiting starts a reuse by every close mode, which waits a minute for client
// FIN, and waits until the others have come to their end.
func waiting(t *testing.T, dir string) (*exec.Cmd, *lockedBuffer) {
	t.Helper()
	cmd, stderr := start(t, dir, "reuse", "--close", "all", "--range", "40000-40019",
		"--sysctl", "net.ipv4.tcp_tw_reuse=0", "--progress", "none", "--out", "r")
	waitFor(t, "three of four runs", func() bool {
		s, err := readSet(dir)
		if err != nil || len(s.Runs) != 4 {
			return false
		}
		ended := 0
		for _, r := range s.Runs {
			if !r.Run.Interrupted {
				ended++
			}
		}
		return ended == 3
	})
	return cmd, stderr
}

func readSet(dir string) (*result.Set, error) {
	v, err := result.ReadAny(filepath.Join(dir, "r"))
	if err != nil {
		return nil, err
	}
	s, ok := v.(*result.Set)
	if !ok {
		return nil, errors.New("not a set")
	}
	return s, nil
}

// TestSetIsInterrupted interrupts and kills runs that go on side by side.
func TestSetIsInterrupted(t *testing.T) {
	requireNamespaces(t)
	for name, interrupt := range map[string]func(*exec.Cmd){
		"SIGINT": func(cmd *exec.Cmd) {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			if status := exitOf(t, cmd); status != exitInterrupted {
				t.Errorf("SIGINT: status %d, want %d", status, exitInterrupted)
			}
		},
		"kill -9": func(cmd *exec.Cmd) { kill(t, cmd) },
	} {
		dir := t.TempDir()
		cmd, stderr := waiting(t, dir)
		offspring := children(t, cmd.Process.Pid)
		interrupt(cmd)
		s, err := readSet(dir)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, stderr)
		}
		if !s.Interrupted || s.Planned != 4 || !s.Runs[0].Run.Interrupted {
			t.Errorf("%s: set interrupted %v, of %d runs; client-fin interrupted %v", name, s.Interrupted, s.Planned, s.Runs[0].Run.Interrupted)
		}
		allGone(t, offspring)
		if status, out := lastportIn(t, dir, "report", "r"); status != 0 || !strings.Contains(out, "INTERRUPTED") {
			t.Errorf("%s: report: status %d\n%s", name, status, out)
		}
	}
}

// TestKilledBenchSaysHowFarItCame kills a suite in its first run.
func TestKilledBenchSaysHowFarItCame(t *testing.T) {
	requireNamespaces(t)
	dir := t.TempDir()
	cmd, stderr := start(t, dir, "bench", "--quick", "--progress", "none", "--out", "r")
	waitFor(t, "the first run", func() bool {
		s, err := readSet(dir)
		return err == nil && len(s.Runs) > 0
	})
	offspring := children(t, cmd.Process.Pid)
	kill(t, cmd)
	s, err := readSet(dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if !s.Interrupted || len(s.Runs) >= s.Planned {
		t.Errorf("interrupted %v, %d of %d runs", s.Interrupted, len(s.Runs), s.Planned)
	}
	allGone(t, offspring)
	want := fmt.Sprintf("INTERRUPTED  %d of %d runs", len(s.Runs), s.Planned)
	if status, out := lastportIn(t, dir, "report", "r"); status != 0 || !strings.Contains(out, want) {
		t.Errorf("report: status %d, want %q in\n%s", status, want, out)
	}
}

func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
}

func allGone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		waitFor(t, "the child's end", func() bool { return gone(pid) })
	}
}

func signalAll(t *testing.T, pids []int, sig syscall.Signal) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
	}
}
