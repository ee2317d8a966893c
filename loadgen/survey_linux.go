package loadgen

import (
	"fmt"

	"lastport/loadgen/kernel"
	"lastport/loadgen/picks"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// MostPicks is how many picks a part of a survey makes that is not told how many.
const MostPicks = 65_536

// survey looks at which ports are picked: first with each one free again before
// the next, then with all of them kept.
func (r *run) survey() error {
	s := &surveying{run: r}
	defer r.putCost(r.meter())
	for _, part := range []func() error{s.released, s.held, s.release, s.trap} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// surveying is a survey under way.
type surveying struct {
	*run
	out   result.Survey
	conns []uint32
}

// picks is how many picks each part makes: as many as were asked for, or as the
// tuple space holds.
func (r *run) picks() int64 {
	if r.cfg.Attempts > 0 {
		return r.cfg.Attempts
	}
	return min(r.answer.Connections.Max, MostPicks)
}

// surveyConnections is how many connections are held at once.
func (r *run) surveyConnections() int64 { return min(r.picks(), r.answer.Connections.Max) }

// predictSurvey bounds what can be held by what is asked for.
func (r *run) predictSurvey(p *result.Predicted) {
	p.Connections.Min = min(p.Connections.Min, r.picks())
	p.Connections.Max = min(p.Connections.Max, r.picks())
}

// part makes the picks of one part.
func (s *surveying) part(name string, hold bool) (*scenario.Survey, error) {
	s.enter(name, 0)
	work := scenario.NewSurvey(scenario.Survey{
		Picks: int(s.picks()), Hold: hold, Spread: s.spread(), Deadline: s.deadline(), Timeout: s.cfg.Timeout, Stop: &s.stop,
	})
	err := s.works([]step.Work{work})
	return work, err
}

// ended keeps how a part ended. One that did not come to its own end is what the
// run ends by.
func (s *surveying) ended(work *scenario.Survey) (own bool) {
	s.ends.end, s.ends.last = work.Ended()
	return s.ends.end == scenario.Reached || s.ends.end == scenario.Exhausted
}

// released picks and closes.
func (s *surveying) released() error {
	work, err := s.part("released", false)
	if err != nil {
		return err
	}
	seq := s.firstPool(work.Seen())
	about := s.describe(picks.Released, seq)
	if about != nil {
		uses := new(result.PortMap)
		for _, port := range seq {
			uses.Add(port)
		}
		about.Uses = uses.Encode()
	}
	s.do(func() {
		s.ended(work)
		s.out.Released = about
		s.out.Targets = s.acrossTargets(work.Seen())
		s.publish()
	})
	return nil
}

// held picks and keeps.
func (s *surveying) held() error {
	if s.ends.end != scenario.Reached {
		return nil
	}
	work, err := s.part("held", true)
	if err != nil {
		return err
	}
	s.conns = work.Conns()
	open := s.tally.Open()
	seq := s.firstPool(work.Seen())
	about := s.describe(picks.Held, seq)
	if about != nil {
		about.Order = result.OrderMap(seq).Encode()
	}
	s.do(func() {
		s.complete = s.ended(work)
		s.res.Measured.Connections = &open
		s.out.Held = about
		s.publish()
	})
	return nil
}

// describe says what there is to say of picks; nil if there are none.
func (s *surveying) describe(phase picks.Phase, seq []uint16) *result.Picks {
	if len(seq) == 0 {
		return nil
	}
	about := picks.Describe(phase, seq, s.answer.Usable)
	return picksResult(&about, seq)
}

// release closes what is held, and waits until the listener has, too.
func (s *surveying) release() error {
	s.enter("release", 0)
	work := scenario.NewRelease(s.conns)
	work.Until = s.deadline()
	if err := s.works([]step.Work{work}); err != nil {
		return err
	}
	if err := s.peer.Drain(); err != nil {
		return err
	}
	server := s.peer.Stats()
	counters, err := kernel.ReadCounters()
	s.do(func() {
		s.res.Server = &server
		if err == nil { // now, before the trap's own sockets count
			s.res.Kernel = result.Counters(counters.Since(s.before))
		}
	})
	return nil
}

// publish lets the result have what is known. Snapshots share it, so it is
// replaced and not changed.
func (s *surveying) publish() {
	out := s.out
	s.res.Survey = &out
}

// firstPool returns the picks that draw on the same ports as the first source
// and target do.
func (s *surveying) firstPool(seen []scenario.Pick) []uint16 {
	var seq []uint16
	for _, p := range seen {
		if s.pools.Of(p.Source, p.Target) == 0 {
			seq = append(seq, p.Port)
		}
	}
	return seq
}

// acrossTargets compares the picks of the first source toward the first target
// with those toward each other one, and returns what is farthest from
// independent.
func (s *surveying) acrossTargets(seen []scenario.Pick) *result.Targets {
	toward := make([][]uint16, len(s.cfg.Targets))
	for _, p := range seen {
		if p.Source == 0 {
			toward[p.Target] = append(toward[p.Target], p.Port)
		}
	}
	var worst *picks.Pair
	second := 0
	for i := 1; i < len(toward); i++ {
		pair := picks.Across(toward[0], toward[i], s.answer.Usable)
		if pair != nil && (worst == nil || pair.TellsMoreThan(worst)) {
			worst, second = pair, i
		}
	}
	if worst == nil {
		return nil
	}
	return targetsResult(worst, s.cfg.Targets[0].String(), s.cfg.Targets[second].String())
}

// surveyVerdict is a survey in one line.
func (r *run) surveyVerdict(res *result.Result) result.Verdict {
	sv := res.Survey
	failed := res.Attempts - res.Outcomes.OK - res.Outcomes.NoPort
	switch {
	case r.ends.end == scenario.GaveUp:
		return bad("gave up after %s: attempt after attempt was %s", figures.Counted(res.Outcomes.OK, "pick"), r.ends.last)
	case r.ends.end == scenario.TimeUp:
		return bad("--duration ended the survey after %s", figures.Counted(res.Outcomes.OK, "pick"))
	case !r.complete && r.ends.end == scenario.Exhausted:
		return bad("no port was left after %s, though each was released before the next", figures.Counted(res.Outcomes.OK, "pick"))
	case sv == nil || sv.Held == nil || !r.complete:
		return bad("interrupted after %s", figures.Counted(res.Outcomes.OK, "pick"))
	case *res.Residual.Connections != 0:
		return bad("%s held, %s predicted: %+d", connections(*res.Measured.Connections), span(*res.Predicted.Connections), *res.Residual.Connections)
	case failed > 0:
		return bad("%s failed for another cause than ports", figures.Counted(failed, "attempt"))
	}
	return result.Verdict{OK: true, Text: fmt.Sprintf("%s of %s, held: %s", figures.Counted(sv.Held.Picks, "pick"), figures.Counted(sv.Held.Ports, "port"), sv.Held.Text)}
}
