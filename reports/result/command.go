package result

// Command is a program that ran while a fill held its ports, as it was seen from
// outside. A connect that finds no port leaves no trace there: what it says of that
// itself is on standard error.
type Command struct {
	Target     string `json:"target"`                // LASTPORT_TARGET
	Error      string `json:"error,omitempty"`       // why it could not be started
	Ended      string `json:"ended"`                 // how: one of the words below
	Told       string `json:"told,omitempty"`        // why it was told to end: one of the words below; absent: it was not
	ExitStatus *int64 `json:"exit_status,omitempty"` // absent: it was not started, or a signal ended it
	Signal     string `json:"signal,omitempty"`      // that ended it, as "terminated"

	StartedNS int64 `json:"started_ns"` // since the run began
	TookNS    int64 `json:"took_ns"`

	PortsLeft    int64  `json:"ports_left"`              // to it toward the target, when it started
	PortsWaiting int64  `json:"ports_waiting,omitempty"` // others toward the target, in TIME_WAIT then: each comes free in its time, and it may get them too
	PortsMost    int64  `json:"ports_most"`              // of these, in use at one time, in whatever state
	PortsOutNS   *int64 `json:"ports_out_ns,omitempty"`  // from its start until all were seen in use, at most LookNS late; 0: none was left to it; absent: some were left whenever it was looked
	LookNS       int64  `json:"look_ns"`                 // the longest time between two looks

	Accepted int64  `json:"accepted"`         // connections of it that the listener has accepted
	Opened   *int64 `json:"opened,omitempty"` // SYNs that were sent in its place, to whatever address (ActiveOpens); absent on the real host, whose counters are everybody's
	Failed   *int64 `json:"failed,omitempty"` // of these, connections that did not come about (AttemptFails); likewise
	TimeWait int64  `json:"time_wait"`        // of its ports, in TIME_WAIT when it ended
}

// How a command ended.
const (
	EndedItself     = "itself"
	EndedTerminated = "terminated" // after SIGTERM
	EndedKilled     = "killed"     // by SIGKILL, because it outlived SIGTERM
	EndedNotStarted = "not started"
)

// Why a command was told to end.
const (
	ToldHold      = "hold"      // its time was over
	ToldDuration  = "duration"  // that of the run was over before
	ToldInterrupt = "interrupt" // the run was interrupted
)
