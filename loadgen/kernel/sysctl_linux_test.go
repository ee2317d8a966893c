package kernel

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSysctlKey(t *testing.T) {
	for in, want := range map[string]string{
		"net.ipv4.tcp_tw_reuse":            "net.ipv4.tcp_tw_reuse",
		"net/ipv4/tcp_tw_reuse":            "net.ipv4.tcp_tw_reuse",
		"net/ipv4/conf/eth0.100/rp_filter": "net.ipv4.conf.eth0/100.rp_filter",
		"net.ipv4.conf.eth0/100.rp_filter": "net.ipv4.conf.eth0/100.rp_filter",
		"net":                              "net",
	} {
		if got, err := SysctlKey(in); err != nil || got != want {
			t.Errorf("SysctlKey(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", ".", "..", "net..ipv4", "net.", ".net", "/etc/passwd", "net/../kernel/panic", "net.//.kernel.panic", "net/./ipv4", "a\nb"} {
		if got, err := SysctlKey(in); err == nil {
			t.Errorf("SysctlKey(%q) = %q without an error", in, got)
		}
	}
}

// No name leads out of /proc/sys, and both forms of a key are the same file.
func FuzzSysctlKey(f *testing.F) {
	for _, seed := range []string{"net.ipv4.tcp_tw_reuse", "net/ipv4/conf/eth0.100/rp_filter", "net.//.kernel.panic", "../x", "net/\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		key, err := SysctlKey(name)
		if err != nil {
			return
		}
		path, err := sysctlPath(key)
		if err != nil || !strings.HasPrefix(path, sysctlRoot+"/") || filepath.Clean(path) != path {
			t.Fatalf("SysctlKey(%q) = %q, which is %q, %v", name, key, path, err)
		}
		if again, err := SysctlKey(key); err != nil || again != key {
			t.Fatalf("SysctlKey(%q) = %q, %v: not itself", key, again, err)
		}
		slashed := strings.TrimPrefix(path, sysctlRoot+"/")
		if strings.Contains(slashed, "/") {
			if back, err := SysctlKey(slashed); err != nil || back != key {
				t.Fatalf("SysctlKey(%q) = %q, %v, want %q", slashed, back, err, key)
			}
		}
	})
}

func TestReadSysctl(t *testing.T) {
	if got, err := ReadSysctl("kernel.ostype"); err != nil || got != "Linux" {
		t.Errorf("kernel.ostype = %q, %v", got, err)
	}
	if _, err := ReadSysctl("net.ipv4.no_such_key"); !errors.Is(err, fs.ErrNotExist) || err.Error() != "read sysctl net.ipv4.no_such_key: no such file or directory" {
		t.Errorf("a key that nobody has: %v", err)
	}
	if err := WriteSysctl("net.ipv4.no_such_key", "1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key that nobody has, written: %v", err)
	}
	// kernel.ostype is read-only for everyone.
	if err := WriteSysctl("kernel.ostype", "1"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a read-only key, written: %v", err)
	}
}

func TestListSysctls(t *testing.T) {
	list, err := ListSysctls("net.ipv4", func(group string) bool { return group != "net.ipv4.conf" && group != "net.ipv4.neigh" })
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Sysctl{
		{"net.ipv4.ip_local_port_range", true, true},
		{"net.ipv4.tcp_available_congestion_control", true, false},
		{"net.ipv4.route.flush", false, true},
	} {
		if !slices.Contains(list, want) {
			t.Errorf("%+v is not listed", want)
		}
	}
	for _, s := range list {
		if strings.HasPrefix(s.Key, "net.ipv4.conf") {
			t.Errorf("%s is listed, its group was not wanted", s.Key)
		}
	}
	if _, err := ListSysctls("net.no_such_tree", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a tree that nobody has: %v", err)
	}
}

func TestParseStatus(t *testing.T) {
	p, err := parseStatus("Name:\tx\nCapPrm:\tff\nCapEff:\t0000000000201000\nSeccomp:\t2\nSeccomp_filters:\t1\n")
	if err != nil || p.Seccomp != 2 || !p.Has(12) || !p.Has(21) || p.Has(13) {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := parseStatus("CapEff:\t0\n"); err != nil || p.Seccomp != 0 {
		t.Errorf("a kernel without seccomp: %+v, %v", p, err)
	}
	for _, bad := range []string{"", "CapEff:\tzz\n", "CapEff:\t0\nSeccomp:\t\n"} {
		if p, err := parseStatus(bad); err == nil {
			t.Errorf("parseStatus(%q) = %+v without an error", bad, p)
		}
	}
	if _, err := ReadPrivileges(); err != nil {
		t.Error(err)
	}
}
