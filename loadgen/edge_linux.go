package loadgen

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
	"lastport/loadgen/scenario"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// edge is a fill's target with few ports left, as it is looked at from outside.
type edge struct {
	*filling
	left    ports.Ranges // ports that were free when the command was started
	taken   int64        // and of the gateway's, where these run out first, those that were not
	began   int64
	out     result.Command
	before  kernel.Counters
	lookErr error
}

// leave sees to it that as many ports are left toward the target as were asked for. A
// fill of all ports gives some back. One on the real host has kept clear of what is to
// stay free for others, but the kernel may have given it ports that others have toward
// other targets, or none of these: it takes what is left beyond one by one, and those of
// others first, so that what is left is free for everything as far as can be. So does a
// fill of an odd number of ports, of which the kernel does not always find the last.
func (f *filling) leave() error {
	if f.cfg.Leave == 0 && len(f.cfg.Command) == 0 || !f.atFull() {
		return nil
	}
	if f.shared {
		return f.leaveBehind()
	}
	inUse, _, err := f.inUse(f.answer.Usable)
	if err != nil {
		return err
	}
	left := f.answer.Usable.Minus(inUse)
	beyond := int64(left.Size()) - f.cfg.Leave
	if beyond < 0 {
		return f.giveBack(-beyond)
	}
	shared, _, err := f.socketsOn(left, func(*diag.Socket) bool { return true })
	if err != nil {
		return err
	}
	return f.takeMore(slices.AppendSeq(slices.Collect(shared.All()), left.Minus(shared).All()), int(beyond))
}

// leaveBehind is leave where the ports of a gateway run out first. They come back when
// it has forgotten the connections that are given back.
func (f *filling) leaveBehind() error {
	forgets, err := f.gateway.forgetsReset()
	if err != nil {
		return err
	}
	const grace = time.Second
	for until := int64(0); ; f.sleep(f.clock.Now() + int64(20*time.Millisecond)) {
		taken, _, err := f.gateway.taken()
		if err != nil {
			return err
		}
		missing := f.cfg.Leave - (f.answer.Connections.Max - taken)
		switch {
		case missing <= 0 || f.stop.Load() || until > 0 && f.clock.Now() > until:
			return nil
		case until == 0:
			if err := f.giveBack(missing); err != nil {
				return err
			}
			until = f.clock.Now() + int64(forgets+grace)
			if end := f.deadline(); end > 0 {
				until = min(until, end)
			}
			f.enter("leave", until)
		}
	}
}

// giveBack closes so many connections, by RST: their ports are free at once. They are
// those that were opened last.
func (f *filling) giveBack(n int64) error {
	if n == 0 {
		return nil
	}
	f.enter("leave", 0)
	works := make([]*scenario.Release, len(f.engines))
	for i := range works {
		share := min(deal(n, i, len(works)), len(f.conns[i]))
		keep := len(f.conns[i]) - share
		works[i] = scenario.NewRelease(f.conns[i][keep:])
		works[i].Reset = true
		f.conns[i] = f.conns[i][:keep]
	}
	return f.works(asWorks(works))
}

// takeMore opens connections from the first n ports of the list. They count for nothing
// but what is left: the kernel did not choose their ports.
func (f *filling) takeMore(list []uint16, n int) error {
	if list = list[:n]; n == 0 {
		return nil
	}
	f.enter("leave", 0)
	works := make([]*scenario.Taking, len(f.engines))
	for i := range works {
		works[i] = &scenario.Taking{Stop: &f.stop}
	}
	for i, port := range list {
		w := works[i%len(works)]
		w.Ports = append(w.Ports, port)
	}
	err := f.works(asWorks(works))
	f.more = make([][]uint32, len(works))
	for i, w := range works {
		f.more[i] = w.Conns()
		f.opened += int64(len(w.Conns()))
		for _, port := range w.Refused() { // somebody's by an explicit bind: nobody's to connect from
			f.denied = append(f.denied, ports.Range{Low: port, High: port})
		}
	}
	return err
}

