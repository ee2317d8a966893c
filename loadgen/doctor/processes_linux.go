package doctor

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Process is one that has connections from ports of the range, or a user whose
// processes cannot be seen.
type Process struct {
	Command     string // empty: not to be seen
	PID         int
	UID         uint32 // of the sockets
	Connections int64
	Target      netip.AddrPort // toward which it has most of them
	Files       int64          // descriptors that it has open
	FilesMax    int64          // how many it may have; 0: not known, or no limit
}

// maxOwned bounds the sockets whose process is looked for, and so the memory for
// it: more than four targets' worth of ports.
const maxOwned = 1 << 18

// attend finds the processes of the sockets by their inodes: each descriptor of a
// socket is a link "socket:[INODE]" (proc_pid_fd(5)). Of a socket that several
// processes have, the one with the lowest number counts.
//
// Only root may look at other users' processes, and nobody at those of another
// PID namespace: what is left then is known by its user alone.
func (u *Use) attend(sockets map[uint32]owned, proc string) {
	if len(sockets) == 0 {
		return
	}
	counts := make(map[Process]map[netip.AddrPort]int64)
	give := func(who Process, s owned) {
		who.UID = s.uid
		if counts[who] == nil {
			counts[who] = make(map[netip.AddrPort]int64)
		}
		counts[who][s.pair.Target]++
	}
	closed := 0 // processes that may not be looked into
	for _, pid := range processes(proc) {
		if len(sockets) == 0 {
			break
		}
		inodes, files, err := socketsOf(proc, pid)
		if err != nil {
			closed++
			continue
		}
		who := Process{PID: pid}
		for _, inode := range inodes {
			s, found := sockets[inode]
			if !found {
				continue
			}
			if who.Command == "" {
				who.Command, who.Files, who.FilesMax = commandOf(proc, pid), files, filesMax(proc, pid)
			}
			give(who, s)
			delete(sockets, inode)
		}
	}
	if n := len(sockets); n > 0 && u.Unattended == "" {
		u.Unattended = fmt.Sprintf("%s have a process that cannot be seen", plural(int64(n), "connection"))
		if closed > 0 {
			u.Unattended += ": other users' processes are root's alone to look into"
		}
	}
	for _, s := range sockets {
		give(Process{}, s)
	}
	u.Processes = ranked(counts)
}

// ranked are the processes with most connections.
func ranked(counts map[Process]map[netip.AddrPort]int64) []Process {
	var list []Process
	for who, toward := range counts {
		var most int64
		for target, n := range toward {
			who.Connections += n
			if n > most || n == most && target.Compare(who.Target) < 0 {
				who.Target, most = target, n
			}
		}
		list = append(list, who)
	}
	slices.SortFunc(list, func(a, b Process) int {
		return cmp.Or(cmp.Compare(b.Connections, a.Connections), cmp.Compare(a.PID, b.PID), cmp.Compare(a.UID, b.UID))
	})
	return list[:min(len(list), most)]
}

// processes are the numbers of those that can be seen, in ascending order.
func processes(proc string) (pids []int) {
	entries, _ := os.ReadDir(proc) // what cannot be read is missing from the answer, which says so
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

// socketsOf returns the inodes of a process's sockets, and how many descriptors
// it has open.
func socketsOf(proc string, pid int) (inodes []uint32, files int64, err error) {
	folder := filepath.Join(proc, strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		link, err := os.Readlink(filepath.Join(folder, e.Name()))
		if err != nil {
			continue // it was closed meanwhile
		}
		text, isSocket := strings.CutPrefix(link, "socket:[")
		if !isSocket {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 32); err == nil {
			inodes = append(inodes, uint32(n))
		}
	}
	return inodes, int64(len(entries)), nil
}

// commandOf is a process's name, of at most 15 bytes (proc_pid_comm(5)).
func commandOf(proc string, pid int) string {
	text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "comm"))
	if name := strings.TrimSpace(string(text)); err == nil && name != "" {
		return name
	}
	return "process"
}

// filesMax is a process's soft limit of descriptors (proc_pid_limits(5)).
func filesMax(proc string, pid int) int64 {
	text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "limits"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "Max open files"); found {
			if fields := strings.Fields(rest); len(fields) > 0 {
				n, _ := strconv.ParseInt(fields[0], 10, 64) // "unlimited" is none
				return n
			}
		}
	}
	return 0
}
