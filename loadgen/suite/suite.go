// Package suite puts several runs side by side: which runs belong together, and
// what they are called. Making each run, in a place of its own, is the
// caller's.
package suite

import (
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
)

// Host is what a suite must know of where its runs happen.
type Host struct {
	Range    ports.Ranges // its ephemeral ports
	Reserved ports.Ranges // ports that it reserves
	Settings capacity.Settings
}

// Member is one run of a suite.
type Member struct {
	Name     string // what sets it apart: "fill connect"
	Scenario string
	Profile  string // the name of its range; "host" for the host's own
	Range    string // as --range takes it
	Strategy string
	Close    step.CloseMode
	UDP      bool
	IPv6     bool
	Sources  int      // how many addresses; 0: one, the kernel's choice
	Targets  int      // how many addresses; 0: one
	Sysctls  []string // as --sysctl takes them
	Rate     float64  // of a churn: attempts per second; 0: as many as it can make
	Attempts int64    // of a churn: end after these; 0: no bound
	Duration time.Duration
}

// Part is the members that are run in the same way.
type Part struct {
	Members []*Member
	// AtOnce: they mostly wait, and are run side by side. The others would take
	// processor time from one another, and are run in turn.
	AtOnce bool
	Lasts  time.Duration // how long they wait; 0: not known
}

// Row is one way of using ports, and the members that tell of it; a member may
// tell of several.
type Row struct {
	Way
	Profile   string // "host" for the host's own range
	Ports     ports.Ranges
	Predicted capacity.Answer
	Members   []*Member
}

// Suite is what a bench runs, and what it leaves out.
type Suite struct {
	Rows    []Row
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
