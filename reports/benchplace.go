package reports

import (
	"slices"

	"lastport/reports/result"
)

// natWay says whether the runs of a way go through a gateway.
func (w *way) natWay() bool { return w.row.Gateway != nil }

// failing is how long a connect takes that finds no port. A gateway that has none
// does not answer, so that there it is as long as the run has waited.
func (w *way) failing() string {
	if w.fill == nil {
		return ""
	}
	text := optional(failureP50(w.fill), millis)
	if text != "" && w.fill.Outcomes.NATNoPort > 0 {
		return "≥" + text
	}
	return text
}

// failNote says what a mark of failing means, if there is one.
func failNote(ways []way) string {
	if !slices.ContainsFunc(ways, func(w way) bool { return w.natWay() }) {
		return ""
	}
	return "; ≥ where a gateway has none and nobody answers: what was waited"
}

// behindGateway says how rows through a gateway differ from the others.
func (p *page) behindGateway(ways []way) {
	i := slices.IndexFunc(ways, func(w way) bool { return w.natWay() })
	if i < 0 {
		return
	}
	p.para(span{strong, "  gateway    "}, "one that is out of ports says nothing: a connect that finds none is a timeout, after as long as the program waits, "+
		"where without a gateway it is an error at once")
	if d := ways[i].row.Predicted.ReuseNS; d != nil {
		p.para(span{dim, "             "}, "A full one gives the port of a closed connection away by chance, and for certain when it forgets the connection: in "+
			ways[i].name()+" after "+duration(d.Max)+". The gain counts by what is certain")
	}
}

// placePrice is what it takes to have the row's place, beside that of the usual
// one.
func placePrice(to, from *result.SetRow) (words []string) {
	g, usual := to.Gateway, from.Gateway
	if g == nil {
		return nil
	}
	if usual == nil {
		usual = &result.RowGateway{}
		words = append(words, "all that is behind the gateway shares its ports, and it needs memory and time for each connection")
	}
	add := func(changed bool, text string) {
		if changed {
			words = append(words, text)
		}
	}
	add(g.Addresses > max(1, usual.Addresses), "more outside addresses, and peers see a client come from each of them")
	add(g.Random && !usual.Random, "clients do not keep their own ports, and more often two of them want the same one at once")
	add(len(g.Timeouts) > 0, "what comes late for a connection that the gateway has forgotten is dropped, or goes to the port's next user")
	return words
}
