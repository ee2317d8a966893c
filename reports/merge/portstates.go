package merge

import (
	"cmp"
	"fmt"
	"slices"

	"lastport/reports/result"
)

// portStates joins the maps of ports by state, by wall clock: of each port the
// highest state that it has in any shard, as a map tells of several connections
// on one port. What a shard calls its fullest moment, or its end, is joined with
// what the others call so, whenever that was.
func (w *whole) portStates(res *result.Result) error {
	all := every(w.runs, func(r *result.Result) *result.PortStates { return r.PortStates })
	if all == nil || slices.ContainsFunc(all, func(p *result.PortStates) bool { return !slices.Equal(p.States, result.PortStateNames()) }) {
		return nil
	}
	var watches []*watch
	long := int64(1)
	for i, p := range all {
		watches = append(watches, &watch{from: w.parts[i].From, began: w.began[i], moments: unmarked(p.Moments)})
		long = max(long, p.EveryNS, spacing(p.Moments))
	}
	for w.end()/long+1 > result.MaxMoments {
		long *= 2
	}
	moments, err := w.marked(all)
	if err != nil {
		return err
	}
	for n := range w.end()/long + 1 {
		moment, err := joinedMoment(watches, (n+1)*long)
		if err != nil {
			return err
		}
		if moment != nil {
			moment.TNS = min(moment.TNS, w.end())
			moments = append(moments, *moment)
		}
	}
	slices.SortStableFunc(moments, inTime)
	series := result.NewPortSeries(long)
	for _, m := range moments {
		series.Add(m)
	}
	res.PortStates = series.States()
	return nil
}

// marked joins the moments that all shards have marked alike.
func (w *whole) marked(all []*result.PortStates) (moments []result.PortMoment, err error) {
	var marks []string
	for _, m := range all[0].Moments {
		if m.At != "" && !slices.Contains(marks, m.At) {
			marks = append(marks, m.At)
		}
	}
	for _, at := range marks {
		joined := newJoin(at)
		for i, p := range all {
			n := slices.IndexFunc(p.Moments, func(m result.PortMoment) bool { return m.At == at })
			if n < 0 {
				joined = nil
				break
			}
			one, err := decoded(w.parts[i].From, &p.Moments[n])
			if err != nil {
				return nil, err
			}
			joined.add(one, w.began[i]+p.Moments[n].TNS)
		}
		if joined != nil {
			moments = append(moments, *joined.moment())
		}
	}
	return moments, nil
}

// spacing is how far moments lie apart on the average: a series that has become
// large is thinned, and no more even than it was.
func spacing(moments []result.PortMoment) (ns int64) {
	for _, m := range moments {
		ns = max(ns, m.TNS)
	}
	return ns / int64(max(len(moments), 1))
}

// unmarked are the moments that are no special ones, in order.
func unmarked(moments []result.PortMoment) []result.PortMoment {
	rest := slices.DeleteFunc(slices.Clone(moments), func(m result.PortMoment) bool { return m.At != "" })
	slices.SortStableFunc(rest, inTime)
	return rest
}

func inTime(a, b result.PortMoment) int { return cmp.Compare(a.TNS, b.TNS) }

// watch is a shard's moments, as far as they have been taken.
type watch struct {
	from    string
	began   int64
	moments []result.PortMoment
	next    int
	last    *look
}

// until takes the moments to the end of an interval, and returns the last look; nil
// if the shard was not watched then. Fresh says that it is of this interval.
func (s *watch) until(end int64) (_ *look, fresh bool, err error) {
	before := s.next
	for s.next < len(s.moments) && s.began+s.moments[s.next].TNS <= end {
		s.next++
	}
	if s.next > before { // of several looks in an interval the last one counts
		s.last, err = decoded(s.from, &s.moments[s.next-1])
		return s.last, true, err
	}
	if s.next == len(s.moments) {
		s.last = nil
	}
	return s.last, false, nil
}

// joinedMoment joins what was last seen of the shards that were watched then; nil
// if nothing was seen in this interval.
func joinedMoment(watches []*watch, end int64) (*result.PortMoment, error) {
	var looks []*look
	seen := false
	for _, s := range watches {
		one, fresh, err := s.until(end)
		if err != nil {
			return nil, err
		}
		seen = seen || fresh
		if one != nil {
			looks = append(looks, one)
		}
	}
	if !seen {
		return nil, nil
	}
	all := newJoin("")
	for _, one := range looks {
		all.add(one, end)
	}
	return all.moment(), nil
}

// The places of a moment.
const places = 3

// look is a moment whose maps were read: client, server, gateway.
type look struct {
	maps        [places]*result.StateMap
	interrupted [places]bool
	took        int64
}

func decoded(from string, m *result.PortMoment) (*look, error) {
	l := &look{took: m.TookNS}
	for i, in := range []*result.PortsIn{m.Client, m.Server, m.Gateway} {
		if in == nil {
			continue
		}
		states, err := result.DecodeStateMap(in.Map)
		if err != nil {
			return nil, &DamagedError{from, fmt.Errorf("port_states: %w", err)}
		}
		l.maps[i], l.interrupted[i] = states, in.Interrupted
	}
	return l, nil
}

// join is several shards' looks as one. A place that one of them did not look at
// is absent.
type join struct {
	look
	at    string
	when  int64
	looks int
	seen  [places]int
}

func newJoin(at string) *join {
	j := &join{at: at}
	for i := range j.maps {
		j.maps[i] = new(result.StateMap)
	}
	return j
}

func (j *join) add(l *look, when int64) {
	j.looks++
	j.when, j.took = max(j.when, when), max(j.took, l.took)
	for i, states := range l.maps {
		if states == nil {
			continue
		}
		j.seen[i]++
		j.maps[i].Merge(states)
		j.interrupted[i] = j.interrupted[i] || l.interrupted[i]
	}
}

// moment is the join as it is kept; nil if there was nothing to join.
func (j *join) moment() *result.PortMoment {
	if j.looks == 0 {
		return nil
	}
	m := &result.PortMoment{TNS: j.when, TookNS: j.took, At: j.at}
	for i, into := range []**result.PortsIn{&m.Client, &m.Server, &m.Gateway} {
		if j.seen[i] == j.looks {
			*into = j.maps[i].Ports()
			(*into).Interrupted = j.interrupted[i]
		}
	}
	return m
}
