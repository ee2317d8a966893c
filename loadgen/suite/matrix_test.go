package suite_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
	"lastport/loadgen/suite"
)

func parse(t *testing.T, text string) suite.Matrix {
	t.Helper()
	m, err := suite.ParseMatrix("m.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return m
}

func wayNames(m suite.Matrix) (names []string) {
	for _, w := range m.Ways {
		names = append(names, w.Name)
	}
	return names
}

func TestEveryKeyOfARow(t *testing.T) {
	m := parse(t, `
repeat: 5
expect: no_port==0
defaults:
  range: 40000-40099
  strategy: late-bind
  sysctl: {net.ipv4.tcp_tw_reuse: 1, net.ipv4.tcp_timestamps: 1}
rows:
  - name: all of it
    range: 41000-41999
    exclude: 41010-41019
    stand-in: {fill: 41000-41099}
    stand-in-quick: 41000-41049
    strategy: socket-range
    close: server-fin
    proto: tcp
    ipv6: true
    sources: 3
    targets: 2
    sysctl: {net.ipv4.tcp_tw_reuse: 0, net/ipv4/tcp_fin_timeout: 30}
    requests: 10
    hold: 1500ms
    connections: 500
    rate: 12.5
    duration: 90s
    runs: [churn, fill]
    expect: {fill: [connections>=500, connect.p99<1ms], churn: response.p50<1s}
    price: nothing at all
`)
	w := m.Ways[0]
	var expects []string
	for _, e := range w.Expect {
		expects = append(expects, string(e.Scenario)+" "+e.String())
	}
	want := []string{"fill connections>=500", "fill connect.p99<1ms", "churn response.p50<1s", " no_port==0"}
	switch {
	case m.Repeat != 5, w.Line != 9, w.Name != "all of it", w.Range != "41000-41999", w.Exclude != "41010-41019":
	case w.StandIn[suite.Fill] != "41000-41099", w.StandIn[suite.Churn] != "", w.StandInQuick[suite.Churn] != "41000-41049":
	case w.Strategy != "socket-range", w.Close != step.ServerFIN, w.UDP, !w.IPv6, w.Sources != 3, w.Targets != 2:
	case !slices.Equal(w.Sysctls, []string{"net.ipv4.tcp_timestamps=1", "net.ipv4.tcp_tw_reuse=0", "net.ipv4.tcp_fin_timeout=30"}):
	case w.Requests != 10, w.Hold != 1500*time.Millisecond, w.Connections != 500, w.Rate != 12.5, w.Duration != 90*time.Second:
	case !slices.Equal(w.Runs, []suite.Scenario{suite.Churn, suite.Fill}), w.Price != "nothing at all", !slices.Equal(expects, want):
	default:
		return
	}
	t.Errorf("%+v, repeat %d, expects %q", w, m.Repeat, expects)
}

// Lists multiply a row, the last one varying first; a row is called by what it
// says itself.
func TestListsMultiply(t *testing.T) {
	for text, want := range map[string][]string{
		"rows: [{}]":                                                      {"default"},
		"rows: [{name: a}, {close: client-rst}]":                          {"a", "client-rst"},
		"rows: [{close: [client-fin, server-rst]}]":                       {"client-fin", "server-rst"},
		"rows: [{name: a, targets: [1, 2]}]":                              {"a, 1 target", "a, 2 targets"},
		"rows: [{name: a, targets: 2, ipv6: true}]":                       {"a"},
		"rows: [{ipv6: [true, false], hold: [1s, 2s]}]":                   {"ipv6, hold 1s", "ipv6, hold 2s", "ipv4, hold 1s", "ipv4, hold 2s"},
		"rows: [{sysctl: {net.ipv4.tcp_tw_reuse: [0, 1, 2]}}]":            {"tcp_tw_reuse=0", "tcp_tw_reuse=1", "tcp_tw_reuse=2"},
		"defaults: {proto: udp}\nrows: [{requests: 3}, {rate: [5, 0.5]}]": {"3 requests", "5/s", "0.5/s"},
		"defaults: {targets: [1, 2]}\nrows: [{}, {name: b}]":              {"1 target", "2 targets", "b, 1 target", "b, 2 targets"},
		"rows: [{strategy: all, name: by}]":                               prefixed("by, ", strategy.Names()),
		"rows: [{strategy: all, name: by, sources: 2}]":                   prefixed("by, ", strategy.Names()[1:]), // connect cannot
		"rows: [&a {range: &r 40000-40009}, {name: b, range: *r}]":        {"40000-40009", "b"},
	} {
		if got := wayNames(parse(t, text)); !slices.Equal(got, want) {
			t.Errorf("%s: rows %q, want %q", text, got, want)
		}
	}
}

func prefixed(prefix string, words []string) (list []string) {
	for _, w := range words {
		list = append(list, prefix+w)
	}
	return list
}

func TestProductOfLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, rows := "rows:\n- name: x\n", 1
		for _, key := range []string{"sources", "targets", "requests", "connections"} {
			n := rapid.IntRange(1, 5).Draw(t, key)
			values := make([]string, n)
			for i := range values {
				values[i] = fmt.Sprint(i + 1)
			}
			text += "  " + key + ": [" + strings.Join(values, ", ") + "]\n"
			rows *= n
		}
		m, err := suite.ParseMatrix("m.yaml", []byte(text+"  strategy: late-bind\n"))
		if rows > suite.MaxRows {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("= %d rows", rows)) {
				t.Fatalf("%d rows: %v", rows, err)
			}
			return
		}
		if err != nil || len(m.Ways) != rows {
			t.Fatalf("%d rows, want %d: %v", len(m.Ways), rows, err)
		}
		seen := map[[4]int64]bool{}
		for _, w := range m.Ways {
			seen[[4]int64{int64(w.Sources), int64(w.Targets), int64(w.Requests), w.Connections}] = true
		}
		if len(seen) != rows {
			t.Fatalf("%d of %d rows differ", len(seen), rows)
		}
	})
}

