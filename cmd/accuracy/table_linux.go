package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// table is what docs/accuracy.md shows.
type table struct {
	kernel string
	hz     int
	date   time.Time
	rows   []row
}

// markdown is the table with what it comes to above it.
func (t *table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Linux %s at %d Hz, %s.\n\n", t.kernel, t.hz, t.date.Format(time.DateOnly))
	for _, s := range count(t.rows).sentences() {
		fmt.Fprintf(&b, "- %s\n", s)
	}
	b.WriteString("\n| varies | flags | connections predicted | measured | off | per second predicted | measured | off | reuse in s predicted | measured | off |\n")
	b.WriteString("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s | `%s` |", r.varies, r.name())
		fmt.Fprintf(&b, " %s | %s | %s |", r.connections.predicted, r.connections.measured, signed(r.connections.off))
		fmt.Fprintf(&b, " %s | %s | %s |", r.rate.predicted, r.rate.measured, percent(r.rate.off))
		fmt.Fprintf(&b, " %s | %s | %s |\n", r.reuse.predicted, r.reuse.measured, percent(r.reuse.off))
	}
	return b.String()
}

// signed writes a number of connections.
func signed(off float64) string {
	switch {
	case math.IsNaN(off):
		return "–"
	case off == 0:
		return "0"
	}
	return fmt.Sprintf("%+d", int64(off))
}

// percent writes a share; what is not 0 is not written as 0.
func percent(off float64) string {
	switch {
	case math.IsNaN(off):
		return "–"
	case off == 0:
		return "0"
	case math.IsInf(off, 0):
		return "out"
	case math.Abs(off) < 0.0001:
		return "< 0.01 %"
	}
	return strconv.FormatFloat(100*off, 'f', 2, 64) + " %"
}

// counts are what the rows come to.
type counts struct {
	all, limited                       int
	connections, rates, inside, reuses int // rates: within the tolerance; inside: of the limited
}

func count(rows []row) (c counts) {
	for _, r := range rows {
		c.all++
		c.connections += one(r.connections.off == 0)
		c.rates += one(math.Abs(r.rate.off) <= tolerance)
		c.reuses += one(r.reuse.off == 0)
		if r.limited {
			c.limited++
			c.inside += one(r.rate.off == 0)
		}
	}
	return c
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// accurate says whether every prediction came true.
func (c counts) accurate() bool {
	return c.connections == c.all && c.rates == c.all && c.reuses == c.all
}

// sentences say what the counts are.
func (c counts) sentences() []string {
	return []string{
		fmt.Sprintf("connections at once: inside the predicted interval in %d of %d setups", c.connections, c.all),
		fmt.Sprintf("sustained rate: within %.0f %% of the interval in %d of %d; ports limit it in %d, and in %d of these it is inside",
			100*tolerance, c.rates, c.all, c.limited, c.inside),
		fmt.Sprintf("reuse of a closed port: inside the interval, which is as wide as the timer's grain, in %d of %d", c.reuses, c.all),
	}
}

// The marks around the table in a document.
const (
	beginMark = "<!-- make accuracy writes what follows -->\n"
	endMark   = "<!-- as far as here -->\n"
)

// between puts the text between the marks of a document.
func between(doc, text string) (string, error) {
	before, rest, ok := strings.Cut(doc, beginMark)
	if !ok {
		return "", errors.New("it has no line " + strings.TrimSpace(beginMark))
	}
	_, after, ok := strings.Cut(rest, endMark)
	if !ok {
		return "", errors.New("it has no line " + strings.TrimSpace(endMark))
	}
	return before + beginMark + "\n" + text + "\n" + endMark + after, nil
}
