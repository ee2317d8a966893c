package reports

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"lastport/reports/result"
)

// command tells how a program fared at the edge.
func (p *page) command(r *result.Result) {
	c := r.Command
	if c == nil {
		return
	}
	p.heading("Command at the edge")
	p.fact("command", shellWords(r.Config.Command))
	if c.Error != "" {
		p.fact("ended", "not started: "+c.Error)
		return
	}
	p.fact("ended", phrases(endOf(c), "after "+duration(c.TookNS)))
	out := "never seen"
	switch {
	case c.PortsLeft == 0:
		out = "none was left to it"
	case c.PortsOutNS != nil:
		out = duration(*c.PortsOutNS) + " after its start"
	}
	p.fact("ports", phrases(
		fmt.Sprintf("%s left to it toward %s, %s in use at once", count(c.PortsLeft), c.Target, count(c.PortsMost)),
		nonZero(c.PortsWaiting, func(n int64) string { return count(n) + " more were in TIME_WAIT, and came free in their time" })))
	p.fact("ran out", phrases(out, "looked every "+duration(c.LookNS)+" or sooner"))
	p.fact("accepted", phrases(
		count(c.Accepted)+" by the listener",
		nonZero(c.TimeWait, func(n int64) string { return count(n) + " left in TIME_WAIT" })))
	p.fact("anywhere", phrases(
		optional(c.Opened, func(n int64) string { return count(n) + " sent a SYN, toward the listener or elsewhere" }),
		optional(c.Failed, func(n int64) string { return count(n) + " of them failed" })))
	p.note("attempts that found no port cannot be seen from outside: see what the command says")
}

// endOf says how the command ended.
func endOf(c *result.Command) string {
	switch {
	case c.Ended == result.EndedKilled:
		return "killed: it went on after SIGTERM " + toldWhen(c.Told)
	case c.Ended == result.EndedTerminated && c.ExitStatus != nil:
		return fmt.Sprintf("told to end %s, with exit status %d", toldWhen(c.Told), *c.ExitStatus)
	case c.Ended == result.EndedTerminated:
		return "told to end " + toldWhen(c.Told)
	case c.ExitStatus != nil:
		return fmt.Sprintf("exit status %d", *c.ExitStatus)
	}
	return "by signal: " + c.Signal
}

// toldWhen says when the command was told to end.
func toldWhen(told string) string {
	switch told {
	case result.ToldDuration:
		return "at the end of the run's --duration"
	case result.ToldInterrupt:
		return "when the run was interrupted"
	}
	return "at the end of the hold"
}

// shellWords writes a command so that a shell reads the same words, on one line.
func shellWords(words []string) string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = shellWord(word)
	}
	return strings.Join(list, " ")
}

// shellWord quotes a word for a shell where it needs that. What does not print,
// and could hide a part of the line, is escaped.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("%+,-./:=@_", r)
	}
	switch {
	case strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }): // as $'…' of bash and POSIX 2024
		quoted := strconv.Quote(word)
		quoted = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
		return "$'" + strings.ReplaceAll(quoted, "'", `\'`) + "'"
	case word == "" || strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }):
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}
