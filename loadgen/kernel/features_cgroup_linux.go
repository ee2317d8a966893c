package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Cgroup is what the control groups of this process, and those around them,
// allow it. Nil: no limit is visible from here, which in a container does not
// mean that there is none.
type Cgroup struct {
	Path   string       // in the hierarchy that limits processes; "/" is the root, or all that a container sees
	Memory *CgroupLimit // bytes
	PIDs   *CgroupLimit // processes and threads
	CPUs   *float64     // processors that the quota comes to
}

// CgroupLimit is the limit that is nearest to be reached.
type CgroupLimit struct {
	Max  int64
	Used int64
	Key  string // the file that sets it, below /sys/fs/cgroup
}

// Room returns how much is left, never below 0.
func (l CgroupLimit) Room() int64 { return max(0, l.Max-l.Used) }

// ReadCgroup reads the limits of both versions of cgroups (cgroups(7)) from
// proc and sys below root, which is os.DirFS("/") outside of tests. A limit of
// a group binds the groups below it, so every group up to the root is looked
// at. The error says that the own groups cannot be learned.
func ReadCgroup(root fs.FS) (Cgroup, error) {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return Cgroup{}, fmt.Errorf("control groups: %w", err)
	}
	var c Cgroup
	for line := range strings.Lines(string(text)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, own, found := strings.Cut(rest, ":")
		if !found {
			continue
		}
		if controllers == "" { // version 2; beside version 1 it is mounted as unified
			c.Path = own
			c.read(root, []string{"", "unified"}, own, unified)
			continue
		}
		for controller := range strings.SplitSeq(controllers, ",") {
			c.read(root, []string{controller, controllers}, own, legacy)
		}
	}
	return c, nil
}

// files are the names that one version of cgroups has for its limits.
type files struct{ memory, memoryUsed, pids, pidsUsed, cpu string }

var (
	unified = files{"memory.max", "memory.current", "pids.max", "pids.current", "cpu.max"}
	legacy  = files{"memory.limit_in_bytes", "memory.usage_in_bytes", "pids.max", "pids.current", "cpu.cfs_quota_us"}
)

// read takes the limits of a group and those around it into account. A
// container may see the group's path and not the group, but its own root.
func (c *Cgroup) read(root fs.FS, mounts []string, own string, f files) {
	for _, mount := range mounts {
		for group := path.Clean("/" + own); ; group = path.Dir(group) {
			dir := strings.TrimPrefix(path.Join(mount, group), "/")
			tighten(&c.Memory, root, dir, f.memory, f.memoryUsed)
			tighten(&c.PIDs, root, dir, f.pids, f.pidsUsed)
			if cpus, ok := quota(root, dir, f.cpu); ok && (c.CPUs == nil || cpus < *c.CPUs) {
				c.CPUs = &cpus
			}
			if group == "/" {
				break
			}
		}
	}
}

// tighten replaces a limit by that of the group, if less is left there.
func tighten(limit **CgroupLimit, root fs.FS, dir, maxFile, usedFile string) {
	most, ok := number(root, dir, maxFile)
	// Version 1 writes its largest number of whole pages where there is no limit.
	if !ok || most >= 1<<62 {
		return
	}
	used, _ := number(root, dir, usedFile)
	found := CgroupLimit{Max: most, Used: used, Key: path.Join(dir, maxFile)}
	if *limit == nil || found.Room() < (*limit).Room() {
		*limit = &found
	}
}

// quota returns how many processors' time the group may use: "max 100000" or
// "150000 100000" in version 2, two files in version 1, with -1 for no limit.
func quota(root fs.FS, dir, file string) (cpus float64, ok bool) {
	text, err := fs.ReadFile(root, path.Join("sys/fs/cgroup", dir, file))
	if err != nil {
		return 0, false
	}
	words := strings.Fields(string(text))
	if len(words) == 1 {
		period, err := fs.ReadFile(root, path.Join("sys/fs/cgroup", dir, "cpu.cfs_period_us"))
		if err != nil {
			return 0, false
		}
		words = append(words, strings.TrimSpace(string(period)))
	}
	if len(words) != 2 {
		return 0, false
	}
	time, err1 := strconv.ParseInt(words[0], 10, 64)
	period, err2 := strconv.ParseInt(words[1], 10, 64)
	if errors.Join(err1, err2) != nil || time <= 0 || period <= 0 {
		return 0, false // "max" and -1 among them
	}
	return float64(time) / float64(period), true
}

// number reads a file that holds one number; "max" is none.
func number(root fs.FS, dir, file string) (int64, bool) {
	text, err := fs.ReadFile(root, path.Join("sys/fs/cgroup", dir, file))
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil && n >= 0
}
