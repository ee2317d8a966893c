package reports

import (
	"maps"
	"slices"

	"lastport/reports/result"
)

// advice says what the table comes to: what the first way, which is the usual
// one, can do; which ways give more, and what they cost.
func (p *page) advice(ways []way) {
	if len(ways) == 0 {
		return
	}
	usual := &ways[0]
	p.line()
	p.para(span{strong, "  as it is   "}, usual.name()+": "+usual.asItIs())
	if best := nearlyFull(ways); best != nil && best != usual {
		p.para(span{strong, "  near full  "}, best.name()+": with 99 % of the ports taken a connect takes "+
			optional(best.at(nearly), duration)+", by "+usual.name()+" "+optional(usual.at(nearly), duration))
		p.para(span{dim, "     price   "}, best.price(usual))
	}
	p.behindGateway(ways)
	p.rank(ways)
}

// asItIs says how many connections a way sustains and has.
func (w *way) asItIs() string {
	var rate string
	switch i, s := w.sustained(), w.sustains(); {
	case w.unlimited():
		rate = "ports set no limit to the rate"
		if s.held > 0 {
			rate += "; this machine made " + digits3(s.held) + " connections per second"
		}
	case i != nil:
		rate = between(floorRate(i.Min), floorRate(i.Max)) + " connections per second to one target, for as long as you like"
		if s.text() == "" {
			rate += " (predicted, not measured here)"
		}
	}
	return phrases(rate, optional(w.connections(), func(i result.Interval) string { return counts(i) + " at once" }))
}

// nearly is the occupancy of a range that is nearly full.
const nearly = 0.99

// nearlyFull is the way that differs from the usual one in its strategy alone
// and connects soonest there, if that is far sooner: nil else.
func nearlyFull(ways []way) *way {
	own := slices.DeleteFunc(slices.Clone(ways), func(w way) bool {
		return w.fill == nil || ways[0].fill == nil || sameButStrategy(w.fill.Config) != sameButStrategy(ways[0].fill.Config)
	})
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

// price says what it takes to change from the usual way to this one, in the
// matrix's own words if it has some.
func (w *way) price(usual *way) string {
	to, from := w.row, usual.row
	if to.Price != "" {
		return to.Price
	}
	var all []string
	add := func(changed bool, words string) {
		if changed && words != "" {
			all = append(all, words)
		}
	}
	add(to.Strategy != from.Strategy, strategyPrice(to.Strategy))
	add(to.Proto != from.Proto, "another protocol: datagrams, which the program itself must order and send again")
	add(to.Sources > max(1, from.Sources), "more addresses on this host, and the program must spread its connections over them")
	add(to.Targets > max(1, from.Targets), "more addresses or ports that the server answers on, and the program must spread its connections over them")
	add(to.Close != from.Close, closePrice(to.Close))
	add(to.Requests > from.Requests, "the client keeps connections open and uses them again, and the server must let it; one that fails fails for all that wait for it")
	all = append(all, placePrice(to, from)...)
	add(to.Range != from.Range && to.Gateway == nil, "ports that a listener may want are given out too: reserve those (net.ipv4.ip_local_reserved_ports)")
	for _, key := range slices.Sorted(maps.Keys(to.Sysctls)) {
		add(to.Sysctls[key] != from.Sysctls[key], settingPrice(key, to.Sysctls[key]))
	}
	if len(all) == 0 {
		return "none is known"
	}
	return phrases(all...)
}

// settingPrice is what a setting of the kernel costs.
func settingPrice(key, value string) string {
	switch {
	case key == "net.ipv4.tcp_tw_reuse" && value == "1":
		return "a setting of the whole host, and TCP timestamps at both ends"
	case key == "net.ipv4.tcp_tw_reuse_delay":
		return "the sooner a port is back, the later a stray segment of its last connection may be (RFC 6191); Linux 6.14"
	case key == "net.ipv4.tcp_timestamps" && value == "0":
		return "no protection against wrapped sequence numbers (RFC 7323), and a rougher round-trip time"
	}
	return ""
}

// strategyPrice is what a strategy asks of a program.
func strategyPrice(strategy string) string {
	switch strategy {
	case "connect":
		return ""
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
