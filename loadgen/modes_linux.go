package loadgen

import (
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/kernel"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

// The modes of a reuse in which a peer falls silent: it never answers, it has
// vanished, or it never closes. What frees the port then is a timer of the
// kernel's, and each has settings of its own.

// timers reads the settings in force.
func timers(user time.Duration) capacity.Timers {
	unit := func(key string, unit time.Duration) time.Duration { return time.Duration(number(key)) * unit }
	return capacity.Timers{
		HZ:                kernel.HZ(),
		SYNRetries:        number("net.ipv4.tcp_syn_retries"),
		SYNLinearTimeouts: number("net.ipv4.tcp_syn_linear_timeouts"),
		RTOMin:            unit("net.ipv4.tcp_rto_min_us", time.Microsecond),
		RTOMax:            unit("net.ipv4.tcp_rto_max_ms", time.Millisecond),
		Retries2:          number("net.ipv4.tcp_retries2"),
		OrphanRetries:     number("net.ipv4.tcp_orphan_retries"),
		UserTimeout:       user,
		FINTimeout:        unit("net.ipv4.tcp_fin_timeout", time.Second),
		KeepIdle:          unit("net.ipv4.tcp_keepalive_time", time.Second),
		KeepInterval:      unit("net.ipv4.tcp_keepalive_intvl", time.Second),
		KeepProbes:        number("net.ipv4.tcp_keepalive_probes"),
	}
}

// timeout predicts how long the mode keeps a port taken; ok is false for
// ModeClose, which the tuple space's prediction knows.
func (m ReuseMode) timeout(t capacity.Timers) (timeout capacity.Timeout, ok bool) {
	switch m {
	case ModeSYN:
		return t.SYNSent(), true
	case ModeInFlight:
		return t.InFlight(), true
	case ModeKeepalive:
		return t.Keepalive(), true
	case ModeFINWait1:
		return t.FINWait1(), true
	case ModeFINWait2:
		return t.FINWait2(), true
	}
	return capacity.Timeout{}, false
}

// predictReuse puts the mode's timeout in place of the close's.
func (r *run) predictReuse(p *result.Predicted) {
	p.RatePerS = nil // nothing goes on at a rate
	if t, ok := r.cfg.Mode.timeout(timers(r.cfg.UserTimeout)); ok {
		if r.cfg.Mode.asks() != 0 {
			p.Connections = nil // what is open at once is not what is measured
		}
		r.answer.Reuse = t.After
		p.ReuseNS = &result.Interval{Min: int64(t.After.Min), Max: int64(t.After.Max)}
		p.Why = t.Why
	}
}

// asks is what is asked of the silent peer; 0 where the close is what waits.
func (m ReuseMode) asks() step.Op {
	switch m {
	case ModeSYN:
		return step.Open
	case ModeInFlight:
		return step.Request
	case ModeKeepalive:
		return step.Await
	}
	return 0
}

// stuck waits until the kernel gives the silent peer up.
func (r *run) stuck(ask step.Op) ([]scenario.Return, error) {
	until := r.clock.Now() + int64(r.answer.Reuse.Max) + patience
	if end := r.deadline(); end > 0 {
		until = min(until, end)
	}
	work := scenario.NewStuck(scenario.Stuck{Do: ask, Ports: int(r.answer.Connections.Max), Spread: r.spread(), Until: until, Stop: &r.stop})
	err := r.works([]step.Work{work})
	return work.Returns(), err
}
