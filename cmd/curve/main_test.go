package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/curve"
	"lastport/reports/result"
)

// keep saves a fill by connect that took so long.
func keep(t *testing.T, dir, name string, fillNS int64, change func(*result.Result)) {
	t.Helper()
	r := &result.Result{Schema: result.Schema, Tool: result.Tool{Version: "1"}}
	r.Run = result.Run{Scenario: "fill", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	r.Config.Strategy, r.Config.Proto, r.Space.PortsUsable = "connect", "tcp", 100
	r.Host.Kernel = "6.18.1-builder"
	r.Measured.FillNS = &fillNS
	r.Occupancy = []result.Band{{From: 0, To: 1, Count: 100, P50NS: fillNS, P99NS: 2 * fillNS}}
	if change != nil {
		change(r)
	}
	var text bytes.Buffer
	if err := result.Encode(&text, r); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name, result.FileName), text.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Of fills that are alike the quickest is kept; one that was interrupted is none.
func TestCondense(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, "slow", 2000, nil)
	keep(t, dir, "quick", 1000, nil)
	keep(t, dir, "interrupted", 10, func(r *result.Result) { r.Run.Interrupted = true })
	keep(t, dir, "other", 3000, func(r *result.Result) { r.Config.Strategy = "bind" })
	own, err := condense(dir)
	if err != nil {
		t.Fatal(err)
	}
	if own.Measured != "2026-01-02" || own.Kernel != "6.18.1" || own.Tool != "1" || len(own.Curves) != 2 {
		t.Errorf("%+v", own)
	}
	if bind, connect := own.Curves[0], own.Curves[1]; bind.Steps[0].P50 != 3000 || connect.Steps[0].P50 != 1000 {
		t.Errorf("%+v", own.Curves)
	}
	if _, err := condense(t.TempDir()); !errors.Is(err, errNoRuns) {
		t.Error(err)
	}
}

// What is written can be read again, a line for each curve.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, "one", 1000, nil)
	keep(t, dir, "two", 1000, func(r *result.Result) { r.Config.Strategy = "bind" })
	path := filepath.Join(dir, "curves.json")
	var stderr strings.Builder
	if status := run([]string{"-runs", dir, "-rounds", "0", "-o", path}, &stderr); status != 0 {
		t.Fatal(stderr.String())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var own curve.Own
	if err := json.Unmarshal(text, &own); err != nil || len(own.Curves) != 2 || own.Kernel != "6.18.1" {
		t.Errorf("%v: %+v", err, own)
	}
	if lines := bytes.Count(text, []byte("\n")); lines != 4 {
		t.Errorf("%d lines:\n%s", lines, text)
	}
	if status := run([]string{"-runs", t.TempDir(), "-rounds", "0", "-o", path}, &stderr); status != 1 || !strings.Contains(stderr.String(), "no fill that came to its end") {
		t.Errorf("status %d: %s", status, stderr.String())
	}
	if status := run([]string{"more"}, &stderr); status != 2 {
		t.Errorf("status %d", status)
	}
}
