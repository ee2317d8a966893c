package merge

import (
	"slices"

	"lastport/reports/result"
)

// server is what all listeners saw. What one that several shards may have shared
// says of others than the shard itself is counted once by each: it is absent.
func (w *whole) server() *result.Server {
	all := every(w.runs, func(r *result.Result) *result.Server { return r.Server })
	if all == nil {
		return nil
	}
	add := func(what string, get func(*result.Server) int64) int64 {
		return sum(&w.tally, "server."+what, all, get)
	}
	addAll := func(what string, get func(*result.Server) *int64) *int64 {
		return sumAll(&w.tally, "server."+what, all, get)
	}
	s := &result.Server{
		Accepted:       add("accepted", func(s *result.Server) int64 { return s.Accepted }),
		Closed:         addAll("closed", func(s *result.Server) *int64 { return s.Closed }),
		DistinctPeers:  addAll("distinct_peers", func(s *result.Server) *int64 { return s.DistinctPeers }),
		DistinctTuples: addAll("distinct_tuples", func(s *result.Server) *int64 { return s.DistinctTuples }),
		Requests:       add("requests", func(s *result.Server) int64 { return s.Requests }),
		OverLimit:      add("over_limit", func(s *result.Server) int64 { return s.OverLimit }),
		IdleClosed:     add("idle_closed", func(s *result.Server) int64 { return s.IdleClosed }),
		NoFD:           add("no_fd", func(s *result.Server) int64 { return s.NoFD }),
		Stale:          slices.ContainsFunc(all, func(s *result.Server) bool { return s.Stale }),
	}
	s.Version, _ = shared(all, func(s *result.Server) string { return s.Version })
	s.States = w.states(every(w.runs, func(r *result.Result) *result.States { return r.Server.States }))
	return s
}

// requests adds up what was sent over open connections.
func (w *whole) requests() *result.Requests {
	all := every(w.runs, func(r *result.Result) *result.Requests { return r.Requests })
	if all == nil {
		return nil
	}
	return &result.Requests{
		Answered: sum(&w.tally, "requests.answered", all, func(r *result.Requests) int64 { return r.Answered }),
		Failed:   sum(&w.tally, "requests.failed", all, func(r *result.Requests) int64 { return r.Failed }),
	}
}

// timeWait adds up the sockets in TIME_WAIT, each shard's at its own end.
func (w *whole) timeWait() *result.TimeWait {
	all := every(w.runs, func(r *result.Result) *result.TimeWait { return r.TimeWait })
	if all == nil {
		return nil
	}
	return &result.TimeWait{
		Closing:   sumAny(&w.tally, "time_wait.closing", all, func(t *result.TimeWait) *int64 { return t.Closing }),
		Generator: sum(&w.tally, "time_wait.generator", all, func(t *result.TimeWait) int64 { return t.Generator }),
		Listener:  sum(&w.tally, "time_wait.listener", all, func(t *result.TimeWait) int64 { return t.Listener }),
	}
}

// witness adds up the fullest moments; the sides agree if they did everywhere.
func (w *whole) witness() *result.Witness {
	all := every(w.runs, func(r *result.Result) *result.Witness { return r.Witness })
	if all == nil {
		return nil
	}
	addAll := func(what string, get func(*result.Witness) *int64) *int64 {
		return sumAll(&w.tally, "witness."+what, all, get)
	}
	return &result.Witness{
		Generator:      sum(&w.tally, "witness.generator", all, func(x *result.Witness) int64 { return x.Generator }),
		ServerOpen:     addAll("server_open", func(x *result.Witness) *int64 { return x.ServerOpen }),
		DistinctPeers:  addAll("distinct_peers", func(x *result.Witness) *int64 { return x.DistinctPeers }),
		DistinctTuples: addAll("distinct_tuples", func(x *result.Witness) *int64 { return x.DistinctTuples }),
		Translated:     addAll("translated", func(x *result.Witness) *int64 { return x.Translated }),
		SockDiag:       addAll("sock_diag", func(x *result.Witness) *int64 { return x.SockDiag }),
		Agree:          !slices.ContainsFunc(all, func(x *result.Witness) bool { return !x.Agree }),
	}
}

