package main

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const document = "../../docs/accuracy.md"

// tableOf reads the rows of a document back, as far as counts go by them.
func tableOf(t *testing.T, text string) (rows []row) {
	t.Helper()
	off := func(cell string) float64 {
		switch cell {
		case "–":
			return math.NaN()
		case "out":
			return math.Inf(-1)
		case "< 0.01 %":
			return 0.00001
		}
		share := 1.0
		if rest, found := strings.CutSuffix(cell, " %"); found {
			cell, share = rest, 0.01
		}
		v, err := strconv.ParseFloat(cell, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v * share
	}
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if !strings.HasPrefix(line, "| ") || strings.Contains(line, "predicted") || len(cells) != 11 {
			continue
		}
		r := row{setup: setup{varies: strings.TrimPrefix(cells[0], "| "), flags: strings.Trim(cells[1], "`")}}
		r.connections = figure{cells[2], cells[3], off(cells[4])}
		r.rate = figure{cells[5], cells[6], off(cells[7])}
		r.reuse = figure{cells[8], cells[9], off(strings.TrimSuffix(cells[10], " |"))}
		r.limited = r.rate.predicted != "no limit"
		rows = append(rows, r)
	}
	return rows
}

// What the document says of its table is what its rows say; they are enough, are
// those that the program makes today, and vary each of the six things.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	rows := tableOf(t, string(text))
	if len(rows) < 60 {
		t.Fatalf("%d rows, want 60 or more", len(rows))
	}
	for _, s := range count(rows).sentences() {
		if !strings.Contains(string(text), "\n- "+s+"\n") {
			t.Errorf("its rows come to this, and it does not say so: %s", s)
		}
	}
	known := setups()
	for i, r := range rows {
		if i >= len(known) || r.varies != known[i].varies || r.flags != known[i].name() {
			t.Fatalf("row %d is %s %s, which no longer is setup %d; 'make accuracy' renews the table", i, r.varies, r.flags, i)
		}
	}
	if len(rows) != len(known) {
		t.Errorf("%d rows of %d setups; 'make accuracy' renews the table", len(rows), len(known))
	}
	if !regexp.MustCompile(`(?m)^Linux \S+ at \d+ Hz, \d{4}-\d\d-\d\d\.$`).MatchString(string(text)) {
		t.Error("it does not say of which kernel and day it is")
	}
	// What is off must be spoken of below the table.
	_, explained, _ := strings.Cut(string(text), endMark)
	for _, r := range rows {
		if one := count([]row{r}); !one.accurate() && !strings.Contains(explained, r.flags) {
			t.Errorf("%s is off, and the document does not say why", r.flags)
		}
	}
}

// Setups differ, and there are some of each kind.
func TestSetups(t *testing.T) {
	kinds, names := make(map[string]int), make(map[string]bool)
	for _, s := range setups() {
		if kinds[s.varies]++; names[s.name()] {
			t.Errorf("two setups are %q", s.name())
		}
		names[s.name()] = true
	}
	for _, kind := range []string{"strategy", "close", "family", "protocol", "settings", "space", "hold"} {
		if kinds[kind] < 4 {
			t.Errorf("%d setups vary the %s", kinds[kind], kind)
		}
	}
	if got := (setup{flags: "--range 1-2 -6"}).words(); strings.Join(got, " ") != "--range 1-2 -6" {
		t.Errorf("%q", got)
	}
	if got := (setup{flags: "-6"}).words(); strings.Join(got, " ") != hundreds+" -6" {
		t.Errorf("%q", got)
	}
}

func TestMarkdownIsReadBack(t *testing.T) {
	rows := []row{rowOf(setup{varies: "close", flags: "--close x"}, done()), {setup: setup{varies: "hold", flags: "f", churn: "--hold 1s"}}}
	rows[1].rate = figure{"no limit", "ran out at 7", math.Inf(-1)}
	rows[1].connections.off = -3
	text := (&table{kernel: "6.18", hz: 250, date: time.Unix(0, 0).UTC(), rows: rows}).markdown()
	if !strings.HasPrefix(text, "Linux 6.18 at 250 Hz, 1970-01-01.\n") {
		t.Error(text)
	}
	if got := tableOf(t, text); fmt.Sprint(count(got)) != fmt.Sprint(count(rows)) || got[1].flags != "f --hold 1s" {
		t.Errorf("%+v\nof\n%s", got, text)
	}
}

func TestBetween(t *testing.T) {
	doc := "a\n" + beginMark + "old\n" + endMark + "b\n"
	got, err := between(doc, "new\n")
	if want := "a\n" + beginMark + "\nnew\n\n" + endMark + "b\n"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	again, err := between(got, "new\n")
	if err != nil || again != got {
		t.Errorf("a second time: %q, %v", again, err)
	}
	for _, doc := range []string{"", beginMark, endMark} {
		if _, err := between(doc, ""); err == nil {
			t.Errorf("%q has no place for a table", doc)
		}
	}
}
