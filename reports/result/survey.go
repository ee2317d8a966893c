package result

// Survey says which ports were picked and in what order. With several sources or
// targets, picks are those of the first pool: of all attempts that draw on the
// same ports, as the first source and the first target do.
type Survey struct {
	Released      *Picks         `json:"released,omitempty"` // each connection closed before the next pick
	Held          *Picks         `json:"held,omitempty"`     // every connection kept
	Targets       *Targets       `json:"targets,omitempty"`  // of the released; absent with one target, or with few picks
	ReuseAddrTrap *ReuseAddrTrap `json:"reuse_addr_trap,omitempty"`
}

// Picks is what can be said of a sequence of picked ports. A number of a pick
// counts from 1; shares are of 1.
type Picks struct {
	Picks         int64      `json:"picks"`
	Ports         int64      `json:"ports"`    // usable ports that they were picked from
	Distinct      int64      `json:"distinct"` // ports picked at least once
	Coverage      float64    `json:"coverage"` // distinct ÷ ports
	Even          int64      `json:"even"`     // picks of even ports
	Odd           int64      `json:"odd"`
	OtherParityAt *int64     `json:"other_parity_at,omitempty"` // the first pick that is not of the first one's parity; absent: there is none
	LongestParity int64      `json:"longest_parity"`            // most picks in a row that are of one parity
	Parity        *ChiSquare `json:"parity,omitempty"`          // whether even and odd ports are picked alike
	Uniform       *ChiSquare `json:"uniform,omitempty"`         // whether equal parts of the range are
	MedianStep    int64      `json:"median_step"`               // distance of a pick from the next, in either direction
	Steps         []Step     `json:"steps,omitempty"`           // the most frequent ones
	RunsOfOne     Runs       `json:"runs_of_one"`               // of step +1
	RunsOfTwo     Runs       `json:"runs_of_two"`               // of step +2
	Guess         *Guess     `json:"guess,omitempty"`
	Repeats       *Repeats   `json:"repeats,omitempty"` // absent where no port can come again
	Text          string     `json:"text"`
	First         []uint16   `json:"first,omitempty"` // in their order, at most 1,000
	Uses          string     `json:"uses,omitempty"`  // of released picks: as Ports.Map
	Order         string     `json:"order,omitempty"` // of held picks: when each port was picked, 1 first to 255 last, 0 never; encoded as Ports.Map
}

// Step is a difference between two picks that follow one another, and its share
// of all such differences.
type Step struct {
	Step  int64   `json:"step"`
	Share float64 `json:"share"`
}

// Runs are stretches of two and more picks, each the same step above the last.
type Runs struct {
	Count   int64 `json:"count"`
	Longest int64 `json:"longest"` // in picks
}

// ChiSquare is a test of counts against what was expected.
type ChiSquare struct {
	ChiSquare float64 `json:"chi_square"`
	DF        int64   `json:"df"` // degrees of freedom
	P         float64 `json:"p"`  // chance of such a statistic, or a larger one, if picks were as expected
}

// Guess is how often the next pick is guessed right from those before.
type Guess struct {
	PlusOne  float64 `json:"plus_one"`  // by last + 1
	PlusTwo  float64 `json:"plus_two"`  // by last + 2
	LastStep float64 `json:"last_step"` // by last + the step before it
	Best     float64 `json:"best"`      // by the best of these, or by one fixed step
	By       string  `json:"by"`        // how the best guesses
	Chance   float64 `json:"chance"`    // by naming any usable port
}

// Repeats says when ports came again.
type Repeats struct {
	Count          int64   `json:"count"`                     // picks of a port that had been picked before
	First          *int64  `json:"first,omitempty"`           // the first of them
	MinDistance    *int64  `json:"min_distance,omitempty"`    // fewest picks from one of a port to its next
	MedianDistance *int64  `json:"median_distance,omitempty"` // likewise the median
	Expected       float64 `json:"expected"`                  // of first, if picks were uniform and independent
}

// Targets says whether picks toward one target tell those toward another: RFC
// 6056, section 3.1. Shares are of 1.
type Targets struct {
	First       string  `json:"first"`  // the target that is picked for first
	Second      string  `json:"second"` // of all others, the one whose picks it tells most
	Pairs       int64   `json:"pairs"`
	SameStep    float64 `json:"same_step"`         // both sequences made the same step
	Chance      float64 `json:"chance"`            // they would, if neither knew of the other
	Correlation float64 `json:"correlation"`       // of their steps
	Bound       float64 `json:"correlation_bound"` // three standard errors of it
	PlusOne     float64 `json:"plus_one"`          // the second's pick was the first's + 1
	PlusTwo     float64 `json:"plus_two"`          // + 2
	Independent bool    `json:"independent"`
	Text        string  `json:"text"`
}

// ReuseAddrTrap says what SO_REUSEADDR and a bind to port 0 come to: sockets of one
// protocol that have the same 4-tuple. The run itself never does this.
type ReuseAddrTrap struct {
	UDPDuplicates *int64 `json:"udp_duplicates,omitempty"` // sockets that got a 4-tuple which another one had
	TCPDuplicates *int64 `json:"tcp_duplicates,omitempty"`
	Text          string `json:"text"`
}

// OrderMap is a port map whose bytes say when each port was first picked: 1 at
// the beginning of the sequence to 255 at its end, 0 never.
func OrderMap(seq []uint16) *PortMap {
	m := new(PortMap)
	for i, port := range seq {
		if m.uses[port] == 0 {
			m.uses[port] = uint8(1 + i*254/max(1, len(seq)-1))
		}
	}
	return m
}
