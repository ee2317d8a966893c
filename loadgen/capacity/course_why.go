package capacity

import (
	"fmt"
	"time"

	"lastport/reports/figures"
)

// explain says in plain sentences how the course comes about.
func (c Course) explain(a Answer, rate float64, taken Interval[time.Duration]) []string {
	back := Interval[time.Duration]{round(taken.Min), round(taken.Max)}
	ports := a.portsInPools()
	if c.Sustained {
		return []string{fmt.Sprintf("%s attempts per second need %s of %s: each is back after %s", perSecond(rate), c.Needs, ports, back)}
	}
	why := []string{c.scarcity(ports, rate, back)}
	if c.FirstNoPort != nil && c.Attempts > c.Needs.Min {
		why = append(why, fmt.Sprintf(
			"each port serves one attempt in %s, and ports come back in the order and the rhythm in which they were taken", back))
	}
	return why
}

// explainFew is explain where more is closed than may be in TIME_WAIT.
func (c Course) explainFew(a Answer, rate float64) []string {
	need := fmt.Sprintf("%s attempts per second need %s of %s: at most %s are in TIME_WAIT, and every other is free when it is closed",
		perSecond(rate), c.Needs, a.portsInPools(), figures.Grouped(*a.MaxTimeWait))
	switch f := c.FirstNoPort; {
	case f != nil && f.Certain:
		return []string{need, fmt.Sprintf("attempt %s finds no port: until then all that were closed are in TIME_WAIT", f.Attempt)}
	case f != nil:
		return []string{need, "whether and when one finds no port depends on which ports are in TIME_WAIT"}
	}
	return []string{need}
}

// portsInPools are the ports that there are.
func (a Answer) portsInPools() string {
	ports := a.Connections.String() + " " + noun(a.Connections.Max, "port")
	if a.Pools > 1 {
		ports += fmt.Sprintf(" (of %d pools)", a.Pools)
	}
	return ports
}

// scarcity says how the attempts and the ports that are too few for them meet.
func (c Course) scarcity(ports string, rate float64, back Interval[time.Duration]) string {
	f := c.FirstNoPort
	switch {
	case f == nil:
		return fmt.Sprintf("%s attempts do not use up %s, though %s per second would need %s to go on for ever",
			figures.Grouped(c.Attempts), ports, perSecond(rate), c.Needs)
	case f.Certain:
		after := Interval[time.Duration]{round(f.After.Min), round(f.After.Max)}
		return fmt.Sprintf("attempt %s finds no port: %s attempts per second use up %s in %s, and none is back before %v",
			f.Attempt, perSecond(rate), ports, after, back.Min)
	}
	return fmt.Sprintf("%s attempts per second need %s of %s: "+
		"whether and when one finds none depends on the moments at which ports come back",
		perSecond(rate), c.Needs, ports)
}
