package main

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
)

// planParts are the flags of plans in which not all is alike: targets with
// different shares, rates that vary, machines behind a gateway; and where the cost
// of a connect is read from.
type planParts struct {
	share, burst, gateway string
	fleet                 int
	perHost               int64
	requests              int
	from                  string
}

func (p *planParts) add(fs *pflag.FlagSet) {
	fs.StringVar(&p.share, "share", "", "`SHARES` of the targets: 70%,20%,10%, or weights: 7,2,1 (default: all have as much)")
	fs.StringVar(&p.burst, "burst", "", "`RATE:TIME` of a burst, the rate of that time instead of --rate: 2000/s:5s; every minute: 2000/s:5s:1m")
	fs.IntVar(&p.requests, "requests", 0, "`NUMBER` of requests over each connection; --rate and --burst are then of requests (default: 1)")
	fs.StringVar(&p.gateway, "gateway", "", "what all connect through, a `NAME` of "+strings.Join(gatewayNames(), ", ")+" (or the ports of a Linux gateway); --sources are its outside addresses")
	fs.IntVar(&p.fleet, "fleet", 0, "`NUMBER` of machines behind --gateway, which share what is asked for (default: 1)")
	fs.Int64Var(&p.perHost, "ports-per-host", 0, "`NUMBER` of the gateway's ports that each machine has for itself (default: by the profile; 0: all share all)")
	fs.StringVar(&p.from, "from", "", "`DIR|FILE` of a saved fill, to read the cost of a connect from (default: lastport's own fills)")
}

// varied reads what is not the same for every target, moment or request.
func (f *planFlags) varied(w *capacity.Wish) error {
	var ok bool
	if f.given("share") {
		if w.Shares, ok = parseShares(f.parts.share); !ok {
			return usagef("--share 70%,20%,10%", "--share %q: want %s", f.parts.share, sharesForm)
		}
	}
	if f.given("burst") {
		if w.Burst, ok = parseBurst(f.parts.burst); !ok {
			return usagef("--burst 2000/s:5s", "--burst %q: want %s", f.parts.burst, burstForm)
		}
		if !(w.Burst.Rate <= capacity.MaxRate) || w.Burst.Time > capacity.MaxHold || w.Burst.Every > capacity.MaxHold {
			return usagef("--burst 2000/s:5s", "--burst %s: want at most 1000M/s and %v", f.parts.burst, capacity.MaxHold)
		}
	}
	if !f.given("requests") {
		return nil
	}
	switch n := f.parts.requests; {
	case n < 1 || n > maxPooled:
		return usagef("--requests 10", "--requests %d: want 1 to %d", n, maxPooled)
	case w.Rate == 0 && w.Burst.Rate == 0 && w.Open > 0:
		return usagef("--rate 2000", "--requests %d with --concurrency alone: how many connections are open does not follow from what they serve", n)
	default:
		w.Rate /= float64(n)
		w.Burst.Rate /= float64(n)
	}
	return nil
}

// maxPooled bounds what one connection serves.
const maxPooled = 1_000_000_000

// behind puts the machines that were read so far behind the gateway.
func (f *planFlags) behind(w *capacity.Wish, _ planEnv) error {
	if f.parts.gateway == "" {
		return f.withoutGateway(w)
	}
	if w.Proto == "udp" {
		return usagef("--proto tcp", "--proto udp with --gateway %s: the stated numbers are those of TCP", f.parts.gateway)
	}
	outside, err := ports.Parse(f.parts.gateway)
	if err != nil {
		return named("--gateway", err)
	}
	system, perHost, err := f.gatewaySystem(w)
	if err != nil {
		return err
	}
	if f.given("ports-per-host") {
		perHost = f.parts.perHost
	}
	if f.given("fleet") && f.parts.fleet < 1 {
		return usagef("--fleet 10", "--fleet %d: want 1 machine or more", f.parts.fleet)
	}
	own := w.Question
	own.Reuse = 0 // --reuse is the gateway's
	w.Fleet = &capacity.Fleet{Hosts: max(f.parts.fleet, 1), Own: own, Ports: perHost}
	w.Question = capacity.Question{
		Proto: own.Proto, Close: own.Close, Hold: own.Hold, Reuse: w.Reuse, Range: outside, System: system,
		Sources: f.sources, Targets: f.targets,
	}
	return nil
}

// gatewaySystem is the system that translates, and how many of its ports each
// machine has by default; 0: all share all.
func (f *planFlags) gatewaySystem(w *capacity.Wish) (*capacity.System, int64, error) {
	if w.System != nil && w.System.Gateway {
		return nil, 0, usagef("--range host", "--range %s behind --gateway %s: a machine behind a gateway has ports of its own", f.ranges, f.parts.gateway)
	}
	p, isProfile := ports.Lookup(f.parts.gateway)
	if !isProfile || p.Source == "" { // just ports
		return &capacity.System{Name: linuxGateway, Reuse: conntrackTimeWait, Gateway: true}, 0, nil
	}
	s := systemOf(f.parts.gateway)
	if s == nil || !s.Gateway {
		return nil, 0, usagef("--gateway aws-nat", "--gateway %s: the ports of a host, not of a gateway: want one of %s, or a Linux gateway's ports in numbers",
			f.parts.gateway, strings.Join(gatewayNames(), ", "))
	}
	return s, int64(p.PerVM), nil
}

// A Linux gateway keeps the entry of a closed connection for this long: the default
// of nf_conntrack_tcp_timeout_time_wait. It may give the port out sooner when it
// has no other.
const (
	linuxGateway      = "a Linux gateway"
	conntrackTimeWait = 120 * time.Second
)

// gatewayNames are the profiles that --gateway takes.
func gatewayNames() (names []string) {
	for _, p := range ports.Profiles() {
		if s := systemOf(p.Name); s != nil && s.Gateway {
			names = append(names, p.Name)
		}
	}
	return names
}

// withoutGateway refuses what only a gateway gives a meaning.
func (f *planFlags) withoutGateway(w *capacity.Wish) error {
	for _, flag := range []string{"fleet", "ports-per-host"} {
		switch {
		case !f.given(flag):
		case w.System != nil && w.System.Gateway:
			return usagef("--gateway "+f.ranges, "--%s with --range %s: these are the gateway's ports, and --range is for those of a machine behind it", flag, f.ranges)
		default:
			return usagef("--gateway aws-nat", "--%s without --gateway: machines share nothing but a gateway's addresses", flag)
		}
	}
	return nil
}
