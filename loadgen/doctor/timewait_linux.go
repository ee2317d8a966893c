package doctor

import (
	"fmt"

	"lastport/reports/result"
)

// reusePrice is what tcp_tw_reuse=1 costs.
const reusePrice = "a new connection may meet what is left of the old one; timestamps tell them apart (RFC 6191)"

func checkTWReuse(f *Facts) result.Check {
	value, err := f.number(keyTWReuse)
	if err != nil {
		return unread(err)
	}
	c := result.Check{Status: result.Fine, Found: fmt.Sprint(value)}
	switch value {
	case 1:
		c.Found += ": on"
		c.Allows = "a port in TIME_WAIT is given out again to the same target after " + keyTWReuseDelay + ", if both ends have timestamps"
		f.set(&c, keyTWReuse, "2")
	case 2:
		c.Found += ": on between loopback addresses alone"
		c.Allows = "a port that the client closed by FIN is out of use toward that target for 60 s; " +
			"on 127.0.0.1 for " + keyTWReuseDelay + " alone, so a test there is kinder than production"
		f.set(&c, keyTWReuse, "1")
		c.Price = reusePrice
	default:
		c.Found += ": off"
		c.Allows = "a port that the client closed by FIN is out of use toward that target for 60 s"
		f.set(&c, keyTWReuse, "1")
		c.Price = reusePrice
	}
	return c
}

func checkTWReuseDelay(f *Facts) result.Check {
	ms, err := f.number(keyTWReuseDelay)
	switch {
	case absent(err) && f.Proc == nil:
		return result.Check{
			Status: result.Noted, Found: "this kernel has no such setting",
			Allows: "where tcp_tw_reuse applies, a port comes back when the kernel's clock begins its next second",
		}
	case err != nil:
		return unread(err)
	}
	c := result.Check{
		Status: result.Fine, Found: fmt.Sprintf("%s ms", count(ms)),
		Allows: fmt.Sprintf("where tcp_tw_reuse applies, a port comes back %s ms after its close", count(ms)),
	}
	if ms != 1000 {
		c.Status = result.Noted
		f.set(&c, keyTWReuseDelay, "1000")
	}
	return c
}

func checkTimestamps(f *Facts) result.Check {
	value, err := f.number(keyTimestamps)
	if err != nil {
		return unread(err)
	}
	if value != 0 {
		return result.Check{Status: result.Fine, Found: fmt.Sprintf("%d: on", value), Allows: "tcp_tw_reuse, where the other end has timestamps too"}
	}
	c := result.Check{Status: result.Noted, Found: "0: off", Blocks: "tcp_tw_reuse, whatever it is set to"}
	f.set(&c, keyTimestamps, "1")
	c.Price = "twelve bytes in every segment"
	if reuse, err := f.number(keyTWReuse); err == nil && reuse == 1 {
		c.Status = result.Falsifies
		c.Blocks = "tcp_tw_reuse, which is set to 1 and does nothing: ports are out of use for 60 s"
	}
	return c
}

// checkTWBuckets looks at the number of TIME_WAIT sockets, above which the
// kernel leaves TIME_WAIT out (inet_twsk_alloc, net/ipv4/inet_timewait_sock.c).
func checkTWBuckets(f *Facts) result.Check {
	most, err := f.number(keyTWBuckets)
	if err != nil {
		return unread(err)
	}
	wanted := f.wanted()
	c := result.Check{
		Status: result.Fine, Found: count(most),
		Allows: fmt.Sprintf("TIME_WAIT for every port of the range, toward %s at a time", plural(most/max(wanted, 1), "target")),
	}
	if most < wanted {
		c.Status = result.Falsifies
		c.Allows = ""
		c.Blocks = fmt.Sprintf("a true picture of exhaustion: beyond %s sockets the kernel leaves TIME_WAIT out, and ports seem "+
			"to last (TCPTimeWaitOverflow counts it)", count(most))
		f.set(&c, keyTWBuckets, fmt.Sprint(max(131072, 2*wanted)))
		c.Price = "some 250 bytes of kernel memory for each socket in TIME_WAIT"
	}
	return c
}

func checkFINTimeout(f *Facts) result.Check {
	s, err := f.number(keyFINTimeout)
	if err != nil {
		return unread(err)
	}
	c := result.Check{
		Status: result.Fine, Found: fmt.Sprintf("%d s", s),
		Allows: fmt.Sprintf("a peer that never closes keeps a port for %d s (FIN_WAIT_2)", s),
	}
	if s != 60 {
		c.Status = result.Noted
		c.Allows += "; it does not shorten TIME_WAIT, which is 60 s whatever this is set to"
		f.set(&c, keyFINTimeout, "60")
	}
	return c
}

// checkSocketsNow looks at what earlier connections have left behind.
func checkSocketsNow(f *Facts) result.Check {
	if f.SockStat.Err != nil {
		return unread(f.SockStat.Err)
	}
	s := f.SockStat.Value
	c := result.Check{
		Status: result.Fine,
		Found:  fmt.Sprintf("%s in TIME_WAIT, %s without an owner, %s in use", count(s.TimeWait), count(s.Orphan), count(s.InUse)),
	}
	if wanted := f.wanted(); s.TimeWait*10 >= wanted {
		c.Status = result.Noted
		c.Allows = fmt.Sprintf("toward their targets, up to %d %% of the range are out of use at this moment; "+
			"a private place has none of them; to see which: ss -tan state time-wait", min(100, s.TimeWait*100/wanted))
	}
	if most, err := f.number(keyTWBuckets); err == nil && s.TimeWait > 0 && s.TimeWait >= most {
		c.Status = result.Falsifies
		c.Blocks = "a true picture of this host's exhaustion: tcp_max_tw_buckets is reached, and TIME_WAIT left out"
		f.set(&c, keyTWBuckets, fmt.Sprint(2*most))
	}
	return c
}
