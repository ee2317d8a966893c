package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// Counters are the network namespace's TCP and IP counters by their kernel
// names, as in /proc/net/snmp, /proc/net/netstat and, for UDP over IPv6,
// /proc/net/snmp6.
type Counters map[string]int64

// ReadCounters reads the counters of the calling thread's network namespace: the
// groups Tcp and TcpExt, which count both families, Udp, which counts IPv4
// alone, and Udp6. Names are unique across the first two; those of the others
// have the group before them, as in nstat(8).
func ReadCounters() (Counters, error) {
	c := make(Counters, 256)
	for _, path := range []string{"/proc/thread-self/net/snmp", "/proc/thread-self/net/netstat"} {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("kernel counters: %w", err)
		}
		if err := c.parse(data); err != nil {
			return nil, fmt.Errorf("kernel counters: %s: %w", path, err)
		}
	}
	data, err := os.ReadFile("/proc/thread-self/net/snmp6")
	if errors.Is(err, os.ErrNotExist) {
		return c, nil // a kernel without IPv6
	}
	if err == nil {
		err = c.parse6(data)
	}
	if err != nil {
		return nil, fmt.Errorf("kernel counters: %w", err)
	}
	return c, nil
}

// parse6 reads lines "Name 1" and keeps those of Udp6.
func (c Counters) parse6(data []byte) error {
	for line := range bytes.Lines(data) {
		f := bytes.Fields(line)
		if len(f) != 2 || !bytes.HasPrefix(f[0], []byte("Udp6")) {
			continue
		}
		v, err := strconv.ParseInt(string(f[1]), 10, 64)
		if err != nil {
			return fmt.Errorf("snmp6: %s: %w", f[0], err)
		}
		c[string(f[0])] = v
	}
	return nil
}

// parse reads pairs of lines: "Group: Name Name …" and "Group: 1 2 …".
func (c Counters) parse(data []byte) error {
	lines := bytes.Split(data, []byte("\n"))
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := bytes.Fields(lines[i]), bytes.Fields(lines[i+1])
		if len(names) == 0 {
			continue
		}
		if len(names) != len(values) || !bytes.Equal(names[0], values[0]) {
			return fmt.Errorf("line %d: names and values do not pair", i+1)
		}
		prefix := ""
		switch string(names[0]) {
		case "Tcp:", "TcpExt:":
		case "Udp:":
			prefix = "Udp"
		default:
			continue
		}
		for j := 1; j < len(names); j++ {
			v, err := strconv.ParseInt(string(values[j]), 10, 64)
			if err != nil {
				return fmt.Errorf("line %d: %w", i+2, err)
			}
			c[prefix+string(names[j])] = v
		}
	}
	return nil
}

// Since returns what has changed since an earlier reading; unchanged counters
// and those that are levels, not counts, are left out.
func (c Counters) Since(earlier Counters) Counters {
	changed := make(Counters)
	for name, v := range c {
		if level(name) {
			continue
		}
		if d := v - earlier[name]; d != 0 {
			changed[name] = d
		}
	}
	return changed
}

// level says whether an entry of /proc/net/snmp is a setting or a state.
func level(name string) bool {
	switch name {
	case "RtoAlgorithm", "RtoMin", "RtoMax", "MaxConn", "CurrEstab":
		return true
	}
	return false
}

// SockStat is the part of /proc/net/sockstat that tells of TCP. Reading it
// costs a few microseconds whatever the number of sockets.
type SockStat struct {
	InUse    int64 // sockets that are not in TIME_WAIT and not closed
	Orphan   int64 // sockets without a descriptor
	TimeWait int64
	Alloc    int64 // sockets allocated, on the whole machine
	MemPages int64 // pages of buffers, on the whole machine
}

// ReadSockStat reads the calling thread's network namespace.
func ReadSockStat() (SockStat, error) {
	data, err := os.ReadFile("/proc/thread-self/net/sockstat")
	if err != nil {
		return SockStat{}, fmt.Errorf("socket statistics: %w", err)
	}
	var s SockStat
	for line := range bytes.Lines(data) {
		f := bytes.Fields(line)
		if len(f) == 0 || string(f[0]) != "TCP:" {
			continue
		}
		for i := 1; i+1 < len(f); i += 2 {
			v, err := strconv.ParseInt(string(f[i+1]), 10, 64)
			if err != nil {
				return SockStat{}, fmt.Errorf("socket statistics: %s: %w", f[i], err)
			}
			switch string(f[i]) {
			case "inuse":
				s.InUse = v
			case "orphan":
				s.Orphan = v
			case "tw":
				s.TimeWait = v
			case "alloc":
				s.Alloc = v
			case "mem":
				s.MemPages = v
			}
		}
		return s, nil
	}
	return SockStat{}, fmt.Errorf("socket statistics: no line TCP")
}
