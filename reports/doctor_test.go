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
		Use: &result.Use{
			Connections: 18500, TimeWait: 12000, Ownerless: 3,
			Targets: []result.TargetUse{
				{Source: "192.0.2.1", Target: "192.0.2.2:443", Ports: 17504, TimeWait: 12000, Taken: 17504},
				{Source: "2001:db8::1", Target: "[2001:db8::2]:5432", Ports: 996, Taken: 996},
			},
			Processes: []result.Process{
				{Command: "nginx", PID: 812, UID: 33, Connections: 5501, Target: "192.0.2.2:443", Files: 5600, FilesMax: 65536},
				{UID: 1000, Connections: 996, Target: "[2001:db8::2]:5432"},
			},
			Unattended: "996 connections have a process that cannot be seen: other users' processes are root's alone to look into",
		},
		Limits: []result.Limit{
			{Name: "ports toward 192.0.2.2:443", Of: result.LimitOpen, Used: 17504, Max: 28231, Left: 10727},
			{Name: "descriptors of nginx (812)", Of: result.LimitOpen, Used: 5600, Max: 65536, Left: 59936},
			{Name: "sockets in TIME_WAIT", Of: result.LimitClosed, Used: 12000, Max: 131072, Left: 119072},
			{Name: "queue of 0.0.0.0:80", Of: result.LimitQueued, Used: 100, Max: 128, Left: 28},
		},
		Checks: []result.Check{
			{
				Group: "places", Name: "private place", Status: result.Blocked, Found: "operation not permitted: AppArmor keeps user namespaces from ordinary users",
				Blocks: "fill, churn, reuse and bench", Since: "Linux 3.8",
				Change: []string{"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
				Undo:   []string{"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=1"},
				Price:  "takes Ubuntu's guard off user namespaces, for every program",
				Keep:   []string{"echo 'kernel.x = 0' | sudo tee /etc/sysctl.d/zz-lastport-x.conf"},
				Forget: []string{"sudo rm /etc/sysctl.d/zz-lastport-x.conf"},
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
		Keep: many, Forget: many,
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
	doc.Use = &result.Use{Connections: math.MinInt64, TimeWait: math.MaxInt64, Ownerless: 1, Unattended: strings.Repeat(nasty, 100)}
	for range 10_000 {
		doc.Use.Targets = append(doc.Use.Targets, result.TargetUse{Source: nasty, Target: nasty, Ports: math.MaxInt64})
		doc.Use.Processes = append(doc.Use.Processes, result.Process{Command: nasty, PID: -1, Target: nasty})
		doc.Limits = append(doc.Limits, result.Limit{Name: nasty, Of: nasty, Used: math.MaxInt64, Left: math.MinInt64})
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
