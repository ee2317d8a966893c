package doctor

import (
	"fmt"
	"slices"
	"strings"

	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// keyTWRecycle is a setting that Linux 4.12 removed (4396e46187ca, "tcp: remove
// tcp_tw_recycle"), and that files and advice have kept.
const keyTWRecycle = "net.ipv4.tcp_tw_recycle"

func checkTWRecycle(f *Facts) result.Check {
	value, err := f.number(keyTWRecycle)
	line, set := f.Boot.last(keyTWRecycle)
	switch {
	case err == nil && value != 0:
		c := result.Check{
			Status: result.Falsifies, Found: fmt.Sprintf("%d: on", value),
			Blocks: "connections that come in from behind one NAT address: SYNs whose timestamp is older than the last one's are dropped",
		}
		f.set(&c, keyTWRecycle, "0")
		c.Price = "none: tcp_tw_reuse does for connections that go out what this was meant for"
		return c
	case err == nil:
		return result.Check{Status: result.Fine, Found: "0: off"}
	case !absent(err) || f.Proc != nil:
		return unread(err)
	case !set:
		return result.Check{Status: result.Fine, Found: "this kernel has none, and no file asks for it"}
	}
	return result.Check{
		Status: result.Noted,
		Found:  fmt.Sprintf("%s sets it to %s, and this kernel has no such setting (removed in Linux 4.12)", line, line.Value),
		Allows: "nothing: no port comes back sooner for it; what it is believed to do is tcp_tw_reuse's",
		Change: []string{fmt.Sprintf("sudo sed -i '%ds/^/# /' %s", line.Line, line.File)},
		Undo:   []string{fmt.Sprintf("sudo sed -i '%ds/^# //' %s", line.Line, line.File)},
	}
}

// portKeys are the settings of which it matters here that the next start may
// change them.
func portKeys() []string {
	return []string{keyRange, keyReserved, keyUnprivileged, keyTWReuse, keyTWReuseDelay, keyTimestamps, keyTWBuckets, keyFINTimeout, keySomaxconn, keySYNBacklog, keyTrackedMax}
}

// checkBoot compares what files set at the next start with what is in force.
func checkBoot(f *Facts) result.Check {
	c := result.Check{Status: result.Fine}
	var differ []string
	asked := 0
	for _, key := range portKeys() {
		line, set := f.Boot.last(key)
		now, err := f.text(key)
		if !set || err != nil {
			continue
		}
		if asked++; same(key, now, line.Value) {
			continue
		}
		differ = append(differ, fmt.Sprintf("%s is %q, and %s sets %q", key, now, line, line.Value))
		if key == keyRange || key == keyFINTimeout { // checks of their own say what is best for ports
			continue
		}
		c.Change = append(c.Change, sysctl(key, line.Value)...)
		c.Undo = append(c.Undo, sysctl(key, now)...)
	}
	switch {
	case len(differ) > 0:
		c.Status = result.Noted
		c.Found = strings.Join(differ, "; ")
		c.Allows = "what is said here holds until the host starts again"
		if len(c.Change) > 0 {
			c.Allows += "; the commands make it now what it will be then"
		}
	case len(f.BootUnreadable) > 0:
		c.Status, c.Found = result.Unread, strings.Join(f.BootUnreadable, ", ")+" cannot be read"
	case asked > 0:
		c.Found = fmt.Sprintf("%s in files, as in force", plural(int64(asked), "setting"))
	default:
		c.Found = "no file sets any of these"
	}
	return c
}

// same compares two values of a setting as the kernel takes them.
func same(key, a, b string) bool {
	if key == keyReserved {
		x, errX := ports.ParseSysctl(a)
		y, errY := ports.ParseSysctl(b)
		return errX == nil && errY == nil && slices.Equal(x, y)
	}
	return a == b
}
