package reports_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"lastport/reports"
	"lastport/reports/result"
)

// csvOf writes a table, and reads it back by the standard library's reader, which
// refuses rows of unequal length.
func csvOf(t *testing.T, d result.Document, table string) (text string, rows [][]string) {
	t.Helper()
	var out bytes.Buffer
	if err := reports.CSV(&out, d, table); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %d rows, %v", table, len(rows), err)
	}
	return out.String(), rows
}

// tabled is a run with something in every table.
func tabled() *result.Result {
	r := filled("connect")
	r.Timeline = []result.Row{
		{TNS: 1e8, Opened: 28_000, Open: 28_000, P99NS: ptr(int64(640_000)), UserCPUNS: 5, SysCPUNS: 6, States: &result.States{Established: ptr(int64(28_000)), TimeWait: ptr(int64(0))}},
		{TNS: 2e8, Opened: 232, Closed: 28_232, NoPort: 200, Failed: 1},
	}
	r.AtOccupancy = []result.Point{{At: 0.999, From: 0.999, To: 1, Count: 28, P50NS: 700_000, P99NS: 868_000, MaxNS: 900_000}}
	uses := new(result.PortMap)
	for _, port := range []uint16{40_002, 40_002, 40_001} {
		uses.Add(port)
	}
	r.Ports = uses.Ports([]uint16{40_002, 40_001})
	r.PortStates = &result.PortStates{Moments: []result.PortMoment{
		{At: "fullest", Client: portsIn(map[result.PortState][2]int{result.PortEstablished: {40_001, 40_002}})},
		{At: "end", Client: portsIn(map[result.PortState][2]int{result.PortTimeWait: {40_002, 40_003}})},
	}}
	return r
}

func TestCSVGolden(t *testing.T) {
	for _, table := range reports.CSVTables() {
		text, _ := csvOf(t, tabled(), table)
		golden(t, table+".csv", []byte(text))
		if strings.Count(text, "\n") != strings.Count(text, "\r\n") || !strings.HasSuffix(text, "\r\n") {
			t.Errorf("%s: a line does not end in CRLF", table)
		}
	}
}

func TestCSVOfASetNamesTheRun(t *testing.T) {
	a, b := tabled(), tabled()
	a.Run.Repeat, b.Run.Repeat, b.Config.Strategy = 1, 2, "=cmd|' /C calc'!A1"
	set := &result.Set{Schema: result.SetSchema, Axis: "strategy/repeat", Runs: []*result.Result{a, b}}
	for _, table := range reports.CSVTables() {
		_, one := csvOf(t, a, table)
		_, rows := csvOf(t, set, table)
		if len(rows) != 2*len(one)-1 || rows[0][0] != "run" || rows[0][1] != "name" || rows[0][2] != one[0][0] {
			t.Fatalf("%s: %d rows, head %q", table, len(rows), rows[0])
		}
		first, last := rows[1], rows[len(rows)-1]
		if first[0] != "1" || first[1] != "connect run 1" || last[0] != "2" || last[1] != "'=cmd|' /C calc'!A1 run 2" {
			t.Errorf("%s: runs %q and %q", table, first[:2], last[:2])
		}
	}
}

// TestDocsNameEveryColumn keeps docs/results.md and the tables the same.
func TestDocsNameEveryColumn(t *testing.T) {
	text, err := os.ReadFile("../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string][]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| ([a-z]+) \\| `([a-z0-9_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = append(documented[m[1]], m[2])
	}
	for _, table := range reports.CSVTables() {
		_, rows := csvOf(t, &result.Result{}, table)
		if diff := cmp.Diff(rows[0], documented[table]); diff != "" {
			t.Errorf("docs/results.md, columns of %s (-written +documented):\n%s", table, diff)
		}
	}
}

func TestCSVOfNothingIsItsHead(t *testing.T) {
	for _, table := range []string{"timeline", "occupancy", "ports"} {
		if _, rows := csvOf(t, &result.Result{}, table); len(rows) != 1 {
			t.Errorf("%s: %d rows", table, len(rows))
		}
	}
	if _, rows := csvOf(t, &result.Set{}, "outcomes"); len(rows) != 1 {
		t.Errorf("an empty set: %d rows", len(rows))
	}
	for _, d := range []result.Document{&result.Plan{}, &result.Checkup{}, &result.Comparison{}, nil} {
		var form *reports.FormError
		if err := reports.CSV(&bytes.Buffer{}, d, "ports"); !errors.As(err, &form) || form.Hint() == "" || !form.Usage() {
			t.Errorf("%T: %v", d, err)
		}
	}
	if err := reports.CSV(&bytes.Buffer{}, tabled(), "port"); err == nil || !strings.Contains(err.Error(), "timeline, occupancy, ports, outcomes") {
		t.Errorf("an unknown table: %v", err)
	}
	want := errors.New("closed pipe")
	for _, d := range []result.Document{tabled(), &result.Set{Runs: []*result.Result{tabled()}}} {
		if err := reports.CSV(brokenWriter{want}, d, "ports"); !errors.Is(err, want) {
			t.Errorf("%T: error %v, want that of the writer", d, err)
		}
	}
}

func TestHostileResultsAreCellsInCSV(t *testing.T) {
	set := &result.Set{Axis: "scenario/strategy/close", Runs: []*result.Result{hostile(), hostileAs("churn"), interrupted()}}
	for _, d := range []result.Document{hostile(), set} {
		for _, table := range reports.CSVTables() {
			text, rows := csvOf(t, d, table)
			if strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) && c != '\r' && c != '\n' }) {
				t.Errorf("%s has a control character", table)
			}
			for _, row := range rows[1:] {
				for _, cell := range row {
					if strings.ContainsAny(cell[:min(1, len(cell))], "=+@\t") {
						t.Errorf("%s: cell %q is a formula", table, cell)
					}
				}
			}
		}
	}
}
