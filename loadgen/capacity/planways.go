package capacity

import (
	"lastport/loadgen/ports"
)

// Way is a change of the wish that gives more, and what it gives.
type Way struct {
	Change string // what to change, in words
	Answer Answer
	Safe   float64 // as of a Plan
	Needed Needed  // zero without a demand
	Holds  bool    // with this change alone the demand holds
}

// change is a way that may or may not help.
type change struct {
	words string
	wish  Wish
}

// ways lists the changes that give more than the answer, in the order in which
// they cost least.
func (w Wish) ways(a Answer) []Way {
	var list []Way
	for _, c := range w.changes() {
		better := Predict(c.wish.Question)
		if !w.more(better, a) {
			continue
		}
		way := Way{Change: c.words, Answer: better, Safe: c.wish.safe(better)}
		if w.demands() {
			d := c.wish.demand(better)
			way.Holds, way.Needed = d.Holds, d.Needed
		}
		list = append(list, way)
	}
	return list
}

// more says whether b gives more of what is wanted than a: connections at a
// time if they are to stay, else a rate.
func (w Wish) more(b, a Answer) bool {
	if w.Rate == 0 && w.Open > 0 {
		return b.Connections.Min > a.Connections.Min
	}
	return w.safe(b) > w.safe(a)
}

// changes lists what can be changed besides the addresses.
func (w Wish) changes() []change {
	var all []change
	add := func(words string, set func(*Wish)) {
		c := w
		set(&c)
		all = append(all, change{words, c})
	}
	ours := w.System == nil
	if s := w.Settings; ours && w.Rests() && !s.reuses() {
		words := "net.ipv4.tcp_tw_reuse=1"
		if !s.Timestamps {
			words += ", net.ipv4.tcp_timestamps=1 (both ends)"
		}
		add(words, func(c *Wish) { c.Settings.TWReuse, c.Settings.Timestamps = 1, true })
	}
	if w.Rests() && (ours || !w.System.Gateway) {
		add("the peer closes first (server-fin)", func(c *Wish) { c.Close = "server-fin" })
	}
	if ours {
		wide := ports.Range{Low: firstUnprivileged, High: ports.Max}
		add("every port from 1024", func(c *Wish) {
			// What is reserved or held stays lost.
			c.Range, c.SystemRange = ports.Of(wide), wide
		})
	}
	if !w.demands() { // with one, Needed says how many
		add("one more target", func(c *Wish) { c.Targets = max(c.Targets, 1) + 1 })
		add("one more source address", func(c *Wish) { c.Sources = max(c.Sources, 1) + 1 })
	}
	return all
}
