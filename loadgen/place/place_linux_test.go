package place

import (
	"bufio"
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
)

// requireNamespaces skips where a private place cannot be had, unless
// LASTPORT_REQUIRE_NETNS=1 makes that a failure.
func requireNamespaces(t testing.TB) {
	t.Helper()
	child, err := Start(childOptions(Spec{}, nil))
	if err == nil {
		child.Kill()
		_ = child.Wait() // it was killed
		return
	}
	nstest.Unavailable(t, err)
}

// users are the attributes of the processes that a test runs as: the test's own
// user and, for root, an ordinary one.
func users() map[string]*syscall.SysProcAttr {
	all := map[string]*syscall.SysProcAttr{"own user": {}}
	if os.Getuid() == 0 {
		all["ordinary user"] = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	return all
}

func spec(t testing.TB) Spec {
	t.Helper()
	host, err := ReadHost()
	if err != nil {
		t.Fatal(err)
	}
	return Spec{Host: host}
}

// visit is a child that the test itself started.
type visit struct {
	reply
	child  *Child
	frames *bufio.Reader
	stderr *bytes.Buffer // whole after Wait
}

// enter starts a child and takes its reply.
func enter(t testing.TB, s any) *visit {
	t.Helper()
	v := &visit{stderr: new(bytes.Buffer)}
	var err error
	v.child, err = Start(childOptions(s, v.stderr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		v.child.Kill()
		_ = v.child.Wait() // killed, or waited for before
	})
	v.frames = bufio.NewReader(v.child.Frames)
	line, err := v.frames.ReadString('\n')
	if err != nil {
		t.Fatalf("no reply: %v; child: %v, %s", err, v.child.Wait(), v.stderr)
	}
	v.reply = decodeReply(t, line)
	return v
}

func TestPrivateHost(t *testing.T) {
	requireNamespaces(t)
	for name, attr := range users() {
		t.Run(name, func(t *testing.T) {
			s := spec(t)
			s.Addresses = []netip.Prefix{
				netip.MustParsePrefix("198.18.0.1/32"),
				netip.MustParsePrefix("127.0.0.1/8"), // there already
				netip.MustParsePrefix("2001:2::1/128"),
			}
			s.Host.Settings["net.ipv4.tcp_fin_timeout"] = "33"
			// Either of these two is refused before the other is written.
			s.Host.Settings["net.ipv4.ip_unprivileged_port_start"] = "500"
			s.Host.Settings["net.ipv4.ip_local_port_range"] = "600\t700"
			s.Host.Settings["net.ipv4.tcp_keepalive_probes"] = "999" // no kernel takes that
			s.Tool = []Setting{
				{"net.ipv4.ip_local_port_range", "40000\t40999", "the range asked for"},
				{"net.core.somaxconn", "70000", "overridden"},
			}
			s.User = map[string]string{"net.core.somaxconn": "65000", "net.ipv4.tcp_tw_reuse": "1"}
			r := startOuter(t, job{Spec: errand{Spec: s}}, attr).reply(t)
			if r.Err != "" {
				t.Fatal(r.Err)
			}
			if r.NetNS == s.Host.NetNS {
				t.Errorf("the child is in the host's namespace %s", r.NetNS)
			}
			if want := []string{"198.18.0.1", "127.0.0.1", "2001:2::1"}; !slices.Equal(r.Bound, want) {
				t.Errorf("addresses that can be bound at once: %v, want %v", r.Bound, want)
			}
			wantSettings(t, r.Report, map[string]string{
				"net.ipv4.tcp_fin_timeout":            "33",
				"net.ipv4.ip_unprivileged_port_start": "500",
				"net.ipv4.ip_local_port_range":        "40000\t40999",
				"net.core.somaxconn":                  "65000",
				"net.ipv4.tcp_tw_reuse":               "1",
			})
			wantChange(t, r.Report.Changed, "net.ipv4.ip_local_port_range", Change{"600\t700", "40000\t40999", "the range asked for"})
			wantChange(t, r.Report.Changed, "net.ipv4.tcp_tw_reuse", Change{s.Host.Settings["net.ipv4.tcp_tw_reuse"], "1", "--sysctl"})
			wantChange(t, r.Report.Differs, "net.ipv4.tcp_keepalive_probes", Change{"999", "9", "the kernel refuses: invalid argument"})
			if own, inside := userNS(t, os.Getpid()), userNS(t, r.Pid); (own == inside) != (os.Getuid() == 0 && attr.Credential == nil) {
				t.Errorf("user namespace %s outside, %s inside", own, inside)
			}
		})
	}
}

func TestReadHost(t *testing.T) {
	host, err := ReadHost("kernel.ostype", "net.ipv4.no_such_key", "net.ipv4.tcp_fastopen_key")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"net.core.somaxconn", "net.ipv4.ip_local_port_range", "net.ipv4.conf.all.rp_filter",
		"net.ipv4.conf.lo.rp_filter", "net.ipv4.neigh.default.gc_thresh3", "kernel.ostype",
	} {
		if _, ok := host.Settings[key]; !ok {
			t.Errorf("%s is not read", key)
		}
	}
	for _, key := range []string{
		"net.ipv4.route.flush", "net.ipv4.tcp_available_congestion_control", "net.ipv4.tcp_ehash_entries",
		"net.ipv4.tcp_fastopen_key", "net.ipv4.no_such_key", "net.core.rmem_max",
	} {
		if value, ok := host.Settings[key]; ok {
			t.Errorf("%s=%s is read", key, value)
		}
	}
}

