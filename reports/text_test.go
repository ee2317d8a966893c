package reports_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lastport/reports"
	"lastport/reports/result"
)

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	tests := []struct {
		name  string
		doc   result.Document
		style reports.Style
	}{
		{"connect", filled("connect"), reports.Style{}},
		{"socket-range", flat(), reports.Style{}},
		{"odd", odd(), reports.Style{}},
		{"interrupted", interrupted(), reports.Style{}},
		{"refused", refused(), reports.Style{}},
		{"empty", &result.Result{Schema: result.Schema}, reports.Style{}},
		{"colour", flat(), reports.Style{Color: true}},
		{"ascii", filled("connect"), reports.Style{ASCII: true}},
		{"narrow", filled("connect"), reports.Style{Width: 40}},
		{"churn-exhausted", exhausted(), reports.Style{}},
		{"churn-ascii", exhausted(), reports.Style{ASCII: true}},
		{"churn-narrow", exhausted(), reports.Style{Width: 40}},
		{"churn-stalled", stalled(), reports.Style{}},
		{"churn-stopped", stopped(), reports.Style{}},
		{"churn-max", fastest("server-fin", 23_140), reports.Style{}},
		{"reuse-time-wait", timeWaited(), reports.Style{}},
		{"reuse-recycled", recycled(), reports.Style{}},
		{"reuse-at-once", atOnce("client-rst"), reports.Style{}},
		{"reuse-in-flight", vanished(), reports.Style{}},
		{"set-close", closes(), reports.Style{}},
		{"set-mixed", mixed(), reports.Style{}},
		{"set", bench(), reports.Style{}},
		{"set-wide", bench(), reports.Style{Width: 200}},
		{"bench", ways(), reports.Style{}},
		{"bench-narrow", ways(), reports.Style{Width: 40}},
		{"bench-details", ways(), reports.Style{ASCII: true, Details: true}},
		{"set-empty", &result.Set{Schema: result.SetSchema, Axis: "strategy"}, reports.Style{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := reports.Text(&out, test.doc, test.style); err != nil {
				t.Fatal(err)
			}
			golden(t, test.name+".txt", out.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got, accept with -update):\n%s", path, diff)
	}
}
