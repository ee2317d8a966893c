package place

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"lastport/loadgen/kernel"
)

// Host is the parent's view of the host, for the child to copy.
type Host struct {
	NetNS    string            // the name of its network namespace
	Settings map[string]string // its settings, by key
	Table    int64             // buckets of its table of connections; 0: not known
}

// ReadHost reads the settings that a private host takes over: net.ipv4,
// net.ipv6 and net.core.somaxconn as far as a file of them can be both read
// and written. Of the groups that exist per link it reads those of lo, all and
// default: a private host has no other link. The settings named in also, if the
// host has them, are read too, so that Setup can tell a key of the host from
// one that nobody has.
func ReadHost(also ...string) (Host, error) {
	ns, err := kernel.NetNS()
	if err != nil {
		return Host{}, err
	}
	host := Host{NetNS: ns, Settings: make(map[string]string), Table: readTable()}
	keys := []string{"net.core.somaxconn"}
	for _, tree := range []string{"net.ipv4", "net.ipv6"} {
		list, err := kernel.ListSysctls(tree, sharedGroup)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without IPv6 has no such tree
			return Host{}, err
		}
		for _, s := range list {
			if s.Readable && s.Writable {
				keys = append(keys, s.Key)
			}
		}
	}
	for _, key := range append(keys, also...) {
		if secret(key) {
			continue
		}
		// What cannot be read (keys of an ordinary user's that are root's, addresses
		// that were never set) cannot be copied either.
		if value, err := kernel.ReadSysctl(key); err == nil {
			host.Settings[key] = value
		}
	}
	return host, nil
}

// sharedGroup says whether a group of settings is not that of one link, or is
// that of lo.
func sharedGroup(group string) bool {
	elements := strings.Split(group, ".")
	if len(elements) < 4 || elements[2] != "conf" && elements[2] != "neigh" {
		return true
	}
	return slices.Contains([]string{"all", "default", "lo"}, elements[3])
}

// secret says whether a setting is a key of the host's, which must not travel.
func secret(key string) bool {
	return strings.HasSuffix(key, ".tcp_fastopen_key") || strings.HasSuffix(key, ".stable_secret")
}

// Setting is a value for a setting of the namespace, and why it is set.
type Setting struct {
	Key   string
	Value string
	Why   string
}

// sysctlFlag is why a setting that the user asked for is set.
const sysctlFlag = "--sysctl"

// ParseSetting reads KEY=VALUE, as --sysctl takes it. It takes keys in both
// forms, net.ipv4.tcp_tw_reuse and net/ipv4/tcp_tw_reuse, and returns the
// first. A key outside net. is wrong usage: it would be the host's. Whether
// the key exists is seen by Setup, in the namespace.
func ParseSetting(s string) (Setting, error) {
	name, value, found := strings.Cut(s, "=")
	if !found {
		return Setting{}, &UsageError{
			text: fmt.Sprintf("sysctl %q: not KEY=VALUE", s),
			hint: "--sysctl net.ipv4.tcp_tw_reuse=1",
		}
	}
	key, err := kernel.SysctlKey(strings.TrimSpace(name))
	if err != nil {
		return Setting{}, &UsageError{text: err.Error(), hint: "--sysctl net.ipv4.tcp_tw_reuse=1"}
	}
	if !strings.HasPrefix(key, "net.") {
		return Setting{}, notOfNet(key, value)
	}
	return Setting{Key: key, Value: strings.TrimSpace(value), Why: sysctlFlag}, nil
}

// notOfNet refuses a key that no network namespace can have.
func notOfNet(key, value string) error {
	e := &UsageError{
		text: fmt.Sprintf("sysctl %s: only settings of net. belong to a run, all others to the whole machine", key),
		hint: "--sysctl net.ipv4.tcp_tw_reuse=1",
	}
	if near := nearest(key, kernelStore{}); near != "" {
		e.hint = fmt.Sprintf("--sysctl %s=%s", near, value)
	}
	return e
}
