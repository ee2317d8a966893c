package doctor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/ports"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// Fact is something that was looked for: its value, or why there is none.
type Fact[T any] struct {
	Value T
	Err   error
}

// Facts are what the checks judge.
type Facts struct {
	Kernel string // as uname -r prints it; it is shown and never judged
	UID    int
	CPUs   int         // that this process may run on; 0: not known
	HZ     int         // timer interrupts per second; 0: not known
	Memory Fact[int64] // bytes that programs can still get

	Proc    error                   // why /proc cannot be read; nil: it can
	Place   Fact[Place]             // a private place, really made
	Sysctls map[string]Fact[string] // the settings of Keys; those absent were not looked at
	NoFile  Fact[NoFile]

	Boot           Boot     // what files set when the host starts
	BootUnreadable []string // those of them that may not be read

	Held     Fact[ports.Ranges] // local TCP ports that listeners and bound sockets have
	Use      Fact[Use]          // who has ports of the range
	SockStat Fact[kernel.SockStat]
	Dropped  Fact[int64] // connections that found a listener's queue full, since the namespace was made

	// What the probes of package kernel returned; nil: the feature is there.
	LocalPortRange, BindNoPort, IOUring, IPv6 error

	Cgroup  Fact[kernel.Cgroup]
	Signs   []string // of a container
	Seccomp bool     // a filter of system calls is in force, as far as is known
}

// NoFile is the limit of descriptors in one table.
type NoFile struct{ Soft, Hard uint64 }

// Place is what a private place came to be.
type Place struct {
	Differs []string // settings of the host that it could not take over

	// Why the parts of other places cannot be had there; nil: they can.
	Links, Translation, Firewall error
}

// The settings that the checks look at.
const (
	keyNROpen       = "fs.nr_open"
	keyFileMax      = "fs.file-max"
	keyFileNR       = "fs.file-nr"
	keyRange        = "net.ipv4.ip_local_port_range"
	keyReserved     = "net.ipv4.ip_local_reserved_ports"
	keyUnprivileged = "net.ipv4.ip_unprivileged_port_start"
	keyTWReuse      = "net.ipv4.tcp_tw_reuse"
	keyTWReuseDelay = "net.ipv4.tcp_tw_reuse_delay"
	keyTimestamps   = "net.ipv4.tcp_timestamps"
	keyTWBuckets    = "net.ipv4.tcp_max_tw_buckets"
	keyFINTimeout   = "net.ipv4.tcp_fin_timeout"
	keySomaxconn    = "net.core.somaxconn"
	keySYNBacklog   = "net.ipv4.tcp_max_syn_backlog"
	keyIOUring      = "kernel.io_uring_disabled"
	keyIPv6Off      = "net.ipv6.conf.lo.disable_ipv6"
	keyTracked      = "net.netfilter.nf_conntrack_count"
	keyTrackedWait  = "net.netfilter.nf_conntrack_tcp_timeout_time_wait"
	keyTrackedMax   = "net.netfilter.nf_conntrack_max"
	keyMaxUser      = "user.max_user_namespaces"
	keyMaxNet       = "user.max_net_namespaces"
	keyUsernsClone  = "kernel.unprivileged_userns_clone"
	keyAppArmor     = "kernel.apparmor_restrict_unprivileged_userns"
)

// Keys lists the settings that Collect reads.
func Keys() []string {
	return []string{
		keyNROpen, keyFileMax, keyFileNR, keyRange, keyReserved, keyUnprivileged, keyTWReuse, keyTWReuseDelay,
		keyTimestamps, keyTWBuckets, keyFINTimeout, keySomaxconn, keySYNBacklog, keyIOUring, keyIPv6Off, keyTracked,
		keyTrackedMax, keyTrackedWait, keyTWRecycle, keyMaxUser, keyMaxNet, keyUsernsClone, keyAppArmor,
	}
}

// text returns a setting, with single spaces in place of the kernel's tabs.
func (f *Facts) text(key string) (string, error) {
	fact, ok := f.Sysctls[key]
	if !ok {
		return "", fmt.Errorf("sysctl %s: not looked at", key)
	}
	return strings.Join(strings.Fields(fact.Value), " "), fact.Err
}

// number returns a setting that is a whole number.
func (f *Facts) number(key string) (int64, error) {
	text, err := f.text(key)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("sysctl %s: %q is not a whole number", key, text)
	}
	return n, nil
}

// system returns ip_local_port_range.
func (f *Facts) system() (ports.Range, error) {
	text, err := f.text(keyRange)
	if err != nil {
		return ports.Range{}, err
	}
	var r ports.Range
	if _, err := fmt.Sscan(text, &r.Low, &r.High); err != nil || r.Size() == 0 {
		return r, fmt.Errorf("sysctl %s: %q is not a range", keyRange, text)
	}
	return r, nil
}

// reserved returns the ports of ip_local_reserved_ports.
func (f *Facts) reserved() (ports.Ranges, error) {
	text, err := f.text(keyReserved)
	if err != nil {
		return nil, err
	}
	set, err := ports.ParseSysctl(text)
	if err != nil {
		return nil, fmt.Errorf("sysctl %s: %w", keyReserved, err)
	}
	return set, nil
}

// wanted is how many connections a fill of the host's whole range holds: what
// the limits are measured against. Where the range is not known it is the size
// of Linux's default range.
func (f *Facts) wanted() int64 {
	system, err := f.system()
	if err != nil {
		p, _ := ports.Lookup("linux")
		return int64(p.Ranges.Size())
	}
	return int64(system.Size())
}

// unread is the check of something that could not be learned. What the kernel
// said is enough: the name of the check says of what.
func unread(err error) result.Check {
	found := err.Error()
	var errno unix.Errno
	if errors.As(err, &errno) {
		found = "unreadable: " + errno.Error()
	}
	return result.Check{Status: result.Unread, Found: found}
}

// sysctl is the command that gives a setting a value.
func sysctl(key, value string) []string {
	if strings.ContainsAny(value, " ") || value == "" {
		value = `"` + value + `"`
	}
	return []string{"sudo sysctl -w " + key + "=" + value}
}

// set makes the commands of a check that change a setting, and back, and those
// by which it outlasts a restart.
func (f *Facts) set(c *result.Check, key, value string) {
	old, _ := f.text(key) // the checks ask for it first
	c.Change, c.Undo = sysctl(key, value), sysctl(key, old)
	c.Keep, c.Forget = f.Boot.keep(key, value)
}

// count writes a number in groups of three digits.
func count(n int64) string { return figures.Grouped(n) }

// mebibytes writes an amount of memory.
func mebibytes(n int64) string { return count(n>>20) + " MiB" }

// clip lists the first few ranges of a set.
func clip(s ports.Ranges) string {
	const few = 6
	if len(s) <= few {
		return s.String()
	}
	return fmt.Sprintf("%s and %d more", s[:few], s[few:].Size())
}