func TestSharedGroup(t *testing.T) {
	for group, want := range map[string]bool{
		"net.ipv4": true, "net.ipv4.conf": true, "net.ipv4.route": true, "net.ipv6.icmp": true,
		"net.ipv4.conf.all": true, "net.ipv6.conf.default": true, "net.ipv6.neigh.lo": true,
		"net.ipv4.conf.eth0": false, "net.ipv6.neigh.eth0/100": false,
	} {
		if got := sharedGroup(group); got != want {
			t.Errorf("sharedGroup(%q) = %v", group, got)
		}
	}
}

// userNS names the user namespace of a process.
func userNS(t *testing.T, pid int) string {
	t.Helper()
	name, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "ns/user"))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func wantSettings(t *testing.T, r Report, want map[string]string) {
	t.Helper()
	for key, value := range want {
		if r.Sysctls[key] != value {
			t.Errorf("%s is %q in the place, want %q", key, r.Sysctls[key], value)
		}
	}
}

func wantChange(t *testing.T, changes map[string]Change, key string, want Change) {
	t.Helper()
	if got := changes[key]; got != want {
		t.Errorf("%s: %+v, want %+v", key, got, want)
	}
}

// Long lists take more than one page, and the kernel more than one write.
func TestLongValue(t *testing.T) {
	requireNamespaces(t)
	var ports []string
	for port := 1025; port < 65536; port += 2 {
		ports = append(ports, strconv.Itoa(port))
	}
	list := strings.Join(ports, ",")
	s := spec(t)
	s.User = map[string]string{"net.ipv4.ip_local_reserved_ports": list}
	r := enter(t, s)
	if r.Err != "" {
		t.Fatal(r.Err)
	}
	if got := r.Report.Sysctls["net.ipv4.ip_local_reserved_ports"]; got != list {
		t.Errorf("%d bytes of %d were written and read back", len(got), len(list))
	}
}

func TestHostWithoutIPv6(t *testing.T) {
	requireNamespaces(t)
	s := spec(t)
	s.Host.Settings["net.ipv6.conf.all.disable_ipv6"] = "1"
	s.Host.Settings["net.ipv6.conf.lo.disable_ipv6"] = "1"
	s.Addresses = []netip.Prefix{netip.MustParsePrefix("2001:2::1/128")}
	r := enter(t, s)
	if !strings.Contains(r.Err, "IPv6 is disabled") || r.Hint != "--sysctl net.ipv6.conf.all.disable_ipv6=0" {
		t.Errorf("%+v", r.fault)
	}
	s.User = map[string]string{"net.ipv6.conf.all.disable_ipv6": "0"} // as the hint says
	if r := enter(t, s); r.Err != "" || len(r.Bound) != 1 {
		t.Errorf("with the hint's setting: %+v, bound %v", r.fault, r.Bound)
	}
}

// The host must look the same after a run that changes much.
func TestHostUnchanged(t *testing.T) {
	requireNamespaces(t)
	before := spec(t)
	s := spec(t)
	for key := range s.Host.Settings {
		s.Host.Settings[key] = "1"
	}
	s.User = map[string]string{"net.ipv4.tcp_fin_timeout": "7"}
	if r := enter(t, s); r.Err != "" {
		t.Fatal(r.Err)
	}
	after := spec(t)
	for key, value := range before.Host.Settings {
		if after.Host.Settings[key] != value {
			t.Errorf("host's %s was %q and is %q", key, value, after.Host.Settings[key])
		}
	}
}

func TestSetupRefusesTheHost(t *testing.T) {
	ns, err := kernel.NetNS()
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{ns, ""} {
		if _, err := Setup(Spec{Host: Host{NetNS: host}}); err == nil {
			t.Errorf("Setup worked in the namespace %s with the host's given as %q", ns, host)
		}
	}
}

