// Package suite puts several runs side by side: which runs belong together, and
// what they are called. Making each run, in a place of its own, is the
// caller's.
package suite

import (
	"time"

	"lastport/loadgen/ports"
	"lastport/loadgen/step"
)

// Member is one run of a suite.
type Member struct {
	Name     string // what sets it apart: "fill connect linux"
	Scenario string
	Profile  string // the names of its range: "aws-nat=azure-nat"; "host" for one without
	Range    string // as --range takes it
	Strategy string
	Close    step.CloseMode
	Duration time.Duration // of a churn
}

// Part is the members that are run in the same way.
type Part struct {
	Members []Member
	// AtOnce: they mostly wait, and are run side by side. The others would take
	// processor time from one another, and are run in turn.
	AtOnce bool
}

// Suite is what a bench runs, and what it leaves out.
type Suite struct {
	Parts   []Part
	Skipped []string // in plain words, with the reason
}

// Len returns how many runs there are.
func (s Suite) Len() (n int) {
	for _, p := range s.Parts {
		n += len(p.Members)
	}
	return n
}

// Bench is the standard suite: fills of the host's range and of every profile,
// churn as fast as it goes by every close mode, and the reuse of ports after
// each. quick leaves out what has to wait for a TIME_WAIT.
func Bench(host ports.Ranges, quick bool) Suite {
	fills := fills(host)
	own := fills[0].Profile
	s := Suite{Parts: []Part{{Members: fills}, {Members: churns(host, own)}}}
	reuses := Part{AtOnce: true}
	for _, mode := range modes() {
		if mode == step.ClientFIN && quick {
			s.Skipped = append(s.Skipped, "reuse client-fin: it waits a minute for TIME_WAIT")
			continue
		}
		reuses.Members = append(reuses.Members, Member{
			Name: "reuse " + mode.String(), Scenario: "reuse", Profile: own, Range: host.String(), Strategy: "connect", Close: mode,
		})
	}
	s.Parts = append(s.Parts, reuses)
	return s
}

// modes lists the close modes.
func modes() []step.CloseMode {
	return []step.CloseMode{step.ClientFIN, step.ClientRST, step.ServerFIN, step.ServerRST}
}

// fills are the host's range by both strategies, then every other range that a
// profile names, by socket-range alone: on 64,512 ports plain connect takes
// minutes. Profiles that are the same ports are one run.
func fills(host ports.Ranges) []Member {
	own := "host"
	var others []Member
	seen := map[string]int{} // index in others, by ports
	for _, p := range ports.Profiles() {
		spec := p.Ranges.String()
		if spec == host.String() {
			own = p.Name
			continue
		}
		if i, ok := seen[spec]; ok {
			others[i].Profile += "=" + p.Name
			continue
		}
		seen[spec] = len(others)
		others = append(others, Member{Profile: p.Name, Range: spec, Strategy: "socket-range"})
	}
	members := append([]Member{
		{Profile: own, Range: host.String(), Strategy: "connect"},
		{Profile: own, Range: host.String(), Strategy: "socket-range"},
	}, others...)
	for i := range members {
		m := &members[i]
		m.Scenario, m.Close = "fill", step.ClientRST
		m.Name = "fill " + m.Strategy + " " + m.Profile
	}
	return members
}

// churnTime is how long each churn of the suite lasts.
const churnTime = 2 * time.Second

// churns are the close modes at the highest rate. By socket-range: the kernel's
// walk by plain connect, on a range that fills up with TIME_WAIT, is what the
// fills measure.
func churns(host ports.Ranges, profile string) []Member {
	var members []Member
	for _, mode := range modes() {
		members = append(members, Member{
			Name: "churn " + mode.String(), Scenario: "churn", Profile: profile, Range: host.String(),
			Strategy: "socket-range", Close: mode, Duration: churnTime,
		})
	}
	return members
}
