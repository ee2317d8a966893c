package loadgen

import (
	"runtime/debug"
	"time"

	"lastport/loadgen/kernel"
	"lastport/loadgen/outcome"
	"lastport/loadgen/ports"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

// fill opens connections until no port is left, makes further attempts on the
// full range, holds, releases, and proves that ports come back. It may give some
// back and run a command while it holds the others.
func (r *run) fill() error {
	f := &filling{run: r, conns: make([][]uint32, len(r.engines))}
	for _, part := range []func() error{f.open, f.tryMore, f.full, f.leave, f.atEdge, f.hold, f.release, f.recover} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// resident is the process's memory without what is free in it, while the run's
// own goroutine writes no result.
func (r *run) resident() (bytes int64) {
	r.do(func() {
		debug.FreeOSMemory()
		var err error
		if bytes, err = kernel.ResidentBytes(); err != nil {
			bytes = 0 // /proc is not there: nothing can be said
		}
	})
	return bytes
}

// filling is a fill under way.
type filling struct {
	*run
	conns    [][]uint32 // open, by worker, in the order of opening
	ended    scenario.End
	last     outcome.Code // of a fill that gave up: its failures
	opened   int64        // open at the fullest moment, and what leave has opened besides
	used     meter        // what opening took
	memory   int64        // bytes by which it made the process larger
	released struct{ began, ended int64 }
	more     [][]uint32    // what leave has opened besides, by worker
	denied   []ports.Range // ports that were to be opened so, and could not be had
}

// open opens connections until no port is left.
func (f *filling) open() error {
	f.enter(phaseOpen, 0)
	memory := f.resident()
	began := f.meter()
	works := make([]opening, len(f.engines))
	for i := range works {
		works[i] = f.opening(i)
	}
	if err := f.works(asWorks(works)); err != nil {
		return err
	}
	used := f.meter().since(began)
	held := f.resident()
	for i, w := range works {
		f.conns[i] = w.Conns()
		if end, last := w.Ended(); end > f.ended {
			f.ended, f.last = end, last
		}
	}
	f.used, f.memory = used, held-memory
	f.lost(works)
	return nil
}

// opening is a work that opens connections and says why it ended.
type opening interface {
	step.Work
	Conns() []uint32
	Ended() (scenario.End, outcome.Code)
}

// opening makes worker i's.
func (f *filling) opening(i int) opening {
	n := len(f.engines)
	o := scenario.Opening{
		Spread: f.spread(), First: i, Every: n,
		Connections: deal(f.cfg.Connections, i, n),
		Expected:    deal(f.answer.Connections.Max, i, n),
		Deadline:    f.deadline(), Timeout: f.cfg.Timeout, Stop: &f.stop, Low: &f.low.set,
	}
	if f.gateway == nil {
		return scenario.NewOpening(o)
	}
	return f.through(o)
}

// spread is the tuple space that attempts are dealt over.
func (r *run) spread() scenario.Spread {
	s := scenario.Spread{Sources: len(r.cfg.Sources), Targets: len(r.cfg.Targets)}
	if r.cfg.NAT != nil { // so that each target meets each of the gateway's addresses
		s.Row = lcm(max(1, s.Sources), len(r.cfg.NAT.Addresses))
	}
	return s
}

// deal returns worker i's share of n; 0 stays 0.
func deal(n int64, i, workers int) int {
	share := n / int64(workers)
	if int64(i) < n%int64(workers) {
		share++
	}
	return int(share)
}

func asWorks[W step.Work](list []W) []step.Work {
	works := make([]step.Work, len(list))
	for i, w := range list {
		works[i] = w
	}
	return works
}

// full writes down what is true at the fullest moment, and takes the witnesses'
// word: after the further attempts, as one of them may still have found a port on
// a range of odd size.
func (f *filling) full() error {
	open := f.tally.Open()
	f.opened = open
	server := f.settled(open)
	witness := result.Witness{
		Generator: open, ServerOpen: server.Open(), DistinctPeers: server.DistinctPeers, DistinctTuples: server.DistinctTuples,
	}
	if client, _, err := f.sockets("fullest"); err == nil {
		witness.SockDiag = client.Established
	}
	witness.Translated = f.translated()
	witness.Agree = true
	for _, n := range []*int64{witness.ServerOpen, witness.DistinctTuples, witness.SockDiag, witness.Translated} {
		witness.Agree = witness.Agree && (n == nil || *n == open)
	}
	tableFull := f.gateway.full()
	f.do(func() {
		f.ends = ending{f.ended, f.last}
		f.complete = f.ended == scenario.Exhausted || f.ended == scenario.Reached || f.ended == scenario.GaveUp && tableFull
		f.res.Witness = &witness
		f.res.Measured.Connections = &open
		if open > 0 {
			ns := f.counted.FillNS()
			f.res.Measured.FillNS = &ns
			rate := float64(open) / time.Duration(ns).Seconds()
			f.res.Measured.RatePerS = &rate
			if f.res.Cost = f.cost(f.used, open); f.res.Cost != nil {
				f.res.Cost.UserBytesPerConn = grown(f.memory, open)
				f.res.Cost.KernelBytesPerConn = grown(f.used.slab, open)
			}
		}
	})
	return nil
}

// settled waits, a second without news at most and not beyond the run's end, until
// the listener has accepted what is open: an accept may come a moment after the
// connect, and what it counts is of slightly different moments. As in catchUp looks
// are counted, and not time.
func (f *filling) settled(open int64) result.Server {
	end, accepted, quiet := f.deadline(), int64(-1), 0
	for pause := time.Millisecond; ; pause = min(2*pause, looksApart) {
		server := f.peer.Stats()
		counted := server.DistinctTuples == nil || *server.DistinctTuples >= open
		if server.Accepted >= open && counted || quiet == looksWithoutNews || end > 0 && f.clock.Now() >= end {
			return server
		}
		quiet++
		if server.Accepted != accepted {
			accepted, quiet = server.Accepted, 0
		}
		time.Sleep(pause)
	}
}

// tryMore makes further attempts on the full range.
func (f *filling) tryMore() error {
	if f.ended != scenario.Exhausted || f.nat.full {
		return nil
	}
	f.enter("full", 0)
	works := make([]*scenario.Full, len(f.engines))
	for i := range works {
		works[i] = &scenario.Full{
			Spread: f.spread(), First: i, Every: len(works),
			Attempts: deal(scenario.FullAttempts, i, len(works)), Stop: &f.stop,
		}
	}
	err := f.works(asWorks(works))
	for i, w := range works {
		f.conns[i] = append(f.conns[i], w.Conns()...)
	}
	return err
}

// hold keeps everything open for the time asked for.
func (f *filling) hold() error {
	if f.cfg.Hold <= 0 || len(f.cfg.Command) > 0 { // whose time was the hold
		return nil
	}
	until := f.clock.Now() + int64(f.cfg.Hold)
	if end := f.deadline(); end > 0 {
		until = min(until, end)
	}
	f.enter("hold", until)
	f.sleep(until)
	return nil
}

// release closes everything by the close mode.
func (f *filling) release() error {
	f.enter("release", 0)
	works := make([]*scenario.Release, len(f.engines))
	for i := range works {
		works[i] = scenario.NewRelease(f.conns[i])
		works[i].Until = f.deadline()
	}
	if err := f.releaseMore(); err != nil {
		return err
	}
	f.released.began = f.clock.Now()
	if err := f.works(asWorks(works)); err != nil {
		return err
	}
	if err := f.peer.Drain(); err != nil {
		return err
	}
	f.released.ended = f.clock.Now()
	server := f.peer.Stats()
	f.do(func() {
		f.res.Server = &server
		f.putCounters(f.res)
	})
	return nil
}

// recover proves that ports come back, when they should by prediction.
func (f *filling) recover() error {
	if f.stop.Load() || f.tally.Open() > 0 || f.ended == scenario.GaveUp {
		return nil
	}
	const patience = int64(time.Second)
	work := &scenario.Recovery{
		From: f.released.began + int64(f.answer.Reuse.Min), Until: f.released.ended + int64(f.answer.Reuse.Max) + patience,
		Stop: &f.stop,
	}
	if end := f.deadline(); end > 0 && work.From > end {
		f.do(func() { f.warn(noTimeToRecover(f.answer.Reuse.Min)) })
		return nil
	} else if end > 0 {
		work.Until = min(work.Until, end)
	}
	f.enter("recover", work.From)
	if err := f.works([]step.Work{work}); err != nil {
		return err
	}
	attempts, decided := work.Result()
	if attempts == 0 {
		return nil // told to drain meanwhile
	}
	recovered := decided.Outcome == outcome.OK
	if !recovered && f.stop.Load() {
		return nil // told to drain before a port could have come back
	}
	recovery := result.Recovery{
		Attempts: attempts, Outcome: decided.Outcome.String(), AfterNS: max(0, decided.Start-f.released.ended),
	}
	if recovered {
		recovery.ConnectNS = decided.End - decided.Start
	}
	f.do(func() {
		f.res.Recovery = &recovery
		f.res.Measured.Recovered = &recovered
	})
	return nil
}
