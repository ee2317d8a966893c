package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"lastport/cmd/lastport/live"
	"lastport/cmd/lastport/live/termtest"
	"lastport/reports"
	"lastport/reports/result"
)

// lookAt is a look that found so many pairs.
func lookAt(pairs int) *result.Watch {
	w := &result.Watch{
		Schema: result.WatchSchema, Ports: result.WatchPorts{Range: "32768-60999", Usable: 28_232}, IntervalNS: 1_500_000_000,
		Connections: 21_000 * int64(pairs), PairsTotal: int64(pairs),
	}
	for i := range pairs {
		w.Pairs = append(w.Pairs, result.WatchPair{
			Source: "2001:db8:1234:5678:9abc:def0:1234:5678", Target: fmt.Sprintf("10.0.0.%d:443", i), Used: 21_000, TimeWait: 15_000, Taken: 21_000,
			Occupancy: 0.74, GrowthPerS: new(10.0), ClosedPerS: new(250.0), ExhaustedInNS: new(int64(700e9)),
		})
	}
	return w
}

// However many lines each look has, and whatever the terminal becomes, the last look
// is what stands there, whole, below what stood there before.
func TestScreenShowsTheLastLook(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(12, 120).Draw(t, "width"), rapid.IntRange(6, 30).Draw(t, "height")
		term := termtest.New(width, height)
		fmt.Fprint(term, "$ watch\r\n")
		p := live.Painter{W: term}
		resized := false
		for range rapid.IntRange(1, 8).Draw(t, "looks") {
			if rapid.IntRange(0, 3).Draw(t, "resize") == 0 {
				width, height = rapid.IntRange(12, 120).Draw(t, "width"), rapid.IntRange(6, 30).Draw(t, "height")
				term.Resize(width, height)
				resized = true
			}
			lines, err := screenLines(lookAt(rapid.IntRange(0, 20).Draw(t, "pairs")), width, height)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				if utf8.RuneCountInString(l) >= width {
					t.Fatalf("%d columns: the terminal breaks %q", width, l)
				}
			}
			if len(lines) >= height {
				t.Fatalf("%d lines of %d", len(lines), height)
			}
			if err := p.Paint(lines, width); err != nil {
				t.Fatal(err)
			}
			for i := range lines {
				lines[i] = strings.TrimRight(lines[i], " ")
			}
			if want := strings.Join(lines, "\n"); !strings.HasSuffix(strings.TrimRight(term.Screen(), "\n"), want) {
				t.Fatalf("%d columns: the terminal shows\n%s\nwant\n%s", width, term.Screen(), want)
			}
			if !resized && !strings.HasPrefix(term.String(), "$ watch\n"+lines[0]) {
				t.Fatalf("%d columns: what stood above is gone:\n%s", width, term)
			}
			if len(term.Faults()) > 0 {
				t.Fatal(term.Faults())
			}
		}
	})
}

// On a terminal that is too narrow for a report the look in one line is all there,
// in lines that begin where words do.
func TestScreenOfFewColumns(t *testing.T) {
	look := lookAt(1)
	lines, err := screenLines(look, 30, 24)
	if err != nil {
		t.Fatal(err)
	}
	told := strings.Join(lines[:len(lines)-1], "")
	if want := strings.ReplaceAll(reports.WatchLine(look), " ", ""); strings.ReplaceAll(told, " ", "") != want {
		t.Errorf("%q, want %q", told, want)
	}
	if want := []string{
		"toward 10.0.0.0:443 from",
		"2001:db8:1234:5678:9abc:def0:", // no word break would do
		"1234:5678 21,000 of 28,232",
	}; !slices.Equal(lines[:3], want) {
		t.Errorf("%q, want %q", lines[:3], want)
	}
	if got := lines[len(lines)-1]; got != "next look in 1.5s" {
		t.Errorf("%q", got)
	}
}

// What is said meanwhile stands below the look that was there, and the next one comes
// below that.
func TestScreenGivesWayToWhatIsSaid(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	term := termtest.New(80, 40)
	s := newScreen(term)
	show := func() string {
		if err := s.show(lookAt(1), false); err != nil {
			t.Fatal(err)
		}
		lines, err := screenLines(lookAt(1), 80, 24)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines, "\n") + "\n"
	}
	look := show()
	show()
	s.below(func() { fmt.Fprint(term, "a look failed\r\n") })
	show()
	show()
	trimmed := func(s string) string {
		var b bytes.Buffer
		for line := range strings.Lines(s) {
			b.WriteString(strings.TrimRight(line, " \n") + "\n")
		}
		return b.String()
	}
	if got, want := trimmed(term.String()), trimmed(look+"a look failed\n"+look); got != want {
		t.Errorf("the terminal shows\n%s\nwant\n%s", got, want)
	}
}
