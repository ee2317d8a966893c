// Package result holds what a run measured: the types of the result file, its
// reading and writing, histograms and their merge.
//
// It is a leaf: it imports nothing else of lastport, so that a saved result can
// be read and rendered on any system. Arithmetic that predicts (package
// capacity) and words for people (package reports) do not belong here.
//
// Conventions of the file: durations are integer nanoseconds in fields that end
// in _ns; t_ns counts from run.started; rates end in _per_s. What was not
// measured is absent, never 0: optional numbers are pointers.
package result

import (
	"maps"
	"time"
)

// Schema names the version of a single run's file.
const Schema = "lastport/result/v1"

// Result is one run, as it is kept in result.json.
type Result struct {
	Schema        string         `json:"schema"`
	Tool          Tool           `json:"tool"`
	Run           Run            `json:"run"`
	Merged        *Merged        `json:"merged,omitempty"` // of a result that lastport merge made of shards
	Host          Host           `json:"host"`
	Config        Config         `json:"config"`
	Space         Space          `json:"space"`
	Predicted     Predicted      `json:"predicted"`
	Measured      Measured       `json:"measured"`
	Residual      Residual       `json:"residual"`
	Attempts      int64          `json:"attempts"`
	Outcomes      Outcomes       `json:"outcomes"`
	Latency       Latency        `json:"latency"`
	Occupancy     []Band         `json:"occupancy,omitempty"`
	AtOccupancy   []Point        `json:"at_occupancy,omitempty"`
	Timeline      []Row          `json:"timeline,omitempty"`
	Server        *Server        `json:"server,omitempty"`
	Engine        *Engine        `json:"engine,omitempty"`
	ScheduleError *ScheduleError `json:"schedule_error,omitempty"`
	Requests      *Requests      `json:"requests,omitempty"`
	TimeWait      *TimeWait      `json:"time_wait,omitempty"`
	Witness       *Witness       `json:"witness,omitempty"`
	Recovery      *Recovery      `json:"recovery,omitempty"`
	Ports         *Ports         `json:"ports,omitempty"`
	PortStates    *PortStates    `json:"port_states,omitempty"`
	NAT           *NAT           `json:"nat,omitempty"`
	Reuse         *Reuse         `json:"reuse,omitempty"`
	Survey        *Survey        `json:"survey,omitempty"`
	Reach         *Reach         `json:"reach,omitempty"`
	OnHost        *OnHost        `json:"on_host,omitempty"`
	Command       *Command       `json:"command,omitempty"`
	Kernel        Counters       `json:"kernel,omitempty"`      // of the generator's host, or of all clients together
	KernelPeer    Counters       `json:"kernel_peer,omitempty"` // of the listener's host, where it is another one
	Cost          *Cost          `json:"cost,omitempty"`
	Observer      *Observer      `json:"observer,omitempty"`
	Expect        []Expected     `json:"expect,omitempty"`
	Warnings      []Warning      `json:"warnings,omitempty"`
	Verdict       Verdict        `json:"verdict"`
}

// Tool says which lastport measured.
type Tool struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
}

// Run says which run this is and whether it came to its own end.
type Run struct {
	ID          string    `json:"id"`
	Scenario    string    `json:"scenario"`
	Started     time.Time `json:"started"`
	Ended       time.Time `json:"ended,omitzero"`
	Interrupted bool      `json:"interrupted"` // true also in every snapshot written before the end
	Shard       *Shard    `json:"shard,omitempty"`
	Repeat      int       `json:"repeat,omitempty"` // which of the repeats of one run this is, from 1; absent: it was not repeated
	Seed        uint64    `json:"seed"`
	Folder      string    `json:"folder,omitempty"` // of several results rendered side by side: the one that it was read from
}

// Shard says which part of a distributed run this is; Index counts from 0.
type Shard struct {
	Index int `json:"index"`
	Count int `json:"count"`
}

