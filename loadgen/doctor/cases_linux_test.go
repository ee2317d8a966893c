package doctor

import (
	"io/fs"
	"net/netip"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/ports"
	"lastport/reports/result"
)

func pairs(inUse, timeWait, taken int64) []Pair {
	return []Pair{{Source: netip.MustParseAddr("192.0.2.1"), Target: netip.MustParseAddrPort("192.0.2.2:443"), Ports: inUse, TimeWait: timeWait, Taken: taken}}
}

// cases has every status that every check can come to, but for fine, which is
// TestHealthyHost's, and unread, which is TestUnreadable's.
var cases = []struct {
	name   string
	why    string
	change func(*Facts)
	status result.Status
	says   string // in found, allows or blocks
	cmd    []string
	undo   []string
}{
	{
		"proc", "not mounted", func(f *Facts) { f.Proc = fs.ErrNotExist }, result.Blocked, "fill, churn, reuse and bench",
		[]string{"sudo mount -t proc proc /proc"},
		[]string{"sudo umount /proc"},
	},

	{"private place", "some settings differ", func(f *Facts) { f.Place.Value.Differs = []string{"net.ipv4.x"} }, result.Fine, "net.ipv4.x", nil, nil},
	{
		"private place", "user namespaces at 0", func(f *Facts) { f.Place.Err = unix.ENOSPC; f.put(keyMaxUser, "0") }, result.Blocked, "no space left",
		[]string{"sudo sysctl -w user.max_user_namespaces=1000"},
		[]string{"sudo sysctl -w user.max_user_namespaces=0"},
	},
	{
		"private place", "network namespaces at 0", func(f *Facts) { f.Place.Err = unix.ENOSPC; f.put(keyMaxNet, "0"); f.UID = 0 }, result.Blocked, "no space left",
		[]string{"sudo sysctl -w user.max_net_namespaces=1000"},
		[]string{"sudo sysctl -w user.max_net_namespaces=0"},
	},
	{
		"private place", "Debian", func(f *Facts) { f.Place.Err = unix.EPERM; f.put(keyUsernsClone, "0") }, result.Blocked, "run lastport as root",
		[]string{"sudo sysctl -w kernel.unprivileged_userns_clone=1"},
		[]string{"sudo sysctl -w kernel.unprivileged_userns_clone=0"},
	},
	{
		"private place", "AppArmor", func(f *Facts) { f.Place.Err = unix.EPERM; f.put(keyAppArmor, "1") }, result.Blocked, "run lastport as root",
		[]string{"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		[]string{"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=1"},
	},
	{"private place", "a setting that does not bind root is not to blame", func(f *Facts) {
		f.Place.Err, f.UID = hinted{unix.EPERM, "start it with --privileged"}, 0
		f.put(keyUsernsClone, "0")
	}, result.Blocked, "start it with --privileged", nil, nil},
	{
		"private place", "/proc/sys is read-only", func(f *Facts) { f.Place.Err = unix.EROFS }, result.Blocked, "read-only",
		[]string{"sudo mount -o remount,rw,bind /proc/sys"},
		[]string{"sudo mount -o remount,ro,bind /proc/sys"},
	},

	{"nofile", "soft below hard", func(f *Facts) { f.NoFile.Value = NoFile{1024, 524288} }, result.Fine, "1,024 per table, up to 524,288", nil, nil},
	{
		"nofile", "too low for any number of threads", func(f *Facts) { f.NoFile.Value = NoFile{64, 64} }, result.Blocked, "28,232 connections",
		[]string{"sudo prlimit --pid $$ --nofile=132"},
		[]string{"sudo prlimit --pid $$ --nofile=64:64"},
	},
	{
		"nofile", "that the user may raise", func(f *Facts) { f.NoFile.Value = NoFile{64, 4096} }, result.Blocked, "--connections works",
		[]string{"ulimit -n 132"},
		[]string{"ulimit -n 64"},
	},
	{"nofile", "almost nothing", func(f *Facts) { f.NoFile.Value = NoFile{8, 4096} }, result.Blocked, "--connections works", []string{"ulimit -n 132"}, []string{"ulimit -n 8"}},
	{keyNROpen, "below the hard limit", func(f *Facts) { f.put(keyNROpen, "4096") }, result.Noted, "raising the limit", nil, nil},
	{
		keyFileMax, "too few files", func(f *Facts) { f.put(keyFileMax, "50000"); f.put(keyFileNR, "1000 0 50000") }, result.Blocked, "56,464 files",
		[]string{"sudo sysctl -w fs.file-max=113928"},
		[]string{"sudo sysctl -w fs.file-max=50000"},
	},
	{keyFileMax, "no limit", func(f *Facts) { f.put(keyFileMax, "9223372036854775807") }, result.Fine, "no limit, 449 in use", nil, nil},
	{keyFileMax, "noise", func(f *Facts) { f.put(keyFileNR, "x") }, result.Unread, "fs.file-nr", nil, nil},

	{
		keyRange, "odd", func(f *Facts) { f.put(keyRange, "32768 61000") }, result.Noted, "28,233 ports",
		[]string{`sudo sysctl -w net.ipv4.ip_local_port_range="32768 61001"`},
		[]string{`sudo sysctl -w net.ipv4.ip_local_port_range="32768 61000"`},
	},
	{
		keyRange, "odd to the last port", func(f *Facts) { f.put(keyRange, "1025 65535") }, result.Noted, "64,511 ports",
		[]string{`sudo sysctl -w net.ipv4.ip_local_port_range="1026 65535"`},
		[]string{`sudo sysctl -w net.ipv4.ip_local_port_range="1025 65535"`},
	},
	{
		keyRange, "small", func(f *Facts) { f.put(keyRange, "40000\t40099") }, result.Noted, "less than the 28,232",
		[]string{`sudo sysctl -w net.ipv4.ip_local_port_range="32768 60999"`},
		[]string{`sudo sysctl -w net.ipv4.ip_local_port_range="40000 40099"`},
	},
	{
		keyRange, "one port", func(f *Facts) { f.put(keyRange, "40000 40000") }, result.Noted, "1 connection ",
		[]string{`sudo sysctl -w net.ipv4.ip_local_port_range="32768 60999"`},
		[]string{`sudo sysctl -w net.ipv4.ip_local_port_range="40000 40000"`},
	},
	{keyRange, "all there is", func(f *Facts) { f.put(keyRange, "1024 65535") }, result.Fine, "64,512", nil, nil},
	{keyRange, "noise", func(f *Facts) { f.put(keyRange, "1 x") }, result.Unread, "is not a range", nil, nil},
	{
		keyReserved, "inside", func(f *Facts) { f.put(keyReserved, "8080,40000-40009") }, result.Noted, "10 ports of the range: 40000-40009",
		[]string{"sudo sysctl -w net.ipv4.ip_local_reserved_ports=8080"},
		[]string{"sudo sysctl -w net.ipv4.ip_local_reserved_ports=8080,40000-40009"},
	},
	{
		keyReserved, "all inside", func(f *Facts) { f.put(keyReserved, "40000") }, result.Noted, "1 port of",
		[]string{`sudo sysctl -w net.ipv4.ip_local_reserved_ports=""`},
		[]string{"sudo sysctl -w net.ipv4.ip_local_reserved_ports=40000"},
	},
	{
		keyReserved, "the whole range", func(f *Facts) { f.put(keyReserved, "30000-61000") }, result.Blocked, "no port of the range is left",
		[]string{"sudo sysctl -w net.ipv4.ip_local_reserved_ports=30000-32767,61000"},
		[]string{"sudo sysctl -w net.ipv4.ip_local_reserved_ports=30000-61000"},
	},
	{keyReserved, "outside", func(f *Facts) { f.put(keyReserved, "8080") }, result.Fine, "none inside", nil, nil},
	{
		keyUnprivileged, "above the range", func(f *Facts) { f.put(keyUnprivileged, "40000") }, result.Noted, "32768-60999",
		[]string{"sudo sysctl -w net.ipv4.ip_unprivileged_port_start=32768"},
		[]string{"sudo sysctl -w net.ipv4.ip_unprivileged_port_start=40000"},
	},
	{
		"ports held", "a listener inside", func(f *Facts) {
			f.Held.Value = ports.Of(ports.Range{Low: 40000, High: 40000}, ports.Range{Low: 80, High: 80})
		},
		result.Noted, "1 port of the range: 40000", nil, nil,
	},

	{fullestTarget, "less than half", func(f *Facts) { f.Use.Value.Pairs = pairs(14_000, 0, 14_000) }, result.Fine, "14,232 connections more", nil, nil},
	{fullestTarget, "half", func(f *Facts) { f.Use.Value.Pairs = pairs(14_116, 0, 14_116) }, result.Noted, "14,116 of 28,232 ports from 192.0.2.1", nil, nil},
	{
		fullestTarget, "nearly all, by what was closed", func(f *Facts) { f.Use.Value.Pairs = pairs(26_000, 20_000, 26_000) }, result.Falsifies, "2,232 ports left",
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_reuse=1"},
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_reuse=2"},
	},
	{fullestTarget, "nearly all, but they come back", func(f *Facts) {
		f.Use.Value.Pairs = pairs(26_000, 20_000, 6_000)
		f.put(keyTWReuse, "1")
	}, result.Fine, "20,000 in TIME_WAIT", nil, nil},
	{fullestTarget, "all of those that there are", func(f *Facts) {
		f.Use.Value.Pairs = pairs(28_222, 0, 28_222)
		f.put(keyReserved, "40000-40009")
	}, result.Falsifies, "0 ports left", nil, nil},

	{"next limit", "ports first", func(f *Facts) { f.Use.Value.Pairs = pairs(100, 0, 100) }, result.Fine, "ports toward 192.0.2.2:443: 28,132 connections more, then", nil, nil},
	{"next limit", "few descriptors, hardly used", func(f *Facts) {
		f.Use.Value.Processes = []Process{{Command: "proxy", PID: 7, Files: 9, FilesMax: 20}}
	}, result.Fine, "descriptors of proxy (7): 11 connections more", nil, nil},
	{"next limit", "descriptors, nearly", func(f *Facts) {
		f.Use.Value.Processes = []Process{{Command: "proxy", PID: 7, Files: 900, FilesMax: 1024}}
	}, result.Noted, "descriptors of proxy (7): 124 connections more", nil, nil},

	{
		"settings at boot", "another value", func(f *Facts) { f.Boot = Boot{{keyTWReuse, "1", "/etc/sysctl.conf", 3, ""}} }, result.Noted,
		`net.ipv4.tcp_tw_reuse is "2", and /etc/sysctl.conf:3 sets "1"`,
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_reuse=1"},
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_reuse=2"},
	},
	{"settings at boot", "what checks of their own are for", func(f *Facts) {
		f.Boot = Boot{{keyFINTimeout, "15", "/etc/sysctl.conf", 3, ""}, {keyRange, "1024 65000", "/etc/sysctl.conf", 4, ""}}
	}, result.Noted, `/etc/sysctl.conf:3 sets "15"`, nil, nil},
	{"settings at boot", "the same, in other words", func(f *Facts) {
		f.put(keyReserved, "80-81,443")
		f.Boot = Boot{{keyReserved, "443,80,81", "/etc/sysctl.conf", 3, ""}, {keyRange, "32768 60999", "/etc/sysctl.conf", 4, ""}}
	}, result.Fine, "2 settings in files, as in force", nil, nil},
	{"settings at boot", "a file may not be read", func(f *Facts) { f.BootUnreadable = []string{"/etc/sysctl.d"} }, result.Unread, "/etc/sysctl.d cannot be read", nil, nil},

	{
		keyTWReuse, "off", func(f *Facts) { f.put(keyTWReuse, "0") }, result.Fine, "60 s",
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_reuse=1"},
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_reuse=0"},
	},
	{
		keyTWReuse, "on", func(f *Facts) { f.put(keyTWReuse, "1") }, result.Fine, "given out again",
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_reuse=2"},
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_reuse=1"},
	},
	{keyTWReuseDelay, "an older kernel", func(f *Facts) { f.lose(keyTWReuseDelay, fs.ErrNotExist) }, result.Noted, "no such setting", nil, nil},
	{
		keyTWReuseDelay, "changed", func(f *Facts) { f.put(keyTWReuseDelay, "10") }, result.Noted, "10 ms",
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_reuse_delay=1000"},
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_reuse_delay=10"},
	},
	{
		keyTimestamps, "off", func(f *Facts) { f.put(keyTimestamps, "0") }, result.Noted, "tcp_tw_reuse, whatever",
		[]string{"sudo sysctl -w net.ipv4.tcp_timestamps=1"},
		[]string{"sudo sysctl -w net.ipv4.tcp_timestamps=0"},
	},
	{
		keyTimestamps, "off, and reuse on", func(f *Facts) { f.put(keyTimestamps, "0"); f.put(keyTWReuse, "1") }, result.Falsifies, "does nothing",
		[]string{"sudo sysctl -w net.ipv4.tcp_timestamps=1"},
		[]string{"sudo sysctl -w net.ipv4.tcp_timestamps=0"},
	},
	{
		keyTWBuckets, "fewer than ports", func(f *Facts) { f.put(keyTWBuckets, "4096") }, result.Falsifies, "beyond 4,096 sockets",
		[]string{"sudo sysctl -w net.ipv4.tcp_max_tw_buckets=131072"},
		[]string{"sudo sysctl -w net.ipv4.tcp_max_tw_buckets=4096"},
	},
	{
		keyFINTimeout, "as folklore has it", func(f *Facts) { f.put(keyFINTimeout, "15") }, result.Noted, "does not shorten TIME_WAIT",
		[]string{"sudo sysctl -w net.ipv4.tcp_fin_timeout=60"},
		[]string{"sudo sysctl -w net.ipv4.tcp_fin_timeout=15"},
	},
	{
		keyTWRecycle, "believed in", func(f *Facts) { f.Boot = Boot{{keyTWRecycle, "1", "/etc/sysctl.d/tuning.conf", 5, ""}} }, result.Noted, "no such setting",
		[]string{"sudo sed -i '5s/^/# /' /etc/sysctl.d/tuning.conf"},
		[]string{"sudo sed -i '5s/^# //' /etc/sysctl.d/tuning.conf"},
	},
	{
		keyTWRecycle, "on, on an old kernel", func(f *Facts) { f.put(keyTWRecycle, "1") }, result.Falsifies, "behind one NAT address",
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_recycle=0"},
		[]string{"sudo sysctl -w net.ipv4.tcp_tw_recycle=1"},
	},
	{keyTWRecycle, "off, on an old kernel", func(f *Facts) { f.put(keyTWRecycle, "0") }, result.Fine, "off", nil, nil},
	{"sockets now", "many", func(f *Facts) { f.SockStat.Value = kernel.SockStat{TimeWait: 14116} }, result.Noted, "up to 50 %", nil, nil},
	{
		"sockets now", "all there may be", func(f *Facts) { f.SockStat.Value = kernel.SockStat{TimeWait: 131072} }, result.Falsifies, "is reached",
		[]string{"sudo sysctl -w net.ipv4.tcp_max_tw_buckets=262144"},
		[]string{"sudo sysctl -w net.ipv4.tcp_max_tw_buckets=131072"},
	},

	{
		keySomaxconn, "short", func(f *Facts) { f.put(keySomaxconn, "128") }, result.Noted, "lastport serve",
		[]string{"sudo sysctl -w net.core.somaxconn=4096"},
		[]string{"sudo sysctl -w net.core.somaxconn=128"},
	},
	{keySomaxconn, "queues were full", func(f *Facts) { f.Dropped.Value = 3 }, result.Noted, "3 connections found a listener's queue full", nil, nil},
	{
		keySYNBacklog, "short", func(f *Facts) { f.put(keySYNBacklog, "64") }, result.Noted, "lastport serve",
		[]string{"sudo sysctl -w net.ipv4.tcp_max_syn_backlog=128"},
		[]string{"sudo sysctl -w net.ipv4.tcp_max_syn_backlog=64"},
	},

	{"IP_LOCAL_PORT_RANGE", "an older kernel", func(f *Facts) { f.LocalPortRange = unix.ENOPROTOOPT }, result.Blocked, "--strategy socket-range", nil, nil},
	{"IP_LOCAL_PORT_RANGE", "refused", func(f *Facts) { f.LocalPortRange = unix.EPERM }, result.Blocked, "refused here", nil, nil},
	{"IP_BIND_ADDRESS_NO_PORT", "an older kernel", func(f *Facts) { f.BindNoPort = unix.ENOPROTOOPT }, result.Noted, "does not have it", nil, nil},
	{
		"sock_diag", "no module", func(f *Facts) { f.Held.Err = unix.ENOENT }, result.Falsifies, "taken for free",
		[]string{"sudo modprobe tcp_diag"},
		[]string{"sudo modprobe -r tcp_diag"},
	},
	{"sock_diag", "refused", func(f *Facts) { f.Held.Err = unix.EPERM }, result.Blocked, "fill, churn", nil, nil},
	{"ports held", "cannot be seen", func(f *Facts) { f.Held.Err = unix.EPERM }, result.Unread, "not permitted", nil, nil},
	{"io_uring", "an older kernel", func(f *Facts) { f.IOUring = unix.ENOSYS }, result.Noted, "does not have it", nil, nil},
	{
		"io_uring", "forbidden by the setting", func(f *Facts) { f.IOUring = unix.EPERM; f.put(keyIOUring, "2") }, result.Noted, "kernel.io_uring_disabled=2",
		[]string{"sudo sysctl -w kernel.io_uring_disabled=0"},
		[]string{"sudo sysctl -w kernel.io_uring_disabled=2"},
	},
	{"io_uring", "forbidden by a filter", func(f *Facts) { f.IOUring = unix.EPERM; f.Seccomp = true }, result.Noted, "seccomp", nil, nil},
	{"IPv6", "not in the kernel", func(f *Facts) { f.IPv6 = unix.EAFNOSUPPORT }, result.Noted, "does not have it", nil, nil},
	{"IPv6", "no port is left", func(f *Facts) { f.IPv6 = unix.EADDRINUSE }, result.Fine, "there", nil, nil},
	{"IPv6", "lo down", func(f *Facts) { f.IPv6 = unix.EADDRNOTAVAIL }, result.Noted, "link is down", nil, nil},
	{
		"IPv6", "disabled", func(f *Facts) { f.IPv6 = unix.EADDRNOTAVAIL; f.put(keyIPv6Off, "1") }, result.Noted, "is disabled",
		[]string{"sudo sysctl -w net.ipv6.conf.lo.disable_ipv6=0"},
		[]string{"sudo sysctl -w net.ipv6.conf.lo.disable_ipv6=1"},
	},
	{"conntrack", "not loaded", func(f *Facts) { f.lose(keyTrackedMax, fs.ErrNotExist) }, result.Fine, "not tracked here", nil, nil},
	{
		"conntrack", "small", func(f *Facts) { f.put(keyTrackedMax, "20000") }, result.Noted, "looks like a timeout",
		[]string{"sudo sysctl -w net.netfilter.nf_conntrack_max=76464"},
		[]string{"sudo sysctl -w net.netfilter.nf_conntrack_max=20000"},
	},
	{
		"conntrack", "closed ones fill it", func(f *Facts) { f.put(keyTrackedMax, "40000") }, result.Noted, "so it sustains 333",
		[]string{"sudo sysctl -w net.netfilter.nf_conntrack_max=112928"},
		[]string{"sudo sysctl -w net.netfilter.nf_conntrack_max=40000"},
	},
	{
		"conntrack", "almost full", func(f *Facts) { f.put(keyTracked, "240000") }, result.Noted, "240,000 of 262,144",
		[]string{"sudo sysctl -w net.netfilter.nf_conntrack_max=524288"},
		[]string{"sudo sysctl -w net.netfilter.nf_conntrack_max=262144"},
	},
	{
		"conntrack", "full", func(f *Facts) { f.put(keyTracked, "262144") }, result.Falsifies, "looks like a timeout",
		[]string{"sudo sysctl -w net.netfilter.nf_conntrack_max=524288"},
		[]string{"sudo sysctl -w net.netfilter.nf_conntrack_max=262144"},
	},

	{
		"veth", "no module", func(f *Facts) { f.Place.Value.Links = unix.EOPNOTSUPP }, result.Noted, "all the same: --place private",
		[]string{"sudo modprobe veth"},
		[]string{"sudo modprobe -r veth"},
	},
	{"veth", "forbidden", func(f *Facts) { f.Place.Value.Links = unix.EPERM }, result.Noted, "--place pair and --place nat", nil, nil},
	{"veth", "no place to try it in", func(f *Facts) { f.Place.Err = unix.EPERM }, result.Unread, "no private place", nil, nil},
	{
		"nftables NAT", "no module", func(f *Facts) { f.Place.Value.Translation = unix.ENOENT }, result.Noted, "all the same: --place private and --place pair",
		[]string{"sudo modprobe nft_nat"},
		[]string{"sudo modprobe -r nft_nat"},
	},
	{
		"nftables filter", "no module", func(f *Facts) { f.Place.Value.Firewall = unix.EPROTONOSUPPORT }, result.Noted, "reach --block",
		[]string{"sudo modprobe nf_tables"},
		[]string{"sudo modprobe -r nf_tables"},
	},

	{"memory", "too little", func(f *Facts) { f.Memory.Value = 80 << 20 }, result.Blocked, "--connections 9216 works", nil, nil},
	{"processors", "one", func(f *Facts) { f.CPUs = 1 }, result.Noted, "one worker", nil, nil},
	{"cgroup memory", "enough", func(f *Facts) { f.Cgroup.Value.Memory = &kernel.CgroupLimit{Max: 1 << 30, Key: "a/memory.max"} }, result.Fine, "131,072 connections", nil, nil},
	{
		"cgroup memory", "too little", func(f *Facts) {
			f.Cgroup.Value.Memory = &kernel.CgroupLimit{Max: 64 << 20, Used: 1 << 20, Key: "a/memory.max"}
		},
		result.Blocked, "killed for its memory",
		[]string{"echo 463601664 | sudo tee /sys/fs/cgroup/a/memory.max"},
		[]string{"echo 67108864 | sudo tee /sys/fs/cgroup/a/memory.max"},
	},
	{"cgroup pids", "enough", func(f *Facts) { f.Cgroup.Value.PIDs = &kernel.CgroupLimit{Max: 512, Used: 10, Key: "a/pids.max"} }, result.Fine, "39 threads", nil, nil},
	{
		"cgroup pids", "too few", func(f *Facts) { f.Cgroup.Value.PIDs = &kernel.CgroupLimit{Max: 40, Used: 10, Key: "a/pids.max"} }, result.Blocked, "39 threads",
		[]string{"echo 88 | sudo tee /sys/fs/cgroup/a/pids.max"},
		[]string{"echo 40 | sudo tee /sys/fs/cgroup/a/pids.max"},
	},
	{"cgroup cpu", "enough", func(f *Facts) { f.Cgroup.Value.CPUs = ptr(4.0) }, result.Fine, "as much as there are", nil, nil},
	{"cgroup cpu", "too little", func(f *Facts) { f.Cgroup.Value.CPUs = ptr(1.5) }, result.Falsifies, "true latencies", nil, nil},
	{"cgroup cpu", "hidden", func(f *Facts) { f.Signs = []string{"x"} }, result.Fine, "seen from inside a container", nil, nil},
	{"container", "probably", func(f *Facts) { f.Signs = []string{"/.dockerenv exists"} }, result.Noted, "probably: /.dockerenv exists", nil, nil},
	{"container", "with a filter", func(f *Facts) { f.Signs = []string{"/.dockerenv exists"}; f.Seccomp = true }, result.Noted, "a filter of system calls", nil, nil},
}
