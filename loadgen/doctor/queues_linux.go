package doctor

import (
	"fmt"

	"lastport/reports/result"
)

// usualQueue is Linux's own default of somaxconn since 5.4. In a private place
// lastport raises both queues itself; serve has to live with the host's.
const usualQueue = 4096

func checkSomaxconn(f *Facts) result.Check {
	c := f.queue(keySomaxconn, usualQueue, "connections may wait to be accepted by one listener; beyond, SYNs are dropped and sent again after 1 s")
	if n := f.Dropped.Value; n > 0 && f.Dropped.Err == nil && c.Status == result.Fine {
		c.Status = result.Noted
		c.Found += fmt.Sprintf("; %s found a listener's queue full since the counters began", plural(n, "connection"))
		c.Allows += "; a client that waits for one has a port taken meanwhile, and so does each of its retries"
	}
	return c
}

// checkSYNBacklog: the kernel scales its default with the size of its tables,
// 128 at least (tcp_sk_init, net/ipv4/tcp_ipv4.c).
func checkSYNBacklog(f *Facts) result.Check {
	return f.queue(keySYNBacklog, 128, "handshakes may be half done at one listener; beyond, cookies or drops")
}

func (f *Facts) queue(key string, usual int64, what string) result.Check {
	n, err := f.number(key)
	if err != nil {
		return unread(err)
	}
	c := result.Check{Status: result.Fine, Found: count(n), Allows: count(n) + " " + what + "; runs raise it in their own place"}
	if n < usual {
		c.Status = result.Noted
		c.Blocks = "bursts toward 'lastport serve', and toward any listener of this host"
		f.set(&c, key, fmt.Sprint(usual))
		c.Price = "a listener that is too slow makes its clients wait longer before they notice"
	}
	return c
}
