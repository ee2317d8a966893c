package result

// AskedBurst is a rate that takes the place of a plan's own for a time.
type AskedBurst struct {
	RatePerS float64 `json:"rate_per_s"`
	ForNS    int64   `json:"for_ns"`
	EveryNS  int64   `json:"every_ns,omitempty"`
}

// AskedGateway is what a plan's machines connect through. The plan's range,
// system and sources are then the gateway's, and those of a machine are here.
type AskedGateway struct {
	Name         string `json:"name"`
	Hosts        int    `json:"hosts"`
	PortsPerHost int64  `json:"ports_per_host,omitempty"`
	HostRange    string `json:"host_range"`
	HostPorts    int    `json:"host_ports"`
}

// Burst is what a burst comes to. What it takes at its peak is the plan's demand.
type Burst struct {
	BeforeTuples Interval  `json:"before_tuples"`
	LastsNS      *int64    `json:"lasts_ns,omitempty"`
	LastsMostNS  *int64    `json:"lasts_most_ns,omitempty"`
	BackNS       *Interval `json:"back_ns,omitempty"`
	EveryNS      *int64    `json:"every_ns,omitempty"`
}

// Target is one of a plan's targets, if they have different shares.
type Target struct {
	Share     float64        `json:"share"`
	RatePerS  float64        `json:"rate_per_s,omitempty"`
	Occupancy *ShareInterval `json:"occupancy,omitempty"`
	Holds     *bool          `json:"holds,omitempty"`
	Needed    int            `json:"needed,omitempty"`
}

// Fleet is what the two sides of a gateway sustain, for all machines behind it
// and for each.
type Fleet struct {
	Gateway     Sustained `json:"gateway"`
	Hosts       Sustained `json:"hosts"`
	Each        Sustained `json:"each"`
	Limit       string    `json:"limit"`
	GatewayHeld *bool     `json:"gateway_holds,omitempty"`
	HostsHeld   *bool     `json:"hosts_hold,omitempty"`
	Addresses   int       `json:"addresses,omitempty"`
	Ports       int       `json:"ports_per_host_needed,omitempty"`
	Machines    int       `json:"hosts_needed,omitempty"`
}

// PlanCost is what a connect costs while so many of the ports are taken, as it was
// measured somewhere with connections open, and what that comes to here: Closed is
// the share of the ports taken that are in TIME_WAIT, of which a search costs more,
// and InVain that of connects that search one parity in vain, each for SearchNS.
// Processors are those that so many connects take to find a port, at the least, on
// one machine; MostPerS what HostProcessors find at the most, where that is less.
type PlanCost struct {
	Occupancy      float64  `json:"occupancy"`
	Closed         float64  `json:"closed_share,omitempty"`
	TupleSets      int64    `json:"tuple_sets,omitempty"`
	P50NS          int64    `json:"p50_ns,omitempty"`
	P99NS          int64    `json:"p99_ns,omitempty"`
	EmptyNS        int64    `json:"empty_p50_ns,omitempty"`
	FullNS         int64    `json:"no_port_p50_ns,omitempty"`
	InVain         float64  `json:"in_vain_share,omitempty"`
	SearchNS       int64    `json:"search_ns,omitempty"`
	MeanNS         int64    `json:"mean_ns,omitempty"`
	RatePerS       float64  `json:"rate_per_s,omitempty"`
	Processors     float64  `json:"processors,omitempty"`
	HostProcessors int      `json:"host_processors,omitempty"`
	MostPerS       *float64 `json:"most_per_s,omitempty"`
	From           string   `json:"from"`
}
