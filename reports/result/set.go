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
	Matrix      string    `json:"matrix,omitempty"` // of a bench: the file that its rows are from, or "standard"
	Rows        []SetRow  `json:"rows,omitempty"`   // of a bench: its table
	Runs        []*Result `json:"runs"`

	Search *RateSearch `json:"search,omitempty"` // of a churn --rate auto: what it found
	Proof  *Proof      `json:"proof,omitempty"`  // of a plan --prove: what it came to
}

// SetRow is one way of using ports, as a bench compares them, and the runs that
// tell of it. A run may tell of several: how connections are closed does
// not change how many there can be.
type SetRow struct {
	Name      string            `json:"name"` // what sets it apart: "server-fin"
	Strategy  string            `json:"strategy"`
	Range     string            `json:"range"`
	RangeName string            `json:"range_name,omitempty"`
	Close     string            `json:"close"`
	Proto     string            `json:"proto,omitempty"`   // "udp"; absent: TCP
	Sources   int               `json:"sources,omitempty"` // source addresses; absent: one
	Targets   int               `json:"targets,omitempty"` // target addresses; absent: one
	Sysctls   map[string]string `json:"sysctl,omitempty"`  // what the row itself sets
	IPv6      bool              `json:"ipv6,omitempty"`
	Requests  int               `json:"requests,omitempty"` // over each connection of a churn
	HoldNS    int64             `json:"hold_ns,omitempty"`  // of each connection of a churn
	Place     string            `json:"place,omitempty"`    // where the row itself says that its runs are
	Gateway   *RowGateway       `json:"gateway,omitempty"`  // of place nat
	StandIn   map[string]string `json:"stand_in,omitempty"` // by scenario: the ports that its runs use in place of the range; of a reuse, the gateway's
	Predicted Predicted         `json:"predicted"`          // over Range, by the host's settings and Sysctls, before any run
	// Gain is how many times the uses per second of the first row are predicted:
	// connections, or the requests that they carry. Nil where ports set no limit.
	Gain   *float64      `json:"gain,omitempty"`
	Price  string        `json:"price,omitempty"`  // what it takes, as the matrix says; absent: the report's own words
	Expect []RowExpected `json:"expect,omitempty"` // what was expected of its runs, and what they measured
	Runs   []string      `json:"runs"`             // their run.id; one that was not made is not in the set
}

// RowGateway is the gateway of a row's place, over whose ports the row is predicted.
type RowGateway struct {
	Range     string            `json:"range"`               // its ports, as the matrix names them
	StandIn   string            `json:"stand_in,omitempty"`  // the ports that it has where others stand in for the row's
	Addresses int               `json:"addresses,omitempty"` // outside; absent: one
	Random    bool              `json:"random,omitempty"`    // it chooses its ports at random
	Clients   int               `json:"clients,omitempty"`   // hosts behind it; absent: one
	Timeouts  map[string]string `json:"timeouts,omitempty"`  // of connection tracking, by state
}

// RowExpected is an expectation of a row, held against one of its runs.
type RowExpected struct {
	Run   string `json:"run,omitempty"` // its run.id; absent: none measured the field
	Expr  string `json:"expr"`
	Value string `json:"value"` // as measured; "not measured" if there is none
	Held  bool   `json:"held"`
}

// NotMeasured is the value of an expectation whose field was not measured.
const NotMeasured = notMeasured

// Document is what a file holds: a *Result, a *Set, a *Checkup, a *Plan or
// *Ranges.
type Document interface{ document() }

func (*Result) document() {}
func (*Set) document()    {}
