package reports

import (
	"slices"

	"lastport/reports/result"
)

// advice says what the table comes to: what the first way, which is the usual
// one, can do; which way gives most, and what it costs.
func (p *page) advice(ways []way) {
	if len(ways) == 0 {
		return
	}
	p.line()
	usual := &ways[0]
	p.para(span{strong, "  as it is   "}, usual.fullName()+": "+usual.can())
	p.most(ways, usual)
	if best := nearlyFull(ways); best != nil && best != usual {
		p.para(span{strong, "  near full  "}, best.fullName()+": with 99 % of the ports taken a connect takes "+
			optional(best.at(nearly), duration)+", by "+usual.fullName()+" "+optional(usual.at(nearly), duration))
		p.price(best, usual)
	}
}

// most is the way that sustains most: all of those for which ports set no limit,
// or the one with the highest rate.
func (p *page) most(ways []way, usual *way) {
	label := span{strong, "  most       "}
	if usual.unlimited() {
		return
	}
	var free []*way
	for i := range ways {
		if ways[i].unlimited() {
			free = append(free, &ways[i])
		}
	}
	if len(free) > 0 {
		p.para(label, "where ports set no limit to the rate, so that this machine does")
		for _, w := range free {
			p.para(span{dim, "     price   "}, w.fullName()+made(w)+": "+price(w.row, usual.row))
		}
		return
	}
	if best := firstBest(ways, mostPredicted); best != nil && best != usual {
		p.para(label, best.fullName()+": "+best.can())
		p.price(best, usual)
	}
}

// made is what the machine made of a way, if that was tried.
func made(w *way) string {
	if held := w.sustains().held; held > 0 {
		return " (" + digits3(held) + " connections per second)"
	}
	return ""
}

func (p *page) price(to, from *way) {
	p.para(span{dim, "     price   "}, price(to.row, from.row))
}

// can says how many connections a way sustains and has.
func (w *way) can() string {
	var rate string
	switch s := w.sustains(); {
	case w.unlimited():
		rate = "ports set no limit to the rate"
		if s.held > 0 {
			rate += "; this machine made " + digits3(s.held) + " connections per second"
		}
	case w.sustained() != nil:
		i := w.sustained()
		rate = between(floorRate(i.Min), floorRate(i.Max)) + " connections per second to one target, for as long as you like"
		if s.text() == "" {
			rate += " (predicted, not measured here)"
		}
	}
	return phrases(rate, optional(w.connections(), func(i result.Interval) string { return counts(i) + " at once" }))
}

// mostPredicted ranks by the rate that ports sustain: what was measured may be
// the machine's.
func mostPredicted(w *way) *float64 {
	return optionally(w.sustained(), func(i result.RateInterval) float64 { return -i.Min })
}

// nearly is the occupancy of a range that is nearly full.
const nearly = 0.99

// nearlyFull is the way that differs from the usual one in its strategy alone
// and connects soonest there, if that is far sooner: nil else.
func nearlyFull(ways []way) *way {
	own := slices.Clone(ways)
	own = slices.DeleteFunc(own, func(w way) bool { return w.row.Name != w.row.Strategy })
	rank := least(func(w *way) *int64 { return w.at(nearly) })
	best, usual := firstBest(own, rank), rank(&ways[0])
	if best == nil || usual == nil || *usual < kneeFactor**rank(best) {
		return nil
	}
	return best
}

// firstBest is the first of the ways with the least rank.
func firstBest(ways []way, rank func(*way) *float64) (best *way) {
	for i := range ways {
		if r := rank(&ways[i]); r != nil && (best == nil || *r < *rank(best)) {
			best = &ways[i]
		}
	}
	return best
}

// price says what it takes to change from one way to another.
func price(to, from *result.SetRow) string {
	var all []string
	add := func(changed bool, words string) {
		if changed && words != "" {
			all = append(all, words)
		}
	}
	add(to.Strategy != from.Strategy, strategyPrice(to.Strategy))
	add(to.Proto != from.Proto, "another protocol: datagrams, which the program itself must order and send again")
	add(to.Sources > 1, "another address on this host, and the program must spread its connections over both")
	add(to.Targets > 1, "another address or port that the server answers on, and the program must spread its connections over both")
	add(to.Close != from.Close, closePrice(to.Close))
	add(to.Range != from.Range, "ports that a listener may want are given out too: reserve those (net.ipv4.ip_local_reserved_ports)")
	add(to.Sysctls["net.ipv4.tcp_tw_reuse"] == "1", "a setting of the whole host, and TCP timestamps at both ends")
	if len(all) == 0 {
		return "none is known"
	}
	return phrases(all...)
}

// strategyPrice is what a strategy asks of a program.
func strategyPrice(strategy string) string {
	switch strategy {
	case "socket-range", "window":
		return "a line in the program (setsockopt IP_LOCAL_PORT_RANGE) and Linux 6.3"
	case "bind":
		return "a port serves one target at a time, and tcp_tw_reuse does nothing for it"
	case "late-bind":
		return "a line in the program (setsockopt IP_BIND_ADDRESS_NO_PORT) and Linux 4.2"
	}
	return "the program keeps a book of its ports, and sets SO_REUSEADDR on each socket that uses them; tcp_timestamps must be on"
}

// closePrice is what it means to close otherwise than the client by FIN.
func closePrice(mode string) string {
	switch mode {
	case "server-fin":
		return "the server must close first, and has the TIME_WAIT: memory there, no port"
	case "client-rst":
		return "RST throws away what was sent and not yet read: the client must know that all was"
	case "server-rst":
		return "RST throws away what was sent and not yet read: the server must know that all was, and the client takes it for an error"
	}
	return ""
}
