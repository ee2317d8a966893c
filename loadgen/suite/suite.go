// Package suite puts several runs side by side: which runs belong together,
// what they are called, and about how long they take. A matrix is the rows that
// a bench compares, as a file has them. Making each run, in a place of its own,
// is the caller's.
package suite

import (
	"slices"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
)

// Host is what a suite must know of where its runs happen.
type Host struct {
	Range      ports.Ranges // its ephemeral ports
	Reserved   ports.Ranges // ports that it reserves
	Settings   capacity.Settings
	Processors int             // that runs may use; 0: one
	Lacks      map[string]bool // settings of the matrix that its kernel does not have
	// Without are places that cannot be had there, and why.
	Without map[string]string
}

// Member is one run of a suite.
type Member struct {
	Name     string // what sets it apart: "fill connect"
	Scenario string
	Profile  string // the name of its range; "host" for the host's own
	Range    string // as --range takes it
	Exclude  string // as --exclude takes it
	Strategy string
	Close    step.CloseMode
	UDP      bool
	IPv6     bool
	Sources  int      // how many addresses; 0: one, the kernel's choice
	Targets  int      // how many addresses; 0: one
	Sysctls  []string // as --sysctl takes them
	// Place and what belongs to it are those of the way, the gateway with the range
	// that it has in this run.
	Place       string
	PeerSysctls []string
	Gateway     Gateway
	Timeout     time.Duration // of one attempt; 0: the caller's

	Rate     float64 // of a churn: attempts per second; 0: as many as it can make
	Attempts int64   // of a churn: end after these; 0: no bound
	Requests int     // of a churn: over each connection
	Hold     time.Duration
	// Connections bounds a fill; 0: as many as there can be. Of a reuse it is how
	// many ports are waited for.
	Connections int64
	Duration    time.Duration
	Over        bool // a churn at a rate that ports do not sustain: they must run out
	Turn        int  // of a run that is made several times: which it is, from 1 on; 0: it is made once

	Takes time.Duration // about how long the run takes
	Load  float64       // about what share of a processor
}

// Part is the members that are run in the same way.
type Part struct {
	Members []*Member
	// AtOnce: they mostly wait, and are run side by side. The others would take
	// processor time from one another, and are run in turn.
	AtOnce bool
	Lasts  time.Duration // about how long the part takes
}

// Row is one way of using ports, and the members that tell of it; a member may
// tell of several.
type Row struct {
	Way
	Profile   string // "host" for the host's own range
	Ports     ports.Ranges
	Predicted capacity.Answer   // over Ports
	On        map[string]string // by scenario: the ports that its runs use in place of Range, or of the gateway's
	// Gain is how many times the uses per second of the first row: connections, or
	// the requests that they carry. 0: ports set no limit here or there, or nothing
	// is predicted.
	Gain    float64
	Members []*Member
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

// Lasts is about how long all of it takes, on a machine that does nothing else.
func (s Suite) Lasts() (d time.Duration) {
	for _, p := range s.Parts {
		d += p.Lasts
	}
	return d
}

// Blame says that a run cannot be, by the line of the first row that has it.
func (s Suite) Blame(file string, m *Member, err error) error {
	for _, r := range s.Rows {
		if slices.Contains(r.Members, m) {
			return r.Blame(file, err)
		}
	}
	return err
}

// Blame says that a way cannot be, by its line.
func (w *Way) Blame(file string, err error) error {
	return &FileError{File: file, Line: w.Line, Problem: w.Name + ": " + err.Error(), hint: hintOf(err, "range"), err: err}
}
