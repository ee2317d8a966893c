// Package observe watches the kernel from outside while a run goes on: socket
// states, counters, processor time. It never touches the run's own sockets,
// and it states what it costs.
//
// What an attempt came to is package record's; this room only knows what any
// other program on the host could see.
package observe

import (
	"net/netip"
	"runtime"
	"time"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// dumpShare bounds the cost of listing sockets: after a list that took a time t
// the next one comes no sooner than dumpShare × t later, so that lists take at
// most a part in dumpShare + 1 of the time.
const dumpShare = 100

// Sample is what the observer saw at one moment.
type Sample struct {
	TNS    int64
	CPU    kernel.CPUTime  // of this process, since the last sample
	States *result.States  // the generator's ends; when sockets were not listed, TIME_WAIT alone, and nil over UDP
	Kernel result.Counters // what changed since the last sample, of those that explain a run
}

// Observer samples at equal intervals until it is stopped.
type Observer struct {
	clock   kernel.Clock
	targets targets
	samples chan Sample
	stop    chan struct{}
	done    chan result.Observer
}

// Start begins to sample at every multiple of the interval on the clock. Of
// samples that nobody takes in time the processor time is in the next one.
func Start(clock kernel.Clock, to []netip.AddrPort, udp bool, interval time.Duration) *Observer {
	o := &Observer{
		clock: clock, targets: newTargets(to, udp),
		samples: make(chan Sample, 1), stop: make(chan struct{}), done: make(chan result.Observer, 1),
	}
	go o.loop(interval)
	return o
}

// Samples is where the samples come out.
func (o *Observer) Samples() <-chan Sample { return o.samples }

// Stop ends the sampling and returns what it cost.
func (o *Observer) Stop() result.Observer {
	close(o.stop)
	return <-o.done
}

func (o *Observer) loop(interval time.Duration) {
	runtime.LockOSThread() // so that its processor time can be told
	defer runtime.UnlockOSThread()
	began, cpu := o.clock.Now(), kernel.ThreadCPU()
	tick := time.NewTimer(untilNext(began, interval))
	defer tick.Stop()
	var cost result.Observer
	last, nextDump := kernel.ProcessCPU(), int64(0)
	before, _ := kernel.ReadCounters() // without it the first sample has none
	for {
		select {
		case <-o.stop:
			cost.CPUNS = int64(kernel.ThreadCPU().Sub(cpu).Total())
			cost.Share = float64(cost.CPUNS) / float64(max(1, o.clock.Now()-began))
			o.done <- cost
			return
		case <-tick.C:
		}
		s := Sample{TNS: o.clock.Now()}
		if s.TNS >= nextDump {
			if client, _, err := o.targets.count(live); err == nil {
				s.States = &client
				cost.Dumps++
			}
			nextDump = afterDump(s.TNS, o.clock.Now())
		}
		if stat, err := kernel.ReadSockStat(); err == nil && !o.targets.udp {
			if s.States == nil {
				s.States = &result.States{}
			}
			s.States.TimeWait = &stat.TimeWait
		}
		counters, err := kernel.ReadCounters()
		if err == nil && before != nil {
			s.Kernel = telling(counters.Since(before))
		}
		now := kernel.ProcessCPU()
		s.CPU = now.Sub(last)
		cost.Samples++
		select {
		case o.samples <- s:
			last, before = now, counters
		default:
		}
		tick.Reset(untilNext(o.clock.Now(), interval))
	}
}

// telling keeps the counters that explain a moment of a run: what was dropped,
// sent again, skipped or reused. The others are told for the run as a whole.
func telling(c kernel.Counters) result.Counters {
	var kept result.Counters
	for _, name := range []string{
		"AttemptFails", "EstabResets", "RetransSegs", "ListenOverflows", "ListenDrops", "TCPTimeWaitOverflow", "TW",
		"TWRecycled", "TWKilled", "PAWSActive", "PAWSEstab", "TCPReqQFullDrop", "TCPReqQFullDoCookies",
		"TCPSynRetrans", "TCPTimeouts", "TCPAbortOnTimeout", "TCPAbortOnMemory", "TCPMemoryPressures",
		"UdpNoPorts", "UdpInErrors", "UdpRcvbufErrors", "UdpSndbufErrors", "UdpMemErrors",
		"Udp6NoPorts", "Udp6InErrors", "Udp6RcvbufErrors", "Udp6SndbufErrors", "Udp6MemErrors",
	} {
		if n := c[name]; n != 0 {
			if kept == nil {
				kept = make(result.Counters)
			}
			kept[name] = n
		}
	}
	return kept
}

// untilNext returns the time to the next multiple of the interval, so that a
// sample comes at the end of an interval of the run's timeline.
func untilNext(now int64, interval time.Duration) time.Duration {
	return interval - time.Duration(now)%interval
}

// afterDump returns when sockets may be listed again, after a list from began
// to ended.
func afterDump(began, ended int64) int64 { return ended + dumpShare*(ended-began) }
