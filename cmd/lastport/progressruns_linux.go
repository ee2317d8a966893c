package main

import (
	"slices"
	"strings"
	"time"

	"lastport/cmd/lastport/live"
	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// runView is what is shown of one run.
type runView struct {
	*progress
	known live.Run // guarded by progress.mu
}

// frame takes what a run tells.
func (r *runView) frame(f *loadgen.Frame) {
	switch {
	case r.how == showNone:
	case f.Progress != nil:
		r.take(f.Progress)
	case f.Result != nil && r.how == showLive:
		r.look(f.Result)
	}
}

// take takes how far the run is.
func (r *runView) take(p *loadgen.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := &r.known
	at := time.Duration(p.TNS)
	// The rate of opening is smoothed over about a second.
	if dt := (at - k.At).Seconds(); dt > 0 {
		k.PerS += min(1, dt) * (float64(p.Opened-k.Opened)/dt - k.PerS)
	}
	k.Phase, k.At, k.Left = p.Phase, at, time.Duration(p.LeftNS)
	k.Open, k.Opened, k.Expected, k.Usable = p.Open, p.Opened, p.Expected, p.Usable
	k.NoPort, k.Failed = p.NoPort, p.Failed
}

// look takes from a result what there is room to show.
func (r *runView) look(res *result.Result) {
	states := portsOf(res)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known.Timeline = res.Timeline
	r.known.Ports = states
	r.known.Tuples = res.NAT == nil && res.Space.Tuples > int64(res.Space.PortsUsable)
	// On the real host TIME_WAIT is everyone's.
	r.known.Lingers = strings.HasPrefix(res.Config.Close, "client") && res.Config.Place != place.OnHost.String()
}

// over says that the run has ended.
func (r *runView) over() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known.Over = true
}

// portsOf are the ports of the run's range. As long as nothing was closed those
// that were used are taken. From then on the newest look at the kernel tells,
// which may be some seconds old.
func portsOf(res *result.Result) *live.Ports {
	set, err := ports.Parse(res.Config.Range)
	if err != nil || len(set) == 0 {
		return nil
	}
	hull := set.Hull()
	p := &live.Ports{Low: hull.Low, High: hull.High}
	closed := slices.ContainsFunc(res.Timeline, func(row result.Row) bool { return row.Closed > 0 })
	if closed && res.PortStates != nil {
		p.States = newest(res.PortStates)
	} else if res.Ports != nil {
		p.States = used(res.Ports)
	}
	if p.States == nil {
		return nil
	}
	return p
}

// newest is the last look at the generator's ends; nil if there is none.
func newest(s *result.PortStates) *result.StateMap {
	for _, m := range slices.Backward(s.Moments) {
		if m.Client != nil {
			states, _ := result.DecodeStateMap(m.Client.Map) // nil if it cannot be read
			return states
		}
	}
	return nil
}

// used has an open connection on each port that was used.
func used(p *result.Ports) *result.StateMap {
	uses, err := result.DecodePortMap(p.Map)
	if err != nil {
		return nil
	}
	states := new(result.StateMap)
	for port := range 1 << 16 {
		if uses.Uses(uint16(port)) > 0 {
			states.Put(uint16(port), result.PortEstablished)
		}
	}
	return states
}
