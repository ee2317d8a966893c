package engine

import (
	"math"

	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
	"lastport/loadgen/step"
)

// delayed tells the path what an attempt has lost that had to wait for its
// answer.
func (d *direct) delayed(c *step.Completion, fd int) {
	if d.Path == nil || c.Op != step.Open {
		return
	}
	if lost := d.again(fd); lost > 0 {
		c.Again = uint8(d.Path.Delayed(int(lost))) // at most lost
	}
}

// explain asks the path about an attempt that had no answer. The socket is still
// open.
func (d *direct) explain(c *step.Completion, fd int) {
	if d.Path == nil || c.Op != step.Open || c.Outcome != outcome.TimedOut {
		return
	}
	var local kernel.Sockaddr
	if kernel.LocalAddr(fd, &local) != 0 {
		return
	}
	c.Again, c.Port = d.again(fd), local.Port()
	c.Outcome = d.Path.Failed(kernel.PlainAddrPort(local.AddrPort()), kernel.PlainAddrPort(d.Targets[c.Target].AddrPort()), 1+int(c.Again))
}

// again is how many SYNs followed the first; over UDP none does.
func (d *direct) again(fd int) uint8 {
	if d.UDP {
		return 0
	}
	n, errno := kernel.Retransmits(fd)
	if errno != 0 {
		return 0
	}
	return uint8(min(n, math.MaxUint8))
}
