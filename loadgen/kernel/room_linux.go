package kernel

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// MemoryRoom returns how many bytes of memory this process and the kernel on its
// behalf can still get without swapping, and what sets that bound: MemAvailable,
// or the file of a control group that leaves less. root is os.DirFS("/") outside
// of tests.
//
// Of what a control group has in use its inactive page cache is left out: the
// kernel gives that up first.
func MemoryRoom(root fs.FS) (bytes int64, bound string, err error) {
	bound = "MemAvailable"
	if bytes, err = AvailableBytes(); err != nil {
		return 0, bound, err
	}
	group, err := ReadCgroup(root)
	if err != nil || group.Memory == nil {
		return bytes, bound, nil // no limit is visible from here
	}
	if left := group.Memory.Room() + inactiveCache(root, group.Memory.Key); left < bytes {
		return left, group.Memory.Key, nil
	}
	return bytes, bound, nil
}

// inactiveCache reads memory.stat beside a limit's file: inactive_file of cgroup
// v2, total_inactive_file of v1.
func inactiveCache(root fs.FS, limit string) int64 {
	text, err := fs.ReadFile(root, path.Join("sys/fs/cgroup", path.Dir(limit), "memory.stat"))
	if err != nil {
		return 0
	}
	most := int64(0)
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "inactive_file" && name != "total_inactive_file" {
			continue
		}
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			most = max(most, n)
		}
	}
	return most
}

// Files is how many open files the whole machine has, and may have: fs.file-nr.
type Files struct{ Open, Most int64 }

// Left returns how many more files may be opened, never below 0.
func (f Files) Left() int64 { return max(0, f.Most-f.Open) }

// ReadFiles reads the files of the machine.
func ReadFiles() (Files, error) {
	text, err := ReadSysctl("fs.file-nr")
	if err != nil {
		return Files{}, err
	}
	var f Files
	var unused int64
	if _, err := fmt.Sscan(text, &f.Open, &unused, &f.Most); err != nil {
		return Files{}, fmt.Errorf("fs.file-nr is %q: %w", text, err)
	}
	return f, nil
}

// firstUserNS is the name of the user namespace that the machine began with:
// PROC_USER_INIT_INO of include/linux/proc_ns.h.
const firstUserNS = "user:[4026531837]"

// FilesBound says whether fs.file-max binds the calling thread: it does not
// where CAP_SYS_ADMIN is in force in the first user namespace (alloc_empty_file
// of fs/file_table.c).
func FilesBound() bool {
	p, err := ReadPrivileges()
	if err != nil || !p.Has(unix.CAP_SYS_ADMIN) {
		return true
	}
	ns, err := os.Readlink("/proc/thread-self/ns/user")
	return err != nil || ns != firstUserNS
}
