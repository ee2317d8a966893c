package kernel

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMemoryRoom(t *testing.T) {
	const sys = "sys/fs/cgroup/"
	available, err := AvailableBytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		bytes int64 // -1: what the machine has
		bound string
	}{
		{"no control group", nil, -1, "MemAvailable"},
		{"a limit beyond the machine", map[string]string{"proc/self/cgroup": "0::/a\n", sys + "a/memory.max": "1000000000000000"}, -1, "MemAvailable"},
		{"a limit", map[string]string{"proc/self/cgroup": "0::/a\n", sys + "a/memory.max": "1000", sys + "a/memory.current": "600"}, 400, "a/memory.max"},
		{"page cache", map[string]string{
			"proc/self/cgroup": "0::/a\n", sys + "a/memory.max": "1000", sys + "a/memory.current": "1000",
			sys + "a/memory.stat": "anon 300\nfile 700\ninactive_file 200\nactive_file 500\n",
		}, 200, "a/memory.max"},
		{"page cache in version 1", map[string]string{
			"proc/self/cgroup": "4:memory:/x\n", sys + "memory/x/memory.limit_in_bytes": "1000", sys + "memory/x/memory.usage_in_bytes": "900",
			sys + "memory/x/memory.stat": "inactive_file 50\ntotal_inactive_file 80\ntotal_active_file many\n",
		}, 180, "memory/x/memory.limit_in_bytes"},
	} {
		bytes, bound, err := MemoryRoom(tree(c.files))
		if err != nil || bound != c.bound {
			t.Errorf("%s: bound by %q, error %v", c.name, bound, err)
		}
		if c.bytes >= 0 && bytes != c.bytes || c.bytes < 0 && bytes < available/2 {
			t.Errorf("%s: %d bytes, want %d", c.name, bytes, c.bytes)
		}
	}
}

func TestReadFiles(t *testing.T) {
	f, err := ReadFiles()
	if err != nil || f.Open <= 0 || f.Most < f.Open {
		t.Errorf("%+v, error %v", f, err)
	}
	for _, c := range []struct {
		files Files
		left  int64
	}{{Files{10, 100}, 90}, {Files{100, 10}, 0}} {
		if got := c.files.Left(); got != c.left {
			t.Errorf("%+v: %d left", c.files, got)
		}
	}
}

// Without CAP_SYS_ADMIN fs.file-max binds, whoever the user is.
func TestFilesBindWithoutPrivilege(t *testing.T) {
	bound := make(chan bool)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its lost privileges
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			t.Error(err)
		}
		bound <- FilesBound()
	}()
	if !<-bound {
		t.Error("not bound")
	}
}
