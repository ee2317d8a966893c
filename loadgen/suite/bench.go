// Package suite puts several runs side by side: which runs belong together, and
// what they are called. Making each run, in a place of its own, is the
// caller's.
package suite

import "lastport/loadgen/ports"

// Member is one run of a suite.
type Member struct {
	Name     string // what sets it apart: "connect linux"
	Profile  string // the names of its range: "aws-nat=azure-nat"; "host" for one without
	Range    string // as --range takes it
	Strategy string
}

// Bench lists the standard suite: the host's range by both strategies, then
// every other range that a profile names, by socket-range alone: on 64,512
// ports plain connect takes minutes. Profiles that are the same ports are one
// run.
func Bench(host ports.Ranges) []Member {
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
		members[i].Name = members[i].Strategy + " " + members[i].Profile
	}
	return members
}
