package result

// Use is who has ports of a host's range at one moment. A connection is counted
// at the end that has the port; connections that came in to a listener inside
// the range are not counted.
type Use struct {
	Connections int64       `json:"connections"`          // in whatever state, those in TIME_WAIT among them
	TimeWait    int64       `json:"time_wait"`            // of these, in TIME_WAIT: no process has them any more
	Ownerless   int64       `json:"ownerless,omitempty"`  // of these, closed by their process and not yet over, otherwise than in TIME_WAIT
	Targets     []TargetUse `json:"targets,omitempty"`    // those with most ports taken, at most ten
	Processes   []Process   `json:"processes,omitempty"`  // those with most connections, at most ten
	Unattended  string      `json:"unattended,omitempty"` // why not every connection's process is known; absent: all are
}

// TargetUse is how many ports of the range are in use between one address of the
// host and one target.
type TargetUse struct {
	Source   string `json:"source"`
	Target   string `json:"target"`
	Ports    int64  `json:"ports"`
	TimeWait int64  `json:"time_wait"` // of these, in TIME_WAIT
	Taken    int64  `json:"taken"`     // of these, those that the kernel does not give out again by tcp_tw_reuse
}

// Process is one that has connections from ports of the range.
type Process struct {
	Command     string `json:"command,omitempty"` // absent: not to be seen by the user that asked
	PID         int    `json:"pid,omitempty"`
	UID         int64  `json:"uid"` // whose the sockets are
	Connections int64  `json:"connections"`
	Target      string `json:"target,omitempty"`    // toward which it has most of them
	Files       int64  `json:"files,omitempty"`     // descriptors that it has open
	FilesMax    int64  `json:"files_max,omitempty"` // its limit of them (RLIMIT_NOFILE); absent: none, or not known
}

// What takes from a limit.
const (
	LimitOpen   = "open"   // connections, as long as they are open
	LimitClosed = "closed" // connections in TIME_WAIT
	LimitQueued = "queued" // connections that a listener has not yet accepted
)

// Limit is something of which there is only so much.
type Limit struct {
	Name string `json:"name"`
	Of   string `json:"of"` // LimitOpen, LimitClosed or LimitQueued: what takes from it
	Used int64  `json:"used"`
	Max  int64  `json:"max"`
	Left int64  `json:"left"` // how many connections more it takes to reach it
}
