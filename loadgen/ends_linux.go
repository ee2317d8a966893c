package loadgen

import (
	"lastport/loadgen/kernel"
	"lastport/loadgen/observe"
	"lastport/reports/result"
)

// The two ends of a run may be on different hosts, each with sockets, settings
// and counters of its own.

// backlog is how long a queue the listener's host allows.
func (r *run) backlog() (length int) {
	_ = r.cfg.Hosts.inServer(func() error { // a setting that cannot be read is 0
		length = number("net.core.somaxconn")
		return nil
	})
	return length
}

// readCounters reads what the kernel has counted before the run.
func (r *run) readCounters() (err error) {
	if r.before, err = r.clientCounters(); err != nil || r.cfg.Hosts.Server == nil {
		return err
	}
	return r.cfg.Hosts.inServer(func() (err error) {
		r.peerHad, err = kernel.ReadCounters()
		return err
	})
}

// clientCounters are the counters of the generator's host, or of all clients
// together.
func (r *run) clientCounters() (kernel.Counters, error) {
	sum, err := kernel.ReadCounters()
	for i := 1; i < r.cfg.Clients && err == nil; i++ {
		err = r.cfg.Hosts.Client(i, func() error {
			more, err := kernel.ReadCounters()
			sum = kernel.Counters(result.Counters(sum).Plus(result.Counters(more)))
			return err
		})
	}
	return sum, err
}

// putCounters writes down what the kernel has counted since, at each end. What
// cannot be read is absent.
func (r *run) putCounters(res *result.Result) {
	if now, err := r.clientCounters(); err == nil {
		res.Kernel = result.Counters(now.Since(r.before))
	}
	if r.peerHad == nil {
		return
	}
	_ = r.cfg.Hosts.inServer(func() error { // absent, as said
		if now, err := kernel.ReadCounters(); err == nil {
			res.KernelPeer = result.Counters(now.Since(r.peerHad))
		}
		return nil
	})
}

// view is where the connections of the run can be seen.
func (c *Config) view() observe.View {
	v := observe.View{Targets: c.Targets, UDP: c.UDP, Server: c.Hosts.Server}
	if c.NAT != nil {
		v.Gateway = c.Hosts.inGateway
	}
	v.Clients = append(v.Clients, func(f func() error) error { return f() }) // the first is here
	for i := 1; i < c.Clients; i++ {
		v.Clients = append(v.Clients, func(f func() error) error { return c.Hosts.Client(i, f) })
	}
	return v
}

// sockets counts the sockets of the run by state: the generator's ends, on all
// clients, and the listener's. Which ports they have is kept as that of a moment.
func (r *run) sockets(moment string) (client, server result.States, err error) {
	seen, err := r.watch.Look(moment)
	if err != nil {
		return client, server, err
	}
	return seen.Client, seen.Server, nil
}
