package result

// SetSchema names the version of a file that holds several runs.
const SetSchema = "lastport/set/v1"

// Set is several runs in one file.
type Set struct {
	Schema string `json:"schema"`
	Axis   string `json:"axis"` // what differs between the runs: "strategy", "strategy/profile"
	// Planned is how many runs the set was to have; Interrupted says that it was
	// ended before it had them all, and is true also in every file written before.
	Planned     int       `json:"planned,omitempty"`
	Skipped     []string  `json:"skipped,omitempty"` // what was left out, and why
	Interrupted bool      `json:"interrupted,omitempty"`
	Rows        []SetRow  `json:"rows,omitempty"` // of a bench: its table
	Runs        []*Result `json:"runs"`
}

// SetRow is one way of using ports, as a bench compares them, and the runs that
// tell of it. A run may tell of several: how connections are closed does
// not change how many there can be.
type SetRow struct {
	Name      string            `json:"name"` // "connect", or what differs from the row of that name: "tcp_tw_reuse=1"
	Strategy  string            `json:"strategy"`
	Range     string            `json:"range"`
	RangeName string            `json:"range_name,omitempty"`
	Close     string            `json:"close"`
	Proto     string            `json:"proto,omitempty"`   // "udp"; absent: TCP
	Sources   int               `json:"sources,omitempty"` // source addresses; absent: one
	Targets   int               `json:"targets,omitempty"` // target addresses; absent: one
	Sysctls   map[string]string `json:"sysctl,omitempty"`  // what the row itself sets
	Predicted Predicted         `json:"predicted"`         // by the host's settings and Sysctls, before any run
	Runs      []string          `json:"runs"`              // their run.id; one that was not made is not in the set
}

// Document is what a file holds: a *Result, a *Set, a *Checkup, a *Plan or
// *Ranges.
type Document interface{ document() }

func (*Result) document() {}
func (*Set) document()    {}