// Host describes where the run happened.
type Host struct {
	Kernel      string            `json:"kernel"`
	HZ          int               `json:"hz,omitempty"` // timer interrupts per second; absent when it could not be learned
	CPUs        int               `json:"cpus"`
	MemoryBytes int64             `json:"memory_bytes,omitempty"`
	Place       string            `json:"place"`
	Sysctls     map[string]string `json:"sysctls,omitempty"` // as they were in force during the run
	Changed     map[string]Change `json:"changed,omitempty"` // keys that the tool or --sysctl set
	Differs     map[string]Change `json:"differs,omitempty"` // host settings that the place could not take over
	Peer        *PeerHost         `json:"peer,omitempty"`    // the listener's host, where it is another one
	Gateway     map[string]string `json:"gateway,omitempty"` // settings of connection tracking on the gateway, where there is one
	Limits      Limits            `json:"limits"`
}

// PeerHost tells of the settings of the listener's host what Host tells of the
// generator's.
type PeerHost struct {
	Sysctls map[string]string `json:"sysctls,omitempty"`
	Changed map[string]Change `json:"changed,omitempty"` // keys that the tool or --peer-sysctl set
	Differs map[string]Change `json:"differs,omitempty"`
}

// Change is a setting's value on the host and in the place of the run.
type Change struct {
	Host string `json:"host"`
	Run  string `json:"run"`
	Why  string `json:"why,omitempty"`
}

// Limits are the process limits that bound a run.
type Limits struct {
	NoFile uint64 `json:"nofile"` // descriptors per descriptor table
}

// Config holds every flag as it was understood. Secrets are never part of it.
type Config struct {
	Range         string            `json:"range"`
	RangeName     string            `json:"range_name,omitempty"` // the profile that it is, "host" for the host's own
	Exclude       string            `json:"exclude,omitempty"`
	Sources       []string          `json:"source,omitempty"`
	Targets       []string          `json:"target"`
	Proto         string            `json:"proto"`
	Strategy      string            `json:"strategy"`
	WindowSize    int               `json:"window_size,omitempty"`  // window: ports in a window; absent: the strategy's own
	WindowMoves   *int              `json:"window_moves,omitempty"` // window: windows that are tried at random before all are tried in turn
	Tradeoff      int               `json:"tradeoff,omitempty"`     // random-increment: the longest step from a port to the next
	Close         string            `json:"close"`
	Mode          string            `json:"mode,omitempty"`            // reuse: what keeps the port taken
	UserTimeoutNS int64             `json:"user_timeout_ns,omitempty"` // reuse: TCP_USER_TIMEOUT
	Connections   int64             `json:"connections,omitempty"`
	Attempts      int64             `json:"attempts,omitempty"`
	Rate          string            `json:"rate,omitempty"`        // attempts per second, or "max"
	Concurrency   int               `json:"concurrency,omitempty"` // connections at a time, with rate max
	Requests      int               `json:"requests,omitempty"`    // over each connection
	HoldNS        int64             `json:"hold_ns,omitempty"`
	TimeoutNS     int64             `json:"timeout_ns"`
	DurationNS    int64             `json:"duration_ns,omitempty"`
	Workers       int               `json:"workers"`
	Engine        string            `json:"engine"`
	Ends          string            `json:"ends"`
	Place         string            `json:"place"`
	Sysctls       map[string]string `json:"sysctl,omitempty"`
	PeerSysctls   map[string]string `json:"peer_sysctl,omitempty"`
	NATRange      string            `json:"nat_range,omitempty"`
	NATRangeName  string            `json:"nat_range_name,omitempty"`
	NATAddresses  []string          `json:"nat_address,omitempty"` // the gateway's outside addresses
	NATRandom     bool              `json:"nat_random,omitempty"`
	NATTimeoutsNS map[string]int64  `json:"nat_timeout_ns,omitempty"` // by state
	Clients       int               `json:"clients,omitempty"`        // hosts behind the gateway, if more than one
	Block         string            `json:"block,omitempty"`          // reach: ports that the place's firewall drops on the way out
	BlockIn       string            `json:"block_in,omitempty"`       // reach: likewise on the way back
	Tries         int               `json:"tries,omitempty"`          // reach: attempts before a silent port counts as dropped
	Expect        []string          `json:"expect,omitempty"`
	Seed          uint64            `json:"seed"`
	Leave         int64             `json:"leave,omitempty"`      // fill: ports toward each target that are given back for the hold
	Command       []string          `json:"command,omitempty"`    // fill: what runs meanwhile, with its arguments
	Unrecorded    bool              `json:"unrecorded,omitempty"` // outcomes were counted and nothing recorded, to tell what recording costs
	Held          string            `json:"held,omitempty"`       // ports that a stranger had bound in the place
	LingerNS      int64             `json:"linger_ns,omitempty"`  // how late the listener closed its end
}

