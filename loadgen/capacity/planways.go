package capacity

import (
	"cmp"
	"math"
	"slices"

	"lastport/reports/figures"
)

// Way is a change of the wish that gives more, what it gives, and what it costs.
type Way struct {
	Name   string // one word that stays the same from version to version
	Change string // what to change, in words
	Risk   string // what it costs or weakens, in words
	Source string // where that can be read

	Answer Answer
	Safe   float64 // as of a Plan
	Gain   float64 // how many times as much of what is wanted; 1: no more, but sooner; +Inf: ports set no limit any more
	Needed Needed  // zero without a demand
	Holds  bool    // with this change alone the demand holds
	Load   *Load   // as of a Plan
}

// ways lists the changes that give more than what the wish came to. Those with
// which the demand holds come first, the one that costs least before the others;
// then the rest, by what they give.
func (w Wish) ways(s solution) []Way {
	var list []Way
	for _, c := range w.changes(s) {
		better := c.wish.solve()
		load := c.wish.load(better)
		better.serve(max(1, c.requests))
		gain := w.gain(better, s)
		if !(gain > leastGain) && !(c.sooner() && gain >= 1) {
			continue
		}
		way := Way{
			Name: c.Name, Change: c.Change, Risk: c.Risk, Source: c.Source,
			Answer: better.answer, Safe: better.safe, Gain: gain, Load: load,
		}
		if better.demand != nil {
			way.Holds, way.Needed = better.demand.Holds, better.demand.Needed
		}
		list = append(list, way)
	}
	if w.demands() {
		slices.SortStableFunc(list, func(a, b Way) int {
			switch {
			case a.Holds != b.Holds && a.Holds:
				return -1
			case a.Holds != b.Holds:
				return 1
			case a.Holds:
				return 0
			}
			return cmp.Compare(b.Gain, a.Gain)
		})
	}
	return list
}

// leastGain is what counts as more.
const leastGain = 1.001

// gain is how many times as much of what is wanted b gives: connections at a time
// if they are to stay, else a rate.
func (w Wish) gain(b, a solution) float64 {
	if !w.flows() && w.Open > 0 {
		return float64(b.answer.Connections.Min) / float64(a.answer.Connections.Min)
	}
	if math.IsInf(a.safe, 1) {
		return 1
	}
	return b.safe / a.safe
}

// change is a way that may or may not help: its words, and the wish under it.
type change struct {
	Way
	wish     Wish
	requests float64 // that a connection serves for each that it served; 0: as many
}

// sooner says that the change is worth telling of even if it gives no more.
func (c change) sooner() bool { return c.Name == wayNoKnee }

// serve turns rates of connections into rates of what they serve.
func (s *solution) serve(requests float64) {
	s.safe *= requests
	if s.answer.Rate != nil {
		s.answer.Rate = &Interval[float64]{s.answer.Rate.Min * requests, s.answer.Rate.Max * requests}
	}
}

// changes lists what can be changed, in the order in which it costs least.
func (w Wish) changes(s solution) []change {
	if w.Fleet == nil {
		return slices.Concat(w.pooling(), w.moreAddresses(s), w.ownChanges())
	}
	all := slices.Concat(w.pooling(), w.moreAddresses(s))
	if s.fleet.GatewayBinds {
		return all
	}
	for _, c := range w.host().ownChanges() { // of every machine's own ports
		fleet := *w.Fleet
		fleet.Own = c.wish.Question
		own, closing := c, c.wish.Close
		own.wish = w
		own.wish.Fleet, own.wish.Close = &fleet, closing
		all = append(all, own)
	}
	return all
}

// pooling is to send several requests over one connection. It is held for as
// many times as long.
func (w Wish) pooling() []change {
	const requests = 10
	if w.udp() || !w.flows() && w.Open > 0 {
		return nil
	}
	c := change{Way: wayNamed(wayPooling), wish: w.part(1.0 / requests), requests: requests}
	c.wish.Hold = min(w.Hold*requests, MaxHold)
	c.wish.Open = w.Open
	return []change{c}
}

// moreAddresses is to have more of them: as many as are enough for what is
// wanted, or one more where nothing is.
func (w Wish) moreAddresses(s solution) []change {
	needed := Needed{Sources: max(w.Sources, 1) + 1, Targets: max(w.Targets, 1) + 1}
	if s.demand != nil {
		needed = s.demand.Needed
	}
	var all []change
	add := func(name string, n int, set func(*Wish)) {
		c := change{Way: wayNamed(name), wish: w}
		c.Change = figures.Grouped(int64(n)) + " " + c.Change // two at least
		set(&c.wish)
		all = append(all, c)
	}
	if n := needed.Targets; n > max(w.Targets, 1) && !w.unequal() {
		add(wayTargets, n, func(c *Wish) { c.Targets, c.Shares = n, nil })
	}
	switch n, f := needed.Sources, w.Fleet; {
	case f != nil && f.Ports > 0: // more addresses bring no machine more ports
		if n := s.fleet.Ports; n > int(f.Ports) {
			dealt := *f
			dealt.Ports = int64(n)
			add(wayPerHost, n, func(c *Wish) { c.Fleet, c.Sources = &dealt, 0 })
		}
	case n > max(w.Sources, 1) && w.System != nil && w.System.Gateway:
		add(wayAddresses, n, func(c *Wish) { c.Sources = n })
	case n > max(w.Sources, 1):
		add(waySources, n, func(c *Wish) { c.Sources = n })
	}
	return all
}

// ownChanges are those of a host's own ports and of how it closes. A gateway's
// are not ours.
func (w Wish) ownChanges() []change {
	var all []change
	add := func(way Way, set func(*Wish)) {
		c := change{Way: way, wish: w}
		set(&c.wish)
		all = append(all, c)
	}
	if w.System == nil {
		w.ofLinux(add)
	}
	if w.Rests() && (w.System == nil || !w.System.Gateway) {
		add(wayNamed(wayServerFIN), func(c *Wish) { c.Close = "server-fin" })
		add(wayNamed(wayClientRST), func(c *Wish) { c.Close = "client-rst" })
	}
	return all
}
