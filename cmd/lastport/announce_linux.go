package main

import (
	"fmt"
	"slices"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/strategy"
	"lastport/reports/figures"
)

// manyConnections is from how many on a fill says beforehand what it needs.
const manyConnections = 100_000

// announce says, of the runs that hold many connections, what they need of the
// machine beside what there is, and refuses what does not fit. Runs that say the
// same say it once.
func (a *app) announce(runs []namedRun, host place.Host) error {
	said := ""
	for _, r := range runs {
		c := &r.cfg
		most, err := heldAtMost(c, host)
		if err != nil {
			return err
		}
		needs := c.Needs(most)
		if err := needs.Check(); err != nil {
			return err
		}
		if c.Widened == "" && most < manyConnections {
			continue
		}
		if said == c.Widened && said != "" {
			continue
		}
		if said = c.Widened; said != "" {
			a.ui.widened(most, said)
		}
		a.ui.needs(needs)
		if err := a.sayRaised(c, host); err != nil {
			return err
		}
	}
	return nil
}

// heldAtMost is how many connections a fill can hold at once, before it is known
// what else has ports; 0 for other scenarios.
func heldAtMost(c *loadgen.Config, host place.Host) (int64, error) {
	if c.Scenario != "fill" {
		return 0, nil
	}
	usable, err := usablePorts(c, host)
	if err != nil {
		return 0, err
	}
	t, err := c.Traits()
	if err != nil {
		return 0, err
	}
	pools := strategy.Pools{Sources: len(c.Sources), Targets: len(c.Targets), ByTarget: t.ByTarget(c.UDP)}
	most := int64(usable) * int64(pools.Count())
	if c.NAT != nil {
		most = min(most, c.NAT.Room(len(c.Targets)))
	}
	if c.Connections > 0 {
		most = min(most, c.Connections)
	}
	return most, nil
}

// sayRaised names the settings that the run raises for its listener.
func (a *app) sayRaised(c *loadgen.Config, host place.Host) error {
	s, err := spec(c, host)
	if err != nil {
		return err
	}
	for _, t := range slices.Concat(s.Tool, s.Server.Tool) {
		if t.Key == keyBacklog || t.Key == keySynBacklog {
			a.ui.raised(t.Key, host.Settings[t.Key], t.Value)
		}
	}
	return nil
}

// widened says what the tool has decided of the space that a run gets.
func (u *ui) widened(connections int64, how string) {
	u.line("%s connections: %s", figures.Grouped(connections), how)
}

// needs says what a large run takes of the machine, and what there is.
func (u *ui) needs(n loadgen.Needs) {
	have := ""
	if n.MemoryLeft >= 0 {
		have = fmt.Sprintf(" of %s MB available (%s)", figures.Grouped(n.MemoryLeft>>20), n.MemoryBound)
	}
	files := ""
	if n.FilesLeft >= 0 {
		files = fmt.Sprintf(" of %s that fs.file-max leaves", figures.Grouped(n.FilesLeft))
	}
	u.line("needs %s descriptors%s, in tables of %s, and %s MB of kernel memory%s", figures.Grouped(n.Files), files, figures.Grouped(int64(min(n.Tables.Limit, 1<<62))), figures.Grouped(n.Memory>>20), have)
}

// raised says which settings are others than the host's.
func (u *ui) raised(key, from, to string) {
	u.line("in the private place %s is %s instead of %s", key, to, from)
}