func TestJoinRefusesStrangers(t *testing.T) {
	if _, err := Join(); err == nil {
		t.Error("Join worked in a process that Start did not start")
	}
}

func TestBadUserSettings(t *testing.T) {
	requireNamespaces(t)
	for _, c := range []struct{ key, value, says, hint string }{
		{"net.ipv4.tcp_tw_resue", "1", "neither a private place nor the host has it", "--sysctl net.ipv4.tcp_tw_reuse=1"},
		{"net.ipv4.tcp_mem", "1 2 3", "belongs to the whole machine", `sudo sysctl -w net.ipv4.tcp_mem="1 2 3" before the run`},
		{"net.ipv4.tcp_tw_reuse", "9", "the kernel refuses the value: invalid argument", "--sysctl net.ipv4.tcp_tw_reuse=2 is in force without it"},
		{"net.ipv4.tcp_tw_reuse", "", "the kernel refuses the value: invalid argument", "--sysctl net.ipv4.tcp_tw_reuse=2 is in force without it"},
		{"net.ipv4.ip_local_port_range", "5 1", "the kernel refuses the value: invalid argument", "--sysctl net.ipv4.ip_local_port_range=32768 60999 is in force without it"},
		{"net.ipv4", "1", "--sysctl net.ipv4=1: a group of settings", "sysctl -a -r '^net.ipv4.' lists what there is"},
		{"net.ipv4.nope_nothing_is_near", "1", "--sysctl net.ipv4.nope_nothing_is_near=1: neither a private place", "sysctl -a -r '^net.ipv4.' lists what there is"},
		{"kernel.panic", "1", "only settings of net.", "--sysctl net.ipv4.tcp_tw_reuse=1"},
		{"net/ipv4/tcp_tw_reuse", "1", "not in the form net.ipv4.tcp_tw_reuse", ""},
	} {
		t.Run(c.key+"="+c.value, func(t *testing.T) {
			host, err := ReadHost(c.key)
			if err != nil {
				t.Fatal(err)
			}
			// Without copied settings the place has the kernel's defaults.
			onHost, ok := host.Settings[c.key]
			host.Settings = map[string]string{}
			if ok {
				host.Settings[c.key] = onHost
			}
			s := Spec{Host: host, User: map[string]string{c.key: c.value}}
			r := enter(t, s)
			if !r.Usage || !strings.Contains(r.Err, c.says) || !strings.Contains(r.Err, c.key) || r.Hint != c.hint {
				t.Errorf("%+v, want wrong usage that says %q with the hint %q", r.fault, c.says, c.hint)
			}
		})
	}
}

func TestToolSettingFails(t *testing.T) {
	requireNamespaces(t)
	s := spec(t)
	s.Tool = []Setting{{"net.ipv4.ip_local_port_range", "10 20", "the range asked for"}}
	r := enter(t, s)
	if want := "private place: set sysctl net.ipv4.ip_local_port_range=10 20 (the range asked for): invalid argument"; r.Err != want || r.Usage {
		t.Errorf("%+v, want %q and not wrong usage", r.fault, want)
	}
}

func TestLargeRequest(t *testing.T) {
	requireNamespaces(t)
	s := spec(t)
	s.Host.Settings["net.ipv4.no_such_key"] = strings.Repeat("x", 1<<20) // more than a pipe holds
	if r := enter(t, s); r.Err != "" {
		t.Error(r.Err)
	}
	if _, err := Start(Options{Request: make([]byte, maxRequest+1)}); err == nil {
		t.Error("a request beyond the bound was taken")
	}
}

// BenchmarkPrivateHost is the time from nothing to a private host with the
// host's settings, and its end.
func BenchmarkPrivateHost(b *testing.B) {
	requireNamespaces(b)
	for b.Loop() {
		s := spec(b)
		s.Addresses = []netip.Prefix{netip.MustParsePrefix("198.18.0.1/32")}
		v := enter(b, s)
		v.child.Kill()
		_ = v.child.Wait() // it was killed
	}
}

// What is sent to an address as soon as it is there arrives: the kernel makes the
// local route of an IPv6 address a moment after the address.
func TestFreshAddressesReceive(t *testing.T) {
	requireNamespaces(t)
	s := errand{Spec: spec(t)}
	for i := 1; i <= 64; i++ {
		s.Addresses = append(s.Addresses, netip.MustParsePrefix(fmt.Sprintf("2001:2::%x/128", i)))
	}
	r := startOuter(t, job{Spec: s}, users()["own user"]).reply(t)
	if r.Err != "" || len(r.Lost) > 0 {
		t.Errorf("%s: %d of %d addresses lost a datagram: %v", r.Err, len(r.Lost), len(s.Addresses), r.Lost)
	}
}
