package result

// OnHost is what a run on the real host met there, and what it left to others.
type OnHost struct {
	KeepFree   int64        `json:"keep_free"`         // ports of the host's range that the run leaves to others
	FreeBefore int64        `json:"free_before"`       // ports of the host's range that no socket had before the run
	Bounded    bool         `json:"bounded,omitempty"` // that is what ended the run, and not that no port was left
	Holders    []PortHolder `json:"holders,omitempty"`

	TimeWaitBefore int64 `json:"time_wait_before"`           // sockets in TIME_WAIT toward the targets before the run
	TimeWaitForNS  int64 `json:"time_wait_for_ns,omitempty"` // until the last of them ends
	WaitedNS       int64 `json:"waited_ns,omitempty"`        // by --wait-clean; time_wait_before is what was left then
}

// PortHolder is who had ports of the run's range before it.
type PortHolder struct {
	Who   string `json:"who"`   // NAME[PID]; where that is not known, the user or the state of the sockets
	Ports string `json:"ports"` // as ranges: "40100-40149,40200"
	Count int64  `json:"count"`
}
