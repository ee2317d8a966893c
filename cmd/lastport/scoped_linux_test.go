package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"lastport/reports/result"
)

// A target on one link alone is filled, churned and left ports toward as any other,
// whether its link is named by its name or by its number, which are one.
func TestLinkLocalTarget(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t, "--listen", "[fe80::2%far]:7000")
	near, err := netlink.LinkByName("near")
	if err != nil {
		t.Fatal(err)
	}
	byName, byNumber := "[fe80::2%near]:7000", fmt.Sprintf("[fe80::2%%%d]:7000", near.Attrs().Index)
	run := func(target string, verb string, command ...string) (*result.Result, string) {
		t.Helper()
		args := append(strings.Fields(verb), "--place", "host", "--target", target, "--token-file", s.token, "--keep-free", "0",
			"--format", "json", "--progress", "none", "--out", filepath.Join(t.TempDir(), "r"))
		cmd, stderr := prepare(append(args, command...)...)
		stdout, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s toward %s: %v\n%s%s", verb, target, err, stderr, s.stderr)
		}
		return resultOf(t, string(stdout)), stderr.String()
	}
	for _, target := range []string{byName, byNumber} {
		res, _ := run(target, "fill --strategy socket-range --range 40000-40049")
		if w := res.Witness; !res.Verdict.OK || *res.Measured.Connections != 50 || !w.Agree || *w.SockDiag != 50 {
			t.Errorf("a fill toward %s: %+v, sock_diag %d, warnings %+v\n%s", target, res.Verdict, *w.SockDiag, res.Warnings, s.stderr)
		}
		if got := res.Config.Targets; len(got) != 1 || got[0] != byName {
			t.Errorf("%s is %v in the result, want %s", target, got, byName)
		}
		res, stderr := run(target, "fill --strategy connect --leave 5", "--", "/bin/sh", "-c", `echo "at $LASTPORT_TARGET" >&2`)
		if !res.Verdict.OK || res.Command == nil || res.Command.PortsLeft != 5 || !strings.Contains(stderr, "at "+byName) {
			t.Errorf("--leave toward %s: %+v, %+v\n%s", target, res.Verdict, res.Command, stderr)
		}
	}
	for target, ports := range map[string]string{byName: "40000-40049", byNumber: "40050-40099"} { // as TIME_WAIT stays
		res, _ := run(target, "churn --strategy socket-range --attempts 20 --close client-fin --range "+ports)
		if res.Outcomes.OK != 20 || res.TimeWait == nil || res.TimeWait.Generator != 20 {
			t.Errorf("a churn toward %s: %+v, in TIME_WAIT: %+v", target, res.Outcomes, res.TimeWait)
		}
	}
	status, _, stderr := lastportHere(t, "fill", "--place", "host", "--target", byName+","+byNumber, "--token-file", s.token)
	if status != exitUsage || !strings.Contains(stderr, "--target "+byName+" is given twice") {
		t.Errorf("one link by name and by number: status %d\n%s", status, stderr)
	}
}
