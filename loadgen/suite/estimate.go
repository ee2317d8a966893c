package suite

import (
	"cmp"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/strategy"
)

// What runs cost, for an estimate: measured on two cores of an AMD EPYC, Linux
// 6.18, by package suite's own bench; docs/method.md has the numbers. A busy
// machine takes half as long again.
const (
	starting   = 250 * time.Millisecond // a place, a listener, and the end of a run
	opening    = 22 * time.Microsecond  // a connection of a fill, ports being free
	cycling    = 45 * time.Microsecond  // a connection of a churn, opened and closed
	requesting = 8 * time.Microsecond   // a request and its answer
	// A search passes over ports that are taken; these are by port.
	walking   = 32 * time.Nanosecond  // connect, from half the range on
	binding   = 150 * time.Nanosecond // bind, at half the range; it grows with occupancy
	failing   = 150 * time.Nanosecond // an attempt that finds none
	failures  = 100                   // such attempts of a fill
	evicting  = 10 * probing          // the last port of a full gateway
	observing = 0.02                  // a run while it waits, as a share of a processor
)

// cost puts the estimate of a member down: its time, and its load while it
// lasts.
func (m *Member) cost(a capacity.Answer, t strategy.Traits) {
	ports := float64(a.Usable.Size())
	switch Scenario(m.Scenario) {
	case Fill:
		n := a.Connections.Max
		if m.Connections > 0 {
			n = min(n, m.Connections)
		}
		each := float64(opening) + m.search(ports, t)/2 // the first half is quick
		last := failures * float64(failing) * ports
		m.Takes, m.Load = starting+time.Duration(float64(n)*each+last), 1
		if m.Place == PlaceNAT { // the last attempts are lost, all at the same time
			m.Takes += cmp.Or(m.Timeout, severalIn)
		}
	case Churn:
		m.Takes = starting + m.wait()
		m.Load = 1
		if m.Rate > 0 {
			m.Load = observing + m.Rate*(float64(cycling)+float64(m.Requests)*float64(requesting)+m.search(ports, t))/1e9
		}
	default:
		m.Takes, m.Load = starting+a.Reuse.Max, observing
		if m.Timeout == probing {
			m.Takes = starting + evicting // by chance, and soon
		}
	}
}

// search is what the kernel takes to find one of the last ports, in nanoseconds.
func (m *Member) search(ports float64, t strategy.Traits) float64 {
	switch {
	case m.UDP, t.Explicit:
		return 0
	case t.Early:
		return float64(binding) * ports
	case t.Step == 2:
		return float64(walking) * ports
	}
	return 0
}

// wait is how long a churn takes at its rate.
func (m *Member) wait() time.Duration {
	if m.Rate == 0 || m.Attempts == 0 {
		return m.Duration
	}
	return min(m.Duration, time.Duration(float64(m.Attempts)/m.Rate*float64(time.Second)))
}

// Bounds of what goes on side by side. What waits for a TIME_WAIT may begin an
// attempt a second late; a machine that is full delays more.
const (
	most     = 48  // runs: each is two processes and a namespace
	fullness = 0.8 // of the processors
	heaviest = 0.3 // of one processor, by a churn that nobody asked for
)

// waves deals members that wait to parts, each of which the machine can bear.
func waves(members []*Member, processors int) (parts []Part) {
	room := fullness * float64(max(1, processors))
	load := 0.0
	for _, m := range members {
		last := len(parts) - 1
		if last < 0 || len(parts[last].Members) == most || load+m.Load > room {
			parts, load = append(parts, Part{AtOnce: true}), 0
			last++
		}
		p := &parts[last]
		p.Members = append(p.Members, m)
		p.Lasts = max(p.Lasts, m.Takes)
		load += m.Load
	}
	return parts
}
