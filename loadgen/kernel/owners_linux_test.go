package kernel

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// This process's own socket is found in the real /proc.
func TestSocketOwners(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing is lost
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // nothing is lost
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	got := SocketOwners(os.DirFS("/proc").(fs.ReadLinkFS))[uint32(stat.Ino)]
	if got.PID != os.Getpid() || got.Name == "" {
		t.Errorf("socket %d is %v's, want process %d", stat.Ino, got, os.Getpid())
	}
}

// A shared socket is the lowest process id's; what is no process, no socket or not to
// be read is passed over.
func TestSocketOwnersInATree(t *testing.T) {
	dir := t.TempDir()
	link := func(name, to string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
	}
	link("20/fd/3", "socket:[77]")
	link("9/fd/4", "socket:[77]")
	link("9/fd/5", "/dev/null")
	link("9/fd/6", "socket:[x]")
	link("self/fd/3", "socket:[78]")
	if err := os.WriteFile(filepath.Join(dir, "9", "comm"), []byte("proxy\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := SocketOwners(os.DirFS(dir).(fs.ReadLinkFS))
	if len(got) != 1 || got[77].String() != "proxy[9]" {
		t.Errorf("%v, want socket 77 of proxy[9]", got)
	}
	if got := SocketOwners(os.DirFS(filepath.Join(dir, "none")).(fs.ReadLinkFS)); len(got) != 0 {
		t.Errorf("without /proc: %v", got)
	}
}
