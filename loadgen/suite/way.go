package suite

import (
	"maps"
	"slices"
	"strings"
	"time"

	"lastport/loadgen/step"
	"lastport/reports/result"
)

// Way is one way of using ports: a row of a matrix after its lists have been
// multiplied. The zero values of Close, Sources and Targets are those of the
// command line: client-fin, the kernel's choice, one.
type Way struct {
	Name string
	Line int // of its file, from 1 on

	Range   string // as --range takes it
	Exclude string // as --exclude takes it; "": nothing
	// StandIn are ports that runs of a scenario use instead of Range, where that takes
	// too long; StandInQuick those of a quick bench, before StandIn.
	StandIn, StandInQuick map[Scenario]string
	Strategy              string
	Close                 step.CloseMode
	UDP                   bool
	IPv6                  bool
	Sources               int      // addresses; 0: the kernel's choice
	Targets               int      // addresses; 0: one
	Sysctls               []string // as --sysctl takes them
	Place                 string   // one of places(); "": that of the bench
	PeerSysctls           []string // of the listener's host, as --peer-sysctl takes them
	Gateway               Gateway  // of PlaceNAT
	Requests              int      // over each connection of a churn
	Hold                  time.Duration
	Connections           int64   // a fill opens no more; 0: no bound
	Rate                  float64 // of the churn; 0: what is predicted to be sustained is tried
	Duration              time.Duration
	Runs                  []Scenario // nil: all
	Expect                []Expect
	Price                 string // what it takes, in words; "": it follows from the rest

	sysctlLines map[string]int // of the file, by key
}

// Scenario is the kind of a run.
type Scenario string

// The scenarios of a bench.
const (
	Fill  Scenario = "fill"
	Churn Scenario = "churn"
	Reuse Scenario = "reuse"
)

// scenarios are all of them, in the order of a row's runs.
func scenarios() []Scenario { return []Scenario{Fill, Churn, Reuse} }

// Expect is what the runs of a row must measure.
type Expect struct {
	Scenario Scenario // of the runs that must; "": all that measure the field
	result.Expectation
}

// Settings that decide when a closed port comes back, which a bench predicts by.
const (
	KeyTWReuse      = "net.ipv4.tcp_tw_reuse"
	KeyTWReuseDelay = "net.ipv4.tcp_tw_reuse_delay"
	KeyTimestamps   = "net.ipv4.tcp_timestamps"
	KeyMaxTimeWait  = "net.ipv4.tcp_max_tw_buckets"
	KeyReserved     = "net.ipv4.ip_local_reserved_ports"
	keyFINTimeout   = "net.ipv4.tcp_fin_timeout"
	keyRange        = "net.ipv4.ip_local_port_range"
)

// wants says whether the way has runs of the scenario.
func (w *Way) wants(s Scenario) bool { return w.Runs == nil || slices.Contains(w.Runs, s) }

// setting returns the value that the way itself gives a key.
func (w *Way) setting(key string) (value string, ok bool) { return valueOf(w.Sysctls, key) }

// valueOf finds a key among settings of the form KEY=VALUE.
func valueOf(settings []string, key string) (value string, ok bool) {
	for _, text := range settings {
		if k, v, _ := strings.Cut(text, "="); k == key {
			return v, true
		}
	}
	return "", false
}

// put gives a key a value among settings, in place of another.
func put(settings *[]string, key, value string) {
	*settings = slices.DeleteFunc(slices.Clone(*settings), func(text string) bool { return strings.HasPrefix(text, key+"=") })
	*settings = append(*settings, key+"="+value)
}

// setAt says in which line a key is set.
func (w *Way) setAt(key string, line int) {
	w.sysctlLines = maps.Clone(w.sysctlLines)
	if w.sysctlLines == nil {
		w.sysctlLines = map[string]int{}
	}
	w.sysctlLines[key] = line
}

// BlameSetting says that a setting of the way cannot be, by its own line. hint is an
// accepted form of it; "" if none is known.
func (w *Way) BlameSetting(file, key, hint, problem string) error {
	line, ok := w.sysctlLines[key]
	if !ok {
		line = w.Line
	}
	return &FileError{File: file, Line: line, Problem: w.Name + ": sysctl " + key + ": " + problem, hint: hint}
}

// afterClose are the settings that matter only once a connection is closed: what
// can be open at once does not depend on them.
func afterClose(sysctl string) bool {
	key, _, _ := strings.Cut(sysctl, "=")
	return slices.Contains([]string{KeyTWReuse, KeyTWReuseDelay, KeyTimestamps, KeyMaxTimeWait, keyFINTimeout}, key)
}

// brief is a setting by its last word: "tcp_tw_reuse=1".
func brief(sysctl string) string {
	key, value, _ := strings.Cut(sysctl, "=")
	return key[strings.LastIndexByte(key, '.')+1:] + "=" + value
}
