package main

import (
	"fmt"
	"os/exec"
	"strconv"

	"github.com/spf13/cobra"

	"lastport/loadgen"
)

// edgeFlags are the flags of fill for a program at the edge.
type edgeFlags struct {
	leave   int64
	command []string
}

// commandWords takes the words after "--" and no others.
func commandWords(c *cobra.Command, args []string) error {
	if len(args) > 0 && c.ArgsLenAtDash() != 0 {
		return usagef("lastport fill -- "+args[0], "fill takes no argument but a command after --, and got %q", args[0])
	}
	if len(args) == 0 && c.ArgsLenAtDash() == 0 {
		return usagef("lastport fill -- COMMAND ARG..., or leave -- out", "there is no command after --")
	}
	return nil
}

// edge understands --leave and the command. It comes when all else of the run is
// understood.
func (f *edgeFlags) edge(run *runFlags, c *loadgen.Config) error {
	if f.leave == 0 && len(f.command) == 0 {
		return nil
	}
	if err := f.holdsSome(c); err != nil {
		return err
	}
	switch {
	case run.connections > 0:
		return usagef("leave --connections out", "--connections %d with --leave or a command: all ports but those of --leave are taken", run.connections)
	case c.UDP:
		return usagef("--proto tcp", "--leave and a command are for connections, and with --proto udp there are none")
	case len(c.Targets) > 1:
		return usagef("--target "+c.Targets[0].String(), "--leave or a command with %d targets: ports are left toward one", len(c.Targets))
	case len(run.sources) > 0:
		return usagef("leave --source out", "--source with --leave or a command: what is left is left to programs that let the kernel choose their address")
	}
	if len(f.command) == 0 {
		c.Leave = f.leave
		return nil
	}
	if _, err := exec.LookPath(f.command[0]); err != nil {
		return usagef("lastport fill -- sh -c '…', or the path of a program", "command %q: %v", f.command[0], err)
	}
	switch names, err := run.strategies(); {
	case err != nil:
		return err
	case len(names) > 1:
		return usagef("--strategy "+names[0], "--strategy %s with a command: want one", run.strategy)
	case run.ends == loadgen.EndsTogether.String():
		return usagef("--ends apart", "--ends together with a command: its connections need a listener on a thread of its own")
	}
	if run.progress == "auto" {
		run.progress = "none" // standard error is the command's meanwhile
	}
	c.Leave, c.Command, c.Ends = f.leave, f.command, loadgen.EndsApart
	return f.leftOnHost(c)
}

// holdsSome checks that ports are held where so many are left.
func (f *edgeFlags) holdsSome(c *loadgen.Config) error {
	whose, n := "range", c.Ports().Size()
	if c.NAT != nil {
		if outside := c.NAT.Range.Size() * len(c.NAT.Addresses); outside < n {
			whose, n = "gateway", outside
		}
	}
	switch {
	case f.leave < 0:
		return usagef("--leave 20", "--leave %d: want 0 or more", f.leave)
	case f.leave >= int64(n):
		return usagef("--leave "+strconv.Itoa(n/2), "--leave %d: the %s has %d ports, and a fill that leaves all of them holds none", f.leave, whose, n)
	}
	return nil
}

// leftOnHost checks what a command on the real host is left.
func (f *edgeFlags) leftOnHost(c *loadgen.Config) error {
	if !onHost(c) {
		return nil
	}
	t, err := c.Traits()
	if err != nil {
		return err
	}
	if t.Explicit || t.Windowed {
		return usagef("--strategy connect", "--strategy %s on the host with a command: the command gets ports from all of the host's range", c.Strategy)
	}
	return nil
}

// keepsEnough refuses to leave fewer ports than are to stay free on the real host.
func (f *edgeFlags) keepsEnough(c *loadgen.Config) error {
	edge := f.leave > 0 || len(f.command) > 0
	if edge && c.OnHost != nil && f.leave < c.OnHost.KeepFree {
		return usagef(fmt.Sprintf("--leave %d, or --keep-free %d", c.OnHost.KeepFree, f.leave),
			"--leave %d leaves fewer ports than --keep-free %d keeps for others on the host", f.leave, c.OnHost.KeepFree)
	}
	return nil
}
