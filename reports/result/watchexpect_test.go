package result

import (
	"errors"
	"testing"
)

// watchedHost is a look that found some of everything.
func watchedHost() *Watch {
	return &Watch{
		Schema: WatchSchema, Ports: WatchPorts{Range: "32768-60999", Reserved: 2, Held: 230, Usable: 28000},
		Connections: 22000, TimeWait: 15000, OpenedPerS: p(412.5), PairsTotal: 3,
		Pairs: []WatchPair{
			{Source: "10.0.0.1", Target: "10.0.0.7:443", Used: 21000, TimeWait: 15000, Taken: 21000, Occupancy: 0.75, ClosedPerS: p(250.0), GrowthPerS: p(10.0), ExhaustedInNS: p(int64(700e9))},
			{Source: "10.0.0.1", Target: "10.0.0.7:80", Used: 900, Taken: 900, ClosedPerS: p(0.0), GrowthPerS: p(100.0), ExhaustedInNS: p(int64(271e9))},
		},
	}
}

func TestExpectWatch(t *testing.T) {
	idle := &Watch{Ports: WatchPorts{Usable: 28232}, OpenedPerS: p(0.0)}
	tests := []struct {
		of          *Watch
		expr, value string
		held        bool
	}{
		{watchedHost(), "occupancy<80%", "0.75", true},
		{watchedHost(), "occupancy<0.75", "0.75", false},
		{watchedHost(), "occupancy<=1", "0.75", true},
		{watchedHost(), "occupancy>=100%", "0.75", false},
		{watchedHost(), "taken<=21000", "21000", true},
		{watchedHost(), " used == 21000 ", "21000", true},
		{watchedHost(), "usable>=28001", "28000", false},
		{watchedHost(), "connections!=22000", "22000", false},
		{watchedHost(), "time_wait>14999", "15000", true},
		{watchedHost(), "opened<412.6", "412.5", true},
		{watchedHost(), "closed>250", "250", false},
		{watchedHost(), "growth<=10", "10", true},
		{watchedHost(), "exhausted_in>5m", "4m31s", false}, // of the pair that is the first, and not of the fullest
		{watchedHost(), "exhausted_in>4m", "4m31s", true},
		{idle, "occupancy<1%", "0", true},
		{idle, "exhausted_in>1000h", "not within a day", true},
		{idle, "exhausted_in<1m", "not within a day", false},
		{idle, "growth<1", notMeasured, false},
		{&Watch{}, "opened<1", notMeasured, false}, // after one look
		{&Watch{}, "exhausted_in>1m", notMeasured, false},
	}
	for _, c := range tests {
		e, err := ParseExpectWatch(c.expr)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := e.Eval(c.of), (Expected{Expr: c.expr, Value: c.value, Held: c.held}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestExpectWatchRefuses(t *testing.T) {
	for expr, want := range map[string][2]string{
		"occupancy":       {`--expect "occupancy": no operator, want FIELD OPERATOR VALUE`, "--expect 'occupancy<80%'"},
		"occupacy<80%":    {`--expect "occupacy<80%": unknown field "occupacy"`, "--expect 'occupancy<80%'"},
		"connect.p99<1ms": {`--expect "connect.p99<1ms": unknown field "connect.p99"`, "a field is one of occupancy, taken, used, usable, connections, time_wait, opened, growth, closed, exhausted_in"},
		"taken=5":         {`--expect "taken=5": unknown operator "=", want < <= > >= == or !=`, "--expect 'taken<=5'"},
		"occupancy<x":     {`--expect "occupancy<x": value "x": want a share (0.02) or percent (2%)`, "--expect 'occupancy<2%'"},
		"occupancy<80":    {`--expect "occupancy<80": value "80" is 8000%, and occupancy is from 0% to 100%`, "--expect 'occupancy<80%'"},
		"occupancy>= 1.1": {`--expect "occupancy>= 1.1": value "1.1" is 110%, and occupancy is from 0% to 100%`, "--expect 'occupancy>=1.1%'"},
		"occupancy<120%":  {`--expect "occupancy<120%": value "120%" is 120%, and occupancy is from 0% to 100%`, "--expect 'occupancy<2%'"},
		"occupancy>-0.1":  {`--expect "occupancy>-0.1": value "-0.1" is -10%, and occupancy is from 0% to 100%`, "--expect 'occupancy>2%'"},
		"exhausted_in>5":  {`--expect "exhausted_in>5": value "5": want a time with its unit (ns, us, ms, s, m, h)`, "--expect 'exhausted_in>1ms'"},
		"taken<NaN":       {`--expect "taken<NaN": value "NaN": want a number`, "--expect 'taken<1000'"},
	} {
		_, err := ParseExpectWatch(expr)
		var e *ExpectError
		if !errors.As(err, &e) || e.Error() != want[0] || e.Hint() != want[1] || !e.Usage() {
			t.Errorf("%q: %v, hint %q", expr, err, e.Hint())
		}
	}
}

// What rests on an earlier look says so, as one look does not have it.
func TestExpectWatchKnowsWhatTakesTwoLooks(t *testing.T) {
	rated := map[string]bool{"opened": true, "growth": true, "closed": true, "exhausted_in": true}
	for _, f := range watchFields() {
		if f.rated != rated[f.name] {
			t.Errorf("%s: rated %t", f.name, f.rated)
		}
	}
}
