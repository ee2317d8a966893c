package main

import (
	"fmt"
	"maps"
	"strconv"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/loadgen/suite"
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
func (f *runFlags) settings(c *loadgen.Config, _ place.Host) (err error) {
	if onHost(c) && len(f.sysctls) > 0 {
		return usagef("leave --place out, for a host of the run's own that has them", "--sysctl %s with --place host: lastport never writes a setting of the host", f.sysctls[0])
	}
	if c.Sysctls, err = settingsOf("--sysctl", f.sysctls); err != nil {
		return err
	}
	if _, ok := c.Sysctls[keyRange]; ok {
		return usagef("--range LOW-HIGH", "--sysctl %s: the range has a flag of its own", keyRange)
	}
	return nil
}

// settingsOf reads the settings that a flag names, each once.
func settingsOf(flag string, texts []string) (map[string]string, error) {
	settings := make(map[string]string, len(texts))
	for _, text := range texts {
		s, err := place.ParseSetting(text)
		if err != nil {
			return nil, named(flag, err)
		}
		if err := inBounds(flag, s); err != nil {
			return nil, err
		}
		if err := machines(flag, s.Key, s.Value); err != nil {
			return nil, err
		}
		if old, twice := settings[s.Key]; twice && old != s.Value {
			return nil, usagef(fmt.Sprintf("%s %s=%s", flag, s.Key, s.Value), "%s %s is given twice, as %s and as %s", flag, s.Key, old, s.Value)
		}
		settings[s.Key] = s.Value
	}
	return settings, nil
}

// inBounds refuses a value of which it is known that the kernel will, so that it is
// refused before the first of many runs.
func inBounds(flag string, s place.Setting) error {
	low, high, known := suite.Bounds(s.Key)
	if n, err := strconv.Atoi(s.Value); !known || err == nil && n >= low && n <= high {
		return nil
	}
	return usagef(fmt.Sprintf("%s %s=%d", flag, s.Key, low), "%s %s=%s: the kernel refuses the value: want %d to %d", flag, s.Key, s.Value, low, high)
}

// spec says what the private place must be like for the run.
//
// The kernel knows one range without gaps. So the place's range is the hull of
// the ports asked for, and what lies between them and what is excluded is
// reserved, besides what the host or the user reserves.
func spec(c *loadgen.Config, host place.Host) (place.Spec, error) {
	s := place.Spec{Host: host, User: maps.Clone(c.Sysctls)}
	if onHost(c) {
		s.Kind = place.OnHost
		return s, nil // nothing there is set
	}
	wanted := c.Ports()
	if c.Scenario != "reach" { // which asks for each port by itself, and not for those that the host keeps
		if err := rangeSettings(&s, c, host); err != nil {
			return s, err
		}
	}
	var listener []place.Setting
	queue := min(2*wanted.Size()*max(1, c.Clients), maxQueue)
	for _, key := range []string{keyBacklog, keySynBacklog} {
		if have, err := strconv.Atoi(host.Settings[key]); err != nil || have < queue {
			listener = append(listener, place.Setting{Key: key, Value: strconv.Itoa(queue), Why: "the listener's queue must hold what waits to be accepted"})
		}
	}
	return s, spread(c, &s, listener)
}

// rangeSettings make the kernel choose from the ports of the run and no others.
func rangeSettings(s *place.Spec, c *loadgen.Config, host place.Host) error {
	reserved, err := reservedPorts(c, host)
	if err != nil {
		return err
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
	return nil
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
