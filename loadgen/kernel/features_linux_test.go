package kernel

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"
)

func TestProbes(t *testing.T) {
	for name, err := range map[string]error{
		"IP_LOCAL_PORT_RANGE": ProbeLocalPortRange(), "IP_BIND_ADDRESS_NO_PORT": ProbeBindAddressNoPort(), "IPv6": ProbeIPv6(),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err) // of 6.3 and 4.2, and lo is up here
		}
	}
	if err := ProbeIOUring(); err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) {
		t.Error(err)
	}
}

func TestAbsent(t *testing.T) {
	for errno, want := range map[unix.Errno]bool{unix.ENOSYS: true, unix.ENOPROTOOPT: true, unix.EPERM: false, unix.EADDRNOTAVAIL: false} {
		if got := Absent(fmt.Errorf("probe: %w", errno)); got != want {
			t.Errorf("Absent(%v) = %v", errno, got)
		}
	}
	if Absent(nil) {
		t.Error("nothing is absent without an error")
	}
}

func TestNoFileLimits(t *testing.T) {
	soft, hard, err := NoFileLimits()
	if limit, _ := NoFileLimit(); err != nil || soft != limit || hard < soft {
		t.Errorf("%d, %d, %v", soft, hard, err)
	}
}

// tree is a root folder of the files.
func tree(files map[string]string) fstest.MapFS {
	fs := make(fstest.MapFS)
	for name, text := range files {
		fs[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fs
}

func TestReadCgroup(t *testing.T) {
	const sys = "sys/fs/cgroup/"
	for _, c := range []struct {
		name   string
		files  map[string]string
		memory CgroupLimit
		pids   CgroupLimit
		cpus   float64
	}{
		{"no limit", map[string]string{
			"proc/self/cgroup": "0::/a/b\n", sys + "a/b/memory.max": "max\n", sys + "a/b/pids.max": "max\n", sys + "a/b/cpu.max": "max 100000\n",
		}, CgroupLimit{}, CgroupLimit{}, 0},
		{"version 2", map[string]string{
			"proc/self/cgroup": "0::/a/b\n", sys + "a/b/memory.max": "1000\n", sys + "a/b/memory.current": "600\n",
			sys + "a/b/pids.max": "50\n", sys + "a/b/pids.current": "7\n", sys + "a/b/cpu.max": "150000 100000\n",
		}, CgroupLimit{1000, 600, "a/b/memory.max"}, CgroupLimit{50, 7, "a/b/pids.max"}, 1.5},
		{"the group around it is tighter", map[string]string{
			"proc/self/cgroup": "0::/a/b\n", sys + "a/b/memory.max": "1000\n", sys + "a/memory.max": "2000\n", sys + "a/memory.current": "1900\n",
			sys + "a/b/cpu.max": "300000 100000\n", sys + "a/cpu.max": "50000 100000\n",
		}, CgroupLimit{2000, 1900, "a/memory.max"}, CgroupLimit{}, 0.5},
		{"a container that sees its root alone", map[string]string{
			"proc/self/cgroup": "0::/docker/0123\n", sys + "pids.max": "50\n",
		}, CgroupLimit{}, CgroupLimit{50, 0, "pids.max"}, 0},
		{"version 1, both mounted", map[string]string{
			"proc/self/cgroup":                     "8:pids:/\n4:memory:/x\n2:cpu,cpuacct:/x\n1:name=systemd:/\n0::/\n",
			sys + "memory/x/memory.limit_in_bytes": "4096\n", sys + "memory/x/memory.usage_in_bytes": "96\n",
			sys + "memory/memory.limit_in_bytes":   "9223372036854771712\n",
			sys + "cpu,cpuacct/x/cpu.cfs_quota_us": "20000\n", sys + "cpu,cpuacct/x/cpu.cfs_period_us": "10000\n",
			sys + "cpu,cpuacct/cpu.cfs_quota_us": "-1\n", sys + "cpu,cpuacct/cpu.cfs_period_us": "10000\n",
		}, CgroupLimit{4096, 96, "memory/x/memory.limit_in_bytes"}, CgroupLimit{}, 2},
		{"noise", map[string]string{
			"proc/self/cgroup": "x\n\n0::/\n", sys + "memory.max": "-5", sys + "pids.max": "many", sys + "cpu.max": "1 0",
		}, CgroupLimit{}, CgroupLimit{}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := ReadCgroup(tree(c.files))
			if err != nil {
				t.Fatal(err)
			}
			if got := orZero(g.Memory); got != c.memory {
				t.Errorf("memory %+v, want %+v", got, c.memory)
			}
			if got := orZero(g.PIDs); got != c.pids {
				t.Errorf("pids %+v, want %+v", got, c.pids)
			}
			if got := orZero(g.CPUs); got != c.cpus {
				t.Errorf("cpus %v, want %v", got, c.cpus)
			}
		})
	}
	if _, err := ReadCgroup(tree(nil)); err == nil {
		t.Error("no error without /proc")
	}
}

func orZero[T any](p *T) (v T) {
	if p != nil {
		return *p
	}
	return v
}

func TestContainerSigns(t *testing.T) {
	const first = "         0          0 4294967295\n"
	for _, c := range []struct {
		files map[string]string
		want  []string
	}{
		{map[string]string{"proc/self/uid_map": first, "proc/self/cgroup": "0::/user.slice\n"}, nil},
		{nil, nil},
		{
			map[string]string{".dockerenv": "", "proc/self/cgroup": "1:cpu:/docker/1\n", "proc/self/uid_map": first},
			[]string{"/.dockerenv exists", "its control group is named after docker"},
		},
		{
			map[string]string{"run/.containerenv": "", "proc/self/uid_map": "0 1000 1\n"},
			[]string{"/run/.containerenv exists", "its users are mapped (a user namespace of its own)"},
		},
	} {
		if got := ContainerSigns(tree(c.files)); !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, want %q", c.files, got, c.want)
		}
	}
}

func FuzzReadCgroup(f *testing.F) {
	f.Add("0::/a/../b\n", "100\n", "50000 100000\n")
	f.Add("4:memory:/x\n2:cpu,cpuacct:/x\n", "max\n", "-1\n")
	f.Add(":::\n0::..\n", "-7", "1 0")
	f.Fuzz(func(t *testing.T, groups, limit, quota string) {
		const sys = "sys/fs/cgroup/"
		g, err := ReadCgroup(tree(map[string]string{
			"proc/self/cgroup": groups, sys + "memory.max": limit, sys + "pids.max": limit, sys + "cpu.max": quota,
			sys + "cpu/cpu.cfs_quota_us": quota, sys + "cpu/cpu.cfs_period_us": limit,
		}))
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []*CgroupLimit{g.Memory, g.PIDs} {
			if l != nil && (l.Max < 0 || l.Room() < 0 || l.Room() > l.Max) {
				t.Errorf("%+v of %q", *l, limit)
			}
		}
		if g.CPUs != nil && !(*g.CPUs > 0) {
			t.Errorf("%v processors of %q", *g.CPUs, quota)
		}
	})
}
