package reports_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// reached is a reach of 1,000 ports between two hosts, some of them dropped.
func reached() *result.Result {
	r := base("reach", "sequential")
	r.Config.Range, r.Config.Place, r.Config.Tries, r.Config.TimeoutNS = "40000-40999", "pair", 2, 15*second/10
	r.Config.Block, r.Config.BlockIn, r.Config.Sources = "40100-40149,40500", "40600-40605", []string{"198.18.1.1"}
	r.Space = result.Space{Ports: 1000, PortsUsable: 998, Sources: 1, Targets: 1, Tuples: 998, Reserved: "40007-40008"}
	r.Predicted = result.Predicted{
		Connections: &result.Interval{Min: 941, Max: 941},
		Why:         []string{"the place's firewall drops 51 ports on the way out", "the place's firewall drops 6 ports on the way back"},
	}
	r.Measured.Connections, r.Residual.Connections = ptr(int64(941)), ptr(int64(0))
	r.Attempts, r.Outcomes = 1055, result.Outcomes{OK: 941, TimedOut: 114}
	r.Latency.Connect = &result.Summary{Count: 941, MinNS: 13_500, MeanNS: 15_000, P50NS: 14_000, P90NS: 16_800, P99NS: 73_600, P999NS: 1_480_000, MaxNS: 4_460_000}
	r.Server = &result.Server{Accepted: 941, Closed: ptr(int64(941)), DistinctPeers: ptr(int64(941)), Requests: 941}
	text := "941 of 998 source ports get through; dropped on the way out: 40100-40149, 40500; dropped on the way back: 40600-40605"
	r.Reach = &result.Reach{
		Source: "198.18.1.1", Target: "198.18.0.1:1000", Listening: ptr(true), Text: text,
		Through: result.PortRanges{"40000-40006", "40009-40099", "40150-40499", "40501-40599", "40606-40999"},
		Refused: result.PortRanges{}, Other: result.PortRanges{},
		Dropped:    result.PortRanges{"40100-40149", "40500", "40600-40605"},
		DroppedOut: result.PortRanges{"40100-40149", "40500"}, DroppedBack: result.PortRanges{"40600-40605"},
		NotTried: []result.NotTried{{Ports: result.PortRanges{"40007-40008"}, Why: "reserved by net.ipv4.ip_local_reserved_ports"}},
		Blocked:  &result.BlockedPorts{Out: result.PortRanges{"40100-40149", "40500"}, Back: result.PortRanges{"40600-40605"}},
		Rules: []result.Rule{
			{
				Direction: "out", Missing: result.PortRanges{"40100-40149", "40500"},
				Text:          "the way out: TCP from 198.18.1.1, ports 40000-40999, to 198.18.0.1 port 1000: missing is 40100-40149, 40500",
				NFTables:      "ip saddr 198.18.1.1 ip daddr 198.18.0.1 tcp sport 40000-40999 tcp dport 1000 accept",
				SecurityGroup: []string{"outbound tcp 1000 to 198.18.0.1/32"},
			},
			{
				Direction: "back", Missing: result.PortRanges{"40600-40605"}, Unknown: result.PortRanges{"40100-40149", "40500"},
				Text: "the way back: TCP from 198.18.0.1 port 1000 to 198.18.1.1, ports 40000-40999: missing is 40600-40605; " +
					"not known is 40100-40149, 40500",
				Needed:        "only a firewall without state needs this rule",
				NFTables:      "ip saddr 198.18.0.1 ip daddr 198.18.1.1 tcp sport 1000 tcp dport 40000-40999 accept",
				SecurityGroup: []string{"inbound tcp 40000-40999 from 198.18.0.1/32"},
			},
		},
	}
	r.Verdict = result.Verdict{OK: true, Text: "as predicted, " + text}
	return r
}

// gone is a reach to where nobody listens, with a path that answers in every
// other way too.
func gone() *result.Result {
	r := reached()
	r.Config.Block, r.Config.BlockIn = "", ""
	r.Measured.Connections, r.Residual.Connections = ptr(int64(0)), ptr(int64(-941))
	reach := r.Reach
	reach.Listening, reach.Blocked, reach.Late, reach.Unsure = ptr(false), nil, 3, "the listener's queue was full: ListenOverflows counted 7"
	reach.Through, reach.DroppedOut, reach.DroppedBack = result.PortRanges{}, result.PortRanges{}, result.PortRanges{}
	reach.Other, reach.Refused = result.PortRanges{"40000-40006"}, nil
	for i := range 60 { // more than a page has room for
		reach.Refused = append(reach.Refused, fmt.Sprint(40700+2*i))
	}
	reach.Differs = append(append(result.PortRanges{}, reach.Other...), reach.Refused...)
	reach.Rules[1].Missing, reach.Rules[1].Unknown = nil, result.PortRanges{"40000-40999"}
	reach.Rules[1].Text = "the way back: not known is 40000-40999"
	reach.Text = "none of 124 source ports gets through"
	r.Verdict = result.Verdict{Text: "nobody listens on 198.18.0.1:1000: none of 124 source ports gets through. That says nothing of the path"}
	return r
}

func TestReachText(t *testing.T) {
	for name, test := range map[string]struct {
		run   *result.Result
		style reports.Style
	}{
		"reach":        {reached(), reports.Style{}},
		"reach-ascii":  {reached(), reports.Style{ASCII: true}},
		"reach-narrow": {reached(), reports.Style{Width: 40}},
		"reach-gone":   {gone(), reports.Style{}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := reports.Text(&out, test.run, test.style); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", out.Bytes())
			checkText(t, test.run, test.style)
		})
	}
}

// Every list of ports has its line, with its count, and the rule is the end.
func TestReachSaysAll(t *testing.T) {
	var out bytes.Buffer
	if err := reports.Text(&out, gone(), reports.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  refused             60  40700, 40702, ", "… and 35 more in the result", "  dropped             57  ", "  other                7  40000-40006",
		"  unlike              67  ", "ListenOverflows counted 7", "3 ports answered a further attempt", "no socket listens on the target",
		"  UNKNOWN  the way back: not known is 40000-40999",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(out.String()), "net. ACL   inbound tcp 40000-40999 from 198.18.0.1/32") {
		t.Errorf("it does not end with the rule:\n%s", out.String())
	}
}
