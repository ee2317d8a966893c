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
// measured somewhere with connections open. Closed is the share of the ports taken
// that are in TIME_WAIT here, of which a search costs more.
type PlanCost struct {
	Occupancy float64 `json:"occupancy"`
	Closed    float64 `json:"closed_share,omitempty"`
	TupleSets int64   `json:"tuple_sets,omitempty"`
	P50NS     int64   `json:"p50_ns,omitempty"`
	P99NS     int64   `json:"p99_ns,omitempty"`
	EmptyNS   int64   `json:"empty_p50_ns,omitempty"`
	FullNS    int64   `json:"no_port_p50_ns,omitempty"`
	From      string  `json:"from"`
}
