package main

import (
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// askedParts adds to the wish what is not the same for every target, moment or
// machine.
func (f *planFlags) askedParts(asked *result.Asked, w capacity.Wish, env planEnv) {
	asked.Shares, asked.Requests = w.Shares, f.parts.requests
	if b := w.Burst; b.Rate > 0 {
		asked.Burst = &result.AskedBurst{RatePerS: b.Rate, ForNS: int64(b.Time), EveryNS: int64(b.Every)}
	}
	if w.Fleet == nil {
		return
	}
	own := w.Fleet.Own
	asked.Gateway = &result.AskedGateway{
		Name: w.System.Name, Hosts: w.Fleet.Hosts, PortsPerHost: w.Fleet.Ports,
		HostRange: own.Range.String(), HostPorts: own.Range.Size(),
	}
	asked.RangeName, asked.PortsPerVM = "", 0
	asked.System = w.System.Name
	if p, ok := ports.Lookup(f.parts.gateway); ok {
		asked.System, asked.RangeName = p.System, p.Name
	}
}

// burst is what a burst comes to.
func burst(p capacity.Plan) *result.Burst {
	b := p.Burst
	if b == nil {
		return nil
	}
	d := &result.Burst{BeforeTuples: result.Interval(b.Before), LastsMostNS: bounded(b.Lasts.Max)}
	if !p.Answer.Unstated { // else no more than bounds are known
		d.LastsNS = bounded(b.Lasts.Min)
		d.BackNS = &result.Interval{Min: int64(b.Back.Min), Max: int64(b.Back.Max)}
		if b.Every > 0 {
			d.EveryNS = bounded(b.Every)
		}
	}
	return d
}

// bounded is a time in nanoseconds, nil if it never ends.
func bounded(d time.Duration) *int64 {
	if d == capacity.Endless {
		return nil
	}
	ns := int64(d)
	return &ns
}

// targets are those of different shares.
func targets(p capacity.Plan) (list []result.Target) {
	for _, t := range p.Targets {
		d := result.Target{Share: t.Share, RatePerS: t.Rate, Needed: t.Needed}
		if p.Demand != nil {
			occupancy := result.ShareInterval(t.Occupancy)
			d.Occupancy, d.Holds = &occupancy, &t.Holds
		}
		list = append(list, d)
	}
	return list
}

// fleet is what the two sides of a gateway sustain. Each machine has its part of
// what all have.
func fleet(p capacity.Plan) *result.Fleet {
	f := p.Fleet
	if f == nil {
		return nil
	}
	hold := p.Wish.Hold
	each := p.Answer
	n := int64(p.Wish.Fleet.Hosts)
	each.Connections = capacity.Interval[int64]{Min: each.Connections.Min / n, Max: each.Connections.Max / n}
	if each.Rate != nil {
		each.Rate = &capacity.Interval[float64]{Min: each.Rate.Min / float64(n), Max: each.Rate.Max / float64(n)}
	}
	d := &result.Fleet{
		Gateway: sustained(f.Gateway.Answer, hold, f.Gateway.Safe), Hosts: sustained(f.Hosts.Answer, hold, f.Hosts.Safe),
		Each: sustained(each, hold, p.Safe/float64(n)), Limit: "hosts",
		Addresses: f.Addresses, Ports: f.Ports, Machines: f.Machines,
	}
	if f.GatewayBinds {
		d.Limit = "gateway"
	}
	if p.Demand != nil {
		d.GatewayHeld, d.HostsHeld = &f.Gateway.Demand.Holds, &f.Hosts.Demand.Holds
	}
	return d
}
