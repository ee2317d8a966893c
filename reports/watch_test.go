package reports_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lastport/reports"
	"lastport/reports/result"
)

func looked() *result.Watch {
	return &result.Watch{
		Schema: result.WatchSchema, Seen: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), IntervalNS: 1e9,
		Ports:       result.WatchPorts{Range: "32768-60999", Reserved: 2, Held: 230, Usable: 28000},
		Connections: 22000, TimeWait: 15000, OpenedPerS: new(412.4), PairsTotal: 3,
		Pairs: []result.WatchPair{
			{Source: "10.0.0.1", Target: "10.0.0.7:443", Used: 21000, TimeWait: 15000, Taken: 21000, Occupancy: 0.75, ClosedPerS: new(250.0), GrowthPerS: new(10.04), ExhaustedInNS: new(int64(700e9)), Process: "proxy[42]"},
			{Source: "10.0.0.1", Target: "10.0.0.7:80", Used: 900, Taken: 900, Occupancy: 900.0 / 28000, ClosedPerS: new(0.0), GrowthPerS: new(-2.5)},
			{Source: "10.0.0.1", Target: "10.0.0.8:80", Used: 100, TimeWait: 100, ClosedPerS: new(1.5), GrowthPerS: new(0.0)},
		},
		Processes:  []result.Process{{Command: "proxy", PID: 42, UID: 7, Connections: 6000, Target: "10.0.0.7:443"}, {UID: 1000, Connections: 900, Target: "10.0.0.7:80"}},
		ProcessNS:  12e9,
		Unattended: "900 connections have a process that cannot be seen",
		Expect:     []result.Expected{{Expr: "occupancy<70%", Value: "0.75"}},
	}
}

func TestWatchText(t *testing.T) {
	const want = `75.0 % TAKEN  toward 10.0.0.7:443 from 10.0.0.1 21,000 of 28,000 ports taken, 15,000 in TIME_WAIT, +10 per second, at
              this rate none left in 11 min 40 s
  28,000 ports of 32768-60999 toward each target: 2 reserved, 230 held by listeners
  22,000 connections of 3 pairs, 15,000 in TIME_WAIT; 412 opened per second

  toward            from   taken  none left in   ports  TIME_WAIT  closed/s  growth/s    process
  10.0.0.7:443  10.0.0.1  75.0 %   11 min 40 s  21,000     15,000       250       +10  proxy[42]
  10.0.0.7:80   10.0.0.1  3.21 %    over a day     900          0       0.0      -2.5
  10.0.0.8:80   10.0.0.1  0.00 %    over a day     100        100       1.5         0

  process         user  connections   most toward
  proxy (42)         7        6,000  10.0.0.7:443
  not to be seen  1000          900   10.0.0.7:80
  processes were looked for 12.0 s ago
  900 connections have a process that cannot be seen

Expectations
  NOT HELD  occupancy<70% (measured: 0.75)
`
	var b strings.Builder
	if err := reports.Text(&b, looked(), reports.Style{Width: 120}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	if got, want := reports.WatchLine(looked()), "toward 10.0.0.7:443 from 10.0.0.1 21,000 of 28,000 ports taken, 15,000 in TIME_WAIT, +10 per second, at this rate none left in 11 min 40 s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A first look has no rates, and so no columns for them.
func TestWatchTextOfAFirstLook(t *testing.T) {
	w := looked()
	w.OpenedPerS, w.Processes, w.Unattended, w.Expect = nil, nil, "", nil
	for i := range w.Pairs {
		p := &w.Pairs[i]
		p.ClosedPerS, p.GrowthPerS, p.ExhaustedInNS, p.Process = nil, nil, nil, ""
	}
	var b strings.Builder
	if err := reports.Text(&b, w, reports.Style{}); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); strings.Contains(text, "/s") || strings.Contains(text, "process") || strings.Contains(text, "left") || !strings.Contains(text, "21,000") {
		t.Error(text)
	}
}

// Whatever a file holds, the page is as wide as the terminal and steers nothing.
func TestWatchTextOfAHostileFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, n, v := rapid.String(), rapid.Int64(), rapid.Float64()
		w := &result.Watch{Ports: result.WatchPorts{Range: text.Draw(t, "range"), Usable: n.Draw(t, "usable")}, OpenedPerS: new(v.Draw(t, "opened")), ProcessNS: n.Draw(t, "age")}
		for range rapid.IntRange(0, 3).Draw(t, "pairs") {
			w.Pairs = append(w.Pairs, result.WatchPair{
				Source: text.Draw(t, "source"), Target: text.Draw(t, "target"), Used: n.Draw(t, "used"), Occupancy: v.Draw(t, "occupancy"),
				ClosedPerS: new(v.Draw(t, "closed")), GrowthPerS: new(v.Draw(t, "growth")), ExhaustedInNS: new(n.Draw(t, "left")), Process: text.Draw(t, "process"),
			})
			w.Processes = append(w.Processes, result.Process{Command: text.Draw(t, "command"), UID: n.Draw(t, "uid")})
		}
		width := rapid.IntRange(40, 120).Draw(t, "width")
		var b strings.Builder
		if err := reports.Text(&b, w, reports.Style{Width: width}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if utf8.RuneCountInString(line) > width || strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c == 0x7f }) {
				t.Fatalf("%d columns: %q", width, line)
			}
		}
		if line := reports.WatchLine(w); strings.ContainsFunc(line, func(c rune) bool { return c < ' ' }) {
			t.Fatalf("%q", line)
		}
	})
}
