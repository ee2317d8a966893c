package result

// PlanSchema names the version of a plan's document.
const PlanSchema = "lastport/plan/v1"

// Plan is what the arithmetic answers to a wish, without a run. What was not
// asked for, or has no answer, is absent.
type Plan struct {
	Schema  string    `json:"schema"`
	Tool    Tool      `json:"tool"`
	Asked   Asked     `json:"asked"`
	Space   Space     `json:"space"`
	Sustain Sustained `json:"sustained"`
	Each    Sustained `json:"tuple_set"`
	Demand  *Demand   `json:"demand,omitempty"`
	Burst   *Burst    `json:"burst,omitempty"`
	Targets []Target  `json:"targets,omitempty"`
	Fleet   *Fleet    `json:"fleet,omitempty"`
	Latency *PlanCost `json:"latency,omitempty"`
	Binds   string    `json:"binds"`
	Why     []string  `json:"why,omitempty"`
	Ways    []PlanWay `json:"ways,omitempty"`
	Notes   []string  `json:"notes,omitempty"`
}

// Asked is the wish as it was understood. A number that was left open is
// absent.
type Asked struct {
	Range        string            `json:"range"`
	RangeName    string            `json:"range_name,omitempty"`
	System       string            `json:"system"`
	Exclude      string            `json:"exclude,omitempty"`
	Sources      int               `json:"sources,omitempty"`
	Targets      int               `json:"targets,omitempty"`
	Proto        string            `json:"proto"`
	Strategy     string            `json:"strategy,omitempty"` // absent for a system that is not Linux
	Close        string            `json:"close"`
	HoldNS       int64             `json:"hold_ns,omitempty"`
	ReuseNS      int64             `json:"reuse_ns,omitempty"`
	PortsPerVM   int               `json:"ports_per_vm,omitempty"`
	RatePerS     float64           `json:"rate_per_s,omitempty"`
	Concurrency  int64             `json:"concurrency,omitempty"`
	Requests     int               `json:"requests,omitempty"`
	Burst        *AskedBurst       `json:"burst,omitempty"`
	Shares       []float64         `json:"shares,omitempty"`
	Gateway      *AskedGateway     `json:"gateway,omitempty"`
	Headroom     float64           `json:"headroom,omitempty"`
	Settings     map[string]string `json:"settings,omitempty"`
	SettingsFrom string            `json:"settings_from,omitempty"`
	HZ           int               `json:"hz,omitempty"`
}

// Sustained is what the space of a plan sustains.
type Sustained struct {
	Connections Interval      `json:"connections"`
	RatePerS    *RateInterval `json:"rate_per_s,omitempty"`
	SafePerS    *float64      `json:"safe_per_s,omitempty"`
	Open        *Interval     `json:"open,omitempty"`
	ReuseNS     *Interval     `json:"reuse_ns,omitempty"`
	MaxTimeWait *int64        `json:"max_time_wait,omitempty"`
}

// Demand is what a plan's rate and concurrency take, and what is enough for
// them.
type Demand struct {
	Holds     bool          `json:"holds"`
	Tuples    Interval      `json:"tuples"`
	Occupancy ShareInterval `json:"occupancy"`
	Needed    Needed        `json:"needed"`
}

// ShareInterval is an inclusive interval of shares; more than 1 is more than
// there is.
type ShareInterval struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
}

// Needed is the least that is enough: tuple sets, and each of ports, sources
// and targets by itself with all else as asked. Absent: no number is.
type Needed struct {
	TupleSets int64 `json:"tuple_sets,omitempty"`
	Ports     int   `json:"ports,omitempty"`
	Sources   int   `json:"sources,omitempty"`
	Targets   int   `json:"targets,omitempty"`
}

// PlanWay is a change that gives more, what it gives and what it costs. Gain is
// absent where ports set no limit any more.
type PlanWay struct {
	Name      string    `json:"name,omitempty"`
	Change    string    `json:"change"`
	Gain      *float64  `json:"gain,omitempty"`
	Risk      string    `json:"risk,omitempty"`
	Source    string    `json:"source,omitempty"`
	Latency   *PlanCost `json:"latency,omitempty"`
	Sustain   Sustained `json:"sustained"`
	Holds     *bool     `json:"holds,omitempty"`
	TupleSets int64     `json:"tuple_sets,omitempty"`

	Processors float64 `json:"processors,omitempty"` // that the search for ports takes then; 0: not known
}

// RangesSchema names the version of the list of named ranges.
const RangesSchema = "lastport/ranges/v1"

// Ranges lists the named ranges.
type Ranges struct {
	Schema string       `json:"schema"`
	Ranges []NamedRange `json:"ranges"`
}

// NamedRange is one of them. Source says where its numbers come from.
type NamedRange struct {
	Name      string   `json:"name"`
	Aliases   []string `json:"aliases,omitempty"`
	System    string   `json:"system"`
	Ports     string   `json:"ports"`
	Size      int      `json:"size"`
	ReuseNS   int64    `json:"reuse_ns,omitempty"`
	PerTarget int      `json:"per_target,omitempty"`
	PerVM     int      `json:"per_vm,omitempty"`
	Source    string   `json:"source,omitempty"`
	Note      string   `json:"note,omitempty"`
}

func (*Plan) document()   {}
func (*Ranges) document() {}
