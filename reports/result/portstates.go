package result

import "fmt"

// PortState is the state of the connection that has a port, as one byte of a
// map. The order is that of getting free: of several connections on one port the
// highest state is told.
type PortState uint8

// The states of ports. FinWait is connection tracking's, which does not tell
// FIN_WAIT1 and FIN_WAIT2 apart; PortClosed is its too: reset, and still tracked.
const (
	PortFree PortState = iota
	PortClosed
	PortTimeWait
	PortLastAck
	PortClosing
	PortFinWait
	PortFinWait2
	PortFinWait1
	PortCloseWait
	PortSynSent
	PortSynRecv
	PortEstablished
	portStates
)

// PortStateNames lists the words for the states, each at its number.
func PortStateNames() []string {
	return []string{
		"free", "closed", "time_wait", "last_ack", "closing", "fin_wait", "fin_wait2", "fin_wait1", "close_wait",
		"syn_sent", "syn_recv", "established",
	}
}

// PortStates tells which ports were in which state, over time, as the kernel
// showed them from outside.
type PortStates struct {
	States  []string     `json:"states"`   // what the bytes of the maps mean: 0 is the first
	EveryNS int64        `json:"every_ns"` // moments are no closer than this, but for those that are marked
	Moments []PortMoment `json:"moments"`
}

// PortMoment is one look at the ports, at each end and on the way.
type PortMoment struct {
	TNS     int64    `json:"t_ns"`
	TookNS  int64    `json:"took_ns"`           // from the beginning of the first list to the end of the last
	At      string   `json:"at,omitempty"`      // what is special about it: "fullest", "attempts over", "end"
	Client  *PortsIn `json:"client,omitempty"`  // by the clients' own ports
	Server  *PortsIn `json:"server,omitempty"`  // by the port that the listener's host sees
	Gateway *PortsIn `json:"gateway,omitempty"` // by the port that it has translated to, as its connection tracking has it
}

// PortsIn is the state of each port at one place.
type PortsIn struct {
	Counts      map[string]int64 `json:"counts"`                // ports by state; those that are free are left out
	Map         string           `json:"map"`                   // state of each of the 65,536 ports, one byte a port, deflated, base64
	Interrupted bool             `json:"interrupted,omitempty"` // the table changed while it was listed: a port may be missing
}

// StateMap has a state for each port. The zero value has all of them free. It
// belongs to one goroutine.
type StateMap struct {
	states [portCount]uint8
}

// Put says that a connection on the port is in a state.
func (m *StateMap) Put(port uint16, s PortState) { m.states[port] = max(m.states[port], uint8(s)) }

// Merge tells of each port the highest state of both. The other map stays as it
// is.
func (m *StateMap) Merge(from *StateMap) {
	for port, s := range &from.states { // the array itself, which is large
		m.states[port] = max(m.states[port], s)
	}
}

// State returns the state of a port.
func (m *StateMap) State(port uint16) PortState { return PortState(m.states[port]) }

// Ports returns the map as it is kept in the file.
func (m *StateMap) Ports() *PortsIn {
	var n [portStates]int64
	for _, s := range m.states {
		n[s]++
	}
	counts := make(map[string]int64)
	for s, name := range PortStateNames() {
		if PortState(s) != PortFree && n[s] > 0 {
			counts[name] = n[s]
		}
	}
	return &PortsIn{Counts: counts, Map: encodeBytes(&m.states)}
}

// DecodeStateMap reads the map of a PortsIn. A byte that is no state is an error:
// it is of a newer lastport.
func DecodeStateMap(text string) (*StateMap, error) {
	m := new(StateMap)
	if err := decodeBytes(text, &m.states); err != nil {
		return nil, err
	}
	for port, s := range m.states {
		if PortState(s) >= portStates {
			return nil, fmt.Errorf("decode port states: port %d has state %d, and this version knows %d", port, s, portStates)
		}
	}
	return m, nil
}
