package reports_test

import (
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

func TestGatewaySection(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	full := result.NAT{
		Range: "2000-2009", Ports: 10, Clients: 3, TimeoutNS: 10e9, Tracked: n(20), MaxTracked: n(262144),
		Addresses: []result.NATAddress{{Address: "198.19.255.1", Connections: n(10), Ports: n(10)}, {Address: "198.19.255.2", Connections: n(1), Ports: n(1)}},
		SYNsLost:  n(24), SYNsExplained: n(24), SYNsUncounted: n(2), LostBeforeFull: n(4), LostWhileFree: n(1),
	}
	for _, c := range []struct {
		name string
		nat  result.NAT
		want []string
		not  string
	}{
		{"of a fill", full, []string{
			"2000-2009 · 10 ports · the client's own where it can", "3 hosts behind it",
			"198.19.255.1 · 10 connections · 10 distinct ports", "198.19.255.2 · 1 connection · 1 distinct port",
			"24 for want of a port · 4 of them while it still had one · 2 more elsewhere",
			"1 attempt lost a SYN with less than half of the ports in use", "tracked for 10s at most", "20 · 262,144 at most",
		}, "early"},
		{
			"of a churn",
			result.NAT{Range: "2000", Ports: 1, Random: true, Clients: 1, Addresses: []result.NATAddress{{Address: "198.19.255.1"}}, SYNsLost: n(0)},
			[]string{"2000 · 1 port · chosen at random", "0 for want of a port"},
			"collisions",
		},
		{
			"that was full",
			result.NAT{Range: "2000", Ports: 1, Conntrack: result.Counters{"early_drop": 3}},
			[]string{"3 removed early to make room"},
			"behind it",
		},
	} {
		var text strings.Builder
		r := &result.Result{Run: result.Run{Scenario: "fill"}, NAT: &c.nat}
		if err := reports.Text(&text, r, reports.Style{Width: 120}); err != nil {
			t.Fatal(err)
		}
		_, section, found := strings.Cut(text.String(), "\nGateway\n")
		section, _, _ = strings.Cut(section, "\n\n")
		section = strings.Join(strings.Fields(section), " ") // as if no line were too long
		for _, want := range c.want {
			if !found || !strings.Contains(section, want) {
				t.Errorf("a gateway %s: no %q in\n%s", c.name, want, section)
			}
		}
		if strings.Contains(section, c.not) {
			t.Errorf("a gateway %s: %q in\n%s", c.name, c.not, section)
		}
	}
	var text strings.Builder
	if err := reports.Text(&text, &result.Result{Run: result.Run{Scenario: "fill"}}, reports.Style{Width: 120}); err != nil || strings.Contains(text.String(), "Gateway") {
		t.Errorf("without a gateway: %v\n%s", err, text.String())
	}
}

// told is the text of a run, as if no line were too long.
func told(t *testing.T, r *result.Result) string {
	t.Helper()
	var text strings.Builder
	if err := reports.Text(&text, r, reports.Style{Width: 120}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

// The gateway's ports are ports: who finds none of them was predicted to.
func TestNoPortOfTheGatewayIsForecast(t *testing.T) {
	r := &result.Result{Run: result.Run{Scenario: "churn"}, NAT: &result.NAT{}, Attempts: 50}
	r.Outcomes.NATNoPort, r.Predicted.NoPort = 43, &result.Interval{Min: 40, Max: 44}
	if text := told(t, r); !strings.Contains(text, "no_port 40 to 44 43 0") {
		t.Errorf("no forecast of no_port in\n%s", text)
	}
}

// SYNs that the listener refuses are named, where they are counted and where
// attempts fail for them.
func TestListenerThatRefusesIsNamed(t *testing.T) {
	r := &result.Result{Run: result.Run{Scenario: "churn"}, NAT: &result.NAT{}, KernelPeer: result.Counters{"PAWSTimewait": 7}, Attempts: 1}
	r.Outcomes.TimedOut = 1
	text := told(t, r)
	for _, want := range []string{"7 refused by the listener, which had the port in TIME_WAIT", "let the client close first"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	r.NAT = nil // between two hosts alone a port is in TIME_WAIT for who had it
	if text = told(t, r); strings.Contains(text, "refuse") {
		t.Errorf("without a gateway:\n%s", text)
	}
}
