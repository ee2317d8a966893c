package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"lastport/loadgen/capacity"
	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/loadgen/observe"
	"lastport/loadgen/record"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
	"lastport/reports/result"
)

// snapshotEvery is how old what the sink has may get: less than the second
// that what is on disk may be old, by the time it takes to get there.
const snapshotEvery = 750 * time.Millisecond

// run is a run while it goes on. Its fields belong to the goroutine of loop,
// but for those that say otherwise; a script reaches them through do.
type run struct {
	cfg      *Config
	peer     Peer
	sink     Sink
	clock    kernel.Clock
	strategy strategy.Run
	pools    strategy.Pools
	answer   capacity.Answer
	around   surroundings
	res      *result.Result // what is known so far, less what the collector counts
	phase    phase
	engines  []engine.Engine // the script's
	counted  *record.Collector
	tally    *engine.Tally
	before   kernel.Counters
	calls    chan func()
	course   course
	reuseOff *float64 // of a reuse: how far it was off, as a share
	ends     ending   // of a fill
	complete bool     // the run came to the end that was predicted for it
	expect   []result.Expectation
	told     error       // the sink's first failure
	stop     atomic.Bool // set once, when the run is told to drain
	low      *lowMemory
}

// phase is what a run is doing, for people who wait.
type phase struct {
	name  string
	until int64 // when it ends, if that is known; else 0
}

// phaseOpen is the phase of a fill in which connections are opened.
const phaseOpen = "open"

// mostUnaccepted bounds how many connections of a fill wait to be accepted on a
// worker. Beyond it is no faster, and each thread keeps a list of them.
const mostUnaccepted = 2048

// course is what a scenario does in a run.
type course struct {
	// script runs works on the engines, one after the other, and looks at the
	// kernel in between. It has a goroutine of its own.
	script func(*run) error
	// verdict is the run in one line.
	verdict func(*run, *result.Result) result.Verdict
	// predict adds to the prediction what the scenario alone knows.
	predict func(*run, *result.Predicted)
	// connections is how many connections all workers hold at once, at most.
	connections func(*run) int64
}

// Run makes the run that cfg asks for, against peer, and returns its result.
// While it goes on, sink gets progress and whole, up-to-date results. When ctx
// ends the run stops opening, releases what it holds, and returns what it has,
// marked as interrupted.
//
// The error says why a run could not be made; what the network did is in the
// result.
func Run(ctx context.Context, cfg Config, peer Peer, sink Sink) (*result.Result, error) {
	course, err := courseOf(cfg.Scenario)
	if err != nil {
		return nil, err
	}
	r, err := prepare(&cfg, course, peer, sink)
	if err != nil {
		return nil, err
	}
	defer r.close()
	return r.loop(ctx)
}

func courseOf(scenario string) (course, error) {
	switch scenario {
	case "fill":
		return course{(*run).fill, (*run).edgeVerdict, func(*run, *result.Predicted) {}, (*run).capacity}, nil
	case "reuse":
		return course{(*run).reuse, (*run).reuseVerdict, (*run).predictReuse, (*run).reuseConnections}, nil
	case "churn":
		return course{(*run).churn, (*run).churnVerdict, (*run).predictChurn, (*run).churnConnections}, nil
	case "survey":
		return course{(*run).survey, (*run).surveyVerdict, (*run).predictSurvey, (*run).surveyConnections}, nil
	}
	return course{}, fmt.Errorf("scenario %q: this version knows fill, churn, reuse and survey", scenario)
}

// capacity is how many connections the tuple space holds.
func (r *run) capacity() int64 { return r.answer.Connections.Max }

