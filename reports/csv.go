package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"lastport/reports/result"
)

// csvTable is a table that CSV can write of a run. Its columns are documented in
// docs/results.md, and stay: new ones are added at the end.
type csvTable struct {
	name string
	head []string
	rows func(*result.Result) [][]string
}

func csvTables() []csvTable {
	return []csvTable{
		{"timeline", []string{
			"t_ns", "opened", "closed", "no_port", "failed", "open", "p99_ns",
			"syn_sent", "established", "fin_wait1", "fin_wait2", "close_wait", "last_ack", "closing", "time_wait",
			"user_cpu_ns", "sys_cpu_ns",
		}, csvTimeline},
		{"occupancy", []string{"kind", "from", "to", "count", "p50_ns", "p99_ns", "max_ns"}, csvOccupancy},
		{"ports", []string{"port", "uses", "order", "fullest", "attempts_over", "end"}, csvPorts},
		{"outcomes", []string{"outcome", "count"}, csvOutcomes},
	}
}

// CSVTables lists the tables that CSV writes.
func CSVTables() (names []string) {
	for _, t := range csvTables() {
		names = append(names, t.name)
	}
	return names
}

// CSV writes one table of a run, or of all runs of a set: those have two columns
// in front, the run's number in the set, from 1, and what sets it apart. The form
// is that of RFC 4180: commas, CRLF, one row of names first. What was not measured
// is an empty cell. A text that a spreadsheet would take for a formula has an
// apostrophe in front.
//
// Of other documents there are no tables. Errors are of type *FormError, or those
// of w.
func CSV(w io.Writer, d result.Document, table string) error {
	tables := csvTables()
	i := slices.IndexFunc(tables, func(t csvTable) bool { return t.name == table })
	if i < 0 {
		return &FormError{"csv", fmt.Sprintf("no table %q, want one of %s", table, strings.Join(CSVTables(), ", ")), "--table " + tables[0].name}
	}
	t := tables[i]
	out := csv.NewWriter(w)
	out.UseCRLF = true
	var err error
	switch d := d.(type) {
	case *result.Result:
		err = out.WriteAll(append([][]string{t.head}, t.rows(d)...))
	case *result.Set:
		err = out.Write(append([]string{"run", "name"}, t.head...))
		for n, name := range runNames(d) {
			for _, row := range t.rows(d.Runs[n]) {
				if err == nil {
					err = out.Write(append([]string{strconv.Itoa(n + 1), name}, row...))
				}
			}
		}
		out.Flush()
		if err == nil {
			err = out.Error()
		}
	default:
		return &FormError{"csv", "there are no tables of it, only of a run or a set of runs", "--format json"}
	}
	if err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

// FormError says that a document does not come in the form that was asked for:
// wrong usage.
type FormError struct{ form, problem, hint string }

// Error names the form and what is wrong.
func (e *FormError) Error() string { return "--format " + e.form + ": " + e.problem }

// Hint says what to type.
func (e *FormError) Hint() string { return e.hint }

// Usage is true: the exit status is that of wrong usage.
func (e *FormError) Usage() bool { return true }

// runNames are what sets the runs of a set apart.
func runNames(s *result.Set) (names []string) {
	a := axesOf(s, byScenario(s.Runs))
	for _, r := range s.Runs {
		names = append(names, csvText(a.fullName(r)))
	}
	return names
}

// csvText makes a text of a file harmless where a cell of a spreadsheet would
// take it for a formula (OWASP, CSV injection) and a terminal for a command.
func csvText(s string) string {
	s = clean(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
