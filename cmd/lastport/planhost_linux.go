package main

import (
	"runtime"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
)

// readPlanHost reads the settings of this host, its HZ, and the ports of its
// listeners, which no search gives out. What else is open comes and goes, and is
// no part of a plan.
func readPlanHost() planHost {
	host := planHost{values: make(map[string]string), hz: kernel.HZ(), processors: runtime.NumCPU()}
	for _, k := range planKeys() {
		if value, err := kernel.ReadSysctl(settingsPrefix + k.name); err == nil {
			host.values[k.name] = value
		} else if k.name != keyTWDelay { // before Linux 6.14 there is none, which says something
			host.values[k.name] = k.standard
		}
	}
	if _, err := kernel.ReadSysctl(settingsPrefix + keyPortRange); err != nil {
		host.values = nil // no /proc/sys/net here
	}
	var held []ports.Range
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		// Without sock_diag the plan is of a host without listeners in its range.
		_ = diag.TCP(family, 1<<diag.Listen, func(s *diag.Socket) {
			held = append(held, ports.Range{Low: s.Local.Port(), High: s.Local.Port()})
		})
	}
	host.held = ports.Of(held...)
	return host
}
