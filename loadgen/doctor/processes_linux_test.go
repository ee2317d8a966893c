package doctor

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeProcess makes a process below a folder that stands for /proc.
func fakeProcess(t *testing.T, proc string, pid int, name, limit string, links ...string) {
	t.Helper()
	folder := filepath.Join(proc, fmt.Sprint(pid))
	if err := os.MkdirAll(filepath.Join(folder, "fd"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i, link := range links {
		if err := os.Symlink(link, filepath.Join(folder, "fd", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range map[string]string{
		"comm":   name + "\n",
		"limits": "Limit                     Soft Limit           Hard Limit           Units\nMax open files            " + limit + "     524288    files\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Sockets are given to the processes that have them, each once; what no process
// is seen to have is its user's.
func TestAttend(t *testing.T) {
	proc := t.TempDir()
	fakeProcess(t, proc, 30, "proxy", "1024", "/dev/null", "socket:[1]", "socket:[2]", "socket:[3]", "pipe:[1]")
	fakeProcess(t, proc, 31, "proxy", "1024", "socket:[3]") // a child that shares it
	fakeProcess(t, proc, 9, "job", "unlimited", "socket:[4]", "socket:[99]")
	fakeProcess(t, proc, 32, "idle", "1024", "socket:[98]", "socket:[x]")
	if err := os.Mkdir(filepath.Join(proc, "33"), 0o700); err != nil { // no folder fd: as of another user's
		t.Fatal(err)
	}
	near, far := &Pair{Target: netip.MustParseAddrPort("192.0.2.1:80")}, &Pair{Target: netip.MustParseAddrPort("192.0.2.2:80")}
	var u Use
	u.attend(map[uint32]owned{1: {7, near}, 2: {7, far}, 3: {7, far}, 4: {8, near}, 5: {65534, near}, 6: {65534, near}}, proc)
	want := []Process{
		{Command: "proxy", PID: 30, UID: 7, Connections: 3, Target: far.Target, Files: 5, FilesMax: 1024},
		{UID: 65534, Connections: 2, Target: near.Target},
		{Command: "job", PID: 9, UID: 8, Connections: 1, Target: near.Target, Files: 2},
	}
	if !slices.Equal(u.Processes, want) {
		t.Errorf("%+v\nwant %+v", u.Processes, want)
	}
	if !strings.HasPrefix(u.Unattended, "2 connections have a process that cannot be seen: other users") {
		t.Errorf("unattended: %q", u.Unattended)
	}
}

// Without /proc every connection is its user's.
func TestAttendWithoutProc(t *testing.T) {
	var u Use
	u.attend(map[uint32]owned{1: {7, &Pair{}}}, filepath.Join(t.TempDir(), "none"))
	if len(u.Processes) != 1 || u.Processes[0].UID != 7 || u.Processes[0].Command != "" || u.Unattended == "" {
		t.Errorf("%+v", u)
	}
	u = Use{}
	if u.attend(nil, "/proc"); u.Processes != nil || u.Unattended != "" {
		t.Errorf("%+v of nothing", u)
	}
}
