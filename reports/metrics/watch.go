package metrics

import (
	"math"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"lastport/reports/result"
)

// Watch collects the looks at a host's ports. Its series are those of the pairs and
// processes that a look tells of.
type Watch struct {
	newest func() *result.Watch

	usable, reserved, held, connections, timeWait, pairs      *prometheus.Desc
	used, pairTimeWait, taken, occupancy, growth, closed, out *prometheus.Desc
	process, interval, seen                                   *prometheus.Desc
}

// NewWatch makes a collector of the newest look; nil: there is none yet.
func NewWatch(newest func() *result.Watch) *Watch {
	pair := []string{"source", "target"}
	return &Watch{
		newest:       newest,
		usable:       family("usable_ports", "Ports that connections from one source to one target can have: the ephemeral range less reserved and held ones."),
		reserved:     family("reserved_ports", "Ports of the ephemeral range that ip_local_reserved_ports keeps from connections."),
		held:         family("held_ports", "Ports of the ephemeral range that a socket holds which listens or is only bound."),
		connections:  family("connections", "Connections from ports of the ephemeral range, in whatever state."),
		timeWait:     family("time_wait_connections", "Connections from ports of the ephemeral range that are in TIME_WAIT."),
		pairs:        family("pairs", "Sources and targets with a connection, whether they have series of their own or not."),
		used:         family("pair_used_ports", "Ports in use from a source to a target, in whatever state.", pair...),
		pairTimeWait: family("pair_time_wait_ports", "Ports in TIME_WAIT from a source to a target.", pair...),
		taken:        family("pair_taken_ports", "Ports from a source to a target that the kernel does not give to a new connection.", pair...),
		occupancy:    family("pair_occupancy_ratio", "Taken ports as a share of the usable ones, from a source to a target.", pair...),
		growth:       family("pair_taken_ports_growth", "Ports per second by which more, or fewer, are taken from a source to a target; smoothed.", pair...),
		closed:       family("pair_closed_ports_rate", "Ports per second that go into TIME_WAIT from a source to a target; smoothed.", pair...),
		out:          family("pair_exhausted_in_seconds", "Time until no port is left from a source to a target if it goes on like this; +Inf: not within a day.", pair...),
		process:      family("process_connections", "Connections from ports of the ephemeral range that processes of a name have, of those with most.", "process"),
		interval:     family("look_interval_seconds", "Time from one look at the sockets to the next, as it is now."),
		seen:         family("last_look_timestamp_seconds", "When the sockets were looked at, in seconds since the epoch."),
	}
}

// Describe sends the families.
func (c *Watch) Describe(ch chan<- *prometheus.Desc) {
	describe(ch, c.usable, c.reserved, c.held, c.connections, c.timeWait, c.pairs, c.used, c.pairTimeWait, c.taken,
		c.occupancy, c.growth, c.closed, c.out, c.process, c.interval, c.seen)
}

// Collect sends the newest look.
func (c *Watch) Collect(ch chan<- prometheus.Metric) {
	w := c.newest()
	if w == nil {
		return
	}
	ch <- gauge(c.usable, float64(w.Ports.Usable))
	ch <- gauge(c.reserved, float64(w.Ports.Reserved))
	ch <- gauge(c.held, float64(w.Ports.Held))
	ch <- gauge(c.connections, float64(w.Connections))
	ch <- gauge(c.timeWait, float64(w.TimeWait))
	ch <- gauge(c.pairs, float64(w.PairsTotal))
	ch <- gauge(c.interval, seconds(w.IntervalNS))
	ch <- gauge(c.seen, float64(w.Seen.UnixNano())/1e9)
	for i := range w.Pairs {
		c.pair(ch, &w.Pairs[i])
	}
	for name, n := range byName(w.Processes) {
		ch <- gauge(c.process, n, name)
	}
}

// pair sends the series of a pair.
func (c *Watch) pair(ch chan<- prometheus.Metric, p *result.WatchPair) {
	at := []string{p.Source, p.Target}
	ch <- gauge(c.used, float64(p.Used), at...)
	ch <- gauge(c.pairTimeWait, float64(p.TimeWait), at...)
	ch <- gauge(c.taken, float64(p.Taken), at...)
	ch <- gauge(c.occupancy, p.Occupancy, at...)
	switch { // without rates it is known only of a pair that has no port left now
	case p.ExhaustedInNS != nil:
		ch <- gauge(c.out, seconds(*p.ExhaustedInNS), at...)
	case p.GrowthPerS != nil:
		ch <- gauge(c.out, math.Inf(1), at...)
	}
	if p.GrowthPerS != nil {
		ch <- gauge(c.growth, *p.GrowthPerS, at...)
		ch <- gauge(c.closed, *p.ClosedPerS, at...)
	}
}

// byName joins the processes of a name, as process ids would make a series for every
// start of a program.
func byName(processes []result.Process) map[string]float64 {
	sums := make(map[string]float64)
	for _, p := range processes {
		name := strings.ToValidUTF8(p.Command, "\uFFFD")
		if name == "" {
			name = "unknown"
		}
		sums[name] += float64(p.Connections)
	}
	return sums
}
