package loadgen

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
	"lastport/loadgen/scenario"
	"lastport/reports/result"
)

// edge is a fill's target with few ports left, as it is looked at from outside.
type edge struct {
	*filling
	left    ports.Ranges // ports that were free when the command was started
	began   int64
	out     result.Command
	before  kernel.Counters
	lookErr error
}

// giveBack closes as many of the connections as are to be left, by RST: their ports
// are free at once. They are those that were opened last.
func (f *filling) giveBack() error {
	n := int(f.cfg.Leave - f.spare())
	if n <= 0 || !f.atFull() {
		return nil
	}
	f.enter("leave", 0)
	works := make([]*scenario.Release, len(f.engines))
	for i := range works {
		share := min(deal(int64(n), i, len(works)), len(f.conns[i]))
		keep := len(f.conns[i]) - share
		works[i] = scenario.NewRelease(f.conns[i][keep:])
		works[i].Reset = true
		f.conns[i] = f.conns[i][:keep]
	}
	return f.works(asWorks(works))
}

// spare is how many ports a run on the real host has left of its own accord.
func (f *filling) spare() int64 {
	if f.bounded() {
		return f.cfg.OnHost.KeepFree
	}
	return 0
}

// atFull says whether the fill came to its end, and nothing ended it before.
func (f *filling) atFull() bool {
	return (f.ended == scenario.Exhausted || f.ended == scenario.Reached) && !f.stop.Load()
}

// atEdge runs the command for as long as the hold, and looks on.
func (f *filling) atEdge() error {
	if len(f.cfg.Command) == 0 || !f.atFull() {
		return nil
	}
	until := int64(0) // as long as the command takes
	if f.cfg.Hold > 0 {
		until = f.clock.Now() + int64(f.cfg.Hold)
	}
	if end := f.deadline(); end > 0 && (until == 0 || end < until) {
		until = end
	}
	f.enter("command", until)
	e := &edge{filling: f}
	accepted := f.settled(f.opened).Accepted
	e.prepare()
	p, err := startProgram(f.cfg.Command, f.cfg.Targets[0])
	if err != nil {
		e.out.Ended, e.out.Error = result.EndedNotStarted, err.Error()
	} else {
		over := func() bool { return f.stop.Load() || until > 0 && f.clock.Now() >= until }
		e.out.Ended = p.follow(over, e.look)
		p.status(&e.out)
	}
	e.finish(accepted)
	f.do(func() { f.res.Command = &e.out })
	return e.lookErr
}

// prepare finds the ports that are left.
func (e *edge) prepare() {
	e.out.Target = e.cfg.Targets[0].String()
	inUse, _, err := e.inUse(e.answer.Usable)
	e.lookErr = err
	e.left = e.answer.Usable.Minus(inUse)
	e.out.PortsLeft = int64(e.left.Size())
	e.before, _ = kernel.ReadCounters() // without them there is one witness less
	e.began = e.clock.Now()
	e.out.StartedNS = e.began
}

// inUse returns those of the ports that have a socket toward the target, in whatever
// state, and how many of them are in TIME_WAIT.
func (e *edge) inUse(of ports.Ranges) (ports.Ranges, int64, error) {
	target := plain(e.cfg.Targets[0])
	var list []ports.Range
	waiting := int64(0)
	family := uint8(unix.AF_INET)
	if target.Addr().Is6() {
		family = unix.AF_INET6
	}
	each := func(s *diag.Socket) {
		port := s.Local.Port()
		if plain(s.Remote) != target || !of.Contains(port) {
			return
		}
		list = append(list, ports.Range{Low: port, High: port})
		if s.State == diag.TimeWait {
			waiting++
		}
	}
	err := diag.TCP(family, diag.All, each)
	if family == unix.AF_INET && err == nil { // those of an IPv6 socket that talks IPv4
		err = diag.TCP(unix.AF_INET6, diag.All, each)
	}
	if errors.Is(err, diag.ErrInterrupted) || errors.Is(err, unix.ENOENT) {
		err = nil
	}
	return ports.Of(list...), waiting, err
}

// look counts the ports in use, and says when to do so again: in a second at the
// latest, and otherwise so that it takes a fifth of the time at most.
func (e *edge) look() time.Duration {
	const least, most, share = 10 * time.Millisecond, time.Second, 4
	began := e.clock.Now()
	inUse, waiting, err := e.inUse(e.left)
	if err != nil {
		e.lookErr = err
	}
	now := e.clock.Now()
	n := int64(inUse.Size())
	e.out.PortsMost, e.out.TimeWait = max(e.out.PortsMost, n), waiting
	if n == e.out.PortsLeft && n > 0 && e.out.PortsOutNS == nil {
		after := began - e.began
		e.out.PortsOutNS = &after
	}
	again := min(max(least, share*time.Duration(now-began)), most)
	e.out.LookNS = max(e.out.LookNS, int64(again)+now-began)
	return again
}

// finish looks a last time and takes the witnesses' word.
func (e *edge) finish(accepted int64) {
	e.out.TookNS = e.clock.Now() - e.began
	if e.out.Error != "" {
		return
	}
	e.look() // once more: a short command may have been missed
	if e.out.PortsOutNS != nil {
		*e.out.PortsOutNS = min(*e.out.PortsOutNS, e.out.TookNS)
	}
	now, err := kernel.ReadCounters()
	if err == nil && e.before != nil && e.cfg.OnHost == nil {
		since := now.Since(e.before)
		opened, failed := since["ActiveOpens"], since["AttemptFails"]
		e.out.Opened, e.out.Failed = &opened, &failed
		e.out.Accepted = e.settled(accepted+opened-failed).Accepted - accepted
		return
	}
	e.out.Accepted = e.peer.Stats().Accepted - accepted
}
