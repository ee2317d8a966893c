package result

// Proof is what became of a plan when its answer was put to the test, scaled down
// where its range is large. Each side is a run of the set.
type Proof struct {
	Plan  *Plan       `json:"plan"`
	Range string      `json:"range"` // ports of the runs
	Ports int         `json:"ports"`
	Scale float64     `json:"scale"` // of rates and connections: those ports as a share of the plan's; 1: as planned
	Sides []ProofSide `json:"sides"`
	// Unproven says, in plain words, of which side nothing was to be made, and why.
	Unproven []string `json:"unproven,omitempty"`
	// Partly: every claim that was put to the test held, and not all were.
	Partly  bool    `json:"partly,omitempty"`
	Verdict Verdict `json:"verdict"`
}

// ProofSide is one side of a limit: what is claimed, and whether the kernel did
// so.
type ProofSide struct {
	Limit    string  `json:"limit"`                // which: "rate", "connections", "demand"
	Above    bool    `json:"above"`                // beyond the limit, where ports must run out; else below it, where none may
	Claim    string  `json:"claim"`                // in plain words, with the plan's own numbers
	RatePerS float64 `json:"rate_per_s,omitempty"` // as it was tried
	Targets  int     `json:"targets,omitempty"`    // as it was tried; absent: one
	Sources  int     `json:"sources,omitempty"`
	Run      string  `json:"run,omitempty"` // its run.id; absent: it was not made
	Tested   bool    `json:"tested"`        // its run shows whether the claim holds
	Held     bool    `json:"held"`          // the claim did
	Text     string  `json:"text"`          // what was measured; if not tested, why nothing was shown
}