// What is wrong is an error with its line and a line that is accepted.
func TestMatrixRefuses(t *testing.T) {
	list := "[" + strings.Repeat("1, ", 60) + "1]"
	for _, test := range []struct{ text, want, hint string }{
		{"", "m.yaml: there is nothing in it", "--print-matrix"},
		{"# a comment\n", "nothing in it", ""},
		{"rows", `m.yaml:1: rows: "rows", want keys and values`, "rows: "},
		{"repeat: 2", "m.yaml:1: there are no rows", "rows: "},
		{"rows: []", "there are no rows", "rows: "},
		{"rows:", "rows: nothing, want a list", "rows: "},
		{"rows: {a: b}", "rows: keys and values, want a list", "rows: "},
		{"rows:\n- name: a\n  range: !!python/object:x 40000-40009", "m.yaml:3: a tag !!python/object:x", "without it"},
		{"rows: !seq [{}]", "m.yaml:1: a tag !seq", "without it"},
		{"rows:\n- name: a\n- {name: b, runs: [fill], expect: {churn: no_port==0}}", `m.yaml:3: row "b": expect: no_port==0 of a churn`, "runs: [churn]"},
		{"rows: [{}]\nrow: 1", `m.yaml:2: unknown key "row"`, "rows: "},
		{"rows:\n- name: a\n  stratgy: bind", `m.yaml:3: unknown key "stratgy"`, "strategy: connect"},
		{"rows:\n- name: a\n  zzzzzzzz: bind", `unknown key "zzzzzzzz"`, "one of name, range"},
		{"rows:\n- range: linux\n  range: all", `m.yaml:3: the key "range" is there twice, first in line 2`, "one range:"},
		{"rows: [{name: a}]\nrows: [{name: b}]", `the key "rows" is there twice`, ""},
		{"rows: [{sysctl: {net.ipv4.tcp_tw_reuse: 1, net.ipv4.tcp_tw_reuse: 2}}]", "is there twice", ""},
		{"rows:\n- name: a\n- name: a", `m.yaml:3: a row is called "a" already, in line 2`, "name: another"},
		{"rows: [{<<: {name: a}}]", `unknown key "<<"`, "defaults:"},
		{"rows: [{strategy: conect}]", `strategy "conect"`, "strategy: connect"},
		{"rows: [{strategy: [bind, 7]}]", `strategy "7"`, "strategy: "},
		{"rows: [{strategy: {a: b}}]", "strategy: keys and values, want one value", "strategy: connect"},
		{"rows: [{strategy: ~}]", "strategy: nothing, want one value", ""},
		{"rows: [{strategy: []}]", "a list of 0 values", "strategy: connect"},
		{"rows: [{close: server}]", `close: "server": not one of`, "close: server-fin"},
		{"rows: [{proto: sctp}]", `"sctp": not one of tcp, udp`, "proto: tcp"},
		{"rows: [{range: 40999-40000}]", "ends before it begins", "range: 40000-40999"},
		{"rows: [{exclude: host}]", "no range has this name", "exclude: "},
		{"rows: [{stand-in: {reuse: linux}}]", `unknown key "reuse"`, "one of fill, churn"},
		{"rows: [{sources: two}]", `sources: "two", want a whole number from 1 to 1024`, "sources: 2"},
		{"rows: [{sources: 1.5}]", `sources: "1.5"`, ""},
		{"rows: [{targets: 0}]", `targets: "0"`, "targets: 2"},
		{"rows: [{targets: '2'}]", `targets: "2", want a whole number`, ""}, // a string
		{"rows: [{ipv6: yes}]", `ipv6: "yes", want true or false`, "ipv6: true"},
		{"rows: [{hold: 5}]", `hold: "5", want a time with its unit`, "hold: 2s"},
		{"rows: [{hold: 25h}]", `hold: "25h"`, ""},
		{"rows: [{rate: fast}]", `rate: "fast"`, "rate: 400"},
		{"rows: [{rate: .nan}]", `rate: ".nan"`, ""},
		{"rows: [{rate: -1}]", `rate: "-1"`, ""},
		{"rows: [{duration: 90s}]", "without a rate", "rate: 100"},
		{"rows: [{rate: 5, duration: 2s, hold: 3s}]", "hold: 3s is longer than duration: 2s", "hold: 1s"},
		{"rows: [{rate: 5, runs: [fill]}]", "no churn among the runs", "runs: [churn]"},
		{"rows: [{runs: []}]", "there are none", "runs: "},
		{"rows: [{runs: [fill, fill]}]", "once at most", "runs: "},
		{"rows: [{runs: fill}]", "want a list", "runs: "},
		{"rows: [{proto: udp, close: server-fin}]", "no TIME_WAIT", "close: client-fin"},
		{"rows: [{sources: 2}]", "never binds", "strategy: late-bind"},
		{"rows: [{name: ''}]", "want 1 to 200 characters", "name: default"},
		{"rows: [{name: \"a\\tb\"}]", "that can be shown", ""},
		{"defaults: {name: a}\nrows: [{}]", "m.yaml:1: defaults have no name", "rows: "},
		{"rows: [{expect: no_prt==0}]", `unknown field "no_prt"`, "expect: no_port==0"},
		{"rows: [{expect: {survey: no_port==0}}]", `unknown key "survey"`, "one of fill, churn, reuse"},
		{"rows: [{}]\nexpect: [no_port]", "m.yaml:2: ", "expect: "},
		{"rows: [{sysctl: {tcp_tw_reuse: 1}}]", "only settings of net. belong to a run", "sysctl: {net.ipv4.tcp_tw_reuse: 1}"},
		{"rows: [{sysctl: {net.ipv4.tcp_tw_reuse: on}}]", `"on": want a whole number`, "sysctl: {net.ipv4.tcp_tw_reuse: 1}"},
		{"rows: [{sysctl: {net/ipv4/ip_local_port_range: 1 2}}]", "has a key of its own", "range: "},
		{"rows: [{sysctl: 7}]", `sysctl: "7", want keys and values`, "sysctl: {net.ipv4.tcp_tw_reuse: 1}"},
		{"repeat: 0\nrows: [{}]", `repeat: "0"`, "repeat: 3"},
		{"rows: [{strategy: all, targets: " + list + "}]", "10 × 61 = 610 rows here, and 0 above: at most 200", "fewer values"},
		{"rows: [{sources: " + list + ", targets: " + list + ", requests: " + list + ", hold: " + list + ", rate: " + list + ", connections: " + list + "}]", "rows here", ""},
		{"rows:\n\t- name: a", "m.yaml:2: no YAML: ", "--print-matrix"},
		{"rows: [", "no YAML", ""},
		{"rows: [*a]", "unknown anchor", ""},
		{"rows: &a [*a]", "want keys and values", ""},
		{"rows: [{name: a}]\n---\nrows: [{name: b}]", "a second document", "a file for each"},
		{"rows: [{name: \xff}]", "m.yaml:1: not text in UTF-8", ""},
		{"rows: [{name: a\x00}]", "not text", ""},
		{strings.Repeat(" ", suite.MaxFile+1), "a matrix has at most 1048576", ""},
	} {
		m, err := suite.ParseMatrix("m.yaml", []byte(test.text))
		var file *suite.FileError
		if !errors.As(err, &file) || !strings.Contains(err.Error(), test.want) || !strings.Contains(file.Hint(), test.hint) {
			text := test.text
			t.Errorf("%.80q:\n got  %v, hint %q (%d rows)\n want %q, hint %q", text, err, hintOf(err), len(m.Ways), test.want, test.hint)
		}
	}
}

