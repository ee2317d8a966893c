package doctor

import (
	"fmt"
	"strings"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// kernelBytes is the kernel memory of one held TCP connection with both ends on
// this host: 7.5 to 7.85 KB measured on Linux 6.18, rounded up. A run refuses
// what does not fit.
const kernelBytes = 8 << 10

func checkMemory(f *Facts) result.Check {
	if f.Memory.Err != nil {
		return unread(f.Memory.Err)
	}
	fit, wanted := f.Memory.Value/kernelBytes, f.wanted()
	c := result.Check{
		Status: result.Fine, Found: mebibytes(f.Memory.Value) + " available",
		Allows: fmt.Sprintf("%s connections with both ends, at 8 KiB of kernel memory each", count(fit)),
	}
	if fit < wanted {
		c.Status = result.Blocked
		c.Blocks = fmt.Sprintf("a fill of the host's whole range (%s connections); --connections %d works", count(wanted), max(1, fit*9/10))
	}
	return c
}

func checkProcessors(f *Facts) result.Check {
	switch f.CPUs {
	case 0:
		return unread(fmt.Errorf("the processors that this process may use are not known"))
	case 1:
		return result.Check{
			Status: result.Noted, Found: "1",
			Allows: "one worker; generator, listener and whatever else runs here take each other's time, which latency shows",
		}
	}
	return result.Check{Status: result.Fine, Found: fmt.Sprint(f.CPUs), Allows: fmt.Sprintf("%d workers that accept what they open (--ends together)", f.CPUs)}
}

func checkHZ(f *Facts) result.Check {
	if f.HZ == 0 {
		c := unread(fmt.Errorf("the kernel's timer interrupts per second are not known"))
		c.Allows = "predictions of when TIME_WAIT ends are 5 s wide"
		return c
	}
	return result.Check{Status: result.Fine, Found: fmt.Sprint(f.HZ), Allows: "decides how late after its 60 s a TIME_WAIT may end"}
}

func checkCgroupMemory(f *Facts) result.Check {
	return f.group(func(g kernel.Cgroup) result.Check {
		if g.Memory == nil {
			return unlimited(f)
		}
		room, wanted := g.Memory.Room(), f.wanted()
		c := result.Check{
			Status: result.Fine, Found: fmt.Sprintf("%s of %s left (%s)", mebibytes(room), mebibytes(g.Memory.Max), g.Memory.Key),
			Allows: fmt.Sprintf("%s connections with both ends, as the memory of sockets counts", count(room/kernelBytes)),
		}
		if room/kernelBytes < wanted {
			c.Status = result.Blocked
			c.Blocks = fmt.Sprintf("a fill of the host's whole range (%s connections): it would be killed for its memory, or slowed down", count(wanted))
			c.Change = cgroupSet(g.Memory.Key, fmt.Sprint(g.Memory.Used+2*wanted*kernelBytes))
			c.Undo = cgroupSet(g.Memory.Key, fmt.Sprint(g.Memory.Max))
			c.Price = "less is left for the host's other groups; in a container, raise the container's own limit instead"
		}
		return c
	})
}

// checkCgroupPIDs: every thread counts as a process.
func checkCgroupPIDs(f *Facts) result.Check {
	return f.group(func(g kernel.Cgroup) result.Check {
		if g.PIDs == nil {
			return unlimited(f)
		}
		need := int64(32 + f.CPUs) // parent, child and Go's own threads
		if f.NoFile.Err == nil {
			need += threads(f.NoFile.Value.Soft, f.wanted())
		}
		c := result.Check{
			Status: result.Fine, Found: fmt.Sprintf("%s of %s left (%s)", count(g.PIDs.Room()), count(g.PIDs.Max), g.PIDs.Key),
			Allows: fmt.Sprintf("the %s threads that a fill of the host's whole range takes", count(need)),
		}
		if g.PIDs.Room() < need {
			c.Status, c.Allows = result.Blocked, ""
			c.Blocks = fmt.Sprintf("a fill of the host's whole range, which takes %s threads", count(need))
			c.Change = cgroupSet(g.PIDs.Key, fmt.Sprint(g.PIDs.Used+2*need))
			c.Undo = cgroupSet(g.PIDs.Key, fmt.Sprint(g.PIDs.Max))
			c.Price = "less guards the host from a program that forks without end"
		}
		return c
	})
}

// checkCgroupCPU: a quota stops every thread of the group until the next period
// begins, and that shows as latency.
func checkCgroupCPU(f *Facts) result.Check {
	return f.group(func(g kernel.Cgroup) result.Check {
		if g.CPUs == nil {
			return unlimited(f)
		}
		c := result.Check{Status: result.Fine, Found: fmt.Sprintf("a quota of %.2g processors", *g.CPUs), Allows: "as much as there are processors"}
		if f.CPUs == 0 || *g.CPUs < float64(f.CPUs) {
			c.Status, c.Allows = result.Falsifies, ""
			c.Blocks = "true latencies and rates: when the quota is used up, every thread stops until its next period"
			c.Price = "raise the quota of the container or the unit, or give it whole processors (cpuset) instead"
		}
		return c
	})
}

// group judges the control groups, if they are known.
func (f *Facts) group(judge func(kernel.Cgroup) result.Check) result.Check {
	if f.Cgroup.Err != nil {
		return unread(f.Cgroup.Err)
	}
	return judge(f.Cgroup.Value)
}

// unlimited says that no limit is to be seen, which in a container is not to
// say that there is none.
func unlimited(f *Facts) result.Check {
	c := result.Check{Status: result.Fine, Found: "no limit"}
	if len(f.Signs) > 0 {
		c.Found = "no limit that can be seen from inside a container"
	}
	return c
}

func cgroupSet(key, value string) []string {
	return []string{fmt.Sprintf("echo %s | sudo tee /sys/fs/cgroup/%s", value, key)}
}

func checkContainer(f *Facts) result.Check {
	if len(f.Signs) == 0 {
		return result.Check{Status: result.Fine, Found: "no sign of one, which is no proof"}
	}
	c := result.Check{
		Status: result.Noted, Found: "probably: " + strings.Join(f.Signs, "; "),
		Allows: "what is above is this container's view: settings outside of net.* are the host's, its limits may be hidden, " +
			"and connections may pass a NAT whose ports run out before these",
	}
	if f.Seccomp {
		c.Found += "; a filter of system calls is in force"
	}
	return c
}
