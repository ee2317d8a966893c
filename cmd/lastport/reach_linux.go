package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lastport/loadgen"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
)

// reachFlags are the flags of reach besides those of every run.
type reachFlags struct {
	runFlags
	block, blockIn string
	tries          int
}

// oneByOne is the strategy of a reach: each port is bound to explicitly.
const oneByOne = "sequential"

func (a *app) reachVerb() *cobra.Command {
	var f reachFlags
	c := &cobra.Command{
		Use:   "reach",
		Short: "which source ports a path lets through",
		Long: "reach asks for every source port of a range, connects from it to the bundled\n" +
			"listener, and says which get through, which are refused, which are dropped, and\n" +
			"which something else answers. Of those dropped it says where: on the way out,\n" +
			"when the listener's host has seen nothing of them, or on the way back, when it\n" +
			"has answered. It ends with what a firewall must let pass for this client: in\n" +
			"words, as a rule of nftables, and as lines of a security group or network ACL.\n\n" +
			"With --block and --block-in a firewall of the place drops ports, to see it at\n" +
			"work. A dropped port is known by its silence: all wait at the same time, and\n" +
			"each is tried again before it counts.",
		Example: "  lastport reach --range 40000-40999\n" +
			"  lastport reach --place pair --range 40000-40999 --block 40100-40149,40500\n" +
			"  lastport reach --range 40000-40999 --block-in 40200-40299\n" +
			"  lastport reach --range all --expect reach.dropped==0",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.meaningless(c.Flags()); err != nil {
				return err
			}
			f.strategy, f.repeat = oneByOne, 1 // it has no flags for them
			return a.single("reach", step.ClientRST, &f.runFlags, f.reachConfig)
		},
	}
	fs := c.Flags()
	f.add(fs)
	setDefault(fs, "timeout", "1.5s") // two SYNs, at 0 and 1 s
	fs.StringVar(&f.block, "block", "", "`PORTS` that the place's firewall drops on the way out")
	fs.StringVar(&f.blockIn, "block-in", "", "`PORTS` to which the place's firewall drops what comes back")
	fs.IntVar(&f.tries, "tries", 2, "a `NUMBER` of attempts that a port gets before its silence counts as dropped")
	for _, m := range notOfReach() {
		for _, name := range m.flags {
			_ = fs.MarkHidden(name) // they mean nothing here; the flags exist, so this cannot fail
		}
	}
	return c
}

// maxTries bounds how long a silent port is waited for.
const maxTries = 10

// foreign are flags of a run that mean nothing to a verb, and why.
type foreign struct {
	flags []string
	why   string
}

func notOfReach() []foreign {
	return []foreign{
		{[]string{"close", "hold"}, "a reach closes at once and by RST, so that a port is free again"},
		{[]string{"strategy", "window-size", "window-moves", "tradeoff", "seed"}, "a reach asks for each port by itself, in ascending order"},
		{[]string{"workers"}, "a reach is one worker's"},
		{[]string{"proto"}, "a reach is made over TCP, whose answers tell on which way something was dropped"},
	}
}

// meaningless refuses flags that mean nothing to a reach.
func (f *reachFlags) meaningless(fs *pflag.FlagSet) error {
	for _, m := range notOfReach() {
		for _, name := range m.flags {
			if fs.Changed(name) {
				return usagef("leave --"+name+" out", "--%s %s: %s", name, fs.Lookup(name).Value, m.why)
			}
		}
	}
	return nil
}

// reachConfig adds what the flags of reach say.
func (f *reachFlags) reachConfig(c *loadgen.Config) (err error) {
	switch {
	case f.tries < 1 || f.tries > maxTries:
		return usagef("--tries 2", "--tries %d: want 1 to %d", f.tries, maxTries)
	case len(c.Sources) > 1:
		return usagef("--source "+c.Sources[0].String(), "--source: %d addresses: a reach looks at the path of one", len(c.Sources))
	case len(c.Targets) > 1:
		return usagef("--target "+c.Targets[0].String(), "--target: %d targets: a reach looks at the path to one", len(c.Targets))
	}
	c.Tries = f.tries
	if c.Block, err = f.blocked("block", f.block, c); err != nil {
		return err
	}
	c.BlockIn, err = f.blocked("block-in", f.blockIn, c)
	return err
}

// blocked reads a set of ports to be blocked. One that was given and is empty, as
// a variable of a shell may be, is a mistake: what was to be found would not be
// there.
func (f *reachFlags) blocked(name, text string, c *loadgen.Config) (ports.Ranges, error) {
	if !f.given(name) {
		return nil, nil
	}
	flag := "--" + name
	set, err := ports.Parse(text)
	if err != nil {
		return nil, named(flag, err)
	}
	if set.Intersect(c.Ports()).Size() == 0 {
		return nil, usagef(fmt.Sprintf("%s %d", flag, c.Ports().Hull().Low), "%s %s: none of these ports is of the range %s", flag, text, c.Range)
	}
	return set, nil
}