// Engine says which engine was asked for and which did the run. Why is there where
// auto could not take the faster one.
type Engine struct {
	Asked string `json:"asked"`
	Used  string `json:"used"`
	Why   string `json:"why,omitempty"`
}

// Space is the tuple space of the run: sources × ports × targets.
type Space struct {
	Ports       int      `json:"ports"`        // size of the range as asked, after --exclude
	PortsUsable int      `json:"ports_usable"` // of those, neither reserved nor held by something else
	Sources     int      `json:"sources"`
	Targets     int      `json:"targets"`
	Tuples      int64    `json:"tuples"`
	Widened     string   `json:"widened,omitempty"`  // how the tool has added sources or targets by itself, for --connections
	Reserved    string   `json:"reserved,omitempty"` // ports of the range in ip_local_reserved_ports
	Taken       []Holder `json:"taken,omitempty"`    // ports of the range that something else held before the run
}

// Holder is a socket that held a port of the range before the run.
type Holder struct {
	Port  uint16 `json:"port"`
	Local string `json:"local"`
	State string `json:"state"`
	What  string `json:"what,omitempty"` // "the run's own listener", or the process if it is known
}

// Interval is an inclusive interval of whole numbers.
type Interval struct {
	Min int64 `json:"min"`
	Max int64 `json:"max"`
}

// RateInterval is an inclusive interval of rates, per second.
type RateInterval struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
}

// Predicted is what arithmetic says before the run; Why gives its reasons.
type Predicted struct {
	Connections   *Interval     `json:"connections,omitempty"`
	RatePerS      *RateInterval `json:"rate_per_s,omitempty"`
	ReuseNS       *Interval     `json:"reuse_ns,omitempty"`
	FirstNoPortNS *Interval     `json:"first_no_port_ns,omitempty"`
	FirstNoPort   *Interval     `json:"first_no_port,omitempty"` // the attempt's number, from 1
	NoPort        *Interval     `json:"no_port,omitempty"`       // attempts that find no port
	Why           []string      `json:"why,omitempty"`
}

// Measured is what the kernel did.
type Measured struct {
	Connections *int64   `json:"connections,omitempty"` // fill: open at once; churn: successes
	RatePerS    *float64 `json:"rate_per_s,omitempty"`
	FirstNoPort *NoPort  `json:"first_no_port,omitempty"`
	Recovered   *bool    `json:"recovered,omitempty"`
	FillNS      *int64   `json:"fill_ns,omitempty"` // from the first attempt to the last connection opened
}

// NoPort is the first attempt that found no port; Attempt counts from 1.
type NoPort struct {
	TNS     int64 `json:"t_ns"`
	Attempt int64 `json:"attempt"`
}

// Residual is the distance between measured and predicted: 0 inside the
// interval, else signed. Rate and reuse are shares of the nearer bound.
type Residual struct {
	Connections *int64   `json:"connections,omitempty"`
	Rate        *float64 `json:"rate,omitempty"`
	Reuse       *float64 `json:"reuse,omitempty"`
}

// Latency has one summary for each thing that was timed. Failed attempts are in
// Failure alone.
type Latency struct {
	Connect  *Summary `json:"connect,omitempty"`
	Response *Summary `json:"response,omitempty"`
	Bind     *Summary `json:"bind,omitempty"`
	Close    *Summary `json:"close,omitempty"`
	Failure  *Summary `json:"failure,omitempty"`
	Request  *Summary `json:"request,omitempty"` // one request and its answer over an open connection
}

