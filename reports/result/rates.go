package result

// RateSearch is the answer of a churn with --rate auto: the highest rate that
// held, beside what was predicted, and how it was found. Each step is a run of
// the set.
type RateSearch struct {
	RatePerS   *float64      `json:"rate_per_s,omitempty"`   // the highest rate that held, with none below it that did not; absent: none did
	FailedPerS *float64      `json:"failed_per_s,omitempty"` // the lowest rate that did not hold; absent: all did
	Limit      string        `json:"limit"`                  // what kept that from holding: "ports", "generator", "listener", "expectation"; "none"
	AtOnce     bool          `json:"at_once"`                // steps were made side by side, because they wait; else in turn
	Predicted  *RateInterval `json:"predicted,omitempty"`    // absent: ports set no limit
	ReuseNS    *Interval     `json:"reuse_ns,omitempty"`     // as predicted
	Residual   *float64      `json:"residual,omitempty"`     // 0 where what was found and what was predicted meet, else the signed distance as a share
	Steps      []RateStep    `json:"steps"`                  // by rate, and at one rate in the order in which they were made
	Expect     []Expected    `json:"expect,omitempty"`       // what is expected of the rate that was found
	Why        []string      `json:"why,omitempty"`          // of the prediction
	Verdict    Verdict       `json:"verdict"`
}

// RateStep is a rate that was tried.
type RateStep struct {
	RatePerS float64 `json:"rate_per_s"`
	Round    int     `json:"round"` // from 1
	Run      string  `json:"run"`   // its run.id
	Held     bool    `json:"held"`
	Limit    string  `json:"limit"` // what kept it from holding, "none" if nothing did; "behind": attempts began too late to show anything
}
