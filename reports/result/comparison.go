package result

// ComparisonSchema names the version of a comparison's file.
const ComparisonSchema = "lastport/comparison/v1"

// Comparison is what changed from old runs to new ones, and how sure that is.
type Comparison struct {
	Schema string `json:"schema"`
	// Alpha is the risk of a claim: how often a change would be claimed of runs that
	// differ by chance alone. Level is how sure an interval holds the median.
	Alpha    float64          `json:"alpha"`
	Level    float64          `json:"level"`
	Old      ComparedSide     `json:"old"`
	New      ComparedSide     `json:"new"`
	Pairs    []ComparedRuns   `json:"pairs"`
	OnlyOld  []string         `json:"only_old,omitempty"` // runs that have no like on the other side
	OnlyNew  []string         `json:"only_new,omitempty"`
	Expect   []ComparedExpect `json:"expect,omitempty"`
	Warnings []Warning        `json:"warnings,omitempty"`
}

func (*Comparison) document() {}

// ComparedSide is where the runs of one side are from.
type ComparedSide struct {
	From    string   `json:"from"` // as it was named
	Runs    int      `json:"runs"`
	LeftOut int      `json:"left_out,omitempty"` // runs that did not come to their own end, and are not among them
	Copies  int      `json:"copies,omitempty"`   // of runs that are among them: a run counts once
	Kernels []string `json:"kernels,omitempty"`
	Tools   []string `json:"tools,omitempty"` // versions of lastport
}

// ComparedRuns compares runs of one kind: the repeats of one run on each side.
type ComparedRuns struct {
	Name     string       `json:"name"`
	Scenario string       `json:"scenario"`
	Old      int          `json:"old"` // runs
	New      int          `json:"new"`
	Enough   bool         `json:"enough"`            // there are enough of them to tell a change from chance
	Differs  []Difference `json:"differs,omitempty"` // what was not the same for old and new
	Changes  []Compared   `json:"changes"`
}

// Difference is a part of the configuration or of the host that old and new do
// not share.
type Difference struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// Compared is one quantity, old and new.
type Compared struct {
	Field  string `json:"field"`            // as ExpectFields names it
	Unit   string `json:"unit"`             // of the values: "count", "number", "ns", "share"
	Better string `json:"better,omitempty"` // which is the better: "less" or "more"; absent: neither
	Old    *Typed `json:"old,omitempty"`    // absent: not measured
	New    *Typed `json:"new,omitempty"`
	// Change is the median's, as a share of the old one; absent where either is
	// missing, or the old one alone is 0. P is that of the Mann-Whitney U test; absent
	// where there are too few runs.
	Change *float64 `json:"change,omitempty"`
	P      *float64 `json:"p,omitempty"`
	Claim  string   `json:"claim"` // one of the claims below
}

// The claims of a Compared.
const (
	ClaimBetter  = "better"
	ClaimWorse   = "worse"
	ClaimChanged = "changed" // neither is better
	ClaimNone    = "none"    // no change could be told from chance
	ClaimTooFew  = "too few" // there are not enough runs to tell
)

// Typed is what is typical of runs: the median, and the interval that holds that
// of all runs that there could be, with the probability Level.
type Typed struct {
	N      int     `json:"n"`
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Level  float64 `json:"level"` // 0 for one run
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// ComparedExpect is an expectation of a comparison, held against one pair.
type ComparedExpect struct {
	Runs  string `json:"runs"` // the name of the pair
	Expr  string `json:"expr"`
	Value string `json:"value"` // the change, or what the new runs measured; "not measured" if there is none
	Held  bool   `json:"held"`
}
