package capacity

import "fmt"

// Fleet is who is behind a gateway: machines that connect through it, each from
// ports of its own, and share the gateway's outside addresses. The wish is what
// all of them want together, in equal parts; its Sources are those addresses.
type Fleet struct {
	Hosts int // machines, from 1 to MaxAddresses
	// Own is the space of one of them: its range, strategy and settings. Targets,
	// hold, protocol and close mode are the wish's.
	Own Question
	// Ports is how many of the gateway's ports each has for itself alone; 0: all
	// share all of them.
	Ports int64
}

// FleetPlan is what each side of the gateway sustains, for the whole fleet.
type FleetPlan struct {
	Gateway, Hosts Side
	GatewayBinds   bool // the gateway's ports bind first, not the machines' own
	// Addresses is how many outside addresses it takes to give each machine its
	// ports; 0 if all are shared.
	Addresses int
	// Ports is how many of the gateway's ports each machine needs for itself; 0:
	// no number is enough, nothing is wanted, or all are shared.
	Ports int
	// Machines is how many it takes for the own ports of each to be enough; 0: no
	// number is, or nothing is wanted.
	Machines int
}

// Side is one of the two sides, as a Plan has it.
type Side struct {
	Answer Answer
	Safe   float64
	Demand *Demand
}

// host is the wish of one machine, for its own ports.
func (w Wish) host() Wish {
	own := w.Fleet.Own
	own.Proto, own.Close, own.Hold, own.Targets, own.Sources = w.Proto, w.Close, w.Hold, w.Targets, 1
	one := w.part(1 / float64(w.Fleet.Hosts))
	one.Question, one.Fleet = defaults(own), nil
	return one
}

// gateway is the wish for the gateway's ports: of the fleet if it shares them, of
// one machine if each has its own.
func (w Wish) gateway() Wish {
	f := w.Fleet
	w.Fleet = nil
	if f.Ports == 0 {
		return w
	}
	w = w.part(1 / float64(f.Hosts))
	w.Sources = 1
	w.System = w.System.atMost(f.Ports)
	return w
}

// atMost is the system with no more than so many connections toward one target.
func (s *System) atMost(most int64) *System {
	less := *s
	less.PerTarget, less.PerMachine = most, true
	if s.PerTarget > 0 && s.PerTarget < most {
		less.PerTarget, less.PerMachine = s.PerTarget, false
	}
	return &less
}

// solveFleet joins the two sides: a connection takes a port of each, so the one
// that sustains less is the limit.
func (w Wish) solveFleet() solution {
	gateway, host := w.gateway().solve(), w.host().solve()
	host.spread(w.Fleet.Hosts)
	if w.Fleet.Ports > 0 {
		gateway.spread(w.Fleet.Hosts)
	}
	f := &FleetPlan{
		Gateway:   Side{gateway.answer, gateway.safe, gateway.demand},
		Hosts:     Side{host.answer, host.safe, host.demand},
		Addresses: w.addresses(),
	}
	f.GatewayBinds = gateway.less(host, w)
	s, other := host, gateway
	if f.GatewayBinds {
		s, other = gateway, host
		s.binds = "the gateway is the limit, not the machines behind it: " + s.binds
	} else {
		s.binds = "each machine's own ports are the limit, not the gateway's: " + s.binds
	}
	s.fleet = f
	s.answer.Connections = least(s.answer.Connections, other.answer.Connections)
	if s.answer.Rate != nil && other.answer.Rate != nil {
		rate := least(*s.answer.Rate, *other.answer.Rate)
		s.answer.Rate = &rate
	}
	if other.answer.Unstated {
		s.answer.why("it is not known how soon %s gives a closed connection's port out again, so it may be the limit after all", w.System.Name)
	}
	if w.demands() {
		s.demand = f.join(w)
	}
	return s
}

// least is what both intervals allow.
func least[T int64 | float64](a, b Interval[T]) Interval[T] {
	return Interval[T]{min(a.Min, b.Min), min(a.Max, b.Max)}
}