func hintOf(err error) string {
	if h, ok := errors.AsType[*suite.FileError](err); ok {
		return h.Hint()
	}
	return ""
}

// Aliases count as often as they are used, so that a short file cannot stand for
// a long one.
func TestAnchorsThatExplode(t *testing.T) {
	text := "defaults:\n  range: &a [" + strings.Repeat("linux, ", 150) + "all]\nrows:\n"
	for range 60 {
		text += "- {range: *a, exclude: *a}\n"
	}
	if _, err := suite.ParseMatrix("m.yaml", []byte(text)); err == nil {
		t.Error("a matrix of a million rows is taken")
	}
	text = "rows: &rows\n- &a {name: x, range: linux, exclude: linux, close: client-fin}\n" + strings.Repeat("- *a\n", 30_000)
	if _, err := suite.ParseMatrix("m.yaml", []byte(text)); err == nil {
		t.Error("thirty thousand rows are taken")
	}
	text = "rows:\n- &a {name: x, expect: &e [" + strings.Repeat("no_port==0, ", 15_000) + "ok>0]}\n- {name: y, expect: *e}\n"
	if _, err := suite.ParseMatrix("m.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "want at most 200") {
		t.Errorf("fifteen thousand expectations: %v", err)
	}
}

// FuzzMatrix holds that whatever a file has in it makes a matrix or an error with
// a line of it.
func FuzzMatrix(f *testing.F) {
	f.Add(suite.StandardText())
	f.Add("rows: [{strategy: all, close: [client-fin, server-rst], sysctl: {net.ipv4.tcp_tw_reuse: [0, 1]}}]")
	f.Add("defaults: &d {hold: 1s}\nrows: [*d, {expect: {fill: ok>0}}]\nexpect: [no_port==0]")
	f.Add("rows: &a [*a]\n---\n")
	f.Add("rows: [{place: nat, nat-range: host, nat-timeout: {close: [5s, 9s]}, clients: 2, peer-sysctl: {net.ipv4.tcp_timestamps: 0}}]")
	f.Add("? rows\n: - !!str name: |\n    text\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := suite.ParseMatrix("m.yaml", []byte(text))
		if err != nil {
			file, ok := errors.AsType[*suite.FileError](err)
			if !ok || file.Line < 0 || file.Line > 2+strings.Count(text, "\n")+strings.Count(text, "\r")+strings.Count(text, "\u0085")+strings.Count(text, "\u2028")+strings.Count(text, "\u2029") {
				t.Fatalf("%v (%T)", err, err)
			}
			if strings.ContainsAny(err.Error()+file.Hint(), "\n\x1b") {
				t.Fatalf("an error of more than a line: %q", err)
			}
			return
		}
		if len(m.Ways) == 0 || len(m.Ways) > suite.MaxRows {
			t.Fatalf("%d rows", len(m.Ways))
		}
		seen := map[string]bool{}
		for _, w := range m.Ways {
			if seen[w.Name] || w.Name == "" || w.Strategy == "" || w.Range == "" {
				t.Fatalf("row %+v", w)
			}
			seen[w.Name] = true
		}
	})
}
