package loadgen

import (
	"runtime"
	"time"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
)

// skeleton is what a result says before anything is measured.
func (r *run) skeleton() *result.Result {
	res := &result.Result{
		Schema: result.Schema,
		Tool:   r.cfg.Tool,
		Run:    result.Run{ID: r.cfg.ID, Scenario: r.cfg.Scenario, Repeat: r.cfg.Repeat, Shard: r.cfg.Shard, Started: r.clock.Zero().UTC(), Seed: r.cfg.Seed},
		Host:   r.cfg.Host,
		Config: r.cfg.Echo(),
		Engine: &r.cfg.Chosen,
		OnHost: r.cfg.OnHost,
	}
	res.Host.Kernel = kernel.Release()
	res.Host.HZ = r.around.settings.HZ
	res.Host.CPUs = runtime.NumCPU()
	if memory, err := kernel.TotalBytes(); err == nil {
		res.Host.MemoryBytes = memory
	}
	if limit, err := kernel.NoFileLimit(); err == nil {
		res.Host.Limits.NoFile = limit
	}
	r.around.fill(res, r.cfg, r.answer)
	r.course.predict(r, &res.Predicted)
	return res
}

// current is the result as it is now. The collector's part is made anew; the
// rest is shared with r.res, which is not changed but replaced.
func (r *run) current() *result.Result {
	r.counted.TakeAll()
	res := *r.res
	r.counted.Fill(&res)
	now := r.clock.Now()
	res.Run.Ended = r.clock.Zero().Add(time.Duration(now)).UTC()
	if res.Kernel == nil {
		r.putCounters(&res)
	}
	r.putGateway(&res)
	if r.watch != nil {
		res.PortStates = r.watch.States()
	}
	if res.Measured.Connections == nil && res.Attempts > 0 {
		opened := res.Outcomes.OK
		res.Measured.Connections = &opened
	}
	if res.Server == nil {
		s := r.peer.Stats()
		res.Server = &s
	}
	return &res
}

// snapshot is a frame that is good enough to be the last one.
func (r *run) snapshot() Frame { return r.frame(true) }

// frame is the run as it is now, judged.
func (r *run) frame(interrupted bool) Frame {
	res := r.current()
	res.Run.Interrupted = interrupted
	r.judge(res)
	now := r.clock.Now()
	log, err := r.counted.Log(now)
	if err != nil { // the log is written to memory: it does not fail
		res.Warnings = append(res.Warnings, result.Warning{Code: "interval_log", Message: err.Error()})
	}
	return Frame{Result: res, Rows: r.counted.FreshRows(), Log: log}
}

// finish makes the final result.
func (r *run) finish(cost result.Observer, interrupted bool) (*result.Result, error) {
	r.counted.TakeAll()
	r.counted.End(r.clock.Now())
	r.res.Observer = &cost
	f := r.frame(interrupted)
	f.Final = true
	return f.Result, r.sink.Frame(f)
}

// progress says how far the run is.
func (r *run) progress(now int64) *Progress {
	c := r.counted
	p := &Progress{
		Phase: r.phase.name, TNS: now, Open: r.tally.Open(), Opened: c.Opened(), Expected: r.answer.Connections.Max, Usable: r.answer.Tuples,
		Attempts: c.Attempts(), NoPort: c.NoPort(), Failed: c.Attempts() - c.Opened() - c.NoPort(),
	}
	if r.shared {
		p.Usable = r.gateway.capacity().All()
	}
	if r.phase.until > now {
		p.LeftNS = r.phase.until - now
	}
	return p
}