// nat is all gateways together, each shard's its own. How full each was toward
// its limit is its own affair, and absent.
func (w *whole) nat() *result.NAT {
	all := every(w.runs, func(r *result.Result) *result.NAT { return r.NAT })
	if all == nil {
		return nil
	}
	addAll := func(what string, get func(*result.NAT) *int64) *int64 {
		return sumAll(&w.tally, "nat."+what, all, get)
	}
	first := all[0] // asked for alike
	n := &result.NAT{
		Range: first.Range, Ports: first.Ports, Random: first.Random, Clients: first.Clients,
		Untranslated:   addAll("untranslated", func(n *result.NAT) *int64 { return n.Untranslated }),
		SYNsLost:       addAll("syns_lost", func(n *result.NAT) *int64 { return n.SYNsLost }),
		SYNsExplained:  addAll("syns_explained", func(n *result.NAT) *int64 { return n.SYNsExplained }),
		SYNsUncounted:  addAll("syns_uncounted", func(n *result.NAT) *int64 { return n.SYNsUncounted }),
		LostBeforeFull: addAll("lost_before_full", func(n *result.NAT) *int64 { return n.LostBeforeFull }),
		LostWhileFree:  addAll("lost_while_free", func(n *result.NAT) *int64 { return n.LostWhileFree }),
		Addresses:      w.natAddresses(all),
	}
	for _, one := range all {
		n.TimeoutNS = max(n.TimeoutNS, one.TimeoutNS)
		n.Conntrack = w.plus("nat.conntrack", n.Conntrack, one.Conntrack)
	}
	return n
}

// natAddresses adds up what was translated to each outside address: gateways of
// places of their own have the same ones.
func (w *whole) natAddresses(of []*result.NAT) (all []result.NATAddress) {
	for i := range of[0].Addresses {
		address := of[0].Addresses[i].Address
		var same []*result.NATAddress
		for _, n := range of {
			if at := slices.IndexFunc(n.Addresses, func(a result.NATAddress) bool { return a.Address == address }); at >= 0 {
				same = append(same, &n.Addresses[at])
			}
		}
		sumUp := result.NATAddress{Address: address}
		if len(same) == len(of) {
			sumUp.Connections = sumAll(&w.tally, "nat.addresses", same, func(a *result.NATAddress) *int64 { return a.Connections })
		}
		all = append(all, sumUp)
	}
	return all
}

// onHost adds up what the hosts' ranges had.
func (w *whole) onHost() *result.OnHost {
	all := every(w.runs, func(r *result.Result) *result.OnHost { return r.OnHost })
	if all == nil {
		return nil
	}
	h := &result.OnHost{
		KeepFree:       sum(&w.tally, "on_host.keep_free", all, func(h *result.OnHost) int64 { return h.KeepFree }),
		FreeBefore:     sum(&w.tally, "on_host.free_before", all, func(h *result.OnHost) int64 { return h.FreeBefore }),
		TimeWaitBefore: sum(&w.tally, "on_host.time_wait_before", all, func(h *result.OnHost) int64 { return h.TimeWaitBefore }),
	}
	for _, one := range all {
		h.Bounded = h.Bounded || one.Bounded
		h.Holders = append(h.Holders, one.Holders...)
		h.TimeWaitForNS, h.WaitedNS = max(h.TimeWaitForNS, one.TimeWaitForNS), max(h.WaitedNS, one.WaitedNS)
	}
	return h
}

// observer is what watching cost on all hosts; of one of their processors as
// much as where it was most.
func (w *whole) observer() *result.Observer {
	all := every(w.runs, func(r *result.Result) *result.Observer { return r.Observer })
	if all == nil {
		return nil
	}
	add := func(what string, get func(*result.Observer) int64) int64 {
		return sum(&w.tally, "observer."+what, all, get)
	}
	o := &result.Observer{
		Samples:     add("samples", func(o *result.Observer) int64 { return o.Samples }),
		Dumps:       add("dumps", func(o *result.Observer) int64 { return o.Dumps }),
		DumpNS:      add("dump_ns", func(o *result.Observer) int64 { return o.DumpNS }),
		Interrupted: add("interrupted", func(o *result.Observer) int64 { return o.Interrupted }),
		CPUNS:       add("cpu_ns", func(o *result.Observer) int64 { return o.CPUNS }),
	}
	for _, one := range all {
		o.Share = max(o.Share, one.Share)
	}
	return o
}
