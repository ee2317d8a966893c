package doctor

import (
	"fmt"

	"lastport/loadgen/ports"
	"lastport/reports/result"
)

func checkRange(f *Facts) result.Check {
	system, err := f.system()
	if err != nil {
		c := unread(err)
		c.Blocks = "runs without --range, which take the host's"
		return c
	}
	size := system.Size()
	c := result.Check{
		Status: result.Fine,
		Found:  fmt.Sprintf("%s, %s", system, plural(int64(size), "port")),
		Allows: fmt.Sprintf("at most %s at once from one address to one target", plural(int64(size), "connection")),
	}
	usual, _ := ports.Lookup("linux")
	switch {
	case size > 1 && size%2 != 0: // __inet_hash_connect rounds the size down to even
		c.Status = result.Noted
		c.Allows += "; of an odd size the kernel's search leaves one port out, so it may be one less"
		f.set(&c, keyRange, evenRange(system))
	case size < usual.Ranges.Size():
		c.Status = result.Noted
		c.Allows += fmt.Sprintf(", less than the %s that Linux has by default", count(int64(usual.Ranges.Size())))
		f.set(&c, keyRange, "32768 60999")
		c.Price = "listeners in the wider range cost it their ports, and a service that starts late may find its port taken"
	default:
		f.set(&c, keyRange, "1024 65535")
		c.Price = "a service that starts late may find its port taken: reserve the ports of services in " + keyReserved
		if size >= 64512 {
			c.Change, c.Undo, c.Keep, c.Forget, c.Price = nil, nil, nil, nil, ""
		}
	}
	return c
}

// evenRange is the range and one port more, or less where there is none.
func evenRange(r ports.Range) string {
	if r.High < ports.Max {
		return fmt.Sprintf("%d %d", r.Low, int(r.High)+1)
	}
	return fmt.Sprintf("%d %d", int(r.Low)+1, r.High)
}

func checkReserved(f *Facts) result.Check {
	reserved, err := f.reserved()
	if err != nil {
		return unread(err)
	}
	system, err := f.system()
	if err != nil {
		return unread(fmt.Errorf("whether any are inside the range: %w", err))
	}
	inside := reserved.Intersect(ports.Of(system))
	if inside.Size() == 0 {
		return result.Check{Status: result.Fine, Found: "none inside the range"}
	}
	c := result.Check{
		Status: result.Noted,
		Found:  fmt.Sprintf("%s of the range: %s", plural(int64(inside.Size()), "port"), clip(inside)),
		Allows: fmt.Sprintf("%s fewer from one address to one target", plural(int64(inside.Size()), "connection")),
		Price:  "outgoing connections may take the ports before the services they are kept for",
	}
	f.set(&c, keyReserved, reserved.Minus(inside).String())
	if inside.Size() == system.Size() {
		c.Status, c.Allows = result.Blocked, ""
		c.Blocks = "every connect of this host that does not choose its own port, and every run: no port of the range is left"
	}
	return c
}

// checkUnprivileged looks at the bound that the kernel keeps
// ip_local_port_range above (ipv4_local_port_range, net/ipv4/sysctl_net_ipv4.c).
func checkUnprivileged(f *Facts) result.Check {
	start, err := f.number(keyUnprivileged)
	if err != nil {
		return unread(err)
	}
	c := result.Check{
		Status: result.Fine,
		Found:  fmt.Sprint(start),
		Allows: fmt.Sprintf("a range may begin at %d or above; a run's own place lowers it for a --range below", start),
	}
	if system, err := f.system(); err == nil && int64(system.Low) < start {
		c.Status = result.Noted
		c.Blocks = fmt.Sprintf("setting the range %s once more: the kernel refuses one that begins below", system)
		f.set(&c, keyUnprivileged, fmt.Sprint(system.Low))
		c.Price = fmt.Sprintf("every user may bind ports from %d on", system.Low)
	}
	return c
}

// checkHeld looks at the ports that an explicit bind keeps from being chosen.
func checkHeld(f *Facts) result.Check {
	if f.Held.Err != nil {
		return unread(f.Held.Err)
	}
	system, err := f.system()
	if err != nil {
		return unread(fmt.Errorf("whether any are inside the range: %w", err))
	}
	inside := f.Held.Value.Intersect(ports.Of(system))
	if inside.Size() == 0 {
		return result.Check{Status: result.Fine, Found: "no listener inside the range"}
	}
	return result.Check{
		Status: result.Noted,
		Found:  fmt.Sprintf("%s of the range: %s", plural(int64(inside.Size()), "port"), clip(inside)),
		Allows: fmt.Sprintf("%s fewer from this host to every target, of either IP version; a private place has none of these sockets; "+
			"to see whose they are: sudo ss -tlnp", plural(int64(inside.Size()), "connection")),
	}
}
