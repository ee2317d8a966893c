package result

import "time"

// WatchSchema names the version of the file of one look at a host's ports.
const WatchSchema = "lastport/watch/v1"

// Watch is one look at the ports of a host: who has how many of its range, and
// when they are gone if it goes on like this. It is of TCP, and of one network
// namespace. What rests on an earlier look is absent in the first.
type Watch struct {
	Schema string    `json:"schema"`
	Tool   Tool      `json:"tool"`
	Seen   time.Time `json:"seen"` // UTC
	// IntervalNS is the time from this look to the next as it is now: longer than what
	// was asked for where a look would cost too much. Absent: there is no next.
	IntervalNS  int64      `json:"interval_ns,omitempty"`
	CPUNS       int64      `json:"cpu_ns"`                // processor time since the last look, that of this one included
	Interrupted bool       `json:"interrupted,omitempty"` // the kernel's table changed during the look: a socket may be missing or double
	Ports       WatchPorts `json:"ports"`
	Connections int64      `json:"connections"` // from ports of the range, in whatever state
	TimeWait    int64      `json:"time_wait"`   // of these, in TIME_WAIT
	// OpenedPerS is how many connections the host tries to open each second, whatever
	// their ports (the kernel's counter ActiveOpens).
	OpenedPerS *float64    `json:"opened_per_s,omitempty"`
	PairsTotal int64       `json:"pairs_total"`          // sources and targets with a connection
	Pairs      []WatchPair `json:"pairs,omitempty"`      // those nearest to having no port left, first
	Processes  []Process   `json:"processes,omitempty"`  // those with most connections, first
	ProcessNS  int64       `json:"process_ns,omitempty"` // how long ago processes were looked for
	Unattended string      `json:"unattended,omitempty"` // why not every connection's process is known
	Expect     []Expected  `json:"expect,omitempty"`
}

// WatchPorts are the ports that a connection can have.
type WatchPorts struct {
	Range    string `json:"range"`    // net.ipv4.ip_local_port_range
	Reserved int64  `json:"reserved"` // of the range, in net.ipv4.ip_local_reserved_ports
	Held     int64  `json:"held"`     // of the rest, those that a socket holds which listens or is only bound
	Usable   int64  `json:"usable"`   // what is left: ports from one source to one target
}

// WatchPair is a source address and a target, and the ports between them.
type WatchPair struct {
	Source    string  `json:"source"`
	Target    string  `json:"target"`
	Used      int64   `json:"used"`      // ports, in whatever state
	TimeWait  int64   `json:"time_wait"` // of these, in TIME_WAIT
	Taken     int64   `json:"taken"`     // of these, those that the kernel does not give out again by tcp_tw_reuse
	Occupancy float64 `json:"occupancy"` // taken ÷ usable
	// ClosedPerS is how many ports go into TIME_WAIT each second, GrowthPerS by how many more are
	// taken: both smoothed over some 15 s.
	ClosedPerS *float64 `json:"closed_per_s,omitempty"`
	GrowthPerS *float64 `json:"growth_per_s,omitempty"`
	// ExhaustedInNS is when no port is left if it goes on like this; absent: not within a
	// day, or not known yet.
	ExhaustedInNS *int64 `json:"exhausted_in_ns,omitempty"`
	Process       string `json:"process,omitempty"` // which has most of the connections: NAME[PID]
}

func (*Watch) document() {}

// Fullest returns the pair that is nearest to having no port left; nil: there is
// none.
func (w *Watch) Fullest() *WatchPair {
	if len(w.Pairs) == 0 {
		return nil
	}
	return &w.Pairs[0]
}

// Soonest returns when the first pair has no port left if it goes on like this,
// and false if that is not within a day, or not known.
func (w *Watch) Soonest() (ns int64, ok bool) {
	for _, p := range w.Pairs {
		if in := p.ExhaustedInNS; in != nil && (!ok || *in < ns) {
			ns, ok = *in, true
		}
	}
	return ns, ok
}
