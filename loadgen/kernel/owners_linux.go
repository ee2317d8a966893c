package kernel

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Process is a process as proc(5) names it.
type Process struct {
	PID  int
	Name string // its comm, at most 15 bytes
}

// String returns NAME[PID].
func (p Process) String() string { return fmt.Sprintf("%s[%d]", p.Name, p.PID) }

// SocketOwners says which process has a socket, by inode, in the file system that
// is mounted at /proc. Those of other users' processes are known to root alone, and
// what cannot be read is left out. A socket that several processes share is the
// lowest process id's.
func SocketOwners(proc fs.ReadLinkFS) map[uint32]Process {
	owners := make(map[uint32]Process)
	dirs, err := fs.ReadDir(proc, ".")
	if err != nil {
		return owners
	}
	for _, dir := range dirs {
		pid, err := strconv.Atoi(dir.Name())
		if err != nil {
			continue
		}
		p := Process{PID: pid}
		for _, inode := range socketsOf(proc, dir.Name()) {
			if p.Name == "" {
				text, _ := fs.ReadFile(proc, path.Join(dir.Name(), "comm")) // a process that has ended is nobody's
				p.Name = strings.TrimSpace(string(text))
			}
			if known, ok := owners[inode]; !ok || pid < known.PID {
				owners[inode] = p
			}
		}
	}
	return owners
}

// socketsOf lists the inodes of a process's sockets: its descriptors are links
// that read socket:[INODE].
func socketsOf(proc fs.ReadLinkFS, pid string) []uint32 {
	fds, err := fs.ReadDir(proc, path.Join(pid, "fd"))
	if err != nil {
		return nil // another user's, or it has ended
	}
	var inodes []uint32
	for _, fd := range fds {
		link, err := proc.ReadLink(path.Join(pid, "fd", fd.Name()))
		if err != nil {
			continue
		}
		number, ok := strings.CutPrefix(link, "socket:[")
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 32); err == nil {
			inodes = append(inodes, uint32(n))
		}
	}
	return inodes
}
