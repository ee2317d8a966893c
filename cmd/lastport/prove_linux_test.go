package main

import (
	"strings"
	"testing"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/capacity"
	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// A claim holds only if the run did what it says, to its end and in time.
func TestHoldsClaim(t *testing.T) {
	const late = 50 * time.Millisecond
	below := suite.Side{Limit: suite.LimitRate, Scenario: "churn", Attempts: 100, Late: late}
	above := suite.Side{Limit: suite.LimitRate, Above: true, Scenario: "churn", Attempts: 100, Late: late}
	full := suite.Side{Limit: suite.LimitConnections, Above: true, Scenario: "fill", Opens: capacity.Interval[int64]{Min: 49, Max: 50}}
	some := suite.Side{Limit: suite.LimitDemand, Scenario: "fill", Connections: 50}
	tooMany := suite.Side{Limit: suite.LimitDemand, Above: true, Scenario: "fill", Connections: 50}
	made := func(o result.Outcomes) result.Result { return result.Result{Attempts: o.Sum(), Outcomes: o} }
	opened := func(n int64, ok bool, o result.Outcomes) result.Result {
		return result.Result{Measured: result.Measured{Connections: &n}, Outcomes: o, Verdict: result.Verdict{OK: ok}}
	}
	behind := func(p99, most time.Duration, o result.Outcomes) result.Result {
		r := made(o)
		r.ScheduleError = &result.ScheduleError{P99NS: int64(p99), MaxNS: int64(most)}
		return r
	}
	interrupted := made(result.Outcomes{OK: 100})
	interrupted.Run.Interrupted = true
	const yes, no, nothing = "yes", "no", "nothing"
	for _, test := range []struct {
		name string
		side suite.Side
		run  result.Result
		want string
	}{
		{"below, all connected", below, made(result.Outcomes{OK: 100}), yes},
		{"below, one found no port", below, made(result.Outcomes{OK: 99, NoPort: 1}), no},
		{"below, one was not made", below, made(result.Outcomes{OK: 99}), nothing},
		{"below, one timed out", below, made(result.Outcomes{OK: 99, TimedOut: 1}), no},
		{"below, no descriptor", below, made(result.Outcomes{OK: 99, NoFD: 1}), nothing},
		{"below, interrupted", below, interrupted, nothing},
		{"below, in time", below, behind(late, time.Second, result.Outcomes{OK: 100}), yes},
		{"below, late", below, behind(late+1, time.Second, result.Outcomes{OK: 100}), nothing},
		{"below, a stall, and one found no port", below, behind(late, late+1, result.Outcomes{OK: 99, NoPort: 1}), nothing},
		{"below, no stall, and one found no port", below, behind(late, late, result.Outcomes{OK: 99, NoPort: 1}), no},
		{"above, ports ran out", above, made(result.Outcomes{OK: 99, NoPort: 1}), yes},
		{"above, they did not", above, made(result.Outcomes{OK: 100}), no},
		{"above, they did, of attempts that were late", above, behind(late+1, late+1, result.Outcomes{OK: 99, NoPort: 1}), nothing},
		{"above, they did not, as attempts were late", above, behind(late+1, late+1, result.Outcomes{OK: 100}), nothing},
		{"full, as predicted", full, opened(50, true, result.Outcomes{OK: 50, NoPort: 100}), yes},
		{"full, not as predicted", full, opened(49, false, result.Outcomes{OK: 49, NoPort: 100}), no},
		{"full, not as claimed", full, opened(48, true, result.Outcomes{OK: 48, NoPort: 100}), no},
		{"full, more than claimed", full, opened(51, true, result.Outcomes{OK: 51, NoPort: 100}), no},
		{"full, none failed", full, opened(50, true, result.Outcomes{OK: 50}), no},
		{"a demand, all opened", some, opened(50, true, result.Outcomes{OK: 50}), yes},
		{"a demand, one found no port", some, opened(49, true, result.Outcomes{OK: 49, NoPort: 1}), no},
		{"too many, ports ran out", tooMany, opened(49, true, result.Outcomes{OK: 49, NoPort: 100}), yes},
		{"too many, all opened", tooMany, opened(50, true, result.Outcomes{OK: 50}), no},
		{"too many, stopped without a reason", tooMany, opened(49, false, result.Outcomes{OK: 49, Refused: 1}), no},
	} {
		got := nothing
		if showsClaim(test.side, &test.run) {
			got = no
			if holdsClaim(test.side, &test.run) {
				got = yes
			}
		} else if whyNot(test.side, &test.run) == "" {
			t.Errorf("%s: no reason", test.name)
		}
		if got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// A plan is proven only if every side was made, every claim held, and nothing was
// left out. What held, but is not all, is proven in part; one that did not hold
// outweighs what was left out.
func TestJudgeProof(t *testing.T) {
	proof := suite.Proof{Sides: []suite.Side{
		{Scenario: "churn", Attempts: 100, Claim: "below"}, {Scenario: "churn", Above: true, Claim: "above"},
	}}
	runs := []namedRun{{cfg: loadgen.Config{ID: "a"}}, {cfg: loadgen.Config{ID: "b"}}}
	good := &result.Result{Attempts: 100, Outcomes: result.Outcomes{OK: 100}, Verdict: result.Verdict{Text: "fine"}}
	out := &result.Result{Attempts: 2, Outcomes: result.Outcomes{OK: 1, NoPort: 1}}
	for _, test := range []struct {
		results    []*result.Result
		unproven   []string
		ok, partly bool
		text       string
	}{
		{[]*result.Result{good, out}, nil, true, false, "2 of 2 claims hold"},
		{[]*result.Result{good, out}, []string{"a burst"}, false, true, "2 of 3 claims hold, and 1 could not be put to the test"},
		{[]*result.Result{good, good}, nil, false, false, "1 of 2 claims hold"},
		{[]*result.Result{good, good}, []string{"a burst"}, false, false, "1 of 3 claims hold, and 1 could not be put to the test"},
		{[]*result.Result{good, nil}, nil, false, true, "1 of 2 claims hold, and 1 could not be put to the test"},
		{[]*result.Result{nil, nil}, nil, false, false, "0 of 2 claims hold, and 2 could not be put to the test"},
	} {
		proof.Unproven = test.unproven
		d := proofDocument(proof, &result.Plan{})
		judgeProof(d, proof, runs, test.results)
		if d.Verdict.OK != test.ok || d.Partly != test.partly || d.Verdict.Text != test.text {
			t.Errorf("partly %v, %+v, want %v, %v, %q", d.Partly, d.Verdict, test.partly, test.ok, test.text)
		}
		if r := test.results[0]; r != nil && (d.Sides[0].Run != "a" || d.Sides[0].Text != "fine") {
			t.Errorf("%+v", d.Sides[0])
		}
		if err := (&partlyProven{d}); statusOf(err) != exitFailed || (err.Hint() == "") != (test.results[1] != nil) {
			t.Errorf("%v, status %d, hint %q", err, statusOf(err), err.Hint())
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
