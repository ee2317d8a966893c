package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
)

// ThisHost is the network namespace of the calling thread.
func ThisHost() Host {
	return Host{
		Settings: readSettings, Sockets: listSockets, Owners: findOwners, Opens: readOpens,
		Now: time.Now, CPU: kernel.ProcessTime,
	}
}

// readSettings reads the settings as they are at this moment.
func readSettings() (s Settings, err error) {
	text, err := kernel.ReadSysctl("net.ipv4.ip_local_port_range")
	if err != nil {
		return s, err
	}
	if _, err := fmt.Sscan(text, &s.Range.Low, &s.Range.High); err != nil || s.Range.Size() == 0 {
		return s, fmt.Errorf("sysctl net.ipv4.ip_local_port_range: %q is not a range", text)
	}
	if text, err = kernel.ReadSysctl("net.ipv4.ip_local_reserved_ports"); err != nil {
		return s, err
	}
	if s.Reserved, err = ports.ParseSysctl(text); err != nil {
		return s, fmt.Errorf("sysctl net.ipv4.ip_local_reserved_ports: %w", err)
	}
	if stamps, err := readNumber("net.ipv4.tcp_timestamps"); err != nil || stamps == 0 {
		return s, nil // ports in TIME_WAIT count as taken where it is not known
	}
	s.TWReuse, _ = readNumber("net.ipv4.tcp_tw_reuse")
	return s, nil
}

func readNumber(sysctl string) (int, error) {
	text, err := kernel.ReadSysctl(sysctl)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// listSockets lists those of both families.
func listSockets(states diag.States, among diag.Ports, f func(*diag.Socket)) (interrupted bool, err error) {
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := diag.Query{Family: family, States: states, Ports: among}.Each(f)
		switch {
		case family == unix.AF_INET6 && errors.Is(err, unix.ENOENT): // a kernel without IPv6
		case errors.Is(err, diag.ErrInterrupted):
			interrupted = true
		case err != nil:
			return false, fmt.Errorf("ports in use: %w", err)
		}
	}
	return interrupted, nil
}

func findOwners() map[uint32]kernel.Process {
	proc, ok := os.DirFS("/proc").(fs.ReadLinkFS)
	if !ok {
		return nil
	}
	return kernel.SocketOwners(proc)
}

func readOpens() int64 {
	counters, err := kernel.ReadCounters()
	if n, ok := counters["ActiveOpens"]; ok && err == nil {
		return n
	}
	return -1
}
