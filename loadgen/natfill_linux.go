package loadgen

import (
	"fmt"

	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// natFull is what was true on the gateway at the fullest moment of a fill.
type natFull struct {
	full      bool // attempts found no port there
	lost      int64
	addresses []result.NATAddress
	strange   *int64
}

// goThrough makes the prediction that of a space behind the gateway, and returns
// how many ports count as full occupancy toward each target: the gateway's, if
// they run out first.
func (r *run) goThrough(usable int64) int64 {
	g := r.gateway.capacity()
	r.shared = g.Ends(r.answer)
	r.answer = r.answer.Through(g)
	if r.cfg.Scenario == "reuse" {
		r.answer.Reuse.Max = max(r.answer.Reuse.Max, g.Refuses(r.around.settings.HZ))
	}
	if !r.shared {
		return usable
	}
	r.crowd = strategy.Pools{Targets: len(r.cfg.Targets), ByTarget: true, Shared: true}
	return min(g.Ports*g.Addresses, g.All())
}

// through makes an opening one through the gateway.
func (r *run) through(o scenario.Opening) *scenario.Through {
	most := r.answer.Connections.Max
	return scenario.NewThrough(scenario.Through{
		Opening: o, Workers: len(r.engines), Linear: number(synLinear), Full: func() bool { return r.tally.Open() >= most },
	})
}

// reopen closes the connections that fill the gateway and opens as many anew.
func (r *run) reopen(opening opening) ([]scenario.Return, error) {
	work := scenario.NewReopen(scenario.Reopen{
		Until: int64(r.answer.Reuse.Max) + patience, Deadline: r.deadline(), Stop: &r.stop,
	}, opening.Conns())
	err := r.works([]step.Work{work})
	return work.Returns(), err
}

// lost gathers what the works of an opening through the gateway have learned.
func (f *filling) lost(works []opening) {
	last := int64(0)
	for _, w := range works {
		if t, ok := w.(*scenario.Through); ok {
			last = max(last, t.LastSuccess())
			f.nat.full = f.nat.full || t.Refused()
		}
	}
	for _, w := range works {
		if t, ok := w.(*scenario.Through); ok {
			f.nat.lost += t.LostBefore(last)
		}
	}
}

// translated asks the gateway which ports it has given out, and returns how many
// connections have one; nil without a gateway, or where that cannot be known.
func (f *filling) translated() *int64 {
	if f.gateway == nil {
		return nil
	}
	nat := f.gateway.seen()
	if err := f.gateway.translated(nat); err != nil {
		f.do(func() {
			f.warn(result.Warning{Code: "gateway_unread", Message: fmt.Sprintf("which ports the gateway used is not known: %v", err)})
		})
		return nil
	}
	sum := *nat.Untranslated
	for _, a := range nat.Addresses {
		sum += *a.Connections
	}
	f.do(func() { f.nat.addresses, f.nat.strange = nat.Addresses, nat.Untranslated })
	return &sum
}

// putGateway writes down what is known of the gateway.
func (r *run) putGateway(res *result.Result) {
	if r.gateway == nil {
		return
	}
	nat := r.gateway.seen()
	if r.nat.addresses != nil {
		nat.Addresses, nat.Untranslated = r.nat.addresses, r.nat.strange
		lost, collided := r.nat.lost, r.counted.Collided()
		nat.LostBeforeFull = &lost
		if r.gateway.capacity().Exact { // else a SYN may have met an address that was full
			nat.LostWhileFree = &collided
		}
	}
	res.NAT = nat
}

// lcm is the least common multiple.
func lcm(a, b int) int {
	g, rest := a, b
	for rest != 0 {
		g, rest = rest, g%rest
	}
	return a / g * b
}

// gatewayWarnings lists what the gateway makes other than it seems.
func (r *run) gatewayWarnings(res *result.Result) []result.Warning {
	nat := res.NAT
	if nat == nil {
		return nil
	}
	var list []result.Warning
	if nat.Full() {
		list = append(list, result.Warning{
			Code: "conntrack_full", Hint: "sudo sysctl -w net.netfilter.nf_conntrack_max=1048576 on the machine, or --connections with fewer",
			Message: fmt.Sprintf("connection tracking had no room for another connection (%s entries): what was dropped for that is timed_out, not nat_no_port",
				figures.Grouped(*nat.Tracked)),
		})
	}
	if n := res.RefusedByTimeWait(); n > 0 {
		list = append(list, result.Warning{
			Code: "time_wait_refused", Hint: "--close client-fin: who closes first is nothing to a gateway",
			Message: fmt.Sprintf("%s for a port that the gateway had given away again were refused by the listener, where the port was in TIME_WAIT: each waited for its next SYN, or timed out",
				figures.Counted(n, "SYN")),
		})
	}
	if nat.Untranslated != nil && *nat.Untranslated > 0 {
		list = append(list, result.Warning{
			Code: "untranslated", Message: fmt.Sprintf("%s went through the gateway with a port or an address that it should not have given",
				connections(*nat.Untranslated)),
		})
	}
	return list
}
