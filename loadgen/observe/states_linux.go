package observe

import (
	"lastport/loadgen/kernel/conntrack"
	"lastport/loadgen/kernel/diag"
	"lastport/reports/result"
)

// zero has every state that can be counted: 0 is measured, not absent. UDP has
// one.
func zero(udp bool) result.States {
	if udp {
		return result.States{Established: new(int64)}
	}
	return result.States{
		SynSent: new(int64), Established: new(int64), FinWait1: new(int64), FinWait2: new(int64),
		CloseWait: new(int64), LastAck: new(int64), Closing: new(int64), TimeWait: new(int64),
	}
}

// add counts a socket, if its state is one that s has.
func add(s *result.States, state diag.State) {
	if n := counterOf(s, state); n != nil {
		*n++
	}
}

func counterOf(s *result.States, state diag.State) *int64 {
	switch state {
	case diag.SynSent:
		return s.SynSent
	case diag.Established:
		return s.Established
	case diag.FinWait1:
		return s.FinWait1
	case diag.FinWait2:
		return s.FinWait2
	case diag.CloseWait:
		return s.CloseWait
	case diag.LastAck:
		return s.LastAck
	case diag.Closing:
		return s.Closing
	case diag.TimeWait:
		return s.TimeWait
	}
	return nil
}

// portState is a socket's state as that of its port.
func portState(s diag.State) result.PortState {
	switch s {
	case diag.Established:
		return result.PortEstablished
	case diag.SynSent:
		return result.PortSynSent
	case diag.SynRecv, diag.NewSynRecv:
		return result.PortSynRecv
	case diag.FinWait1:
		return result.PortFinWait1
	case diag.FinWait2:
		return result.PortFinWait2
	case diag.TimeWait:
		return result.PortTimeWait
	case diag.CloseWait:
		return result.PortCloseWait
	case diag.LastAck:
		return result.PortLastAck
	case diag.Closing:
		return result.PortClosing
	}
	return result.PortClosed
}

// trackedState is a tracked connection's state as that of the port that it was
// translated to. Over UDP there is only one.
func trackedState(t *conntrack.Tuple) result.PortState {
	switch t.State {
	case conntrack.SynSent:
		return result.PortSynSent
	case conntrack.SynRecv:
		return result.PortSynRecv
	case conntrack.FinWait:
		return result.PortFinWait
	case conntrack.CloseWait:
		return result.PortCloseWait
	case conntrack.LastAck:
		return result.PortLastAck
	case conntrack.TimeWait:
		return result.PortTimeWait
	case conntrack.Close:
		return result.PortClosed
	}
	return result.PortEstablished
}
