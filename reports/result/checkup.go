package result

import "time"

// CheckupSchema names the version of a checkup's file.
const CheckupSchema = "lastport/doctor/v1"

// Checkup is what a host allows, what would block a run there, and what
// removes the block: the answer of lastport doctor.
type Checkup struct {
	Schema  string      `json:"schema"`
	Tool    Tool        `json:"tool"`
	Checked time.Time   `json:"checked"` // UTC
	Host    CheckupHost `json:"host"`
	// Space and Predicted are this host as it is set up, toward one target that is
	// not on loopback, its connections closed by the client's FIN. What rests on a
	// setting that could not be read is absent.
	Space     *Space     `json:"space,omitempty"`
	Predicted *Predicted `json:"predicted,omitempty"`
	// Use is who has ports of the range at this moment, Limits what more connections
	// run into, those that are nearest first among each kind.
	Use     *Use    `json:"use,omitempty"`
	Limits  []Limit `json:"limits,omitempty"`
	Checks  []Check `json:"checks"`
	Verdict Verdict `json:"verdict"`
}

// CheckupHost says where the checkup was made, and as whom.
type CheckupHost struct {
	Kernel      string `json:"kernel,omitempty"`
	HZ          int    `json:"hz,omitempty"` // timer interrupts per second
	CPUs        int    `json:"cpus,omitempty"`
	MemoryBytes int64  `json:"memory_bytes,omitempty"` // that programs can still get
	UID         int    `json:"uid"`
}

// Status is what a check came to.
type Status string

// What a check can come to. Blocked and Falsifies are what is wrong.
const (
	Fine      Status = "ok"
	Noted     Status = "note"    // worth knowing; nothing of lastport is kept from working or misled by it
	Falsifies Status = "warn"    // a run works, and what it shows, or what the host does, is silently not what it seems; or ports are nearly gone
	Blocked   Status = "blocks"  // a verb or a flag of lastport cannot be used, or not to its full size
	Unread    Status = "unknown" // it could not be learned
)

// Check is one thing that was looked at.
type Check struct {
	Group  string   `json:"group"`
	Name   string   `json:"name"` // unique within the checkup
	Status Status   `json:"status"`
	Found  string   `json:"found"`
	Allows string   `json:"allows,omitempty"`  // what it comes to on this host
	Blocks string   `json:"blocks,omitempty"`  // what it keeps from working, or would
	WayOut string   `json:"way_out,omitempty"` // what helps and is no command
	Change []string `json:"change,omitempty"`  // commands, to be typed in this order; of what is Fine, for those who want it otherwise
	Undo   []string `json:"undo,omitempty"`    // commands that bring back what was found
	Keep   []string `json:"keep,omitempty"`    // commands by which the change outlasts a restart
	Forget []string `json:"forget,omitempty"`  // commands that undo Keep
	Price  string   `json:"price,omitempty"`   // what the change costs or weakens
	Since  string   `json:"since,omitempty"`   // a feature: the first kernel that has it
}

// Wrong counts the checks that are Blocked or Falsifies.
func (c *Checkup) Wrong() int {
	n := 0
	for _, check := range c.Checks {
		if check.Status == Blocked || check.Status == Falsifies {
			n++
		}
	}
	return n
}

func (*Checkup) document() {}
