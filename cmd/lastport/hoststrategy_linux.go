package main

import (
	"math"
	"os"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
)

// hostStrategy refuses a range that the strategy cannot keep to on the real host,
// where the kernel's range and its reserved ports are as they are.
func hostStrategy(c *loadgen.Config, t strategy.Traits, system, reserved ports.Ranges) error {
	asked := c.Ports()
	unreserved := asked.Hull()
	gaps := ports.Of(unreserved).Minus(asked).Minus(reserved)
	outside := asked.Minus(system)
	const anyRange = "--strategy sequential, which chooses ports itself"
	switch {
	case t.Explicit:
		return hostPrivilege(asked)
	case outside.Size() > 0:
		return usagef(anyRange+", or --range host", "--range %s: the kernel picks ports from %s on this host, and --strategy %s leaves it to the kernel", c.Range, system, c.Strategy)
	case t.Windowed && gaps.Size() > 0:
		return usagef(anyRange, "--strategy %s with gaps in the range (%s): the kernel would pick those ports too, which a private place reserves and lastport on the host does not", c.Strategy, gaps)
	case t.Windowed:
		return nil
	case system.Minus(asked).Minus(reserved).Size() > 0:
		return usagef("--strategy socket-range, or --range host", "--range %s: on the host --strategy %s gets ports from all of %s", c.Range, c.Strategy, system)
	}
	return nil
}

// hostPrivilege refuses ports that only root may bind.
func hostPrivilege(asked ports.Ranges) error {
	const privileged = 1024
	if low := asked.Hull().Low; low < privileged && os.Geteuid() != 0 {
		return usagef("--range 1024-65535", "--range %s: on the host ports below %d are root's", asked, privileged)
	}
	return nil
}

// usesAtOnce bounds how many ports a churn or a reuse has open or in TIME_WAIT at
// once. What has no bound is math.MaxInt64.
func usesAtOnce(c *loadgen.Config) int64 {
	if c.Scenario == "reuse" {
		return 2 * c.Connections // the ports and their probes
	}
	const timeWait = 64 * time.Second // 60 s and the grain of the kernel's timer
	waits := !c.UDP && !c.Close.RST() && !c.Close.ServerFirst()
	uses := int64(math.MaxInt64)
	switch {
	case c.Rate > 0:
		lasts := c.Hold + c.Timeout
		if waits {
			lasts += timeWait
		}
		uses = int64(math.Ceil(c.Rate * min(lasts, c.Duration).Seconds()))
	case !waits:
		const most = 64 // of the engines by themselves, for each worker
		uses = int64(max(c.Concurrency, most*c.Workers))
	}
	if c.Attempts > 0 {
		uses = min(uses, c.Attempts)
	}
	return uses
}
