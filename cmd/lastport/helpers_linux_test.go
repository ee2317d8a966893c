package main

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// lockedBuffer takes a process's output while a test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// waitFor waits for something that comes by itself. The bound only ends a test
// that hangs.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	processes, _ := exec.Command("ps", "-eo", "pid,ppid,pgid,stat,args").Output() // for whoever looks into it
	t.Fatalf("waited in vain for %s\n%s", what, processes)
}

// gone says whether a process has ended, or is a zombie that nobody reaps.
func gone(pid int) bool {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return syscall.Kill(pid, 0) != nil
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return strings.HasPrefix(rest, "Z")
}

// lastportIn runs the command line in a folder, within this process.
func lastportIn(t *testing.T, dir string, args ...string) (status int, stdout string) {
	t.Helper()
	t.Chdir(dir)
	var out, messages bytes.Buffer
	status = run(args, &out, &messages)
	if messages.Len() > 0 {
		t.Log(messages.String())
	}
	return status, out.String()
}
