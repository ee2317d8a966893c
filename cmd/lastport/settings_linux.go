package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
)

// Settings that a run sets itself, in its private place.
const (
	keyRange        = "net.ipv4.ip_local_port_range"
	keyReserved     = "net.ipv4.ip_local_reserved_ports"
	keyUnprivileged = "net.ipv4.ip_unprivileged_port_start"
	keyBacklog      = "net.core.somaxconn"
	keySynBacklog   = "net.ipv4.tcp_max_syn_backlog"
)

// maxQueue is the longest queue that the listener asks for.
const maxQueue = 65535

// hostRange reads the host's ephemeral range.
func hostRange(host place.Host) (ports.Ranges, error) {
	text := host.Settings[keyRange]
	var r ports.Range
	if _, err := fmt.Sscan(text, &r.Low, &r.High); err != nil || r.Size() == 0 {
		return nil, usagef("--range linux", "the host's range is not known (%s is %q)", keyRange, text)
	}
	return ports.Of(r), nil
}

// settings reads --sysctl.
func (f *runFlags) settings(c *loadgen.Config, _ place.Host) error {
	if onHost(c) && len(f.sysctls) > 0 {
		return usagef("leave --place out, for a host of the run's own that has them", "--sysctl %s with --place host: lastport never writes a setting of the host", f.sysctls[0])
	}
	c.Sysctls = make(map[string]string, len(f.sysctls))
	for _, text := range f.sysctls {
		s, err := place.ParseSetting(text)
		if err != nil {
			return named("--sysctl", err)
		}
		if s.Key == keyRange {
			return usagef("--range LOW-HIGH", "--sysctl %s: the range has a flag of its own", keyRange)
		}
		if old, twice := c.Sysctls[s.Key]; twice && old != s.Value {
			return usagef(fmt.Sprintf("--sysctl %s=%s", s.Key, s.Value), "--sysctl %s is given twice, as %s and as %s", s.Key, old, s.Value)
		}
		c.Sysctls[s.Key] = s.Value
	}
	return nil
}

// spec says what the private place must be like for the run.
//
// The kernel knows one range without gaps. So the place's range is the hull of
// the ports asked for, and what lies between them and what is excluded is
// reserved, besides what the host or the user reserves.
func spec(c *loadgen.Config, host place.Host) (place.Spec, error) {
	s := place.Spec{Host: host, User: maps.Clone(c.Sysctls)}
	if onHost(c) {
		return s, nil // nothing there is set
	}
	reserved, err := reservedPorts(c, host)
	if err != nil {
		return s, err
	}
	_, byUser := c.Sysctls[keyReserved]
	delete(s.User, keyReserved) // it becomes part of the tool's own value

	tool := func(key, value, why string) {
		s.Tool = append(s.Tool, place.Setting{Key: key, Value: value, Why: why})
	}
	wanted := c.Ports()
	hull := wanted.Hull()
	if hull.Low < 1024 {
		tool(keyUnprivileged, strconv.Itoa(int(hull.Low)), "the kernel refuses a range that begins below it")
	}
	tool(keyRange, fmt.Sprintf("%d %d", hull.Low, hull.High), "--range")
	if all := reserved.Union(ports.Of(hull).Minus(wanted)); byUser || all.String() != reserved.String() {
		tool(keyReserved, all.String(), "ports between the ranges, excluded or reserved")
	}
	queue := min(2*wanted.Size(), maxQueue)
	atLeast(host, keyBacklog, queue, tool)
	atLeast(host, keySynBacklog, queue, tool)
	addresses := slices.Clone(c.Sources)
	for _, t := range c.Targets {
		addresses = append(addresses, t.Addr())
	}
	for _, a := range addresses {
		if !a.IsLoopback() { // those are there
			s.Addresses = append(s.Addresses, addrPrefix(a))
		}
	}
	slices.SortFunc(s.Addresses, comparePrefix)
	s.Addresses = slices.Compact(s.Addresses)
	return s, nil
}

// reservedPorts are those that the user or else the host reserves.
func reservedPorts(c *loadgen.Config, host place.Host) (ports.Ranges, error) {
	text, byUser := c.Sysctls[keyReserved]
	if !byUser {
		text = host.Settings[keyReserved]
	}
	reserved, err := ports.ParseSysctl(text)
	if err != nil {
		return nil, named("--sysctl "+keyReserved, err)
	}
	return reserved, nil
}

// atLeast raises a setting that is lower on the host.
func atLeast(host place.Host, key string, value int, set func(key, value, why string)) {
	if have, err := strconv.Atoi(host.Settings[key]); err == nil && have >= value {
		return
	}
	set(key, strconv.Itoa(value), "the listener's queue must hold what waits to be accepted")
}