// prepare looks around, predicts, and makes everything that the run needs, so
// that nothing is left to fail once it has begun.
func prepare(cfg *Config, course course, peer Peer, sink Sink) (*run, error) {
	r := &run{cfg: cfg, course: course, peer: peer, sink: sink, calls: make(chan func()), low: newLowMemory(memoryLeft)}
	for _, text := range cfg.Expect {
		e, err := result.ParseExpect(text)
		if err != nil {
			return nil, err
		}
		r.expect = append(r.expect, e)
	}
	if err := cfg.Settle(); err != nil {
		return nil, err
	}
	traits, err := traits(cfg)
	if err != nil {
		return nil, err
	}
	if r.around, err = look(cfg); err != nil {
		return nil, err
	}
	r.answer = r.around.predict(cfg, traits)
	if r.answer.Usable.Size() == 0 {
		return nil, &NoPortsError{Range: cfg.Range.String(), Why: r.answer.Why}
	}
	space := cfg.space(r.around.reserved)
	if r.strategy, err = strategy.New(cfg.Strategy, space); err != nil {
		return nil, err
	}
	r.pools = space.Pools(traits)
	if err := r.check(); err != nil {
		return nil, err
	}
	if r.before, err = kernel.ReadCounters(); err != nil {
		return nil, err
	}
	r.tally = engine.NewTally(cfg.Workers, r.pools.Count())
	r.clock = kernel.NewClock()
	usable := int64(0)
	if cfg.Scenario == "fill" { // elsewhere TIME_WAIT takes ports too, and open connections say little
		usable = int64(r.answer.Usable.Size()) // of each pool
	}
	r.counted, err = record.NewCollector(cfg.Workers, usable, r.clock.Zero())
	if err != nil {
		return nil, err
	}
	if cfg.Unrecorded {
		r.counted.Silence()
	}
	if err := r.makeEngines(); err != nil {
		r.close()
		return nil, err
	}
	r.res = r.skeleton()
	return r, nil
}

// traits are those of the strategy asked for. One that binds, and was told no
// source, gets the one that the kernel would take.
func traits(cfg *Config) (strategy.Traits, error) {
	t, err := cfg.Traits()
	if err != nil {
		return t, err
	}
	if t.Source && len(cfg.Sources) == 0 {
		source, err := kernel.SourceFor(cfg.Targets[0])
		if err != nil {
			return t, fmt.Errorf("source address for %s: %w", cfg.Targets[0], err)
		}
		cfg.Sources = []netip.Addr{source.WithZone(cfg.Targets[0].Addr().Zone())}
	}
	return t, nil
}

// check refuses what cannot be done, before anything is begun.
func (r *run) check() error {
	t := r.strategy.Traits()
	if t.Windowed || r.cfg.Scenario == "reuse" && !t.Explicit { // which probes by windows
		if err := kernel.ProbeLocalPortRange(); err != nil {
			return &KernelError{Strategy: r.cfg.Strategy, Option: "IP_LOCAL_PORT_RANGE", Since: "6.3", err: err}
		}
	}
	if t.Late {
		if err := kernel.ProbeBindAddressNoPort(); err != nil {
			return &KernelError{Strategy: r.cfg.Strategy, Option: "IP_BIND_ADDRESS_NO_PORT", Since: "4.2", err: err}
		}
	}
	return r.cfg.Needs(r.course.connections(r)).Check()
}

func (r *run) makeEngines() error {
	// Each worker and each listener thread is a locked thread that may be in a
	// system call at any time; the collector and the runtime need theirs besides.
	cpus, err := r.cfg.CPUs()
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), r.cfg.Workers+max(1, len(cpus))+3))
	o := engine.Options{
		Clock: r.clock, UDP: r.cfg.UDP, Traits: r.strategy.Traits(), Pools: r.pools, CloseMode: r.cfg.Close, Timeout: r.cfg.Timeout, Tally: r.tally,
		Keepalive: r.cfg.Mode == ModeKeepalive, UserTimeout: r.cfg.UserTimeout, LeavePeer: r.cfg.Mode != ModeClose,
		AskToClose: r.cfg.Close.ServerFirst(), Unnumbered: r.cfg.Scenario == "churn",
	}
	for _, s := range r.cfg.Sources {
		o.Sources = append(o.Sources, kernel.NewSockaddr(netip.AddrPortFrom(s, 0)))
	}
	for _, t := range r.cfg.Targets {
		o.Targets = append(o.Targets, kernel.NewSockaddr(t))
	}
	together, ok := r.peer.(TogetherPeer)
	if r.cfg.Ends == EndsTogether {
		if !ok {
			return errors.New("--ends together: this peer has no end to run on the generator's thread")
		}
		if r.cfg.Scenario == "fill" {
			// Accepting is not what a fill times, so it may wait; half the queue keeps
			// clear of the length at which the kernel drops a SYN.
			o.Unaccepted = min(number("net.core.somaxconn")/2, mostUnaccepted)
		}
	}
	newEngine := engine.NewDirect
	if r.cfg.Engine == EngineURing {
		newEngine = engine.NewURing
	}
	for w := range r.cfg.Workers {
		o.Worker, o.Connections = w, r.connectionsOf(w)
		if r.cfg.Ends == EndsTogether {
			o.Ends = func(target int) engine.End { return together.End(w, target) }
		}
		if len(cpus) > 0 {
			o.Pinned, o.CPU = true, cpus[w%len(cpus)]
		}
		o.Log = r.counted.Writer()
		o.Strategy = r.strategy.Worker(w)
		e, err := newEngine(o)
		if err != nil {
			return err
		}
		r.engines = append(r.engines, e)
	}
	return nil
}