// Summary is a histogram and what is usually asked of it.
type Summary struct {
	Count   int64  `json:"count"`
	Clipped int64  `json:"clipped"` // values beyond the histogram's bounds, counted at the bound
	MinNS   int64  `json:"min_ns"`
	MeanNS  int64  `json:"mean_ns"`
	P50NS   int64  `json:"p50_ns"`
	P90NS   int64  `json:"p90_ns"`
	P99NS   int64  `json:"p99_ns"`
	P999NS  int64  `json:"p999_ns"`
	MaxNS   int64  `json:"max_ns"`
	HDR     string `json:"hdr"` // HdrHistogram V2, compressed, base64
}

// Row is one interval of the timeline; counts are those of the interval.
type Row struct {
	TNS       int64    `json:"t_ns"` // the interval's end
	Opened    int64    `json:"opened"`
	Closed    int64    `json:"closed"`
	NoPort    int64    `json:"no_port"`
	Failed    int64    `json:"failed,omitempty"` // attempts that failed for another cause
	Open      int64    `json:"open"`             // open at the interval's end
	P99NS     *int64   `json:"p99_ns,omitempty"`
	States    *States  `json:"states,omitempty"`
	Kernel    Counters `json:"kernel,omitempty"` // what the kernel's counters counted in the interval
	UserCPUNS int64    `json:"user_cpu_ns"`
	SysCPUNS  int64    `json:"sys_cpu_ns"`
}

// States counts sockets by TCP state at one moment. A state that was not read
// is absent.
type States struct {
	SynSent     *int64 `json:"syn_sent,omitempty"`
	Established *int64 `json:"established,omitempty"`
	FinWait1    *int64 `json:"fin_wait1,omitempty"`
	FinWait2    *int64 `json:"fin_wait2,omitempty"`
	CloseWait   *int64 `json:"close_wait,omitempty"`
	LastAck     *int64 `json:"last_ack,omitempty"`
	Closing     *int64 `json:"closing,omitempty"`
	TimeWait    *int64 `json:"time_wait,omitempty"`
}

// Server is what the listener saw.
type Server struct {
	Accepted       int64   `json:"accepted"`                  // over UDP: openings that were answered
	Closed         *int64  `json:"closed,omitempty"`          // absent over UDP, which has no close
	DistinctPeers  *int64  `json:"distinct_peers,omitempty"`  // distinct (address, port) pairs among the accepted
	DistinctTuples *int64  `json:"distinct_tuples,omitempty"` // distinct 4-tuples among the accepted: a peer counts once for each target
	Requests       int64   `json:"requests"`                  // answered
	OverLimit      int64   `json:"over_limit"`                // of the accepted, reset at once: as many were open as may be
	IdleClosed     int64   `json:"idle_closed"`               // of the closed, those that sent nothing for too long
	NoFD           int64   `json:"no_fd"`                     // accepts that failed for want of a descriptor
	Overflows      *int64  `json:"overflows,omitempty"`       // of a server elsewhere: connections that its kernel dropped because a queue was full (ListenOverflows)
	Strangers      *int64  `json:"strangers,omitempty"`       // of a server elsewhere: connections from others than the run meanwhile, which were not served
	Version        string  `json:"version,omitempty"`         // of the lastport that a server elsewhere is
	Stale          bool    `json:"stale,omitempty"`           // a server elsewhere did not answer any more: these are the last numbers that it told
	States         *States `json:"states,omitempty"`
}

// Open returns how many of the accepted are open; nil where no close is seen.
func (s *Server) Open() *int64 {
	if s.Closed == nil {
		return nil
	}
	open := s.Accepted - *s.Closed
	return &open
}

