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
	Runs        []*Result `json:"runs"`
}

// Document is what a file holds: a *Result or a *Set.
type Document interface{ document() }

func (*Result) document() {}
func (*Set) document()    {}
