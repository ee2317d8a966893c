package reports_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lastport/reports"
	"lastport/reports/result"
)

// container is a checkup of a host with something of every status.
func container() *result.Checkup {
	return &result.Checkup{
		Schema:  result.CheckupSchema,
		Tool:    result.Tool{Version: "0.1.0", Go: "go1.26"},
		Checked: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
		Host:    result.CheckupHost{Kernel: "6.18.0", HZ: 250, CPUs: 2, UID: 1000},
		Space:   &result.Space{Ports: 28232, PortsUsable: 28231, Sources: 1, Targets: 1, Tuples: 28231},
		Predicted: &result.Predicted{
			Connections: &result.Interval{Min: 28231, Max: 28231},
			RatePerS:    &result.RateInterval{Min: 454.97, Max: 470.51},
			Why:         []string{"1 port lost to sockets that hold them: 40000"},
		},
		Checks: []result.Check{
			{
				Group: "places", Name: "private place", Status: result.Blocked, Found: "operation not permitted: AppArmor keeps user namespaces from ordinary users",
				Blocks: "fill, churn, reuse and bench", Since: "Linux 3.8",
				Change: []string{"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
				Undo:   []string{"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=1"},
				Price:  "takes Ubuntu's guard off user namespaces, for every program",
			},
			{Group: "ports", Name: "net.ipv4.ip_local_port_range", Status: result.Fine, Found: "32768-60999, 28,232 ports", Allows: "at most 28,232 connections"},
			{Group: "ports", Name: "ports held", Status: result.Noted, Found: "1 port of the range: 40000", Allows: "1 connection fewer"},
			{Group: "TIME_WAIT", Name: "net.ipv4.tcp_tw_reuse", Status: result.Unread, Found: "could not be read: permission denied"},
			{Group: "TIME_WAIT", Name: "net.ipv4.tcp_max_tw_buckets", Status: result.Falsifies, Found: "4,096", Blocks: "a true picture of exhaustion"},
		},
		Verdict: result.Verdict{Text: "in the way of lastport here: private place; silently falsifying numbers: net.ipv4.tcp_max_tw_buckets; 1 could not be learned"},
	}
}

func TestCheckupGolden(t *testing.T) {
	unknown := &result.Checkup{Checks: []result.Check{{Group: "places", Name: "proc", Status: result.Blocked}}}
	for _, test := range []struct {
		name  string
		doc   *result.Checkup
		style reports.Style
	}{
		{"doctor", container(), reports.Style{}},
		{"doctor-all", container(), reports.Style{Details: true}},
		{"doctor-narrow", container(), reports.Style{Width: 40, ASCII: true}},
		{"doctor-unknown", unknown, reports.Style{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := reports.Text(&out, test.doc, test.style); err != nil {
				t.Fatal(err)
			}
			golden(t, test.name+".txt", out.Bytes())
		})
	}
}

func TestHostileCheckupStaysInItsLines(t *testing.T) {
	many := make([]string, 1000)
	for i := range many {
		many[i] = nasty
	}
	c := result.Check{
		Group: nasty, Name: nasty, Status: nasty, Found: strings.Repeat(nasty, 100), Allows: nasty, Blocks: nasty, Change: many, Undo: many, Price: nasty, Since: nasty,
	}
	doc := &result.Checkup{
		Verdict: result.Verdict{Text: nasty}, Checks: make([]result.Check, 10_000),
		Predicted: &result.Predicted{
			Connections: &result.Interval{Min: math.MaxInt64, Max: math.MinInt64},
			RatePerS:    &result.RateInterval{Min: math.NaN(), Max: math.Inf(1)}, Why: many,
		},
	}
	for i := range doc.Checks {
		doc.Checks[i] = c
	}
	for _, width := range []int{1, 40, 80} {
		for _, details := range []bool{false, true} {
			checkText(t, doc, reports.Style{Width: width, Details: details, ASCII: details})
		}
	}
	checkText(t, &result.Checkup{}, reports.Style{})
}

// TestCheckupIsReadBack: a saved checkup is a document like a run.
func TestCheckupIsReadBack(t *testing.T) {
	var text bytes.Buffer
	if err := reports.JSON(&text, container()); err != nil {
		t.Fatal(err)
	}
	got, err := result.Decode(&text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(result.Document(container()), got); diff != "" {
		t.Error(diff)
	}
	if n := container().Wrong(); n != 2 {
		t.Errorf("%d checks are wrong, want 2", n)
	}
}