// ScheduleError says how late attempts of an open loop began: start less due
// time. It is the generator's own fault, and part of response times.
type ScheduleError struct {
	P50NS int64 `json:"p50_ns"`
	P99NS int64 `json:"p99_ns"`
	MaxNS int64 `json:"max_ns"`
}

// Requests counts what was sent over open connections.
type Requests struct {
	Answered int64 `json:"answered"`
	Failed   int64 `json:"failed"` // without an answer: the connection ended
}

// TimeWait counts the sockets in TIME_WAIT at the end of a churn: it gathers at
// the end that closes first by FIN.
type TimeWait struct {
	Generator int64  `json:"generator"`
	Listener  int64  `json:"listener"`
	Closing   *int64 `json:"closing,omitempty"` // at the generator, those that come to TIME_WAIT when the other end has closed; absent if it has closed all
}

// Witness counts the connections that were open at the fullest moment, as
// seen independently by each side and by the kernel.
type Witness struct {
	Generator      int64  `json:"generator"`
	ServerOpen     *int64 `json:"server_open,omitempty"`    // absent over UDP
	DistinctPeers  *int64 `json:"distinct_peers,omitempty"` // absent where it is not known, as of several servers together
	DistinctTuples *int64 `json:"distinct_tuples,omitempty"`
	Translated     *int64 `json:"translated,omitempty"` // by the gateway's connection tracking, where there is a gateway
	SockDiag       *int64 `json:"sock_diag,omitempty"`  // the generator's ends in ESTABLISHED, by sock_diag
	Agree          bool   `json:"agree"`
}

// Recovery tells of the one connection that is opened after the release. Its
// attempts are counted here alone.
type Recovery struct {
	Attempts  int64  `json:"attempts"`
	Outcome   string `json:"outcome"`
	AfterNS   int64  `json:"after_ns"` // from the end of the release to the attempt that decided
	ConnectNS int64  `json:"connect_ns,omitempty"`
}

// Ports says which source ports were used.
type Ports struct {
	First    []uint16 `json:"first,omitempty"` // in the order of use, at most 1,000
	Even     int64    `json:"even"`            // distinct even ports
	Odd      int64    `json:"odd"`             // distinct odd ports
	Distinct int64    `json:"distinct"`        // their sum
	Map      string   `json:"map,omitempty"`   // uses of each of the 65,536 ports, one saturating byte a port, deflated, base64
}

// Reuse is how long closed ports took to come back: from the end of the close
// to the first probe that found the port free. Each port was free at the
// latest then, and still taken ResolutionNS before, at the most. Where none came
// back there is no delay.
type Reuse struct {
	Count        int64  `json:"count"` // ports that came back
	MinNS        int64  `json:"min_ns,omitempty"`
	P50NS        int64  `json:"p50_ns,omitempty"`
	MaxNS        int64  `json:"max_ns,omitempty"`
	HDR          string `json:"hdr,omitempty"`
	ResolutionNS int64  `json:"resolution_ns"` // the longest time between the last probe that failed and the first that did not
	AtOnce       int64  `json:"at_once"`       // ports that the first probe after the close found free
	Lost         int64  `json:"lost"`          // ports that did not come back while they were waited for
	Probes       int64  `json:"probes"`
	PeerCloseNS  *int64 `json:"peer_close_ns,omitempty"` // how long the other end took to close, at the most; absent where it was never seen to take a while
}

// Counters are differences of kernel counters over the run, by their kernel
// names (/proc/net/snmp and /proc/net/netstat).
type Counters map[string]int64

// Plus adds counters up. Neither is changed.
func (c Counters) Plus(other Counters) Counters {
	if len(other) == 0 {
		return c
	}
	sum := maps.Clone(other)
	for name, n := range c {
		sum[name] += n
	}
	return sum
}

// Expected is one --expect expression and whether it held.
type Expected struct {
	Expr  string `json:"expr"`
	Value string `json:"value"` // as measured; "not measured" if there is none
	Held  bool   `json:"held"`
}

// Warning says what a reader must know to trust the numbers, and what to do.
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Verdict is the run in one line.
type Verdict struct {
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}
