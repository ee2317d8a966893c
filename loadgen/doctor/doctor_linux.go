// Package doctor says what a host allows, what would block a run there, and
// which command changes it.
//
// It has two halves. Collect reads facts and tries things out: it changes
// nothing, and what it cannot read it says so of. Examine is pure: it judges
// facts by a list of checks, each of them a function of the facts alone, and
// knows no kernel. What a run does about a missing feature is the run's own
// business, and how a checkup looks is package reports'.
package doctor

import (
	"fmt"
	"strings"

	"lastport/reports/result"
)

// check is one thing to look at. Examine fills in group, name and since.
type check struct {
	group, name string
	since       string // a feature: the first kernel that has it
	examine     func(*Facts) result.Check
}

// checks lists them all, in the order in which a reader wants them.
func checks() []check {
	return []check{
		{"places", "proc", "", checkProc},
		{"places", "private place", "", checkPlace},
		{"descriptors", "nofile", "", checkNoFile},
		{"descriptors", keyNROpen, "", checkNROpen},
		{"descriptors", keyFileMax, "", checkFileMax},
		{"ports", keyRange, "", checkRange},
		{"ports", keyReserved, "", checkReserved},
		{"ports", keyUnprivileged, "", checkUnprivileged},
		{"ports", "ports held", "", checkHeld},
		{"ports", fullestTarget, "", checkFullest},
		{"ports", "next limit", "", checkNextLimit},
		{"ports", "settings at boot", "", checkBoot},
		{"TIME_WAIT", keyTWReuse, "", checkTWReuse},
		{"TIME_WAIT", keyTWReuseDelay, "Linux 6.14", checkTWReuseDelay},
		{"TIME_WAIT", keyTimestamps, "", checkTimestamps},
		{"TIME_WAIT", keyTWBuckets, "", checkTWBuckets},
		{"TIME_WAIT", keyFINTimeout, "", checkFINTimeout},
		{"TIME_WAIT", keyTWRecycle, "", checkTWRecycle},
		{"TIME_WAIT", "sockets now", "", checkSocketsNow},
		{"queues", keySomaxconn, "", checkSomaxconn},
		{"queues", keySYNBacklog, "", checkSYNBacklog},
		{"features", "IP_LOCAL_PORT_RANGE", "Linux 6.3", checkLocalPortRange},
		{"features", "IP_BIND_ADDRESS_NO_PORT", "Linux 4.2", checkBindNoPort},
		{"features", "sock_diag", "Linux 3.3", checkDiag},
		{"features", "io_uring", "Linux 5.1", checkIOUring},
		{"features", "IPv6", "", checkIPv6},
		{"features", "conntrack", "", checkConntrack},
		{"features", "veth", "", checkLinks},
		{"features", "nftables NAT", "", checkTranslation},
		{"features", "nftables filter", "", checkFirewall},
		{"machine", "memory", "", checkMemory},
		{"machine", "processors", "", checkProcessors},
		{"machine", "HZ", "", checkHZ},
		{"machine", "cgroup memory", "", checkCgroupMemory},
		{"machine", "cgroup pids", "", checkCgroupPIDs},
		{"machine", "cgroup cpu", "", checkCgroupCPU},
		{"machine", "container", "", checkContainer},
	}
}

// Examine judges the facts. The tool and the time are left to the caller.
func Examine(f *Facts) *result.Checkup {
	c := &result.Checkup{
		Schema: result.CheckupSchema,
		Host:   result.CheckupHost{Kernel: f.Kernel, HZ: f.HZ, CPUs: f.CPUs, UID: f.UID, MemoryBytes: f.Memory.Value},
	}
	c.Space, c.Predicted = predict(f)
	c.Use, c.Limits = f.use(), f.limits()
	for _, look := range checks() {
		found := look.examine(f)
		found.Group, found.Name, found.Since = look.group, look.name, look.since
		c.Checks = append(c.Checks, found)
	}
	c.Verdict = verdict(c)
	return c
}

// verdict says in a line what the checks come to.
func verdict(c *result.Checkup) result.Verdict {
	names := make(map[result.Status][]string)
	full := false
	for _, check := range c.Checks {
		if check.Name == fullestTarget && check.Status == result.Falsifies {
			full = true
			continue
		}
		names[check.Status] = append(names[check.Status], check.Name)
	}
	var parts []string
	if list := names[result.Blocked]; len(list) > 0 {
		parts = append(parts, "in the way of lastport here: "+strings.Join(list, ", "))
	}
	if list := names[result.Falsifies]; len(list) > 0 {
		parts = append(parts, "silently falsifying numbers: "+strings.Join(list, ", "))
	}
	if full {
		parts = append(parts, "ports nearly gone: "+fullestTarget)
	}
	if len(parts) == 0 {
		parts = append(parts, "nothing is in the way of lastport here")
		if list := names[result.Noted]; len(list) > 0 {
			parts = append(parts, fmt.Sprintf("%s on this host: %s", plural(int64(len(list)), "note"), strings.Join(list, ", ")))
		}
	}
	if list := names[result.Unread]; len(list) > 0 {
		parts = append(parts, fmt.Sprintf("%d could not be learned", len(list)))
	}
	return result.Verdict{OK: c.Wrong() == 0, Text: strings.Join(parts, "; ")}
}
