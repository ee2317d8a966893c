package reports

import (
	"strings"
	"testing"

	"lastport/reports/result"
)

// Each way to keep a port has words of its own, and names settings by their
// full keys.
func TestHeldWordsAreDistinct(t *testing.T) {
	recycling := &result.Interval{Min: 1_000_000_000, Max: 1_002_000_000}
	runs := map[string]*result.Result{
		"time-wait": {Config: result.Config{Close: "client-fin", Mode: "close"}},
		"recycled":  {Config: result.Config{Close: "client-fin"}, Predicted: result.Predicted{ReuseNS: recycling}},
	}
	gateway := &result.NAT{Ports: 10, Addresses: make([]result.NATAddress, 2), TimeoutNS: 120e9}
	runs["through a gateway"] = &result.Result{Config: result.Config{Close: "client-fin"}, NAT: gateway, Space: result.Space{Targets: 1, Tuples: 20}}
	runs["through a gateway by RST"] = &result.Result{Config: result.Config{Close: "server-rst"}, NAT: &result.NAT{Ports: 1, TimeoutNS: 10e9}, Space: result.Space{Tuples: 20}}
	runs["through a gateway, UDP"] = &result.Result{Config: result.Config{Proto: "udp", Close: "client-fin"}, NAT: gateway, Space: result.Space{Tuples: 20}}
	runs["through a wide gateway"] = &result.Result{Config: result.Config{Close: "server-fin"}, NAT: gateway, Space: result.Space{Tuples: 19}}
	runs["UDP"] = &result.Result{Config: result.Config{Proto: "udp", Close: "client-fin"}}
	for _, mode := range []string{"client-rst", "server-fin"} {
		runs[mode] = &result.Result{Config: result.Config{Close: mode}}
	}
	for _, mode := range []string{"syn", "in-flight", "keepalive", "fin-wait-1", "fin-wait-2", "of a later version"} {
		runs[mode] = &result.Result{Config: result.Config{Close: "client-fin", Mode: mode}}
	}
	seen := map[string]string{}
	for name, r := range runs {
		h := heldBy(r)
		if h.means == "" || seen[h.means] != "" {
			t.Errorf("%s: words %q, as of %q", name, h.means, seen[h.means])
		}
		seen[h.means] = name
		if gateways := strings.Contains(h.todo, "--nat-timeout"); gateways != (r.NAT != nil && name != "through a wide gateway") {
			t.Errorf("%s: a way out by the gateway: %v", name, gateways)
		}
		if r.Config.Proto == "udp" && strings.Contains(h.means+h.todo, "tcp_") {
			t.Errorf("%s: %q, %q is about TCP", name, h.means, h.todo)
		}
		for _, key := range h.sysctls {
			if !strings.HasPrefix(key, "net.ipv4.tcp_") {
				t.Errorf("%s: setting %q", name, key)
			}
		}
	}
	if h := heldBy(&result.Result{}); h.means != "" {
		t.Errorf("words %q of a run that says nothing", h.means)
	}
}

func TestTimeWaitWords(t *testing.T) {
	tests := []struct {
		generator, listener int64
		close, want         string
	}{
		{400, 0, "client-fin", "at the generator"},
		{0, 400, "server-fin", "at the listener"},
		{1, 1, "client-fin", "at both ends"},
		{0, 0, "client-rst", "RST leaves none"},
		{0, 0, "server-rst", "RST leaves none"},
		{0, 0, "client-fin", "at neither end"},
	}
	for _, test := range tests {
		r := &result.Result{TimeWait: &result.TimeWait{Generator: test.generator, Listener: test.listener}, Config: result.Config{Close: test.close}}
		if got, _ := timeWaitWords(r); !strings.Contains(got, test.want) {
			t.Errorf("%+v: %q, want %q", test, got, test.want)
		}
	}
	behind := &result.Result{TimeWait: &result.TimeWait{Listener: 1}, NAT: &result.NAT{}, Config: result.Config{Close: "server-fin"}}
	if got, todo := timeWaitWords(behind); !strings.Contains(got, "may refuse") || todo == "" {
		t.Errorf("at a listener behind a gateway: %q, %q", got, todo)
	}
}

// What a rate means for the ports is said only where it is known.
func TestDemand(t *testing.T) {
	sustained := &result.RateInterval{Min: 400, Max: 500}
	atOnce := &result.Interval{}
	tests := []struct {
		rate      string
		sustained *result.RateInterval
		reuse     *result.Interval
		want      string
	}{
		{"1000", sustained, nil, "are 2.00 × what"},
		{"200", sustained, nil, "are 50.0 % of what"},
		{"450", sustained, nil, "timers decide"},
		{"max", sustained, nil, ""},
		{"200", nil, atOnce, "ports set no limit"},
		{"max", nil, atOnce, "ports set no limit"},
		{"200", nil, nil, ""},
		{"", sustained, nil, ""},
		{"200", &result.RateInterval{Max: 500}, nil, ""},
	}
	for _, test := range tests {
		r := &result.Result{
			Run: result.Run{Scenario: "churn"}, Config: result.Config{Rate: test.rate},
			Predicted: result.Predicted{RatePerS: test.sustained, ReuseNS: test.reuse},
		}
		p := &page{width: 80}
		p.demand(r)
		if got := p.text.String(); !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("rate %q of %+v: %q, want %q", test.rate, test.sustained, got, test.want)
		}
	}
}
