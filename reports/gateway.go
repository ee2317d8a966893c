package reports

import "lastport/reports/result"

// gateway tells what the gateway between the ends did: which ports it gave, and
// what it dropped for want of one.
func (p *page) gateway(r *result.Result) {
	n := r.NAT
	if n == nil {
		return
	}
	p.heading("Gateway")
	p.fact("range", phrases(n.Range, plural(int64(n.Ports), "port"), chosenBy(n)))
	p.fact("clients", more(int64(n.Clients), 1, func(n int64) string { return count(n) + " hosts behind it" }))
	list(p, n.Addresses, func(a result.NATAddress) {
		p.fact("outside", phrases(a.Address,
			optional(a.Connections, func(n int64) string { return plural(n, "connection") }),
			optional(a.Ports, func(n int64) string { return plural(n, "distinct port") })))
	})
	p.fact("SYNs lost", phrases(
		optional(n.SYNsLost, func(lost int64) string { return count(lost) + " for want of a port" }),
		optional(n.LostBeforeFull, func(lost int64) string { return count(lost) + " of them while it still had one" }),
		optional(n.SYNsUncounted, func(lost int64) string {
			return nonZero(lost, func(n int64) string { return count(n) + " more elsewhere" })
		}),
		nonZero(r.RefusedByTimeWait(), func(n int64) string { return count(n) + " refused by the listener, which had the port in TIME_WAIT" })))
	p.fact("collisions", optional(n.LostWhileFree, func(n int64) string {
		return plural(n, "attempt") + " lost a SYN with less than half of the ports in use"
	}))
	p.fact("closed", "tracked for "+setting(n.TimeoutNS)+" at most")
	p.fact("entries", phrases(optional(n.Tracked, count),
		optional(n.MaxTracked, func(most int64) string { return count(most) + " at most, on the whole machine" }),
		nonZero(n.Conntrack["early_drop"], func(n int64) string { return count(n) + " removed early to make room" })))
}

// chosenBy says how the gateway chooses a port.
func chosenBy(n *result.NAT) string {
	if n.Random {
		return "chosen at random"
	}
	return "the client's own where it can"
}

// more is a phrase for a number above another.
func more(n, than int64, text func(int64) string) string {
	if n <= than {
		return ""
	}
	return text(n)
}