// releaseMore closes what takeMore opened.
func (f *filling) releaseMore() error {
	if f.more == nil {
		return nil
	}
	works := make([]*scenario.Release, len(f.more))
	for i, conns := range f.more {
		works[i] = scenario.NewRelease(conns)
		works[i].Reset, works[i].Probe = true, true
	}
	return f.works(asWorks(works))
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
	until, why := int64(0), "" // as long as the command takes
	if f.cfg.Hold > 0 {
		until, why = f.clock.Now()+int64(f.cfg.Hold), result.ToldHold
	}
	if end := f.deadline(); end > 0 && (until == 0 || end < until) {
		until, why = end, result.ToldDuration
	}
	f.enter("command", until)
	e := &edge{filling: f}
	accepted := f.settled(f.opened).Accepted
	e.prepare()
	f.warnOfTimeWait(e.out.PortsWaiting)
	p, err := startProgram(f.cfg.Command, f.cfg.Targets[0])
	if err != nil {
		e.out.Ended, e.out.Error = result.EndedNotStarted, err.Error()
	} else {
		over := func() string {
			switch {
			case f.stop.Load():
				return result.ToldInterrupt
			case until > 0 && f.clock.Now() >= until:
				return why
			}
			return ""
		}
		e.out.Ended, e.out.Told = p.follow(over, e.look)
		p.status(&e.out)
	}
	e.finish(accepted)
	f.do(func() { f.res.Command = &e.out })
	return e.lookErr
}

// warnOfTimeWait says that a command on the real host may get more ports than were free.
func (f *filling) warnOfTimeWait(n int64) {
	if n == 0 || f.cfg.OnHost == nil {
		return
	}
	f.do(func() {
		f.warn(result.Warning{
			Code: "edge_time_wait", Hint: "--wait-clean",
			Message: fmt.Sprintf("%s toward the target in TIME_WAIT when the command was started: it may have got them too, as they came free", figures.Counted(n, "more port")),
		})
	})
}

// prepare finds the ports that are left.
func (e *edge) prepare() {
	e.out.Target = e.cfg.Targets[0].String()
	if e.shared {
		e.taken, e.out.PortsWaiting, e.lookErr = e.gateway.taken()
		e.out.PortsLeft = max(0, e.answer.Connections.Max-e.taken)
	} else {
		var inUse ports.Ranges
		inUse, e.out.PortsWaiting, e.lookErr = e.inUse(e.answer.Usable)
		e.left = e.answer.Usable.Minus(inUse).Minus(ports.Of(e.denied...))
		e.out.PortsLeft = int64(e.left.Size())
	}
	e.before, _ = kernel.ReadCounters() // without them there is one witness less
	e.began = e.clock.Now()
	e.out.StartedNS = e.began
}

// inUse returns those of the ports that have a socket toward the target, in whatever
// state, and how many of them are in TIME_WAIT.
func (f *filling) inUse(of ports.Ranges) (ports.Ranges, int64, error) {
	target := kernel.PlainAddrPort(f.cfg.Targets[0])
	return f.socketsOn(of, func(s *diag.Socket) bool { return kernel.PlainAddrPort(s.Remote) == target })
}

// socketsOn returns those of the ports that have a socket that counts, and how many of
// these are in TIME_WAIT.
func (f *filling) socketsOn(of ports.Ranges, counts func(*diag.Socket) bool) (ports.Ranges, int64, error) {
	var list []ports.Range
	waiting := int64(0)
	each := func(s *diag.Socket) {
		port := s.Local.Port()
		if !of.Contains(port) || !counts(s) {
			return
		}
		list = append(list, ports.Range{Low: port, High: port})
		if s.State == diag.TimeWait {
			waiting++
		}
	}
	var err error
	if kernel.PlainAddrPort(f.cfg.Targets[0]).Addr().Is4() {
		err = diag.TCP(unix.AF_INET, diag.All, each)
	}
	if err == nil || errors.Is(err, diag.ErrInterrupted) { // an IPv6 socket may talk IPv4
		err = diag.TCP(unix.AF_INET6, diag.All, each)
	}
	if errors.Is(err, diag.ErrInterrupted) || errors.Is(err, unix.ENOENT) {
		err = nil
	}
	return ports.Of(list...), waiting, err
}

// nowInUse returns how many of the ports that were left are in use, and how many of
// these by connections that are closed.
func (e *edge) nowInUse() (n, waiting int64, err error) {
	if e.shared {
		taken, waiting, err := e.gateway.taken()
		return max(0, taken-e.taken), max(0, waiting-e.out.PortsWaiting), err
	}
	inUse, waiting, err := e.inUse(e.left)
	return int64(inUse.Size()), waiting, err
}

// look counts the ports in use, and says when to do so again: in a second at the
// latest, and otherwise so that it takes a fifth of the time at most.
func (e *edge) look() time.Duration {
	const least, most, share = 10 * time.Millisecond, time.Second, 4
	began := e.clock.Now()
	n, waiting, err := e.nowInUse()
	if err != nil {
		e.lookErr = err
	}
	now := e.clock.Now()
	e.out.PortsMost, e.out.TimeWait = max(e.out.PortsMost, n), waiting
	if n >= e.out.PortsLeft && e.out.PortsOutNS == nil {
		after := began - e.began
		if n == 0 {
			after = 0 // before it began
		}
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
	e.out.Accepted = e.settled(accepted+e.out.PortsMost).Accepted - accepted
}
