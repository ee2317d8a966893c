package suite

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"lastport/loadgen/step"
)

const (
	// churnTime is how long a churn lasts that goes as fast as it can.
	churnTime = time.Second
	// shortest is how long a churn at a rate lasts at least.
	shortest = 2 * time.Second
	// beside is how far from the predicted interval the rates are, as a share of
	// its bounds, that a range must hold and must not hold. That it is not less is
	// for attempts that a busy machine makes late: of TIME_WAIT it is a second.
	// Where ports come back sooner it is as much as lateness is of that.
	beside   = 0.02
	lateness = 20 * time.Millisecond
	// beyond is the share of a round of all ports that is made after it: only then
	// are ports used that have come back.
	beyond = 0.03
	// slack is what a churn may take beyond its schedule, on a busy machine.
	slack = 5 * time.Second
	// reused is how many ports a reuse waits for: of those that come back after a
	// minute few, because when they are due each is asked for thousands of times a
	// second, and those of many runs are due at the same time.
	reused, reusedLate = 100, 5
	// vain is how many attempts are made in vain when ports have run out: each
	// costs milliseconds, and they must not last until the first port is back.
	vain = 20
)

// members are the runs of a scenario that tell of a way over a space.
func (s *space) members(w *Way, scenario Scenario, usual string) (list []*Member) {
	switch scenario {
	case Fill:
		list = []*Member{s.fill(w)}
	case Churn:
		list = s.rates(w, usual)
	case Reuse:
		list = []*Member{s.reuse(w, usual)}
	}
	for _, m := range list {
		m.cost(s.answer, s.traits)
		m.Name = m.title()
	}
	return slices.DeleteFunc(list, func(m *Member) bool {
		// At such a rate the search through a range full of TIME_WAIT takes too much
		// of a thread. Ports and reuse delay must do.
		return scenario == Churn && w.Rate == 0 && m.Load > heaviest && m.Rate > 0
	})
}

// member is a run of the way.
func (s *space) member(w *Way, scenario Scenario) *Member {
	return &Member{
		Scenario: string(scenario), Profile: s.profile, Range: s.text, Exclude: w.Exclude, Strategy: w.Strategy, Close: w.Close,
		UDP: w.UDP, IPv6: w.IPv6, Sources: w.Sources, Targets: w.Targets, Sysctls: slices.Clone(w.Sysctls),
		Place: w.Place, PeerSysctls: slices.Clone(w.PeerSysctls), Gateway: s.gateway, Timeout: s.attempt(),
	}
}

// fill opens all that the space holds. However its connections are closed
// otherwise, they are closed by RST here.
func (s *space) fill(w *Way) *Member {
	m := s.member(w, Fill)
	m.Close, m.Connections = step.ClientRST, w.Connections
	m.Sysctls = slices.DeleteFunc(m.Sysctls, afterClose)
	m.Gateway.Timeouts = nil
	return m
}

// reuse is from one source to one target, and over the range of the first row: when
// a port comes back does not depend on them.
func (s *space) reuse(w *Way, usual string) *Member {
	m := s.member(w, Reuse)
	m.Sources, m.Targets = 0, 0
	m.Profile, m.Range, m.Exclude = usual, usual, ""
	m.Connections = reused
	if s.answer.Reuse.Max >= waits {
		m.Connections = reusedLate
	}
	m.Gateway.Clients = 0
	if s.through {
		s.natReuse(m)
	}
	return m
}

// rates are the churns that show what rate the way sustains.
//
// Where a port is soon back, that is more than most machines can make, so it
// goes as fast as it can. Else a rate just below what is predicted is made for
// more than a round of all ports, and all of it must connect; over the range of
// the first row one just above it is made too, and must run out.
func (s *space) rates(w *Way, usual string) []*Member {
	a := s.answer
	if w.Rate > 0 {
		return []*Member{s.asked(w)}
	}
	if s.through {
		return s.natRates(w)
	}
	if a.Rate == nil || a.Reuse.Max == 0 || a.Reuse.Max < waits && s.churn(w, a.Rate.Max, 0, 0).Load > heaviest {
		m := s.member(w, Churn)
		m.Requests, m.Hold, m.Duration = w.Requests, w.Hold, churnTime+w.Hold
		return []*Member{m}
	}
	far := max(beside, lateness.Seconds()/(a.Reuse.Min+w.Hold).Seconds())
	held := round(a.Rate.Min*(1-far), math.Floor)
	over := round(a.Rate.Max*(1+far), math.Ceil)
	members := []*Member{s.churn(w, held, s.rounds(held), 0)}
	if s.text == usual || a.Reuse.Max < waits {
		m := s.churn(w, over, a.Connections.Max+vain, 0)
		m.Over = true
		members = append(members, m)
	}
	return members
}

// rounds is how many attempts at a rate use ports that have come back.
func (s *space) rounds(rate float64) int64 {
	return int64(math.Ceil(max(float64(s.answer.Connections.Max)*(1+beyond), rate*shortest.Seconds())))
}

// asked is a churn at the rate that the way asks for. Without a time it lasts
// until ports are used that have come back.
func (s *space) asked(w *Way) *Member {
	d := w.Duration
	if d == 0 {
		round := time.Duration(float64(s.answer.Connections.Max) / w.Rate * (1 + beyond) * float64(time.Second))
		d = max(shortest, min(round, (s.answer.Reuse.Max+w.Hold)*11/10))
	}
	return s.churn(w, w.Rate, 0, d.Round(time.Second))
}

// churn is so many attempts at a rate, or attempts for so long.
func (s *space) churn(w *Way, rate float64, attempts int64, lasts time.Duration) *Member {
	m := s.member(w, Churn)
	m.Rate, m.Attempts, m.Requests, m.Hold, m.Duration = rate, attempts, w.Requests, w.Hold, lasts
	if attempts > 0 {
		m.Duration = time.Duration(float64(attempts)/rate*float64(time.Second)) + w.Hold + slack
	}
	m.cost(s.answer, s.traits)
	return m
}

// title is what a member does: "churn socket-range iana client-fin 258".
func (m *Member) title() string {
	words := []string{m.Scenario, m.Strategy}
	add := func(there bool, word string) {
		if there {
			words = append(words, word)
		}
	}
	add(m.Profile != hostRange, m.Profile)
	add(m.Exclude != "", "without "+m.Exclude)
	add(m.UDP, "udp")
	add(m.IPv6, "ipv6")
	add(m.Sources > 0, fmt.Sprint(m.Sources, " sources"))
	add(m.Targets > 0, fmt.Sprint(m.Targets, " targets"))
	add(m.Scenario != string(Fill) && !m.UDP, m.Close.String())
	for _, text := range m.Sysctls {
		add(true, brief(text))
	}
	words = append(words, m.where()...)
	add(m.Requests > 0, fmt.Sprint(m.Requests, " requests"))
	add(m.Hold > 0, fmt.Sprint("hold ", m.Hold))
	add(m.Connections > 0 && m.Scenario == string(Fill), fmt.Sprint(m.Connections, " connections"))
	add(m.Rate > 0, fmt.Sprintf("%g", m.Rate))
	add(m.Scenario == string(Churn) && m.Rate == 0, "max")
	add(m.Turn > 1, fmt.Sprint("turn ", m.Turn))
	return strings.Join(words, " ")
}
