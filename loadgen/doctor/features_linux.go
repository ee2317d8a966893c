package doctor

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// feature judges a probe of which nothing but the named use depends.
func feature(err error, use string, without result.Status) result.Check {
	switch {
	case err == nil:
		return result.Check{Status: result.Fine, Found: "there, by trying it", Allows: use}
	case kernel.Absent(err):
		return result.Check{Status: without, Found: "this kernel does not have it: " + err.Error(), Blocks: use}
	}
	return result.Check{Status: without, Found: "refused here: " + err.Error(), Blocks: use}
}

func checkLocalPortRange(f *Facts) result.Check {
	return feature(f.LocalPortRange, "reuse, --strategy socket-range, and bench", result.Blocked)
}

func checkBindNoPort(f *Facts) result.Check {
	return feature(f.BindNoPort, "programs that choose their source address and leave the port to connect", result.Noted)
}

// checkDiag: without the kernel's module for it a run goes on without looking
// for ports in use; any other refusal ends it.
func checkDiag(f *Facts) result.Check {
	const use = "seeing which ports are in use, and counting a run's sockets from outside"
	c := feature(f.Held.Err, use, result.Blocked)
	if errors.Is(f.Held.Err, unix.ENOENT) {
		c.Status = result.Falsifies
		c.Blocks = use + ": ports in use are taken for free"
		c.Change, c.Undo = []string{"sudo modprobe tcp_diag"}, []string{"sudo modprobe -r tcp_diag"}
	} else if f.Held.Err != nil {
		c.Blocks = everyRun + ": " + use
	}
	return c
}

func checkIOUring(f *Facts) result.Check {
	c := feature(f.IOUring, "--engine uring, with which churn is fastest", result.Noted)
	if f.IOUring == nil {
		return c
	}
	c.Blocks, c.Allows = "", "everything all the same: --engine direct does without rings"
	disabled, err := f.number(keyIOUring)
	switch {
	case err == nil && disabled != 0:
		c.Found = fmt.Sprintf("forbidden by %s=%d: %v", keyIOUring, disabled, f.IOUring)
		f.set(&c, keyIOUring, "0")
		c.Price = "io_uring has had many holes: hardened hosts forbid it on purpose"
	case f.Seccomp && errors.Is(f.IOUring, unix.EPERM):
		c.Found = "forbidden, most likely by the seccomp filter that is in force: " + f.IOUring.Error()
	}
	return c
}

func checkIPv6(f *Facts) result.Check {
	const use = "--target [::1]:PORT"
	if errors.Is(f.IPv6, unix.EADDRINUSE) { // the address is there, and no port is left to bind to
		return feature(nil, use, result.Noted)
	}
	c := feature(f.IPv6, use, result.Noted)
	if errors.Is(f.IPv6, unix.EADDRNOTAVAIL) {
		c.Found = "::1 cannot be used: IPv6 is disabled, or the loopback link is down"
		if value, err := f.text(keyIPv6Off); err == nil && value != "0" {
			f.set(&c, keyIPv6Off, "0")
		}
	}
	return c
}

func checkLinks(f *Facts) result.Check {
	return f.part(f.Place.Value.Links, "--place pair and --place nat", "--place private, the default, with every verb", "veth")
}

func checkTranslation(f *Facts) result.Check {
	return f.part(f.Place.Value.Translation, "--place nat: runs through a gateway", "--place private and --place pair, with every verb", "nft_nat")
}

func checkFirewall(f *Facts) result.Check {
	return f.part(f.Place.Value.Firewall, "reach --block and --block-in", "reach without them: it finds what another firewall drops", "nf_tables")
}

// part judges a part of places that was tried in the private one: what it is for,
// what works without it, and the kernel's module that has it.
func (f *Facts) part(err error, use, without, module string) result.Check {
	if f.Place.Err != nil {
		return result.Check{Status: result.Unread, Found: "there is no private place to try it in"}
	}
	c := feature(err, use, result.Noted)
	if err == nil {
		return c
	}
	c.Allows = "all the same: " + without
	if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) {
		c.Change, c.Undo = []string{"sudo modprobe " + module}, []string{"sudo modprobe -r " + module}
	}
	return c
}

// checkConntrack looks at the table that a full one drops new connections of.
func checkConntrack(f *Facts) result.Check {
	most, err := f.number(keyTrackedMax)
	switch {
	case absent(err) && f.Proc == nil:
		return result.Check{Status: result.Fine, Found: "connections are not tracked here, or it cannot be seen", Allows: "any number of connections past the firewall"}
	case err != nil:
		return unread(err)
	}
	used, err := f.number(keyTracked)
	if err != nil {
		return unread(err)
	}
	wanted := f.wanted()
	c := result.Check{
		Status: result.Fine, Found: fmt.Sprintf("%s of %s in use", count(used), count(most)),
		Allows: fmt.Sprintf("%s more connections past the firewall", count(max(0, most-used))),
	}
	if most > 0 && used*10 >= most*9 || most-used < wanted {
		c.Status = result.Noted
		c.Blocks = fmt.Sprintf("the range's %s connections, where they are tracked: a SYN that finds the table full is dropped "+
			"and looks like a timeout, not like ports running out", count(wanted))
		f.set(&c, keyTrackedMax, fmt.Sprint(max(2*most, most+2*wanted)))
		c.Price = trackedPrice
	}
	f.trackedRate(&c, most)
	if most > 0 && used >= most {
		c.Status = result.Falsifies
	}
	return c
}

// trackedRate says where the table of tracked connections, which keeps what is
// closed for a time of its own (120 s by default), sustains less than the ports.
func (f *Facts) trackedRate(c *result.Check, most int64) {
	kept, err := f.number(keyTrackedWait)
	_, p := predict(f)
	if err != nil || kept <= 0 || most <= 0 || p == nil || p.RatePerS == nil || c.Status != result.Fine {
		return
	}
	if rate := float64(most) / float64(kept); rate < p.RatePerS.Min {
		c.Status = result.Noted
		c.Blocks = fmt.Sprintf("the %.0f connections per second that the ports toward one target sustain, where they are tracked: "+
			"closed ones stay in the table for %d s, so it sustains %.0f", p.RatePerS.Min, kept, rate)
		f.set(c, keyTrackedMax, fmt.Sprint(int64(2*p.RatePerS.Max*float64(kept))))
		c.Price = trackedPrice
	}
}

// trackedPrice is what a larger table of tracked connections costs.
const trackedPrice = "some 300 bytes of kernel memory for each tracked connection"
