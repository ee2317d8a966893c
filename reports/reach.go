package reports

import (
	"strings"

	"lastport/reports/result"
)

// reach says what became of the source ports.
func (p *page) reach(r *result.Result) {
	reach := r.Reach
	if reach == nil {
		return
	}
	p.heading("Source ports from " + shorten(word(reach.Source), maxNameColumns) + " to " + shorten(word(reach.Target), maxNameColumns))
	for _, part := range []struct {
		tone  tone
		name  string
		ports result.PortRanges
	}{
		{good, "through", reach.Through},
		{bad, "refused", reach.Refused},
		{bad, "dropped", reach.Dropped},
		{plain, "  out", reach.DroppedOut},
		{plain, "  back", reach.DroppedBack},
		{bad, "other", reach.Other},
		{bad, "unlike", reach.Differs},
	} {
		if n := part.ports.Count(); n > 0 {
			p.meaning(span{part.tone, pad(part.name, 12)}, n, portList(part.ports), "")
		}
	}
	for _, n := range reach.NotTried {
		p.meaning(span{caution, pad("not tried", 12)}, n.Ports.Count(), portList(n.Ports)+": "+n.Why, "")
	}
	p.reachNotes(r)
}

// reachNotes explain the words of the list, as far as they stand there.
func (p *page) reachNotes(r *result.Result) {
	reach := r.Reach
	for _, note := range []struct {
		there bool
		text  string
	}{
		{reach.Dropped.Count() > 0, "dropped: no answer to " + attemptsOf(r)},
		{reach.DroppedOut.Count() > 0, "out: the listener's host has seen nothing of them"},
		{reach.DroppedBack.Count() > 0, "back: the listener's host has answered, and the answer did not arrive"},
		{reach.Unsure != "", "on which way others were dropped cannot be told: " + reach.Unsure},
		{reach.Refused.Count() > 0, "refused: an RST or an ICMP message said no"},
		{reach.Other.Count() > 0, "other: connected, and what is there is not the bundled listener"},
		{reach.Differs.Count() > 0, "unlike: these came out otherwise than the place's firewall lets expect"},
		{reach.Late > 0, plural(reach.Late, "port") + " answered a further attempt and not the first: something on the path loses packets"},
		{reach.Listening != nil && !*reach.Listening, "no socket listens on the target: nothing of this says anything about the path"},
	} {
		if note.there {
			p.note(note.text)
		}
	}
}

func attemptsOf(r *result.Result) string {
	text := "any attempt"
	if n := int64(r.Config.Tries); n > 0 {
		text = plural(n, "attempt")
	}
	if r.Config.TimeoutNS > 0 {
		text += " of " + setting(r.Config.TimeoutNS)
	}
	return text
}

// portWords writes ranges as the file has those of a flag.
func portWords(flag string) string {
	if flag == "" {
		return ""
	}
	return portList(strings.Split(flag, ","))
}

// portList writes ranges, and how many there are beyond maxItems.
func portList(list result.PortRanges) string {
	text := strings.Join(list[:min(len(list), maxItems)], ", ")
	if more := len(list) - maxItems; more > 0 {
		text += " … and " + count(int64(more)) + " more in the result file"
	}
	return text
}

// rules end the report: what is missing on the path, and how it is written.
func (p *page) rules(r *result.Reach) {
	if r == nil {
		return
	}
	p.heading("What a firewall must let pass for this client")
	list(p, r.Rules, func(rule result.Rule) {
		label := span{good, "  ok       "}
		group := "sec. group"
		switch {
		case rule.Missing.Count() > 0:
			label = span{bad, "  MISSING  "}
		case rule.Unknown.Count() > 0:
			label = span{caution, "  UNKNOWN  "}
		}
		p.para(label, rule.Text)
		if rule.Needed != "" {
			group = "net. ACL"
			p.fact("needed", rule.Needed)
		}
		p.fact("nftables", rule.NFTables)
		list(p, rule.SecurityGroup, func(line string) { p.fact(group, line) })
	})
}