func (r *run) close() {
	for _, e := range r.engines {
		e.Close()
	}
}

// connectionsOf is how many connections a worker holds at once, at most: its own
// share where the number is what ends the run or is dealt to the workers as
// --concurrency is, else any part of all.
func (r *run) connectionsOf(worker int) int {
	most := r.course.connections(r)
	switch {
	case r.cfg.Scenario == "fill" && r.cfg.Connections > 0 && r.cfg.Connections <= r.answer.Connections.Min:
		return deal(most, worker, r.cfg.Workers)
	case r.cfg.fastest():
		return min(int(most), deal(int64(r.cfg.Concurrency), worker, r.cfg.Workers))
	}
	return int(most)
}

// loop is the run's own goroutine: it counts, samples, tells the sink, and
// does what the script asks of it, until the script has ended.
func (r *run) loop(ctx context.Context) (*result.Result, error) {
	watch := observe.Start(r.clock, r.cfg.Targets, r.cfg.UDP, time.Duration(record.Interval))
	ended := make(chan error, 1)
	go func() { ended <- r.course.script(r) }()
	snapshot := time.NewTicker(snapshotEvery)
	defer snapshot.Stop()
	r.tell(r.snapshot())
	interrupt := ctx.Done()
	for {
		select {
		case c := <-r.counted.Chunks():
			r.counted.Take(c)
		case s := <-watch.Samples():
			r.counted.Sample(record.Sample{
				TNS: s.TNS, States: s.States, Kernel: s.Kernel, UserCPUNS: int64(s.CPU.User), SysCPUNS: int64(s.CPU.System),
			})
			if r.phase.name == phaseOpen {
				r.low.look()
			}
			r.tell(Frame{Progress: r.progress(s.TNS)})
		case <-snapshot.C:
			r.tell(r.snapshot())
		case f := <-r.calls:
			f()
		case <-interrupt:
			interrupt = nil
			r.stop.Store(true)
		case err := <-ended:
			cost := watch.Stop()
			if err == nil {
				err = r.told
			}
			if err != nil {
				return nil, err
			}
			return r.finish(cost, interrupt == nil)
		}
	}
}

// tell gives the sink a frame. Once that has failed the run drains: nobody hears
// it.
func (r *run) tell(f Frame) {
	if err := r.sink.Frame(f); err != nil && r.told == nil {
		r.told = err
		r.stop.Store(true)
	}
}

// do runs f on the run's own goroutine, where its fields may be used, after
// everything that the workers have handed over is counted.
func (r *run) do(f func()) {
	done := make(chan struct{})
	r.calls <- func() {
		r.counted.TakeAll()
		f()
		close(done)
	}
	<-done
}

// enter names the phase that begins. until is when it will end, 0 if unknown.
func (r *run) enter(name string, until int64) {
	r.do(func() {
		r.phase = phase{name, until}
		r.tell(r.snapshot()) // a phase that has ended is news
	})
}

// works does one work on each engine and waits for all.
func (r *run) works(list []step.Work) error {
	var group errgroup.Group
	for i, w := range list {
		group.Go(func() error { return r.engines[i].Run(w) })
	}
	return group.Wait()
}

// sleep waits until the time t of the run's clock, or until it is told to drain.
func (r *run) sleep(t int64) {
	const look = int64(10 * time.Millisecond)
	for now := r.clock.Now(); now < t && !r.stop.Load(); now = r.clock.Now() {
		time.Sleep(time.Duration(min(look, t-now)))
	}
}

// deadline is when the whole run must be over; 0: never.
func (r *run) deadline() int64 { return int64(r.cfg.Duration) }
