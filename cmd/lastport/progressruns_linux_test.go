package main

import (
	"testing"

	"lastport/loadgen"
	"lastport/reports/result"
)

// mapOfPorts has a port in use, as it is found in a file.
func mapOfPorts(port uint16) *result.Ports {
	var uses result.PortMap
	uses.Add(port)
	return uses.Ports([]uint16{port})
}

// moment is a look that has found a port in TIME_WAIT.
func moment(port uint16) result.PortMoment {
	var states result.StateMap
	states.Put(port, result.PortTimeWait)
	return result.PortMoment{Client: states.Ports()}
}

func TestPortsOf(t *testing.T) {
	config := result.Config{Range: "40000-40009,40100"}
	looks := &result.PortStates{Moments: []result.PortMoment{moment(40002), moment(40003), {}}}
	for _, c := range []struct {
		name  string
		res   result.Result
		port  uint16 // the one that is not free; 0: no map
		state result.PortState
	}{
		{"nothing is known", result.Result{Config: config}, 0, 0},
		{"nothing was closed", result.Result{Config: config, Ports: mapOfPorts(40001), PortStates: looks}, 40001, result.PortEstablished},
		{
			"closed, and the last look that has ports tells",
			result.Result{Config: config, Ports: mapOfPorts(40001), PortStates: looks, Timeline: []result.Row{{Closed: 1}, {}}},
			40003, result.PortTimeWait,
		},
		{"closed, and nobody has looked", result.Result{Config: config, Ports: mapOfPorts(40001), Timeline: []result.Row{{Closed: 1}}}, 40001, result.PortEstablished},
		{"no range", result.Result{Ports: mapOfPorts(40001)}, 0, 0},
		{"a map that is broken", result.Result{Config: config, Ports: &result.Ports{Map: "?"}}, 0, 0},
	} {
		got := portsOf(&c.res)
		if (got == nil) != (c.port == 0) {
			t.Errorf("%s: a map: %v", c.name, got != nil)
		}
		if got == nil {
			continue
		}
		if got.Low != 40000 || got.High != 40100 {
			t.Errorf("%s: from %d to %d, want the range's ends", c.name, got.Low, got.High)
		}
		for port := range 1 << 16 {
			want := result.PortFree
			if uint16(port) == c.port {
				want = c.state
			}
			if s := got.States.State(uint16(port)); s != want {
				t.Errorf("%s: port %d is in state %d, want %d", c.name, port, s, want)
			}
		}
	}
}

// The rate follows what was opened, and settles within some seconds.
func TestRateOfFrames(t *testing.T) {
	p := newProgress(newUI(t.Output()), "none")
	defer p.end()
	p.how = showPlain
	r := p.run("")
	for i := range int64(100) {
		r.frame(&loadgen.Frame{Progress: &loadgen.Progress{Phase: "open", TNS: (i + 1) * 1e8, Opened: (i + 1) * 50}})
	}
	if got := r.known.PerS; got < 499 || got > 501 {
		t.Errorf("%.1f per second, want 500", got)
	}
	r.frame(&loadgen.Frame{Progress: &loadgen.Progress{TNS: 100e8, Opened: 5000}}) // no time has passed
	if got := r.known.PerS; got < 499 || got > 501 {
		t.Errorf("%.1f per second after a frame of the same time", got)
	}
}
