package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/kernel"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// rows are the ways to compare: those of --matrix, or the standard ones. Each is
// also to do what --expect says.
func (f *benchFlags) rows() (m suite.Matrix, err error) {
	if f.matrix == "" {
		m, err = suite.Standard()
	} else {
		m, err = readMatrix(f.matrix)
	}
	if err != nil {
		return m, err
	}
	for _, text := range f.expect {
		e, err := result.ParseExpect(text)
		if err != nil {
			return m, err
		}
		for i := range m.Ways {
			m.Ways[i].Expect = append(m.Ways[i].Expect, suite.Expect{Expectation: e})
		}
	}
	return m, nil
}

// readMatrix reads a file of rows.
func readMatrix(path string) (suite.Matrix, error) {
	file, err := os.Open(path)
	if err != nil {
		return suite.Matrix{}, &matrixError{err}
	}
	defer file.Close() //nolint:errcheck // nothing was written
	text, err := io.ReadAll(io.LimitReader(file, suite.MaxFile+1))
	if err != nil {
		return suite.Matrix{}, &matrixError{err}
	}
	return suite.ParseMatrix(path, text)
}

// matrixError is a matrix that cannot be read.
type matrixError struct{ err error }

func (e *matrixError) Error() string { return "--matrix: " + e.err.Error() }
func (e *matrixError) Unwrap() error { return e.err }
func (e *matrixError) Hint() string  { return "lastport bench --print-matrix > matrix.yaml" }

// matrixKeys are the kernel's settings that a matrix makes.
func matrixKeys(m suite.Matrix) (keys []string) {
	for _, w := range m.Ways {
		for _, text := range slices.Concat(w.Sysctls, w.PeerSysctls) {
			key, _, _ := strings.Cut(text, "=")
			keys = append(keys, key)
		}
	}
	return keys
}

// lacking finds the settings of a matrix that this kernel does not have: of one
// that kernels have since a known version the row is left out, any other is a
// mistake.
func lacking(m suite.Matrix, host place.Host) (map[string]bool, error) {
	missing := map[string]bool{}
	for _, w := range m.Ways {
		for _, text := range slices.Concat(w.Sysctls, w.PeerSysctls) {
			key, value, _ := strings.Cut(text, "=")
			switch _, err := kernel.ReadSysctl(key); {
			case !errors.Is(err, fs.ErrNotExist):
			case key == suite.KeyTWReuseDelay: // Linux 6.14
				missing[key] = true
			default:
				hint := ""
				if near, ok := ports.Nearest(key, slices.Sorted(maps.Keys(host.Settings))); ok {
					hint = fmt.Sprintf("sysctl: {%s: %s}", near, value)
				}
				return nil, w.BlameSetting(m.Name, key, hint, "this kernel has no such setting")
			}
		}
	}
	return missing, nil
}

// expected says what is to come, and how long it takes.
func (u *ui) expected(plan suite.Suite) {
	var parts []string
	for _, p := range plan.Parts {
		how := "in turn"
		if p.AtOnce {
			how = "side by side"
		}
		if len(p.Members) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s for %v", len(p.Members), how, p.Lasts.Round(time.Second)))
		}
	}
	u.line("%s, %s, about %v on a quiet machine: %s", several(len(plan.Rows), "row"), several(plan.Len(), "run"), plan.Lasts().Round(time.Second), strings.Join(parts, ", then "))
}

// concludeRows holds the expectations against the rows, and reports the set.
func (a *app) concludeRows(s *setFolder, plan benchPlan, err error, out *output) error {
	for i := range s.set.Rows {
		for _, e := range plan.Rows[i].Expect {
			s.set.Rows[i].Expect = append(s.set.Rows[i].Expect, plan.held(e, &plan.Rows[i], s.set.Runs)...)
		}
	}
	if err = a.concludeSet(s, err, out); err != nil || a.status == exitInterrupted {
		return err // and what did not come to its end is no surprise
	}
	for _, row := range s.set.Rows {
		for _, e := range row.Expect {
			if !e.Held {
				a.status = max(a.status, exitExpectation)
				a.ui.notMet(result.Expected{Expr: row.Name + ": " + e.Expr, Value: e.Value})
			}
		}
	}
	return nil
}

// held holds an expectation against each run of a row that measured the field, if
// it is of the scenario. What no run measured did not hold. A rate that is tried
// because it must fail is nobody's expectation.
func (p *benchPlan) held(e suite.Expect, row *suite.Row, runs []*result.Result) (all []result.RowExpected) {
	for _, m := range row.Members {
		if m.Over || e.Scenario != "" && string(e.Scenario) != m.Scenario {
			continue
		}
		i := slices.IndexFunc(runs, func(r *result.Result) bool { return r.Run.ID == p.ids[m] })
		if i < 0 {
			continue
		}
		if got := e.Eval(runs[i]); got.Held || got.Value != result.NotMeasured {
			all = append(all, result.RowExpected{Run: p.ids[m], Expr: e.String(), Value: got.Value, Held: got.Held})
		}
	}
	if len(all) == 0 {
		all = []result.RowExpected{{Expr: e.String(), Value: result.NotMeasured}}
	}
	return all
}

// setRows says which runs belong to which row of the table.
func (p *benchPlan) setRows() (rows []result.SetRow) {
	for i := range p.Rows {
		r := &p.Rows[i]
		row := result.SetRow{
			Name: r.Name, Strategy: r.Strategy, Range: r.Ports.String(), RangeName: r.Profile, Close: r.Close.String(),
			Sources: r.Sources, Targets: r.Targets, IPv6: r.IPv6, Requests: r.Requests, HoldNS: int64(r.Hold), Price: r.Price,
			Place: r.Place, Gateway: gatewayRow(&r.Way), StandIn: r.On, Predicted: predictedOf(r.Predicted), Runs: []string{},
		}
		if r.UDP {
			row.Proto = "udp"
		}
		if r.Gain > 0 {
			row.Gain = &r.Gain
		}
		for _, text := range r.Sysctls {
			if row.Sysctls == nil {
				row.Sysctls = map[string]string{}
			}
			key, value, _ := strings.Cut(text, "=")
			row.Sysctls[key] = value
		}
		for _, m := range r.Members {
			if id, made := p.ids[m]; made {
				row.Runs = append(row.Runs, id)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// predictedOf is what the arithmetic says, as a file keeps it.
func predictedOf(a capacity.Answer) result.Predicted {
	if a.Usable == nil { // the way cannot be had here
		return result.Predicted{}
	}
	p := result.Predicted{
		Connections: &result.Interval{Min: a.Connections.Min, Max: a.Connections.Max},
		ReuseNS:     &result.Interval{Min: int64(a.Reuse.Min), Max: int64(a.Reuse.Max)},
		Why:         a.Why,
	}
	if a.Rate != nil {
		p.RatePerS = &result.RateInterval{Min: a.Rate.Min, Max: a.Rate.Max}
	}
	return p
}

// several is a number of things.
func several(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
