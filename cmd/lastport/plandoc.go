package main

import (
	"fmt"
	"math"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
	"lastport/reports/result"
)

// document puts a plan into the form that is rendered.
func (f *planFlags) document(p capacity.Plan, env planEnv) *result.Plan {
	w := p.Wish
	d := &result.Plan{
		Schema: result.PlanSchema, Tool: tool(), Asked: f.asked(w, env),
		Space: result.Space{
			Ports: w.Range.Size(), PortsUsable: p.Each.Usable.Size(), Sources: max(w.Sources, 1), Targets: max(w.Targets, 1),
			Tuples: p.Answer.Tuples, Reserved: w.Reserved.Intersect(w.Range).String(),
		},
		Sustain: sustained(p.Answer, w.Hold, p.Safe), Each: sustained(p.Each, w.Hold, p.SafeEach),
		Burst: burst(p), Targets: targets(p), Fleet: fleet(p),
		Binds: p.Binds, Why: p.Answer.Why, Notes: f.notes(p),
	}
	if p.Demand != nil {
		d.Demand = &result.Demand{
			Holds: p.Demand.Holds, Tuples: result.Interval(p.Demand.Tuples), Occupancy: result.ShareInterval(p.Demand.Occupancy),
			Needed: result.Needed{
				TupleSets: p.Demand.Needed.Sets, Ports: p.Demand.Needed.Ports,
				Sources: p.Demand.Needed.Sources, Targets: p.Demand.Needed.Targets,
			},
		}
	}
	for _, way := range p.Ways {
		d.Ways = append(d.Ways, f.way(way, p))
	}
	return d
}

// way is a change, and what it gives.
func (f *planFlags) way(way capacity.Way, p capacity.Plan) result.PlanWay {
	gives := result.PlanWay{
		Name: way.Name, Change: way.Change, Risk: way.Risk, Source: way.Source,
		Sustain: sustained(way.Answer, p.Wish.Hold, way.Safe), TupleSets: way.Needed.Sets,
	}
	if !math.IsInf(way.Gain, 0) {
		gives.Gain = &way.Gain
	}
	if p.Demand != nil {
		gives.Holds = &way.Holds
	}
	return gives
}

// asked is the wish as it was understood.
func (f *planFlags) asked(w capacity.Wish, env planEnv) result.Asked {
	asked := result.Asked{
		Range: w.Range.String(), System: "Linux", Exclude: f.exclude, Sources: w.Sources, Targets: w.Targets,
		Proto: w.Proto, Strategy: f.strategy, Close: w.Close,
		HoldNS: int64(w.Hold), ReuseNS: int64(w.Reuse), RatePerS: w.Rate, Concurrency: w.Open, Headroom: w.Headroom,
	}
	p, isProfile := ports.Lookup(f.ranges)
	if isProfile || f.ranges == hostsOwn {
		asked.RangeName, asked.PortsPerVM = f.ranges, p.PerVM
	}
	if w.Proto == "udp" {
		asked.Close = ""
	}
	f.askedParts(&asked, w, env)
	if w.System != nil && w.Fleet == nil {
		asked.System = p.System
		return asked
	}
	asked.SettingsFrom, asked.HZ = env.from, env.settings.HZ
	if w.Proto == "udp" {
		return asked // the settings are TCP's
	}
	asked.Settings = make(map[string]string)
	for _, key := range []string{keyTWReuse, keyTWDelay, keyTimestamps, keyTWBuckets} {
		if value := env.values[key]; value != "" {
			asked.Settings[settingsPrefix+key] = value
		}
	}
	return asked
}

// sustained is an answer in the form that is rendered.
func sustained(a capacity.Answer, hold time.Duration, safe float64) result.Sustained {
	s := result.Sustained{Connections: result.Interval(a.Connections), MaxTimeWait: a.MaxTimeWait}
	if !a.Unstated {
		s.ReuseNS = &result.Interval{Min: int64(a.Reuse.Min), Max: int64(a.Reuse.Max)}
	}
	if a.Rate != nil {
		rate := result.RateInterval(*a.Rate)
		s.RatePerS = &rate
		if hold > 0 {
			s.Open = &result.Interval{Min: opens(rate.Min, hold), Max: opens(rate.Max, hold)}
		}
	}
	if !math.IsInf(safe, 1) {
		s.SafePerS = &safe
	}
	return s
}

// opens is how many connections a rate has open at a time: one is, if any. The
// small subtraction keeps what is whole from becoming one more.
func opens(rate float64, hold time.Duration) int64 {
	return int64(math.Ceil(rate*hold.Seconds() - 1e-6))
}

// notes are what else to know of the answer.
func (f *planFlags) notes(p capacity.Plan) []string {
	var notes []string
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	w := p.Wish
	name, own := f.ranges, w.Question
	if w.Fleet != nil {
		name, own = f.parts.gateway, w.Fleet.Own
	}
	if profile, ok := ports.Lookup(name); ok && w.System != nil && profile.Note != "" {
		add("%s; source: %s", profile.Note, profile.Source)
	}
	if w.System != nil && w.System.Name == linuxGateway {
		add("a Linux gateway keeps a closed connection for nf_conntrack_tcp_timeout_time_wait, 120 s by default, and gives its port out sooner " +
			"only when it has no other; see nf_conntrack_max too")
	}
	f.rangeNotes(p, own, add)
	if own.System == nil && w.Proto == "tcp" && w.Close == "client-fin" {
		if own.Settings.TWReuse == 2 && own.Settings.Timestamps {
			add("tcp_tw_reuse=2 is for loopback targets alone; this plan is for all others")
		}
		f.timeWaitNotes(p, own, add)
	}
	add("ports are counted, and the search for them: descriptors, memory and what connections do have limits of their own")
	return notes
}

// rangeNotes are about the ports and addresses that were asked for.
func (f *planFlags) rangeNotes(p capacity.Plan, own capacity.Question, add func(string, ...any)) {
	d := p.Demand
	if f.notIn != "" {
		add("--exclude %s: not in the range, so it changes nothing", f.notIn)
	}
	if own.System == nil && len(own.Range) > 0 && own.Range[0].Low < 1024 {
		add("Linux refuses a range that begins below ip_unprivileged_port_start, 1024 by default, and keeps those ports from ordinary programs")
	}
	if p.Wish.System == nil && (d == nil || !d.Holds && d.Needed.Sources > 1) && !strategy.TakesSource(f.strategy) {
		add("%s leaves the source address to the kernel: to use several, bind to each in turn (--strategy %s)", f.strategy, defaultStrategy(2))
	}
}

// timeWaitNotes are about settings of which more is believed than they do.
func (f *planFlags) timeWaitNotes(p capacity.Plan, own capacity.Question, add func(string, ...any)) {
	for _, text := range f.sysctls {
		if key, _, err := planSetting(text); err == nil && key == keyFINTimeout {
			add("tcp_fin_timeout is the time in FIN_WAIT_2, not in TIME_WAIT: it changes nothing here")
		}
	}
	waiting := p.Wish.Rate * p.Answer.Reuse.Max.Seconds()
	if most := own.Settings.MaxTimeWait; most != nil && p.Fleet == nil && p.Answer.MaxTimeWait == nil && waiting > float64(*most) {
		add("on as many tuple sets as the rate takes, sockets in TIME_WAIT would be more than tcp_max_tw_buckets (%d): "+
			"what is beyond ends at once, without its protection", *most)
	}
}
