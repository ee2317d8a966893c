package loadgen

import (
	"fmt"
	"runtime"
	"time"

	"lastport/loadgen/kernel"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// What a run costs: its own part is in every result, beside what it measured.

const (
	// manyConnections is from how many on the growth of memory says what a connection
	// takes. Of fewer, it says what buffers take.
	manyConnections = 10_000
	// leastCPU is from how much processor time on its split into user and system time
	// means something: the kernel splits it by what its ticks find.
	leastCPU = 50 * time.Millisecond
	// allBusy is the share of processor time from which on there was none left: the
	// rest is lost to interrupts and to who else runs.
	allBusy = 0.95
	// lateShare is how late one attempt in a hundred begins, as a share of the time
	// that attempts are made, where the generator does not keep its schedule: by as
	// much is the rate that it makes below the one asked for, and a rate is to be right
	// within 2 %. A hiccup that it makes
	// up for later is none. What lateness does to the ports is told by itself: see
	// allowForLateness.
	lateShare = 0.02
	// usual is how late attempts begin now and then on any machine: less says nothing,
	// however short the run is.
	usual = int64(10 * time.Millisecond)
)

// meter is what has been used so far: by all of lastport, by the workers'
// threads, and by the listener's.
type meter struct {
	at                           int64
	spent                        time.Duration // of the process, exact
	process, generator, listener kernel.CPUTime
	slab                         int64 // bytes of the kernel's objects; 0: not known
}

// meter reads the counters. It is the script's, as the engines are.
func (r *run) meter() meter {
	m := meter{at: r.clock.Now(), spent: kernel.ProcessTime(), process: kernel.ProcessCPU(), listener: r.peer.CPUTime()}
	for _, e := range r.engines {
		m.generator = m.generator.Plus(e.CPUTime())
	}
	if slab, err := kernel.SlabBytes(); err == nil {
		m.slab = slab
	}
	return m
}

// since returns what was used from an earlier reading on.
func (m meter) since(earlier meter) meter {
	m.at -= earlier.at
	m.spent -= earlier.spent
	m.process = m.process.Sub(earlier.process)
	m.generator = m.generator.Sub(earlier.generator)
	m.listener = m.listener.Sub(earlier.listener)
	if m.slab = m.slab - earlier.slab; earlier.slab == 0 {
		m.slab = 0
	}
	return m
}

// cost is what each of n connections has cost, of what was used meanwhile; the
// total alone where that is too little to tell its parts.
func (r *run) cost(used meter, n int64) *result.Cost {
	if n == 0 {
		return nil
	}
	c := &result.Cost{CPUNSPerConn: int64(used.spent) / n}
	if used.process.Total() < leastCPU {
		return c
	}
	each := func(t kernel.CPUTime) *result.CPUPerConn {
		t = t.Split()
		return &result.CPUPerConn{UserNS: int64(t.User) / n, SysNS: int64(t.System) / n}
	}
	both := each(used.process)
	c.UserCPUNSPerConn, c.SysCPUNSPerConn = &both.UserNS, &both.SysNS
	if r.cfg.Ends == EndsApart { // together one thread does both
		c.Generator = each(used.generator)
		if used.listener.Total() > 0 {
			c.Listener = each(used.listener)
		}
	}
	work := used.generator.System + used.listener.System
	c.ToolShare = part(float64(used.process.Total()-work), float64(used.process.Total()))
	c.GeneratorBusy = part(float64(used.generator.Total()), float64(used.at)*float64(len(r.engines)))
	c.HostBusy = part(float64(used.process.Total()), float64(used.at)*float64(runtime.NumCPU()))
	return c
}

// putCost writes down what everything since a reading has cost, for each
// connection that was opened: where closing, or probing, is what a run is about.
func (r *run) putCost(began meter) {
	used := r.meter().since(began)
	r.do(func() { r.res.Cost = r.cost(used, r.counted.Opened()) })
}

// part is what a part is of a whole, between 0 and 1 whatever the grain of the clocks.
func part(of, whole float64) *float64 {
	s := 0.0
	if whole > 0 {
		s = min(max(of/whole, 0), 1)
	}
	return &s
}

// grown is how much memory each of n connections has taken; nil where that is
// too little to tell.
func grown(bytes, n int64) *int64 {
	if n < manyConnections || bytes <= 0 {
		return nil
	}
	each := bytes / n
	return &each
}

// generatorLimit says whether the generator, and not the ports, was what a
// churn's rate came from, and how that shows; "" if it was not.
func (r *run) generatorLimit(res *result.Result) string {
	switch e := res.ScheduleError; {
	case res.Run.Scenario != "churn":
	case r.cfg.Rate > 0 && r.complete && res.Attempts < r.due():
		return fmt.Sprintf("%s of %s due were made", figures.Grouped(res.Attempts), figures.Grouped(r.due()))
	case e != nil && e.P99NS >= max(usual, int64(lateShare*float64(r.courseTime()))):
		return fmt.Sprintf("one attempt in a hundred began %s late or later", brief(e.P99NS))
	case r.cfg.Rate == 0 && res.Cost != nil && res.Cost.GeneratorBusy != nil && res.Outcomes.NoPort == 0:
		if busy := *res.Cost.GeneratorBusy; busy >= allBusy {
			return fmt.Sprintf("its threads ran %.0f %% of the time", 100*busy)
		}
		if busy := *res.Cost.HostBusy; busy >= allBusy {
			return fmt.Sprintf("lastport had all processors for %.0f %% of the time", 100*busy)
		}
	}
	return ""
}

// generatorHint is what lifts the generator's limit.
func (r *run) generatorHint() string {
	switch {
	case r.cfg.Rate > 0:
		return "a quieter machine, or a lower --rate"
	case len(r.engines) < runtime.NumCPU():
		return fmt.Sprintf("--workers %d", runtime.NumCPU())
	}
	return "lastport plan says what the ports sustain"
}

// ownWarnings lists what lastport itself did to the numbers.
func (r *run) ownWarnings(res *result.Result) (list []result.Warning) {
	warn := func(code, hint, format string, args ...any) {
		list = append(list, result.Warning{Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	clipped := int64(0)
	for _, s := range []*result.Summary{res.Latency.Connect, res.Latency.Failure, res.Latency.Close} {
		if s != nil {
			clipped += s.Clipped
		}
	}
	if clipped > 0 {
		warn("clipped", "", "%d times were beyond the histogram's bound and are counted at it", clipped)
	}
	if r.cfg.Unrecorded {
		warn("not_recorded", "", "nothing was recorded but outcomes: latency, ports and the timeline are missing")
	}
	if how := r.generatorLimit(res); how != "" {
		what := "the generator, not the ports, was the limit"
		if res.Outcomes.NoPort > 0 {
			what = "the generator was a limit as well as the ports"
		}
		warn("generator_limit", r.generatorHint(), "%s: %s", what, how)
	}
	// Of a run shorter than this a single list of sockets is a large share.
	const dear, long = 0.05, 30
	if o := res.Observer; o != nil && o.Share > dear && o.Samples > long {
		warn("observer_cost", "", "watching the kernel took %.0f %% of a processor", 100*o.Share)
	}
	return list
}
