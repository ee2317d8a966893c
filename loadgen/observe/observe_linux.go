// Package observe watches the kernel from outside while a run goes on: which
// ports are in which state at each end and on a gateway, counters, processor
// time. It never touches the run's own sockets,
// and it states what it costs.
//
// What an attempt came to is package record's; this room only knows what any
// other program on the host could see.
package observe

import (
	"runtime"
	"sync"
	"time"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// dumpShare bounds the cost of listing connections: after a list that took a
// processor time t, with all that is made of it, the next one comes no sooner
// than dumpShare × t later, so that lists take at most a part in dumpShare + 1 of
// one processor.
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
	view    View
	samples chan Sample
	stop    chan struct{}
	done    chan result.Observer

	mu     sync.Mutex // of the series: others ask for it, and add to it, at any time
	series result.PortSeries
}

// Start begins to sample at every multiple of the interval on the clock. Of
// samples that nobody takes in time the processor time is in the next one.
func Start(clock kernel.Clock, view View, interval time.Duration) *Observer {
	o := &Observer{
		clock: clock, view: view, series: result.NewPortSeries(int64(interval)),
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

// States returns which ports were in which state so far; nil before the first
// look.
func (o *Observer) States() *result.PortStates {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.series.States()
}

// Look looks at this moment, beside what is sampled, and keeps what it sees with
// a word for the moment. It is the caller's time that it takes.
func (o *Observer) Look(at string) (*Seen, error) {
	began := o.clock.Now()
	seen, err := o.view.LookWell()
	if err == nil {
		o.keep(seen, began, o.clock.Now(), at)
	}
	return seen, err
}

// keep adds what was seen to the series.
func (o *Observer) keep(seen *Seen, began, ended int64, at string) {
	o.mu.Lock()
	due := at != "" || o.series.Due(began)
	o.mu.Unlock()
	if !due {
		return
	}
	m := seen.Moment(time.Duration(began), time.Duration(ended), at) // nobody waits for the lock meanwhile
	o.mu.Lock()
	defer o.mu.Unlock()
	o.series.Add(m)
}

func (o *Observer) loop(interval time.Duration) {
	runtime.LockOSThread() // so that its processor time can be told
	defer runtime.UnlockOSThread()
	w := watch{Observer: o, began: o.clock.Now(), cpu: kernel.ThreadTime(), last: kernel.ProcessCPU()}
	w.before, _ = kernel.ReadCounters() // without it the first sample has none
	tick := time.NewTimer(untilNext(w.began, interval))
	defer tick.Stop()
	for {
		select {
		case <-o.stop:
			w.list(o.clock.Now(), "end")
			o.done <- w.costs()
			return
		case <-tick.C:
		}
		w.sample()
		tick.Reset(untilNext(o.clock.Now(), interval))
	}
}

// watch is what the observer's thread has between samples.
type watch struct {
	*Observer
	began    int64
	cpu      time.Duration   // processor time of the thread, at the beginning
	last     kernel.CPUTime  // of the process, at the last sample
	before   kernel.Counters // likewise
	nextDump int64
	cost     result.Observer
}

// sample makes one sample and offers it.
func (w *watch) sample() {
	s := Sample{TNS: w.clock.Now()}
	s.States = w.list(s.TNS, "")
	// TIME_WAIT is counted without a list, where one host has all of it.
	if stat, err := kernel.ReadSockStat(); err == nil && !w.view.UDP && len(w.view.Clients) < 2 {
		if s.States == nil {
			s.States = &result.States{}
		}
		s.States.TimeWait = &stat.TimeWait
	}
	counters, err := kernel.ReadCounters()
	if err == nil && w.before != nil {
		s.Kernel = telling(counters.Since(w.before))
	}
	now := kernel.ProcessCPU()
	s.CPU = now.Sub(w.last)
	w.cost.Samples++
	select {
	case w.samples <- s:
		w.last, w.before = now, counters
	default:
	}
}

// list lists the connections, if that may be done again, and returns the
// generator's ends. A list during which the table changed counts nothing, and is
// kept as what it is.
func (w *watch) list(now int64, at string) *result.States {
	if now < w.nextDump {
		return nil
	}
	before := kernel.ThreadTime()
	seen, err := w.view.Look()
	if err == nil {
		w.keep(seen, now, w.clock.Now(), at)
	}
	took := kernel.ThreadTime() - before
	w.cost.DumpNS += int64(took)
	w.nextDump = afterDump(w.clock.Now(), took)
	if err != nil {
		return nil
	}
	w.cost.Dumps++
	if seen.cut != [places]bool{} {
		w.cost.Interrupted++
	}
	if seen.Interrupted {
		return nil
	}
	return &seen.Client
}

// costs is what watching has cost.
func (w *watch) costs() result.Observer {
	w.cost.CPUNS = int64(kernel.ThreadTime() - w.cpu)
	w.cost.Share = float64(w.cost.CPUNS) / float64(max(1, w.clock.Now()-w.began))
	return w.cost
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

// afterDump returns when connections may be listed again, after a list that ended
// at a time and took so much of a processor.
func afterDump(ended int64, took time.Duration) int64 { return ended + dumpShare*int64(took) }
