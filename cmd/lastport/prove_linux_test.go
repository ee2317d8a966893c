package main

import (
	"strings"
	"testing"

	"lastport/loadgen"
	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// A claim holds only if the run did what it says, to its end.
func TestHoldsClaim(t *testing.T) {
	below := suite.Side{Limit: suite.LimitRate, Scenario: "churn", Attempts: 100}
	above := suite.Side{Limit: suite.LimitRate, Above: true, Scenario: "churn", Attempts: 100}
	full := suite.Side{Limit: suite.LimitConnections, Above: true, Scenario: "fill"}
	some := suite.Side{Limit: suite.LimitDemand, Scenario: "fill", Connections: 50}
	tooMany := suite.Side{Limit: suite.LimitDemand, Above: true, Scenario: "fill", Connections: 50}
	opened := func(n int64, ok bool, o result.Outcomes) result.Result {
		return result.Result{Measured: result.Measured{Connections: &n}, Outcomes: o, Verdict: result.Verdict{OK: ok}}
	}
	interrupted := result.Result{Outcomes: result.Outcomes{OK: 100}, Run: result.Run{Interrupted: true}}
	for _, test := range []struct {
		name string
		side suite.Side
		run  result.Result
		want bool
	}{
		{"below, all connected", below, result.Result{Outcomes: result.Outcomes{OK: 100}}, true},
		{"below, one found no port", below, result.Result{Outcomes: result.Outcomes{OK: 99, NoPort: 1}}, false},
		{"below, one was not made", below, result.Result{Outcomes: result.Outcomes{OK: 99}}, false},
		{"below, one timed out", below, result.Result{Outcomes: result.Outcomes{OK: 99, TimedOut: 1}}, false},
		{"below, interrupted", below, interrupted, false},
		{"above, ports ran out", above, result.Result{Outcomes: result.Outcomes{OK: 99, NoPort: 1}}, true},
		{"above, they did not", above, result.Result{Outcomes: result.Outcomes{OK: 100}}, false},
		{"full, as predicted", full, opened(50, true, result.Outcomes{OK: 50, NoPort: 100}), true},
		{"full, not as predicted", full, opened(49, false, result.Outcomes{OK: 49, NoPort: 100}), false},
		{"full, none failed", full, opened(50, true, result.Outcomes{OK: 50}), false},
		{"a demand, all opened", some, opened(50, true, result.Outcomes{OK: 50}), true},
		{"a demand, one found no port", some, opened(49, true, result.Outcomes{OK: 49, NoPort: 1}), false},
		{"too many, ports ran out", tooMany, opened(49, true, result.Outcomes{OK: 49, NoPort: 100}), true},
		{"too many, all opened", tooMany, opened(50, true, result.Outcomes{OK: 50}), false},
		{"too many, stopped without a reason", tooMany, opened(49, false, result.Outcomes{OK: 49, Refused: 1}), false},
	} {
		if got := holdsClaim(test.side, &test.run); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// A proof is one only if every side was made, and every claim held.
func TestJudgeProof(t *testing.T) {
	proof := suite.Proof{Sides: []suite.Side{
		{Scenario: "churn", Attempts: 100, Claim: "below"}, {Scenario: "churn", Above: true, Claim: "above"},
	}}
	runs := []namedRun{{cfg: loadgen.Config{ID: "a"}}, {cfg: loadgen.Config{ID: "b"}}}
	good := &result.Result{Outcomes: result.Outcomes{OK: 100}, Verdict: result.Verdict{Text: "fine"}}
	out := &result.Result{Outcomes: result.Outcomes{OK: 1, NoPort: 1}}
	for _, test := range []struct {
		results []*result.Result
		ok      bool
		text    string
	}{
		{[]*result.Result{good, out}, true, "2 of 2 claims hold"},
		{[]*result.Result{good, good}, false, "1 of 2 claims hold"},
		{[]*result.Result{good, nil}, false, "1 of 2 claims hold"},
		{[]*result.Result{nil, nil}, false, "0 of 2 claims hold"},
	} {
		d := proofDocument(proof, &result.Plan{})
		judgeProof(d, proof, runs, test.results)
		if d.Verdict.OK != test.ok || d.Verdict.Text != test.text {
			t.Errorf("%+v, want %v, %q", d.Verdict, test.ok, test.text)
		}
		if r := test.results[0]; r != nil && (d.Sides[0].Run != "a" || d.Sides[0].Text != "fine") {
			t.Errorf("%+v", d.Sides[0])
		}
	}
}

// The settings of a plan reach its runs by their whole names. What ports there are
// does not: that is said by the ports themselves.
func TestSettingsOfAProof(t *testing.T) {
	f := planFlags{sysctls: []string{
		"tcp_tw_reuse=1", "net/ipv4/tcp_tw_reuse_delay = 250", "net.ipv4.ip_local_port_range=40000 40099", "ip_local_reserved_ports=40001",
	}}
	got := strings.Join(f.runSysctls(), " ")
	if want := "net.ipv4.tcp_tw_reuse=1 net.ipv4.tcp_tw_reuse_delay=250"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
