package loadgen

import (
	"fmt"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// reuse opens connections, closes them by the close mode, and measures when
// each port can connect to the same target again.
func (r *run) reuse() error {
	var returns []scenario.Return
	var err error
	defer r.putCost(r.meter())
	if ask := r.cfg.Mode.asks(); ask != 0 {
		r.enter("wait", r.clock.Now()+int64(r.answer.Reuse.Max))
		returns, err = r.stuck(ask)
	} else {
		f := &filling{run: r, conns: make([][]uint32, len(r.engines))}
		opening, openErr := f.openSome()
		if openErr != nil || r.stop.Load() || len(opening.Conns()) == 0 {
			return openErr
		}
		r.enter("wait", r.clock.Now()+int64(r.answer.Reuse.Max))
		if r.shared {
			returns, err = r.reopen(opening)
		} else {
			returns, err = r.probe(opening)
		}
	}
	if err == nil {
		err = r.peer.Drain()
	}
	if err != nil {
		return err
	}
	server := r.peer.Stats()
	r.do(func() {
		r.res.Server = &server
		r.complete = !r.stop.Load()
		r.returned(returns)
	})
	return nil
}

// patience is how long, in nanoseconds, a port is waited for beyond what is
// predicted.
const patience = int64(3 * time.Second)

// probe closes the connections and asks for their ports until they are back.
func (r *run) probe(opening opening) ([]scenario.Return, error) {
	expect := scenario.Window{Min: int64(r.answer.Reuse.Min), Max: int64(r.answer.Reuse.Max)}
	extra := patience
	if end := r.deadline(); end > 0 {
		extra = min(patience, end-r.clock.Now()-expect.Max) // below 0: not even until then
	}
	fine := finePause(len(opening.Conns()))
	work := scenario.NewReuse(scenario.Reuse{
		Expect: expect, Patience: extra, Coarse: max(expect.Min/coarseProbes, fine), Fine: fine, Stop: &r.stop,
		Answered: r.gateway != nil && r.cfg.Mode == ModeClose, Closing: r.closing(),
	}, opening.Conns())
	err := r.works([]step.Work{work})
	return work.Returns(), err
}

// coarseProbes is how many times a port is probed before it is expected: often
// enough to see one that comes back early, and not so often that it costs.
const coarseProbes = 200

// finePause is the pause between two probes of a port when it is expected: a
// probe takes some 5 µs, and all together may take half a processor.
func finePause(ports int) int64 {
	const each = int64(10 * time.Microsecond)
	return max(int64(200*time.Microsecond), int64(ports)*each)
}

// openSome opens the connections that are to be closed.
func (f *filling) openSome() (opening, error) {
	f.enter("open", 0)
	o := scenario.Opening{
		Spread: f.spread(), Connections: int(f.answer.Connections.Max), Expected: int(f.answer.Connections.Max),
		Deadline: f.deadline(), Timeout: f.cfg.Timeout, Stop: &f.stop,
	}
	var work opening = scenario.NewOpening(o)
	if f.gateway != nil {
		work = f.through(o)
	}
	err := f.works([]step.Work{work})
	open := f.tally.Open()
	end, last := work.Ended()
	f.do(func() {
		f.ends = ending{end, last}
		f.res.Measured.Connections = &open
	})
	return work, err
}

// returned writes down what was learned of the ports. The delay is censored: a
// port came back after the last probe that failed and no later than the first
// that did not. It is as predicted if that interval and the predicted one meet.
func (r *run) returned(list []scenario.Return) {
	delays := result.NewHistogram()
	out := &result.Reuse{}
	worst := 0.0
	for i := range list {
		p := &list[i]
		out.Probes += int64(p.Probes)
		if !p.Back() {
			out.Lost++
			continue
		}
		delay := p.Delay()
		delays.Record(delay)
		out.MinNS, out.MaxNS = min(out.MinNS, delay), max(out.MaxNS, delay)
		if delays.Count() == 1 {
			out.MinNS = delay // exactly: the histogram keeps three digits
		}
		switch {
		case p.Taken == 0 && p.Probes == 1:
			out.AtOnce++
		case p.Taken == 0: // none of those that failed says that it was taken
			out.ResolutionNS = max(out.ResolutionNS, delay)
		default:
			out.ResolutionNS = max(out.ResolutionNS, p.Free-p.Taken)
		}
		if took := p.Ended - p.Closed; p.Late && (out.PeerCloseNS == nil || took > *out.PeerCloseNS) {
			out.PeerCloseNS = &took
		}
		if d := off(p, r.answer.Reuse); d*d > worst*worst {
			worst = d
		}
	}
	if s := delays.Summary(); s != nil {
		out.Count, out.P50NS, out.HDR = s.Count, min(s.P50NS, out.MaxNS), s.HDR // its buckets end above what is in them
		r.reuseOff = &worst
	}
	r.res.Reuse = out
	r.putCounters(r.res)
}

// off is how far a port's return lies from the prediction, as a share of the
// nearer bound; 0 if it may lie inside. Where ports are predicted to come back
// at once the bound is a millisecond.
func off(p *scenario.Return, predicted capacity.Interval[time.Duration]) float64 {
	const atOnce = float64(time.Millisecond)
	switch {
	case p.AtMost() < int64(predicted.Min):
		return float64(p.AtMost()-int64(predicted.Min)) / float64(predicted.Min)
	case p.AtLeast() > int64(predicted.Max):
		return float64(p.AtLeast()-int64(predicted.Max)) / max(float64(predicted.Max), atOnce)
	}
	return 0
}

// reuseConnections is how many connections a reuse opens, with room for the
// probes that connect.
func (r *run) reuseConnections() int64 { return 2*r.answer.Connections.Max + scenario.ThroughAhead }

// reuseVerdict is a reuse in one line.
func (r *run) reuseVerdict(res *result.Result) result.Verdict {
	u := res.Reuse
	switch {
	case u == nil && r.ends.end == scenario.GaveUp:
		return bad("no connection to close: attempt after attempt was %s", r.ends.last)
	case u == nil || !r.complete:
		return bad("interrupted before the ports were back")
	case u.Lost > 0 && r.cfg.Duration > 0 && r.cfg.Duration < r.answer.Reuse.Max:
		return bad("--duration %v ended the wait for %s; %s predicted", r.cfg.Duration, figures.Counted(u.Lost, "port"), r.predictedReuse())
	case u.Count == 0:
		return bad("none of %s came back", figures.Counted(u.Lost, "port"))
	case u.Lost > 0:
		return bad("%s of %s did not come back", figures.Grouped(u.Lost), figures.Counted(u.Lost+u.Count, "port"))
	case *res.Residual.Reuse != 0:
		return bad("ports came back after %s to %s, %s predicted%s", brief(u.MinNS), brief(u.MaxNS), r.predictedReuse(), peerClose(u))
	}
	after, port := "closed by "+res.Config.Close, "a port"
	if r.shared {
		port = "a port of the gateway"
	}
	if r.cfg.Mode != ModeClose {
		after = "kept by " + r.cfg.Mode.String()
	}
	return result.Verdict{OK: true, Text: fmt.Sprintf("%s, %s is free again after %s to %s; %s predicted%s",
		after, port, brief(u.MinNS), brief(u.MaxNS), r.predictedReuse(), peerClose(u))}
}

// peerClose says how much of the delay was the other end's close, from which the
// prediction counts.
func peerClose(u *result.Reuse) string {
	if u.PeerCloseNS == nil {
		return ""
	}
	return " from the other end's close, which took up to " + brief(*u.PeerCloseNS)
}

func (r *run) predictedReuse() string {
	p := r.answer.Reuse
	if p.Max == 0 {
		return "at once"
	}
	return fmt.Sprintf("%s to %s", brief(int64(p.Min)), brief(int64(p.Max)))
}

// brief writes a time with four digits.
func brief(ns int64) string {
	for _, unit := range []struct {
		name string
		ns   float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if v := float64(ns) / unit.ns; v >= 999.5 {
			return fmt.Sprintf("%.0f %s", v, unit.name)
		} else if v >= 0.9995 {
			return fmt.Sprintf("%.4g %s", v, unit.name)
		}
	}
	return fmt.Sprintf("%d ns", ns)
}
