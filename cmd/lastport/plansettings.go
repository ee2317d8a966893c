package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
)

// The settings that a plan understands, all below net.ipv4.
const (
	keyPortRange  = "ip_local_port_range"
	keyReservedBy = "ip_local_reserved_ports"
	keyTWReuse    = "tcp_tw_reuse"
	keyTWDelay    = "tcp_tw_reuse_delay"
	keyTimestamps = "tcp_timestamps"
	keyFINTimeout = "tcp_fin_timeout"
	keyTWBuckets  = "tcp_max_tw_buckets"
)

// settingsPrefix is where they are.
const settingsPrefix = "net.ipv4."

// planKey is a setting and what it may be: a number from low to high. Source:
// net/ipv4/sysctl_net_ipv4.c.
type planKey struct {
	name      string
	low, high int
	standard  string // Linux's default; documentation of the kernel, ip-sysctl
}

// planKeys lists the settings; those of ports are no numbers. The default of
// tcp_max_tw_buckets follows the memory, up to what is said here.
func planKeys() []planKey {
	return []planKey{
		{name: keyPortRange, standard: "32768 60999"},
		{name: keyReservedBy},
		{keyTWReuse, 0, 2, "2"},
		{keyTWDelay, 1, 60_000, "1000"},
		{keyTimestamps, 0, 2, "1"},
		{keyFINTimeout, 1, 1 << 31 / 1000, "60"},
		{keyTWBuckets, 0, 1<<31 - 1, "262144"},
	}
}

// planEnv is what a plan takes from the system that it is made for.
type planEnv struct {
	system   ports.Range  // ip_local_port_range
	reserved ports.Ranges // ip_local_reserved_ports
	held     ports.Ranges // by listeners of this host
	settings capacity.Settings

	values                map[string]string // by name, as in force for the plan
	from                  string            // where they are from, in words
	rangeSet, reservedSet bool              // by --sysctl
}

// planHost is what there is to know of a host. Without values it is not Linux,
// or its /proc/sys cannot be read.
type planHost struct {
	values map[string]string
	held   ports.Ranges
	hz     int

	processors int // 0: not known
}

// surroundings takes what the host has, and then --sysctl and --hz, which
// override it.
func (f *planFlags) surroundings(host planHost) (planEnv, error) {
	env := planEnv{held: host.held, values: maps.Clone(host.values), from: "this host"}
	if env.values == nil {
		env.values, env.from = make(map[string]string), "Linux's documented defaults"
		for _, k := range planKeys() {
			env.values[k.name] = k.standard
		}
	}
	env.settings.HZ = host.hz
	if f.given("hz") {
		if env.settings.HZ = f.hz; f.hz < 10 || f.hz > 10_000 {
			return env, usagef("--hz 250", "--hz %d: want the kernel's CONFIG_HZ, such as 100, 250, 300 or 1000", f.hz)
		}
	}
	set := make(map[string]bool)
	for _, text := range f.sysctls {
		key, value, err := planSetting(text)
		if err != nil {
			return env, err
		}
		if set[key] && env.values[key] != value {
			return env, usagef("--sysctl "+text, "--sysctl %s is given twice, as %s and as %s", settingsPrefix+key, env.values[key], value)
		}
		env.values[key], set[key] = value, true
	}
	env.rangeSet, env.reservedSet = set[keyPortRange], set[keyReservedBy]
	if len(set) > 0 {
		env.from += ", but " + strings.Join(slices.Sorted(maps.Keys(set)), ", ") + " by --sysctl"
	}
	return env, env.understand()
}

// planSetting reads KEY=VALUE; the key as sysctl(8) has it in either form, or
// without net.ipv4.
func planSetting(text string) (key, value string, err error) {
	const example = "--sysctl net.ipv4.tcp_tw_reuse=1"
	name, value, found := strings.Cut(text, "=")
	if !found {
		return "", "", usagef(example, "--sysctl %q: not KEY=VALUE", text)
	}
	key = strings.TrimPrefix(strings.ReplaceAll(strings.TrimSpace(name), "/", "."), settingsPrefix)
	value = strings.TrimSpace(value)
	var names []string
	for _, k := range planKeys() {
		if k.name == key {
			return key, value, k.check(value)
		}
		names = append(names, k.name)
	}
	hint := example
	if near, ok := ports.Nearest(key, names); ok {
		hint = fmt.Sprintf("--sysctl %s%s=%s", settingsPrefix, near, value)
	}
	return "", "", usagef(hint, "--sysctl %s: a plan understands %s", name, strings.Join(names, ", "))
}

// check says what is wrong with a value of the user's.
func (k planKey) check(value string) error {
	switch k.name {
	case keyPortRange:
		if r, err := portRange(value); err != nil || r.Size() == 0 {
			return usagef("--sysctl '"+settingsPrefix+k.name+"=32768 60999'", "--sysctl %s=%s: want the lowest and the highest port", k.name, value)
		}
	case keyReservedBy:
		if _, err := ports.ParseSysctl(value); err != nil {
			return usagef("--sysctl "+settingsPrefix+k.name+"=40000-40009,41000", "--sysctl %s: %v", k.name, err)
		}
	default:
		if n, err := strconv.Atoi(value); err != nil || n < k.low || n > k.high {
			return usagef(fmt.Sprintf("--sysctl %s%s=%s", settingsPrefix, k.name, k.standard),
				"--sysctl %s=%s: want %d to %d", k.name, value, k.low, k.high)
		}
	}
	return nil
}

// portRange reads ip_local_port_range: two ports with blanks between them.
func portRange(text string) (r ports.Range, err error) {
	_, err = fmt.Sscan(text, &r.Low, &r.High)
	return r, err
}

// understand makes settings of the values. One that this kernel does not have
// is 0.
func (e *planEnv) understand() (err error) {
	number := func(key string) int {
		n, _ := strconv.Atoi(e.values[key]) // the kernel's own, or checked
		return n
	}
	if e.system, err = portRange(e.values[keyPortRange]); err != nil {
		return usagef("--range linux", "the host's range is not known (%s is %q)", keyPortRange, e.values[keyPortRange])
	}
	if e.reserved, err = ports.ParseSysctl(e.values[keyReservedBy]); err != nil {
		return fmt.Errorf("%s: %w", keyReservedBy, err)
	}
	e.settings.TWReuse = number(keyTWReuse)
	e.settings.TWReuseDelay = time.Duration(number(keyTWDelay)) * time.Millisecond
	e.settings.Timestamps = number(keyTimestamps) != 0
	if e.values[keyTWBuckets] != "" {
		most := int64(number(keyTWBuckets))
		e.settings.MaxTimeWait = &most
	}
	return nil
}
