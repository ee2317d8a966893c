package result

// Merged says which shards a result was made of, and how they lay in time.
type Merged struct {
	Count    int           `json:"count"`              // shards that the run was divided into
	Missing  []int         `json:"missing,omitempty"`  // by index; of these nothing is in the result
	LeftOut  []LeftOut     `json:"left_out,omitempty"` // results that were named and could not be part of it
	SkewNS   int64         `json:"skew_ns"`            // from the first start to the last, by the clocks of the shards' own hosts
	Together bool          `json:"together"`           // all ran at one time for nine tenths of the longest, so that rates add up
	Shards   []MergedShard `json:"shards"`             // by index
}

// LeftOut is a result that was named and not merged.
type LeftOut struct {
	From string `json:"from"` // the file
	Why  string `json:"why"`
}

// MergedShard is what a shard said of itself that does not add up.
type MergedShard struct {
	Index       int     `json:"index"`
	ID          string  `json:"id"`
	Seed        uint64  `json:"seed"`
	StartedNS   int64   `json:"started_ns"` // after the first of all
	TookNS      int64   `json:"took_ns"`
	Interrupted bool    `json:"interrupted,omitempty"`
	Kernel      string  `json:"kernel"`
	CPUs        int     `json:"cpus"`
	Attempts    int64   `json:"attempts"`
	Connections *int64  `json:"connections,omitempty"`
	FirstNoPort *NoPort `json:"first_no_port,omitempty"` // by its own start and its own attempts
	Verdict     Verdict `json:"verdict"`
}
