package loadgen

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lastport/reports/result"
)

// A command is told its target, and nothing that was a secret of the run's.
func TestCommandEnv(t *testing.T) {
	own := []string{"PATH=/bin", "LASTPORT_TOKEN=secret", "LASTPORT_TARGET=old", "LASTPORT_TOKENS=1", "odd"}
	got := commandEnv(own, netip.MustParseAddrPort("[2001:2::1]:1000"))
	if want := []string{"PATH=/bin", "LASTPORT_TOKENS=1", "odd", "LASTPORT_TARGET=[2001:2::1]:1000"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if own[1] != "LASTPORT_TOKEN=secret" {
		t.Error("the run's own environment was changed")
	}
}

// How a command ended, by itself and by what was done to it.
func TestProgramEnds(t *testing.T) {
	for _, test := range []struct {
		script string
		over   bool // the hold is, once the command says that it is ready
		ended  string
		status int64 // below 0: none
		signal string
	}{
		{"exit 7", false, result.EndedItself, 7, ""},
		{"kill -QUIT $$", false, result.EndedItself, -1, "quit"},
		{": >$READY; exec sleep 1000", true, result.EndedTerminated, -1, "terminated"},
		{`trap "exit 3" TERM; : >$READY; while :; do sleep 0.01; done`, true, result.EndedTerminated, 3, ""},
	} {
		ready := filepath.Join(t.TempDir(), "ready")
		t.Setenv("READY", ready)
		p, err := startProgram([]string{"sh", "-c", test.script}, netip.MustParseAddrPort("127.0.0.1:1"))
		if err != nil {
			t.Fatal(err)
		}
		over := func() string {
			if _, err := os.Stat(ready); test.over && err == nil {
				return result.ToldHold
			}
			return ""
		}
		var c result.Command
		c.Ended, c.Told = p.follow(over, func() time.Duration { return 10 * time.Millisecond })
		p.status(&c)
		got := int64(-1)
		if c.ExitStatus != nil {
			got = *c.ExitStatus
		}
		if c.Ended != test.ended || (c.Told == result.ToldHold) != test.over || got != test.status || c.Signal != test.signal {
			t.Errorf("%s: %s, status %d, signal %q, want %+v", test.script, c.Ended, got, c.Signal, test)
		}
	}
}

// What a command leaves in its process group ends with it.
func TestProgramLeavesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	t.Setenv("FILE", file)
	p, err := startProgram([]string{"sh", "-c", "sleep 1000 & echo $! >$FILE"}, netip.MustParseAddrPort("127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	<-p.ended
	pid, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	stat := filepath.Join("/proc", strings.TrimSpace(string(pid)), "stat")
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(stat)
		if err != nil || strings.Contains(string(text), ") Z ") { // whoever it was left to reaps it, or does not
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("the command's child is left: %s", text)
		}
	}
}

func TestProgramNotStarted(t *testing.T) {
	if _, err := startProgram([]string{"/none/such"}, netip.MustParseAddrPort("127.0.0.1:1")); err == nil {
		t.Error("what is not there was started")
	}
}