// less says whether s is the limit, and not the other side: by the rate to count
// on, or by what can be open where that is all that is wanted.
func (s solution) less(other solution, w Wish) bool {
	if s.safe != other.safe && (w.flows() || w.Open == 0) {
		return s.safe < other.safe
	}
	return s.answer.Connections.Min < other.answer.Connections.Min
}

// spread makes what one machine sustains that of all.
func (s *solution) spread(hosts int) {
	s.scale(float64(hosts))
	s.answer.Pools *= int64(hosts)
	s.answer.Tuples *= int64(hosts)
	if s.demand != nil {
		d := *s.demand
		d.Tuples = Interval[int64]{d.Tuples.Min * int64(hosts), d.Tuples.Max * int64(hosts)}
		s.demand = &d
	}
}

// join makes the demand of the fleet from those of the two sides, and finds what
// would be enough.
func (f *FleetPlan) join(w Wish) *Demand {
	gateway, hosts := f.Gateway.Demand, f.Hosts.Demand
	d := *hosts
	if f.GatewayBinds {
		d = *gateway
	}
	d.Holds = gateway.Holds && hosts.Holds
	d.Needed = gateway.Needed
	d.Needed.Ports = hosts.Needed.Ports // a gateway's are not ours to choose
	d.Needed.Targets = enough(gateway.Needed.Targets, hosts.Needed.Targets)
	d.Needed.Sets = max(gateway.Needed.Sets, 1)
	if hosts.Needed.Sets == 0 {
		d.Needed.Sets = 0
	}
	if f.Addresses > 0 {
		d.Needed.Sources, f.Ports = f.Addresses, w.portsEach()
	}
	if !hosts.Holds || f.Addresses > 0 && !gateway.Holds { // addresses bring no machine more
		d.Needed.Sources = 0
	}
	f.Machines = w.machines()
	return &d
}

// enough is what is enough for both; 0 if no number is for one of them.
func enough(a, b int) int {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

// addresses counts the outside addresses that it takes to deal the ports out.
func (w Wish) addresses() int {
	if w.Fleet.Ports == 0 {
		return 0
	}
	machines := int64(w.Range.Size()) / w.Fleet.Ports // that one address has ports for
	return int((int64(w.Fleet.Hosts) + machines - 1) / machines)
}

// portsEach finds the least number of the gateway's ports that each machine needs
// for its part.
func (w Wish) portsEach() int {
	one := w.gateway()
	return one.fewest(w.Range.Size(), func(q *Question, n int) { q.System = w.System.atMost(int64(n)) })
}

// machines finds the least number of machines whose own ports are enough.
func (w Wish) machines() int {
	f := *w.Fleet
	w.Fleet = &f
	return fewest(MaxAddresses, func(n int) bool {
		f.Hosts = n
		return w.host().satisfied()
	})
}

// satisfied says whether the space is enough for what is wanted.
func (w Wish) satisfied() bool {
	if w.unequal() {
		return w.toward(w.busiest()).satisfied()
	}
	return w.holds(Predict(w.Question))
}

// checkFleet refuses what cannot be behind a gateway.
func (w Wish) checkFleet() error {
	f := w.Fleet
	if f == nil {
		return nil
	}
	size := int64(w.Range.Size())
	switch {
	case f.Hosts < 1 || f.Hosts > MaxAddresses:
		return &wishError{text: fmt.Sprintf("--fleet %d: want 1 to %d machines", f.Hosts, MaxAddresses), hint: "--fleet 10"}
	case f.Ports < 0 || f.Ports > size:
		return &wishError{
			text: fmt.Sprintf("--ports-per-host %d: an address of %s has %d ports", f.Ports, w.System.Name, size),
			hint: "--ports-per-host 64",
		}
	}
	each := int64(w.Sources+f.Hosts-1) / int64(max(w.Sources, 1)) // machines to an address
	if n := w.addresses(); w.Sources > 0 && w.Sources < n {
		return &wishError{
			text: fmt.Sprintf("%d machines with %d ports each take %d outside addresses of %s with %d ports: --sources %d is too few",
				f.Hosts, f.Ports, n, w.System.Name, size, w.Sources),
			hint: fmt.Sprintf("--sources %d, or --ports-per-host %d", n, max(1, size/each)),
		}
	}
	return nil
}
