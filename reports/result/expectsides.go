package result

// sideFields are what the listener and the observer saw, and what a connection
// cost.
func sideFields() []field {
	server := func(r *Result) *Server { return r.Server }
	recovery := func(r *Result) *Recovery { return r.Recovery }
	ports := func(r *Result) *Ports { return r.Ports }
	cost := func(r *Result) *Cost { return r.Cost }
	end := func(which func(*Cost) *CPUPerConn) func(*Result) *CPUPerConn {
		return func(r *Result) *CPUPerConn {
			if r.Cost == nil {
				return nil
			}
			return which(r.Cost)
		}
	}
	generator := func(c *Cost) *CPUPerConn { return c.Generator }
	listener := func(c *Cost) *CPUPerConn { return c.Listener }
	observer := func(r *Result) *Observer { return r.Observer }
	witness := func(r *Result) *Witness { return r.Witness }
	return []field{
		{"server.accepted", count, of(server, func(s *Server) *int64 { return &s.Accepted })},
		{"server.closed", count, of(server, func(s *Server) *int64 { return s.Closed })},
		{"server.distinct_peers", count, of(server, func(s *Server) *int64 { return s.DistinctPeers })},
		{"server.distinct_tuples", count, of(server, func(s *Server) *int64 { return s.DistinctTuples })},
		{"server.requests", count, of(server, func(s *Server) *int64 { return &s.Requests })},
		{"server.over_limit", count, of(server, func(s *Server) *int64 { return &s.OverLimit })},
		{"server.idle_closed", count, of(server, func(s *Server) *int64 { return &s.IdleClosed })},
		{"server.no_fd", count, of(server, func(s *Server) *int64 { return &s.NoFD })},
		{"server.overflows", count, of(server, func(s *Server) *int64 { return s.Overflows })},
		{"server.strangers", count, of(server, func(s *Server) *int64 { return s.Strangers })},
		{"witness.agree", truth, of(witness, func(w *Witness) *bool { return &w.Agree })},
		{"recovery.attempts", count, of(recovery, func(v *Recovery) *int64 { return &v.Attempts })},
		{"recovery.after", duration, of(recovery, func(v *Recovery) *int64 { return &v.AfterNS })},
		{"ports.even", count, of(ports, func(p *Ports) *int64 { return &p.Even })},
		{"ports.odd", count, of(ports, func(p *Ports) *int64 { return &p.Odd })},
		{"ports.distinct", count, of(ports, func(p *Ports) *int64 { return &p.Distinct })},
		{"cost.cpu_per_conn", duration, of(cost, func(c *Cost) *int64 { return &c.CPUNSPerConn })},
		{"cost.user_cpu_per_conn", duration, of(cost, func(c *Cost) *int64 { return c.UserCPUNSPerConn })},
		{"cost.sys_cpu_per_conn", duration, of(cost, func(c *Cost) *int64 { return c.SysCPUNSPerConn })},
		{"cost.user_bytes_per_conn", count, of(cost, func(c *Cost) *int64 { return c.UserBytesPerConn })},
		{"cost.kernel_bytes_per_conn", count, of(cost, func(c *Cost) *int64 { return c.KernelBytesPerConn })},
		{"cost.generator.user_cpu", duration, of(end(generator), func(c *CPUPerConn) *int64 { return &c.UserNS })},
		{"cost.generator.sys_cpu", duration, of(end(generator), func(c *CPUPerConn) *int64 { return &c.SysNS })},
		{"cost.listener.user_cpu", duration, of(end(listener), func(c *CPUPerConn) *int64 { return &c.UserNS })},
		{"cost.listener.sys_cpu", duration, of(end(listener), func(c *CPUPerConn) *int64 { return &c.SysNS })},
		{"cost.tool_share", share, of(cost, func(c *Cost) *float64 { return c.ToolShare })},
		{"cost.generator_busy", share, of(cost, func(c *Cost) *float64 { return c.GeneratorBusy })},
		{"cost.host_busy", share, of(cost, func(c *Cost) *float64 { return c.HostBusy })},
		{"observer.cpu", duration, of(observer, func(o *Observer) *int64 { return &o.CPUNS })},
		{"observer.share", share, of(observer, func(o *Observer) *float64 { return &o.Share })},
	}
}

// of reads a value of a part of the result. Either may be absent.
func of[T any, V int64 | float64 | bool](part func(*Result) *T, get func(*T) *V) func(*Result) (float64, bool) {
	return func(r *Result) (float64, bool) {
		p := part(r)
		if p == nil {
			return 0, false
		}
		return read(get(p))
	}
}

// read turns a value that may be absent into a number; true is 1.
func read[V int64 | float64 | bool](p *V) (float64, bool) {
	if p == nil {
		return 0, false
	}
	switch v := any(*p).(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	if any(*p) == true {
		return 1, true
	}
	return 0, true
}
