package reports

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"lastport/reports/result"
)

// statusColumns is the width of the longest word of a status.
const statusColumns = 7

// maxChecks bounds the page of a hostile file; a doctor makes some thirty.
const maxChecks = 100

// nameColumns holds the names of settings without what they all begin with.
const nameColumns = 26

// checkup puts a checkup on the page: its verdict, what the host can have as it
// is, then every check in one line, and in full what is not plainly fine, or
// all if the style asks for it.
func (p *page) checkup(c *result.Checkup) {
	if c.Verdict.OK {
		p.para(span{good, "OK  "}, c.Verdict.Text)
	} else {
		p.para(span{bad, "NOT OK  "}, c.Verdict.Text)
	}
	p.hostAnswer(c)
	p.use(c)
	group := ""
	for _, check := range c.Checks[:min(len(c.Checks), maxChecks)] {
		if check.Group != group {
			group = check.Group
			p.heading(capital(shorten(group, nameColumns)))
		}
		p.check(check)
	}
}

// capital is the text with a capital at its beginning.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// hostAnswer says what this host can have as it is set up.
func (p *page) hostAnswer(c *result.Checkup) {
	p.line()
	if c.Predicted == nil || c.Predicted.Connections == nil {
		p.note("how many connections this host can have could not be learned: its settings cannot be read")
		return
	}
	text := "as it is set up, this host can have " + pluralOf(*c.Predicted.Connections, "connection") + " at once to one target"
	if rate := c.Predicted.RatePerS; rate != nil {
		text += ", and open " + between(floorRate(rate.Min), floorRate(rate.Max)) + " per second for long"
	} else if c.Predicted.ReuseNS != nil {
		text += ", and ports set no limit to the rate"
	}
	p.para(span{text: "  "}, text)
	for _, why := range c.Predicted.Why {
		p.para(span{dim, "  - "}, why)
	}
	p.para(span{dim, "  - "}, "the target is not on loopback, and this host closes first, by FIN")
	p.hint("'lastport plan' answers for other ranges, rates, close modes and settings")
}

// check puts one check on the page.
func (p *page) check(c result.Check) {
	p.named(c)
	if c.Status == result.Fine && !p.style.Details {
		return
	}
	p.detail("allows", c.Allows)
	p.detail("blocks", c.Blocks)
	p.detail("way out", c.WayOut)
	p.detail("since", c.Since)
	list(p, c.Change, func(command string) { p.detail("change", command) })
	p.detail("price", c.Price)
	list(p, c.Undo, func(command string) { p.detail("undo", command) })
	list(p, c.Keep, func(command string) { p.detail("keep", command) })
	list(p, c.Forget, func(command string) { p.detail("forget", command) })
}

// named puts a check's status, name and finding in three columns, or in two
// lines where they do not fit.
func (p *page) named(c result.Check) {
	label := "  " + pad(shorten(string(c.Status), statusColumns), statusColumns) + "  " +
		pad(shorten(lastElement(c.Name), nameColumns), nameColumns) + "  "
	if columns(label) > p.width/2 {
		p.line(span{statusTone(c.Status), label})
		label = detailIndent
	}
	p.para(span{statusTone(c.Status), label}, c.Found)
}

const detailIndent = "           " // below the name

func (p *page) detail(name, text string) {
	if text != "" {
		p.para(span{dim, detailIndent + pad(name, 7) + " "}, text)
	}
}

func statusTone(s result.Status) tone {
	switch s {
	case result.Fine:
		return good
	case result.Falsifies, result.Blocked:
		return bad
	case result.Noted, result.Unread:
		return caution
	}
	return plain
}

// lastElement is a setting's name without its groups: ip_local_port_range.
func lastElement(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
