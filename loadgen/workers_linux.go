package loadgen

import (
	"errors"
	"net/netip"
	"runtime"

	"lastport/loadgen/engine"
	"lastport/loadgen/kernel"
)

// makeEngines makes the hands of every worker.
func (r *run) makeEngines() error {
	// Each worker and each listener thread is a locked thread that may be in a
	// system call at any time; the collector and the runtime need theirs besides.
	cpus, err := r.cfg.CPUs()
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), r.cfg.Workers+max(1, len(cpus))+3))
	together, ok := r.peer.(TogetherPeer)
	if r.cfg.Ends == EndsTogether && !ok {
		return errors.New("--ends together: this peer has no end to run on the generator's thread")
	}
	newEngine := engine.NewDirect
	if r.cfg.Engine == EngineURing {
		newEngine = engine.NewURing
	}
	o := r.engineOptions()
	for w := range r.cfg.Workers {
		o.Worker, o.Connections = w, r.connectionsOf(w)
		if r.cfg.Ends == EndsTogether {
			o.Ends = func(target int) engine.End { return together.End(w, target) }
		}
		if len(cpus) > 0 {
			o.Pinned, o.CPU = true, cpus[w%len(cpus)]
		}
		if r.cfg.Clients > 1 {
			o.Enter = func() error { return r.cfg.Hosts.Enter(w % r.cfg.Clients) }
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

// engineOptions are what the engines of all workers have in common.
func (r *run) engineOptions() engine.Options {
	o := engine.Options{
		Clock: r.clock, UDP: r.cfg.UDP, Traits: r.strategy.Traits(), Pools: r.pools, Counted: r.crowd, CloseMode: r.cfg.Close, Timeout: r.cfg.Timeout, Tally: r.tally,
		Keepalive: r.cfg.Mode == ModeKeepalive, UserTimeout: r.cfg.UserTimeout, LeavePeer: r.cfg.Mode != ModeClose,
		AskToClose: r.cfg.Close.ServerFirst(), Unnumbered: r.cfg.Scenario == "churn",
	}
	for _, s := range r.cfg.Sources {
		o.Sources = append(o.Sources, kernel.NewSockaddr(netip.AddrPortFrom(s, 0)))
	}
	for _, t := range r.cfg.Targets {
		o.Targets = append(o.Targets, kernel.NewSockaddr(t))
	}
	if r.cfg.Ends == EndsTogether && r.cfg.Scenario == "fill" {
		// Accepting is not what a fill times, so it may wait; half the queue keeps
		// clear of the length at which the kernel drops a SYN.
		o.Unaccepted = min(r.backlog()/2, mostUnaccepted)
	}
	if r.gateway != nil {
		o.Path = r.gateway
	}
	return o
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
