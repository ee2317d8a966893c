package result

// commandFields are how a program at the edge fared.
func commandFields() []field {
	command := func(r *Result) *Command { return r.Command }
	return []field{
		{"command.exit_status", count, of(command, func(c *Command) *int64 { return c.ExitStatus })},
		{"command.took", duration, of(command, func(c *Command) *int64 { return &c.TookNS })},
		{"command.ports_left", count, of(command, func(c *Command) *int64 { return &c.PortsLeft })},
		{"command.ports_most", count, of(command, func(c *Command) *int64 { return &c.PortsMost })},
		{"command.ports_out", duration, of(command, func(c *Command) *int64 { return c.PortsOutNS })},
		{"command.accepted", count, of(command, func(c *Command) *int64 { return &c.Accepted })},
		{"command.opened", count, of(command, func(c *Command) *int64 { return c.Opened })},
		{"command.failed", count, of(command, func(c *Command) *int64 { return c.Failed })},
		{"command.time_wait", count, of(command, func(c *Command) *int64 { return &c.TimeWait })},
	}
}
