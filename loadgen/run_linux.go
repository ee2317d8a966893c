package loadgen

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"lastport/loadgen/capacity"
	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
	"lastport/loadgen/observe"
	"lastport/loadgen/record"
	"lastport/loadgen/scenario"
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
	gateway  *gateway       // nil: there is none
	shared   bool           // the gateway's ports are what runs out first
	clients  int64          // connections that the clients have ports for
	crowd    strategy.Pools // how occupancy is counted
	nat      natFull
	around   surroundings
	res      *result.Result // what is known so far, less what the collector counts
	phase    phase
	engines  []engine.Engine // the script's
	counted  *record.Collector
	tally    *engine.Tally
	watch    *observe.Observer // made before the script begins
	before   kernel.Counters   // of the generator's host
	peerHad  kernel.Counters   // of the listener's, where it is another one; else nil
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
	case "reach":
		return course{(*run).reach, (*run).reachVerdict, (*run).predictReach, (*run).reachConnections}, nil
	}
	return course{}, fmt.Errorf("scenario %q: this version knows fill, churn, reuse, survey and reach", scenario)
}

// capacity is how many connections the tuple space holds, with those under way
// that a gateway has no port for.
func (r *run) capacity() int64 {
	if r.gateway != nil {
		return r.answer.Connections.Max + scenario.ThroughAhead*int64(r.cfg.Workers)
	}
	if r.cfg.Leave > 0 || len(r.cfg.Command) > 0 {
		return int64(r.answer.Usable.Size() + r.cfg.Workers) // what leave takes, dealt anew
	}
	return r.answer.Connections.Max
}

// prepare looks around, predicts, and makes everything that the run needs, so
// that nothing is left to fail once it has begun.
func prepare(cfg *Config, course course, peer Peer, sink Sink) (*run, error) {
	r := &run{cfg: cfg, course: course, peer: peer, sink: sink, calls: make(chan func()), low: newLowMemory(memoryLeft)}
	if err := r.understand(); err != nil {
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
	if r.gateway, err = newGateway(cfg); err != nil {
		return nil, err
	}
	if r.answer.Usable.Size() == 0 {
		return nil, &NoPortsError{Range: cfg.Range.String(), Why: r.answer.Why}
	}
	space := cfg.space(r.around.reserved)
	if r.strategy, err = strategy.New(cfg.Strategy, space); err != nil {
		return nil, err
	}
	r.pools = space.Pools(traits)
	r.crowd, r.clients = r.pools, r.answer.Connections.Max
	usable := int64(r.answer.Usable.Size()) // of each pool
	if r.gateway != nil {
		usable = r.goThrough(usable)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := r.readCounters(); err != nil {
		return nil, err
	}
	if err := r.makeBooks(usable); err != nil {
		return nil, err
	}
	if err := r.makeEngines(); err != nil {
		r.close()
		return nil, err
	}
	r.res = r.skeleton()
	return r, nil
}

// makeBooks makes what counts and records. usable are the ports of each pool.
func (r *run) makeBooks(usable int64) (err error) {
	r.tally = engine.NewTally(r.cfg.Workers, r.crowd.Count())
	r.clock = kernel.NewClock()
	if r.cfg.Scenario != "fill" { // TIME_WAIT takes ports too, and open connections say little
		usable = 0
	}
	if r.counted, err = record.NewCollector(r.cfg.Workers, usable, r.clock.Zero()); err != nil {
		return err
	}
	if r.cfg.Unrecorded {
		r.counted.Silence()
	}
	return nil
}

// understand reads what is expected, and settles what is left open.
func (r *run) understand() error {
	for _, text := range r.cfg.Expect {
		e, err := result.ParseExpect(text)
		if err != nil {
			return err
		}
		r.expect = append(r.expect, e)
	}
	return r.cfg.Settle()
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
	if r.cfg.Scenario == "reach" {
		if err := r.checkReach(); err != nil {
			return err
		}
	}
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

// loop is the run's own goroutine: it counts, samples, tells the sink, and
// does what the script asks of it, until the script has ended.
func (r *run) loop(ctx context.Context) (*result.Result, error) {
	view := r.cfg.view()
	view.Mine = r.mine()
	r.watch = observe.Start(r.clock, view, time.Duration(record.Interval))
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
		case s := <-r.watch.Samples():
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
			cost := r.watch.Stop()
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
