package reports

import (
	"strconv"

	"lastport/reports/result"
)

func integer(n int64) string { return strconv.FormatInt(n, 10) }

// integerOr is a number, or nothing where there is none.
func integerOr(n *int64) string { return optional(n, integer) }

func fraction(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func csvTimeline(r *result.Result) (rows [][]string) {
	for i := range r.Timeline {
		row := &r.Timeline[i]
		s := row.States
		if s == nil {
			s = &result.States{}
		}
		rows = append(rows, []string{
			integer(row.TNS), integer(row.Opened), integer(row.Closed), integer(row.NoPort), integer(row.Failed), integer(row.Open), integerOr(row.P99NS),
			integerOr(s.SynSent), integerOr(s.Established), integerOr(s.FinWait1), integerOr(s.FinWait2),
			integerOr(s.CloseWait), integerOr(s.LastAck), integerOr(s.Closing), integerOr(s.TimeWait),
			integer(row.UserCPUNS), integer(row.SysCPUNS),
		})
	}
	return rows
}

// csvOccupancy has the bands, and among them the full range, and the points.
func csvOccupancy(r *result.Result) (rows [][]string) {
	for _, b := range r.Occupancy {
		kind := "band"
		if b.From == b.To {
			kind = "full"
		}
		rows = append(rows, []string{kind, fraction(b.From), fraction(b.To), integer(b.Count), integer(b.P50NS), integer(b.P99NS), integer(b.MaxNS)})
	}
	for _, b := range r.AtOccupancy {
		rows = append(rows, []string{"point", fraction(b.From), fraction(b.To), integer(b.Count), integer(b.P50NS), integer(b.P99NS), integer(b.MaxNS)})
	}
	return rows
}

// csvPorts has the ports that were used, or whose state was ever seen. A map that
// cannot be read has none.
func csvPorts(r *result.Result) (rows [][]string) {
	uses, order := &result.PortMap{}, map[uint16]int{}
	if r.Ports != nil {
		if m, err := result.DecodePortMap(r.Ports.Map); err == nil {
			uses = m
		}
		for i, port := range r.Ports.First {
			if order[port] == 0 {
				order[port] = i + 1
			}
		}
	}
	var looks []*result.StateMap
	for _, mark := range []string{"fullest", "attempts over", "end"} {
		looks = append(looks, stateAt(r.PortStates, mark))
	}
	for p := range 1 << 16 {
		port := uint16(p)
		first, busy := "", false
		if n := order[port]; n > 0 {
			first = strconv.Itoa(n)
		}
		row := []string{strconv.Itoa(p), strconv.Itoa(int(uses.Uses(port))), first}
		for _, states := range looks {
			busy = busy || states != nil && states.State(port) != result.PortFree
			row = append(row, stateName(states, port))
		}
		if busy || first != "" || uses.Uses(port) > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

// stateAt is the generator's ports at the moment that is marked so; nil if there
// is none.
func stateAt(s *result.PortStates, mark string) *result.StateMap {
	if s == nil {
		return nil
	}
	for _, m := range s.Moments {
		if m.At == mark && m.Client != nil {
			if states, err := result.DecodeStateMap(m.Client.Map); err == nil {
				return states
			}
		}
	}
	return nil
}

// stateName is the word for a port's state, or nothing where it was not seen.
func stateName(m *result.StateMap, port uint16) string {
	if m == nil {
		return ""
	}
	return result.PortStateNames()[m.State(port)]
}

func csvOutcomes(r *result.Result) (rows [][]string) {
	for _, o := range r.Outcomes.All() {
		rows = append(rows, []string{o.Name, integer(o.N)})
	}
	return rows
}
