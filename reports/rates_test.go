package reports_test

import (
	"bytes"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// tried is a step of a search, as its run measured it.
func tried(id, rate string, attempts, noPort, predicted int64) *result.Result {
	r := base("churn", "connect")
	r.Run.ID, r.Attempts, r.Measured.RatePerS = id, attempts, ptr(6.4)
	r.Config.Range, r.Config.Close, r.Config.Rate, r.Config.Held = "40000-40499", "client-fin", rate, "40000-40099"
	r.Config.Sysctls = map[string]string{"net.ipv4.tcp_tw_reuse": "0"}
	r.Space = result.Space{Ports: 500, PortsUsable: 400, Sources: 1, Targets: 1, Tuples: 400}
	r.Outcomes = result.Outcomes{OK: attempts - noPort, NoPort: noPort}
	r.Predicted.NoPort = &result.Interval{Max: predicted}
	r.ScheduleError = &result.ScheduleError{P50NS: 76_000, P99NS: 2_400_000, MaxNS: 9_100_000}
	if noPort > 0 {
		r.Measured.FirstNoPort = &result.NoPort{TNS: 64_200_000_000, Attempt: attempts - 3}
	}
	return r
}

// searched is a search over 500 ports, of which a stranger has 100.
func searched() *result.Set {
	late := tried("b", "6.446622", 453, 0, 1)
	late.Warnings = []result.Warning{{Code: "generator_limit", Message: "one attempt in a hundred began 26.8 ms late or later", Hint: "a quieter machine"}}
	return &result.Set{
		Schema: result.SetSchema, Axis: "rate", Planned: 3,
		Runs: []*result.Result{tried("a", "5.80196", 448, 0, 0), late, tried("c", "6.454681", 454, 1, 1)},
		Search: &result.RateSearch{
			RatePerS: ptr(6.446622), FailedPerS: ptr(6.454681), Limit: "ports", AtOnce: true,
			Predicted: &result.RateInterval{Min: 6.446622, Max: 6.666667}, ReuseNS: &result.Interval{Min: 60_000_000_000, Max: 62_048_000_000},
			Residual: ptr(0.0),
			Steps: []result.RateStep{
				{RatePerS: 5.80196, Round: 1, Run: "a", Held: true, Limit: "none"},
				{RatePerS: 6.446622, Round: 1, Run: "b", Held: true, Limit: "none"},
				{RatePerS: 6.454681, Round: 1, Run: "c", Limit: "ports"},
			},
			Expect:  []result.Expected{{Expr: "rate>=8", Value: "6.44662"}},
			Why:     []string{"100 ports lost to sockets that hold them: 40000-40099"},
			Verdict: result.Verdict{OK: true, Text: "6.447 connections per second hold, 6.455 do not: ports run out; 6.447 to 6.667 predicted"},
		},
	}
}

// proven is a plan whose answer was put to the test.
func proven() *result.Set {
	side := func(limit string, above bool, claim, text string) result.ProofSide {
		return result.ProofSide{Limit: limit, Above: above, Claim: claim, Text: text, Tested: true, Held: true}
	}
	return &result.Set{
		Schema: result.SetSchema, Axis: "proof", Planned: 3, Runs: []*result.Result{tried("a", "7.897112", 565, 0, 0)},
		Proof: &result.Proof{
			Plan: needing(), Range: "32768-33267", Ports: 500, Scale: 500.0 / 28232,
			Sides: []result.ProofSide{
				side("rate", false, "just below the limit, 445.9 per second for ever", "no port ran out: 565 connections, 8 per second"),
				side("rate", true, "just above the limit, 479.9 per second run out of ports", "ports ran out at attempt 501: 570 connections of 598 attempts"),
				side("connections", true, "28,232 at a time, and one more finds no port", "the last port: 500 connections, 500 predicted, then no_port"),
			},
			Verdict: result.Verdict{OK: true, Text: "3 of 3 claims hold"},
		},
	}
}

func TestSearchesAndProofsGolden(t *testing.T) {
	machine := searched()
	machine.Search.Limit, machine.Search.AtOnce, machine.Search.Predicted, machine.Search.Residual = "generator", false, nil, nil
	machine.Search.ReuseNS, machine.Search.Steps[2].Limit = &result.Interval{}, "generator"
	cut := searched()
	cut.Interrupted, cut.Runs, cut.Search.Steps = true, cut.Runs[:1], cut.Search.Steps[:1]
	cut.Search.RatePerS, cut.Search.FailedPerS, cut.Search.Residual, cut.Search.Limit = nil, nil, nil, "none"
	cut.Search.Verdict, cut.Search.Expect = result.Verdict{Text: "no rate was tried to its end"}, nil
	refuted := proven()
	refuted.Proof.Scale = 1
	refuted.Proof.Sides[0].Held, refuted.Proof.Verdict = false, result.Verdict{Text: "2 of 3 claims hold"}
	partly := proven()
	partly.Proof.Unproven = []string{"2,000 per second with 4 targets: too near to the limit for a run to tell"}
	partly.Proof.Sides[1].Tested, partly.Proof.Sides[1].Held = false, false
	partly.Proof.Sides[1].Text = "attempts began up to 2.21s late, and 1.241s is what it allows for"
	partly.Proof.Partly, partly.Proof.Verdict = true, result.Verdict{Text: "2 of 4 claims hold, and 2 could not be put to the test"}
	partly.Runs[0].Warnings = []result.Warning{{Code: "generator_limit", Message: "late", Hint: "a quieter machine, or a lower --rate"}}
	behind := searched()
	behind.Search.Steps[0].Held, behind.Search.Steps[0].Limit = false, "behind"
	for _, test := range []struct {
		name string
		doc  result.Document
	}{
		{"proof-partly", partly},
		{"rates-behind", behind},
		{"rates-ports", searched()},
		{"rates-machine", machine},
		{"rates-interrupted", cut},
		{"proof-held", proven()},
		{"proof-refuted", refuted},
		{"proof-empty", &result.Set{Proof: &result.Proof{}}},
		{"rates-empty", &result.Set{Search: &result.RateSearch{}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := reports.Text(&out, test.doc, reports.Style{}); err != nil {
				t.Fatal(err)
			}
			golden(t, test.name+".txt", out.Bytes())
		})
	}
}
