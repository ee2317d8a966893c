package main

import (
	"io"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// What a step came to is decided by what its run measured.
func TestLimitOfAStep(t *testing.T) {
	try := suite.Try{Rate: 100, Attempts: 1000, Lasts: 10 * time.Second}
	for _, test := range []struct {
		name   string
		run    result.Result
		enough bool // of ports, by arithmetic
		want   suite.Limit
	}{
		{"all connected", result.Result{Attempts: 1000, Outcomes: result.Outcomes{OK: 1000}}, true, suite.None},
		{"the last answer was still to come", result.Result{Attempts: 1000, Outcomes: result.Outcomes{OK: 999, Canceled: 1}}, true, suite.None},
		{"ports ran out", result.Result{Attempts: 1000, Outcomes: result.Outcomes{OK: 999, NoPort: 1}}, true, suite.Ports},
		{"a port that was chosen was taken", result.Result{Attempts: 1000, Outcomes: result.Outcomes{OK: 999, PortBusy: 1}}, true, suite.Ports},
		{"ports ran out because attempts were late", result.Result{
			Attempts: 1000, Outcomes: result.Outcomes{OK: 999, NoPort: 1}, Warnings: []result.Warning{{Code: "schedule_late"}},
		}, true, suite.Generator},
		{"they were late, and there were too few anyway", result.Result{
			Attempts: 1000, Outcomes: result.Outcomes{OK: 999, NoPort: 1}, Warnings: []result.Warning{{Code: "schedule_late"}},
		}, false, suite.Ports},
		{"attempts are missing", result.Result{Attempts: 999, Outcomes: result.Outcomes{OK: 999}}, true, suite.Generator},
		{"descriptors are missing", result.Result{Attempts: 1000, Outcomes: result.Outcomes{OK: 999, NoFD: 1}}, true, suite.Generator},
		{"half began late", result.Result{
			Attempts: 1000, Outcomes: result.Outcomes{OK: 1000}, ScheduleError: &result.ScheduleError{P50NS: 50_000_001},
		}, true, suite.Generator},
		{"some began late", result.Result{
			Attempts: 1000, Outcomes: result.Outcomes{OK: 1000}, ScheduleError: &result.ScheduleError{P50NS: 50_000_000, P99NS: 100_000_000, MaxNS: 5e9},
		}, true, suite.None},
		{"it fell behind", result.Result{
			Attempts: 1000, Outcomes: result.Outcomes{OK: 1000}, ScheduleError: &result.ScheduleError{P50NS: 50_000_000, P99NS: 100_000_001},
		}, true, suite.Behind},
		{"it fell behind, and ports ran out", result.Result{
			Attempts: 1000, Outcomes: result.Outcomes{OK: 999, NoPort: 1}, ScheduleError: &result.ScheduleError{P99NS: 100_000_001},
		}, true, suite.Behind},
		{"the listener did not answer", result.Result{Attempts: 1000, Outcomes: result.Outcomes{OK: 999, TimedOut: 1}}, true, suite.Listener},
		{"an expectation is missed", result.Result{
			Attempts: 1000, Outcomes: result.Outcomes{OK: 1000}, Expect: []result.Expected{{Held: true}, {Held: false}},
		}, true, suite.Expectation},
	} {
		if got := limitOf(&test.run, tryOf{Try: try, late: 100 * time.Millisecond, enough: test.enough}); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// Where too few ports are a certainty, their running out is no matter of lateness.
func TestPortsRunOutHoweverLate(t *testing.T) {
	run := result.Result{Attempts: 1000, Outcomes: result.Outcomes{OK: 999, NoPort: 1}, ScheduleError: &result.ScheduleError{P99NS: 1e9}}
	if got := limitOf(&run, tryOf{Try: suite.Try{Attempts: 1000, Lasts: time.Minute}, scarce: true}); got != suite.Ports {
		t.Errorf("%v", got)
	}
}

// What is asked of the rate that is found is read before the first step, and asked
// of no step.
func TestExpectationsOfASearch(t *testing.T) {
	k := &seeking{f: &churnFlags{runFlags: runFlags{expect: []string{"rate>=5", "no_port==0", "connections>3"}}}}
	if err := k.expectations(); err != nil || len(k.floors) != 2 || k.floors[1].String() != "connections>3" || len(k.bounds) != 1 || k.bounds[0] != "no_port==0" {
		t.Errorf("floors %v, bounds %q, %v", k.floors, k.bounds, err)
	}
	for _, text := range []string{"conections>=1", "foo>1", ">>>", "rate>=fast", "no_prt==0"} {
		k := &seeking{f: &churnFlags{runFlags: runFlags{expect: []string{text}}}}
		if err := k.expectations(); statusOf(err) != exitUsage {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The status says whether what was expected was found, and whether anything was.
func TestJudgeSearch(t *testing.T) {
	rate := 8.0
	for _, test := range []struct {
		name   string
		search result.RateSearch
		status int
		fails  bool
	}{
		{"found", result.RateSearch{RatePerS: &rate, Limit: "ports"}, exitOK, false},
		{"found, and as expected", result.RateSearch{RatePerS: &rate, Expect: []result.Expected{{Held: true}}}, exitOK, false},
		{"too low", result.RateSearch{RatePerS: &rate, Expect: []result.Expected{{Held: true}, {}}}, exitExpectation, false},
		{"none for an expectation", result.RateSearch{Limit: "expectation"}, exitExpectation, false},
		{"none", result.RateSearch{Limit: "ports"}, exitOK, true},
	} {
		a := &app{ui: newUI(io.Discard)}
		err := a.judgeSearch(&test.search)
		if a.status != test.status || (err != nil) != test.fails || err != nil && statusOf(err) != exitFailed {
			t.Errorf("%s: status %d, %v", test.name, a.status, err)
		}
	}
}

// A search that is interrupted keeps what its steps had measured, and takes none
// of them for proven.
func TestInterruptedSearchKeepsItsSteps(t *testing.T) {
	requireNamespaces(t)
	dir := t.TempDir()
	cmd, stderr := start(t, dir, "churn", "--rate", "auto", "--range", "40000-40009", "--hold", "30s", "--close", "client-rst",
		"--progress", "none", "--out", "r")
	read := func() (*result.Set, bool) {
		d, err := result.ReadAny(filepath.Join(dir, "r"))
		s, ok := d.(*result.Set)
		return s, err == nil && ok
	}
	waitFor(t, "connections of every step", func() bool {
		s, ok := read()
		return ok && len(s.Runs) == 12 && !slices.ContainsFunc(s.Runs, func(r *result.Result) bool { return r.Outcomes.OK == 0 })
	})
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if status := exitOf(t, cmd); status != exitInterrupted {
		t.Errorf("status %d, want %d\n%s", status, exitInterrupted, stderr)
	}
	s, ok := read()
	if !ok || !s.Interrupted || len(s.Runs) != 12 || s.Search == nil || s.Search.RatePerS != nil || s.Search.Verdict.OK {
		t.Fatalf("%+v", s)
	}
	for _, r := range s.Runs {
		if !r.Run.Interrupted || r.Outcomes.Sum() != r.Attempts {
			t.Errorf("%s: interrupted %v, outcomes %+v of %d", r.Config.Rate, r.Run.Interrupted, r.Outcomes, r.Attempts)
		}
	}
}
