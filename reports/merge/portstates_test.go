package merge_test

import (
	"errors"
	"testing"

	"lastport/reports/merge"
	"lastport/reports/result"
)

// portsIn has ports in a state each.
func portsIn(states map[uint16]result.PortState) *result.PortsIn {
	m := new(result.StateMap)
	for port, s := range states {
		m.Put(port, s)
	}
	return m.Ports()
}

// watched is a shard's: one moment after half a second, the fullest after index
// seconds and one, and the end.
func watched(index int) *result.PortStates {
	mine := uint16(40001 + index)
	open := portsIn(map[uint16]result.PortState{40000: result.PortEstablished, mine: result.PortSynSent})
	return &result.PortStates{States: result.PortStateNames(), EveryNS: 1e9, Moments: []result.PortMoment{
		{TNS: 5e8, TookNS: int64(index), Client: portsIn(map[uint16]result.PortState{40000: result.PortState(index + 1)}), Server: open},
		{TNS: int64(index+1) * 1e9, At: "fullest", Client: open},
		{TNS: 1500e6, Client: open, Server: open, Gateway: open},
	}}
}

func TestPortStatesAreJoined(t *testing.T) {
	parts := shards(2)
	for i, p := range parts {
		p.Run.PortStates = watched(i)
	}
	parts[1].Run.PortStates.Moments[2].Gateway = nil
	r := merged(t, parts).PortStates
	if len(r.Moments) != 3 || r.EveryNS != 1e9 {
		t.Fatalf("%+v", r)
	}
	first, last, fullest := r.Moments[0], r.Moments[1], r.Moments[2]
	if first.TNS != 1e9 || first.TookNS != 1 || first.Client.Counts["time_wait"] != 1 || len(first.Client.Counts) != 1 || first.Gateway != nil {
		t.Errorf("first %+v, client %+v", first, first.Client)
	}
	if fullest.At != "fullest" || fullest.TNS != 2050e6 || fullest.Client.Counts["established"] != 1 || fullest.Client.Counts["syn_sent"] != 2 {
		t.Errorf("fullest %+v, client %+v", fullest, fullest.Client)
	}
	if last.TNS != 2e9 || last.Server.Counts["syn_sent"] != 2 || last.Gateway != nil { // one of them did not look at the gateway
		t.Errorf("last %+v", last)
	}
}

func TestPortStatesOfAll(t *testing.T) {
	parts := shards(2)
	parts[0].Run.PortStates = watched(0)
	if r := merged(t, parts); r.PortStates != nil {
		t.Errorf("of one shard alone: %+v", r.PortStates)
	}
	parts[1].Run.PortStates = watched(1)
	parts[1].Run.PortStates.States = []string{"free", "other"}
	if r := merged(t, parts); r.PortStates != nil {
		t.Errorf("of other states: %+v", r.PortStates)
	}
	parts[1].Run.PortStates = watched(1)
	parts[1].Run.PortStates.Moments[0].Client.Map = "AAAA"
	if _, err := merge.Shards(parts, false); err == nil {
		t.Error("a map that cannot be read was merged")
	} else if _, ok := errors.AsType[*merge.DamagedError](err); !ok {
		t.Error(err)
	}
}
